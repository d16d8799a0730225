"""What is noted of an act: who wanted it, what it was done to, what that was before and is after.

Rules of this file: an act is noted once, when the disk has it or has not taken it, or when it is refused. The same
thing is looked at before and after by the same function, so that the two can be compared. Looking never fails an act.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from actors.acts import Act
from actors.audit.words import AuditTrail
from domain import JsonValue, Refused
from domain.audit import Entry, Outcome, Target, Who

State = Callable[[], JsonValue]

UNKEPT = "the disk has not taken it yet"


def nothing() -> JsonValue:
    """What is not there, or has nothing to show."""
    return None


class ActNote:
    """The note of one ``act``."""

    __slots__ = ("_act", "_entry", "_state", "_trail")

    def __init__(self, trail: AuditTrail, act: Act) -> None:
        self._trail = trail
        self._act = act
        self._state: State = nothing
        self._entry = Entry(trail.clock(), act.type, Outcome.DONE, Who.of(act.rights.identity, act.by), act.whence)

    def about(self, path: str, id_: str = "", state: State = nothing) -> None:
        """It is about what has this id at ``path``, and is now what ``state`` returns."""
        self._state = state
        self._entry = replace(self._entry, target=Target(path, id_), before=_looked(state))

    def decided(self, answer: JsonValue | Refused) -> None:
        """It has this ``answer``; of what was not there before that is what there is now."""
        if isinstance(answer, Refused):
            self._entry = replace(self._entry, outcome=Outcome.REFUSED, why=answer.message)
            return
        after = answer if self._state is nothing else _looked(self._state)
        self._entry = replace(self._entry, after=after)

    def settled(self, is_kept: bool) -> None:  # noqa: FBT001 - see ``Commit``
        """It is over."""
        why = self._entry.why if is_kept else UNKEPT
        self._trail.note(replace(self._entry, why=why))

    def refused(self, refused: Refused) -> None:
        """It is not done."""
        word = f"{refused.grounds.value} {self._entry.who.subject}"
        self._trail.note(replace(self._entry, outcome=Outcome.REFUSED, why=refused.message, before=None, together=word))

    def failed(self) -> None:
        """Something broke over it."""
        self._trail.note(replace(self._entry, outcome=Outcome.FAILED, why="the desk failed over it", before=None))


def _looked(state: State) -> JsonValue:
    try:
        return state()
    except Refused:
        return None
