"""The calls' desk: people call for help and others come, and it is on disk before anybody is answered.

Rules of this file: the rules decide (``domain.plant.calls``, ``domain.plant.escalation``); the desk keeps time, commits
and has sent what is to be sent, after that. Every life begins with what was kept: the same calls, the same timers, and
notifications of which nobody knows whether they were sent are sent again, marked.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import ClassVar

import msgspec
import trio

from actors.acts import Act
from actors.desks.call_rules import CallTerms, check_called
from actors.desks.deciding import Answer, Concern, DecidingDesk, Method, named_place
from actors.hooks.taps import Seen, Taps
from actors.messages import CriticalRead, ReadCritical, StateRead
from actors.notifier.couriers import Couriers
from actors.notifier.readings import read_clocks
from actors.notifier.words import NotificationFailed, NotificationSent
from actors.places import NOTIFIER, RECORDER, Address
from actors.ranks import Ranks
from actors.runtime import ActorDead, AskTimeout, ListChildren, MailboxFull, ask
from config import FloorSettings
from domain import Arguments, Decision, Event, Grounds, JsonValue, Position, Priority, Refused, Row, beat_after
from domain.plant.calls import (
    AROUND,
    KIND,
    NOISE_BITS,
    RAISE,
    Around,
    Call,
    CallPriority,
    Calls,
    CallsNow,
    Reaction,
    Response,
    Said,
    Trigger,
    document,
    ended,
    no_call,
    ulid,
    wish_of,
    wishes,
)
from domain.plant.escalation import KINDS as ESCALATION_KINDS
from domain.plant.escalation import Escalations, Notification, Reading, Rulebook
from domain.plant.site import Site
from telemetry import counters, events, gauges

LOOK = 1.0
"""Seconds between two looks at the clock."""

MARK = 10.0
"""Seconds after which what was heard counts as heard: longer than an event is under way to the desk."""

NOTIFIER_PATIENCE = 10.0
NOTIFIER_INTERVAL = 0.05
HEARD_UP_TO = "andon.heard"
NAME_SIZE = 200
COMMENT_SIZE = 2000
YEAR_10000 = 253_402_300_800
_MOVES = {
    "andon.acknowledge": Trigger.ACKNOWLEDGE,
    "andon.arrive": Trigger.ARRIVE,
    "andon.resolve": Trigger.RESOLVE,
    "andon.close": Trigger.CLOSE,
    "andon.cancel": Trigger.CANCEL,
    "andon.reopen": Trigger.REOPEN,
}


def _noise() -> int:
    return secrets.randbits(NOISE_BITS)


class ReadCalls(msgspec.Struct, frozen=True):
    """Answer what ``read`` makes of the calls now."""

    read: Callable[[CallsNow], object]
    priority: ClassVar[Priority] = Priority.HIGH


class Look(msgspec.Struct, frozen=True):
    """It is time to see what is due."""

    priority: ClassVar[Priority] = Priority.HIGH


class Resume(msgspec.Struct, frozen=True):
    """The notifier is there: what was not sent for sure is to be sent again."""

    priority: ClassVar[Priority] = Priority.HIGH


class Passed(msgspec.Struct, frozen=True):
    """Critical events up to ``position`` were published some time ago: what concerned a call was heard."""

    position: Position
    priority: ClassVar[Priority] = Priority.HIGH


class CallDesk(DecidingDesk):
    """Keeps calls by the settings that ``present`` returns and their escalations by the ``rulebook``, at the ``site``.

    ``noise`` makes the chance in an id; ``readings`` reads the clocks. What is published is heard at the ``taps``.
    """

    name = "calls"
    kinds = (KIND, AROUND, HEARD_UP_TO, *ESCALATION_KINDS)

    def __init__(  # noqa: PLR0913 - each is another's business
        self,
        present: Callable[[], FloorSettings] = FloorSettings,
        rulebook: Callable[[], Rulebook] = Rulebook,
        site: Callable[[], Site] = Site,
        clock: Callable[[], float] = time.time,
        ranks: Ranks | None = None,
        *,
        taps: Taps | None = None,
        noise: Callable[[], int] = _noise,
        readings: Callable[[], Reading] | None = None,
    ) -> None:
        super().__init__(clock, ranks)
        self._terms = CallTerms(present)
        self._site = site
        self._taps = Taps() if taps is None else taps
        self._readings = readings or partial(read_clocks, clock)
        self._couriers = Couriers(self.life.environment)
        calls = Calls(lambda: self._terms.terms, lambda at: ulid(at, noise()), self._roles_of, self._is_modelled)
        escalations = Escalations(rulebook, lambda name: site().calendar_of(name))
        self._response = Response(calls, escalations, Around())
        self._heard: Position | None = None
        self._is_over = False

    def restore(self, kept: Mapping[str, StateRead]) -> None:
        """Take up the calls, their escalations and what is around them."""
        lost = len(self._response.calls.restore(kept[KIND])) + len(self._response.escalations.restore(kept))
        if lost:
            events.state_unreadable(kind=KIND, count=lost)
        self._response.around.restore(kept[AROUND])
        for _, value in kept[HEARD_UP_TO]:
            with suppress(ValueError):
                self._heard = Position.parse(str(value.get("position")))

    def begin(self) -> None:
        """Begin to hear and to keep time; send again what may not have been sent."""
        gauges.feed("andon_open", self._open_by_priority)
        self._taps.attend(self.life.path, self._terms.wants, self.actor_ref)
        self._settle(self._response.read_clocks(self._readings()))
        self.start_task(self._keep_looking)
        self.start_task(self._keep_marking)

    async def close(self) -> None:
        """Hear and send nothing more."""
        self._is_over = True
        self._taps.leave(self.life.path)
        gauges.forget("andon_open")

    def acts(self) -> Mapping[str, Method]:
        """What a person can do about calls."""
        moves = {type_: partial(self._move, trigger) for type_, trigger in _MOVES.items()}
        return {
            **moves,
            "andon.raise": self._raise,
            "andon.reassign": self._reassign,
            "andon.change": self._change,
            "andon.escalate": self._escalate,
        }

    def concerns(self, act: Act) -> Iterable[Concern]:
        """The place where a call is raised, or the call."""
        id_, calls = act.arguments.get("call"), self._response.calls
        if act.type == "andon.raise":
            yield from named_place(act, self._site())
        elif isinstance(id_, str):
            path = calls.find(id_).path if calls.has(id_) else None
            yield Concern(path, no_call(id_), id_ if path else "", lambda: self._document(calls.find(id_)))

    def take(self, message: object) -> object:
        """Hear what is published and what was sent, see what is due, answer what is asked."""
        match message:
            case Seen(event=event):
                self._hear(event)
            case NotificationSent(id=id_, receipt=receipt):
                self._settle(self._response.sent(id_, receipt, self.clock()))
            case NotificationFailed(id=id_, reason=reason):
                self._settle(self._response.failed(id_, reason, self.clock()))
            case Look():
                self._look()
            case Resume():
                self._settle(self._response.resume(self.clock()))
            case Passed(position=position):
                self._mark(position)
            case ReadCalls(read=read):
                return read(self._now())
        return None

    def describe(self) -> Mapping[str, JsonValue]:
        """How many calls are open and remembered, and what waits to be sent."""
        calls, waiting = self._response.calls, len(self._response.outstanding)
        return {"open": len(calls.open_calls()), "remembered": len(calls), "outstanding": waiting}

    # --- what people do

    def _raise(self, act: Act) -> Decision[Answer]:
        arguments, said = self._said(act)
        arguments.check()
        wish = wish_of(act.arguments, self._site().equipment.path_of)
        try:
            return self._answered(self._response.raise_call(wish, said))
        except Refused as refused:
            open_call = refused.details.get("call")
            if wish.links and isinstance(open_call, str):
                joined = self._response.join(open_call, wish, said.received)
                return Decision(self._shown(refused), joined.events, joined.rows)
            raise self._shown(refused) from None

    def _move(self, trigger: Trigger, act: Act) -> Decision[Answer]:
        arguments, said = self._said(act)
        id_ = arguments.text("call", NAME_SIZE)
        arguments.check()
        return self._done(lambda: self._response.act(id_, trigger, said))

    def _reassign(self, act: Act) -> Decision[Answer]:
        arguments, said = self._said(act)
        id_, to = arguments.text("call", NAME_SIZE), arguments.text("to", NAME_SIZE)
        arguments.check()
        return self._done(lambda: self._response.act(id_, Trigger.REASSIGN, said, {"assigned_to": to}))

    def _change(self, act: Act) -> Decision[Answer]:
        arguments, said = self._said(act)
        id_, priority = arguments.text("call", NAME_SIZE), arguments.choice("priority", CallPriority)
        if "priority" not in arguments:
            arguments.fault("priority", "is required")
        arguments.check()
        return self._done(lambda: self._response.act(id_, Trigger.CHANGE, said, {"priority": priority}))

    def _escalate(self, act: Act) -> Decision[Answer]:
        arguments, said = self._said(act)
        id_ = arguments.text("call", NAME_SIZE)
        arguments.check()
        return self._done(lambda: self._response.escalate(id_, said))

    def _said(self, act: Act) -> tuple[Arguments, Said]:
        arguments = Arguments(act.arguments)
        comment = arguments.optional_text("comment", COMMENT_SIZE)
        if not 0 <= act.at < YEAR_10000:
            raise Refused(Grounds.INVALID, "at must be a moment before the year 10000")
        check_called(act, arguments, self._site())
        return arguments, Said(act.by, act.at, self.clock(), act.station, comment, act.roles, act.person)

    def _done(self, decide: Callable[[], Decision[Reaction]]) -> Decision[Answer]:
        try:
            return self._answered(decide())
        except Refused as refused:
            raise self._shown(refused) from None

    def _answered(self, decision: Decision[Reaction]) -> Decision[Answer]:
        """The decision as who acted is answered; what is to be sent is sent when it is kept."""
        reaction = decision.answer
        self._follow(reaction)
        answer = reaction.answer
        if isinstance(answer, Refused):
            return Decision(self._shown(answer), decision.events, decision.rows)
        shown = None if answer is None else self._document(answer)
        return Decision(shown, decision.events, decision.rows)

    def _shown(self, refused: Refused) -> Refused:
        """The refusal with the call itself in its details, where it is about one."""
        id_ = refused.details.get("call")
        if not isinstance(id_, str) or not self._response.calls.has(id_):
            return refused
        call = self._document(self._response.calls.find(id_))
        return Refused(refused.grounds, refused.message, {**refused.details, "call": call})

    # --- what the gateway does

    def _hear(self, event: Event) -> None:
        at = self.clock()
        self._settle(self._response.hear(event, at))
        for rule, wish in wishes(self._terms.rules, event, self._site().equipment.path_of):
            said = Said(rule.by, event.recorded, at)
            try:
                self._settle(self._response.raise_call(wish, said))
            except Refused as refused:
                # The call that is open there stands for this one too.
                open_call = refused.details.get("call")
                if isinstance(open_call, str) and wish.links:
                    self._settle(self._response.join(open_call, wish, at))

    def _look(self) -> None:
        self._settle(self._response.read_clocks(self._readings()))
        at, due = self.clock(), self._response.escalations.next_due()
        if due is not None and due <= at:
            self._settle(self._response.due(at))
        self.commit(Decision(None, rows=self._response.calls.expire(at)))

    def _settle(self, decision: Decision[Reaction]) -> None:
        """Have kept what nobody waits for."""
        self._follow(decision.answer)
        self.commit(Decision(None, decision.events, decision.rows))

    def _follow(self, reaction: Reaction) -> None:
        for call in reaction.steps:
            if call.last.trigger == RAISE:
                counters.andon_calls.add(call.type)
            for timer in ended(call, self._terms.terms.targets):
                if timer.seconds is not None:
                    counters.andon_intervals.observe(timer.name, timer.seconds)
        if isinstance(reaction.answer, Refused):
            counters.andon_contests += 1
        if reaction.notifications:
            self.when_settled(partial(self._send, reaction.notifications))

    def _send(self, notifications: Iterable[Notification]) -> None:
        if not self._is_over:
            self._couriers.send(notifications)

    async def _keep_looking(self) -> None:
        await self._notifier_is_there()
        self.actor_ref.tell(Resume())
        while True:
            due = self._response.escalations.next_due()
            now = trio.current_time()
            at = beat_after(now, LOOK)
            if due is not None:
                at = min(at, now + max(0.01, due - self.clock()))
            await trio.sleep_until(at)
            with suppress(MailboxFull):
                self.actor_ref.tell(Look())

    async def _notifier_is_there(self) -> None:
        """Wait for it: the tree starts it behind the desks, and what nobody could be asked to send has not failed."""
        notifier = Address(self.life.environment, NOTIFIER)
        with trio.move_on_after(NOTIFIER_PATIENCE):
            while True:
                with suppress(ActorDead, AskTimeout):
                    await ask(notifier.ref, ListChildren())
                    return
                await trio.sleep(NOTIFIER_INTERVAL)

    # --- what was published while nobody heard

    async def _keep_marking(self) -> None:
        """Hear what was missed; then note from time to time how far everything was heard."""
        recorder = Address(self.life.environment, RECORDER)
        missed = await _critical(recorder, self._heard)
        for publication in missed.publications if missed is not None and self._heard is not None else ():
            if self._terms.wants(publication.event.type):
                self.actor_ref.tell(Seen(publication.event))
        while True:
            read = await _critical(recorder, None)
            await trio.sleep(MARK)
            if read is not None:
                with suppress(MailboxFull):
                    self.actor_ref.tell(Passed(read.newest))

    def _mark(self, position: Position) -> None:
        if position != self._heard and self._terms.rules:
            self._heard = position
            self.commit(Decision(None, rows=(Row(HEARD_UP_TO, "critical", {"position": str(position)}),)))

    # --- what there is to see

    def _now(self) -> CallsNow:
        return CallsNow(self._response.calls, self._response.escalations, self.clock(), self._terms.terms.targets)

    def _document(self, call: Call) -> dict[str, JsonValue]:
        return document(call, self.clock(), self._terms.terms.targets)

    def _roles_of(self, by: str) -> Iterable[str]:
        return (role for person in self._site().calendar.people if person.name == by for role in person.roles)

    def _is_modelled(self, path: str) -> bool | None:
        model = self._site().equipment
        return model.find(path).is_modelled if len(model) else None

    def _open_by_priority(self) -> Mapping[str, float]:
        found = dict.fromkeys(CallPriority, 0.0)
        for call in self._response.calls.open_calls():
            found[CallPriority(call.priority)] += 1
        return {priority.value: count for priority, count in found.items()}


async def _critical(recorder: Address, since: Position | None) -> CriticalRead | None:
    try:
        read = await ask(recorder.ref, ReadCritical(since), 5.0)
    except (ActorDead, AskTimeout, MailboxFull):
        return None
    return read if isinstance(read, CriticalRead) else None
