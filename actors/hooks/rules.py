"""The rules of hooks: an actor for each, and their supervisor.

Rules of this file: a rule sees what is published and says what follows, see ``domain.hooks``. What it words is checked
like anything that comes from outside, has a budget of critical events of its own and is marked as its work. A rule that
is in quarantine is told nothing more, and its actor stays where it is, so that it is seen.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from functools import partial

import trio
from msgspec.structs import replace

from actors.acts import Act, Acts
from actors.checking import checked
from actors.hooks.guard import Guard, HookFault, InQuarantine
from actors.hooks.installed import Installed
from actors.hooks.making import made
from actors.hooks.taps import Seen, Taps
from actors.ranks import Ranks
from actors.runtime import ChildSpec, Policy, Supervisor, TrioActor
from config import PolicySettings
from domain import MADE_BY, Event, EventFault, JsonObject, JsonValue, Refused
from domain.access import OPEN_RIGHTS
from domain.audit import Whence
from domain.hooks import Intent, Part, RuleHook

MADE_LIMIT = 600
MADE_PERIOD = 60.0
NEVER = sys.maxsize


class HookRule(TrioActor):
    """Asks ``rule``, the ``part`` of a hook that is ``installed``, about each event that it wants to see."""

    def __init__(
        self,
        part: Part,
        rule: RuleHook,
        taps: Taps,
        installed: Installed,
        ranks: Ranks,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self._part = part
        self._rule = rule
        self._taps = taps
        self._ranks = ranks
        self._types = installed.types
        self._clock = clock
        self._acts = Acts(self.life.environment)
        self._guard = Guard(self.life.environment, part, installed.settings.timeout, ranks, clock=clock)
        self._period_began = 0.0
        self._made = 0

    async def setup(self) -> None:
        """Ask the rule what it wants to see."""
        try:
            types = await self._guard.call(partial(_types_of, self._rule))
        except InQuarantine:
            return
        self._taps.ask(self._part, types, self.actor_ref)

    async def close(self) -> None:
        """Be told nothing more."""
        self._taps.forget(self._part)
        self._guard.close()

    async def on_receive(self, message: object) -> None:
        """Ask the rule what follows from an event, and see to it."""
        if type(message) is not Seen or self._part.is_quarantined:
            return
        try:
            wanted = await self._guard.call(partial(_react, self._rule, message.event, self._part.path))
            for each in wanted:
                await self._see_to(each)
        except InQuarantine:
            self._taps.forget(self._part)

    def describe(self) -> Mapping[str, JsonValue]:
        """The rule's line in the status document."""
        return self._part.describe()

    async def _see_to(self, wanted: JsonObject | Intent) -> None:
        self._check_pace()
        self._part.made += 1
        if isinstance(wanted, Intent):
            await self._act(wanted)
            return
        try:
            event = checked(wanted, self._clock(), self._ranks.policy, self._types)
        except EventFault as fault:
            self._fail(HookFault(f"worded what is no event: {fault}"))
        event = replace(event, extensions={**event.extensions, MADE_BY: self._part.path})
        self._guard.tell(self._ranks.admit(event))

    async def _act(self, wanted: Intent) -> None:
        """Have done what the rule wants; a desk's refusal is no failure of the rule."""
        by = f"hook {self._part.path}"
        try:
            act = Act(
                wanted.type,
                wanted.key,
                by,
                self._clock(),
                wanted.arguments,
                rights=OPEN_RIGHTS,
                whence=Whence(door="hook"),
            )
            await self._acts.perform(act)
        except Refused as refused:
            self._part.refusal = str(refused)

    def _check_pace(self) -> None:
        """A rule that answers its own work would never come to an end."""
        at = trio.current_time()
        if at - self._period_began > MADE_PERIOD:
            self._period_began, self._made = at, 0
        self._made += 1
        if self._made > MADE_LIMIT:
            self._fail(HookFault(f"made more than {MADE_LIMIT} events and acts within {MADE_PERIOD:g} s"))

    def _fail(self, fault: HookFault) -> None:
        self._guard.fail(fault)
        raise InQuarantine(str(fault))


class HookRules(Supervisor):
    """Supervises the rules of ``installed``, which see what goes by ``taps``; ``policy`` ranks what they word."""

    def __init__(
        self,
        installed: Installed,
        taps: Taps,
        policy: Callable[[], PolicySettings] = PolicySettings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        specs = [
            ChildSpec(
                f"{part.hook}.{part.name}",
                HookRule,
                (part, rule, taps, installed, Ranks(part.path, policy)),
                {"clock": clock},
            )
            for part, rule in installed.rules()
        ]
        # What a hook does must not take the clients along: the back-off bounds what each may cost.
        super().__init__(specs, Policy(intensity=NEVER, period=60.0))
        self._installed = installed
        self._ranks = Ranks("hooks", policy)

    async def setup(self) -> None:
        """Tell of what could not be loaded."""
        for part, event in self._installed.take_untold():
            Guard(self.life.environment, part, self._installed.settings.timeout, self._ranks).tell(event)

    def describe(self) -> Mapping[str, JsonValue]:
        """Every part of every hook."""
        return {"parts": self._installed.describe()}


def _types_of(rule: RuleHook) -> tuple[str, ...]:
    types = tuple(rule.types)
    if isinstance(rule.types, str) or not types or not all(isinstance(each, str) for each in types):
        raise HookFault("names no types of events that it wants to see")
    return types


def _react(rule: RuleHook, event: Event, path: str) -> Iterable[JsonObject | Intent]:
    # What is published is everybody's: a rule gets data that it may change.
    mine = replace(event, data=deepcopy(event.data))
    return made(rule.take(mine) or (), f"{path}-{event.id}", event.source)
