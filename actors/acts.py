"""What a person wants of the floor, and the way to the desk that decides about it.

Rules of this file: every door (REST, the native ``act``, a floor frame, a hook) makes an ``Act`` and brings it here.
One table says which desk an act is for. An answer means that the disk has it, or says that it has not.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from actors.audit.words import AuditTrail
from actors.places import ALARMS_DESK, CALLS_DESK, JOBS_DESK, PRODUCTION_DESK, Address
from actors.runtime import ActorDead, AskTimeout, Environment, MailboxFull, ask
from domain import Grounds, JsonObject, JsonValue, Priority, Refused
from domain.access import NO_RIGHTS, Rights
from domain.audit import NOWHERE, Entry, Outcome, Whence, Who

PATIENCE = 5.0

_DESKS = {
    "andon": CALLS_DESK,
    "alarm": ALARMS_DESK,
    "downtime": PRODUCTION_DESK,
    "equipment": PRODUCTION_DESK,
    "line": PRODUCTION_DESK,
    "oee": PRODUCTION_DESK,
    "changeover": JOBS_DESK,
    "job": JOBS_DESK,
    "production": JOBS_DESK,
    "quality": JOBS_DESK,
}


class Act(msgspec.Struct, frozen=True):
    """``by`` wants ``type`` (``andon.acknowledge``) done, and said so ``at`` (Unix seconds, of the device it was on).

    With a ``key`` it is done once, however often it comes. ``station`` is where the person was. ``rights`` say whether
    it may be done at the place of what it is done to: the desk that finds that asks them. ``whence`` is where it
    came from.
    """

    type: str
    key: str | None
    by: str
    at: float
    arguments: JsonObject
    station: str | None = None
    rights: Rights = NO_RIGHTS
    whence: Whence = NOWHERE
    priority: ClassVar[Priority] = Priority.CRITICAL

    @property
    def person(self) -> str:
        """Who it is that is called ``by``, as ``Identity.person`` says it; empty where that is not proved."""
        return self.rights.identity.person

    @property
    def roles(self) -> frozenset[str]:
        """The roles that it is proved to have."""
        identity = self.rights.identity
        return identity.roles if identity.is_proved else frozenset()

    def check(self, path: str | None) -> None:
        """Go on if it may be done at ``path``; None: it is about no place.

        Raises:
            Refused: if it may not.
        """
        verdict = self.rights.may(self.type, path)
        if not verdict.is_allowed:
            raise Refused(Grounds.NOT_ALLOWED, verdict.why, {"type": self.type})


class Acted(msgspec.Struct, frozen=True):
    """It is done: ``answer`` is what REST and the native protocol return.

    ``is_kept`` is False while the disk does not take it: everybody was told, and it is written when the disk is back.
    """

    answer: JsonValue
    is_kept: bool


class Acts:
    """The way to the desks of a running tree."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._trail = AuditTrail(environment)

    async def perform(self, act: Act, patience: float = PATIENCE) -> Acted:
        """Have ``act`` done, within ``patience`` seconds.

        Raises:
            Refused: if it is not done, or nobody can say; a repeat with the same key does no harm.
        """
        place = desk_of(act.type)
        if place is None:
            # The desks note what they refuse; of what is for none of them, the client's word is no name.
            self._note(act, "act.unknown", Outcome.REFUSED, f"there is no act {act.type}")
            raise Refused(Grounds.UNSUPPORTED, f"there is no act {act.type}", {"type": act.type})
        try:
            acted = await ask(Address(self._environment, place).ref, act, patience)
        except (ActorDead, AskTimeout, MailboxFull):
            self._note(act, act.type, Outcome.FAILED, "the desk did not answer: nobody can say whether it is done")
            raise unavailable("the desk or the disk does not answer; nobody can say whether it is done") from None
        if not isinstance(acted, Acted):
            raise TypeError(f"{place} answered {acted!r}")
        return acted

    def _note(self, act: Act, what: str, outcome: Outcome, why: str) -> None:
        who = Who.of(act.rights.identity, act.by)
        word = f"{outcome.value} {who.subject}"
        self._trail.note(Entry(self._trail.clock(), what, outcome, who, act.whence, why=why, together=word))


def desk_of(type_: str) -> str | None:
    """The place of the desk that decides about acts of ``type_``; None if there is none."""
    return _DESKS.get(type_.partition(".")[0])


def unavailable(reason: str) -> Refused:
    """It cannot be done now; ``reason`` says why."""
    return Refused(Grounds.UNAVAILABLE, f"{reason}; do it again with the same key")
