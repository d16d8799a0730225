"""What the audit is told of posted events: by whom, of which source, how many, and why they were not let.

Rules of this file: a program posts as often as its machine says something, so what one identity posts of one source is
counted together. Each source is named for as long as there are no more than ``NAMED`` within ``PERIOD``; of more the
rest are one, so that who posts of many sources leaves room for what others are counted by. What is said is never there:
it is in the journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from actors import AuditTrail, Refusal
from andond.api.publishing import ACTION
from domain import JsonValue
from domain.audit import OTHERS, Entry, Outcome, Target, Whence, Who
from transport import Request

PERIOD = 60.0
NAMED = 16
SOURCE_SHOWN = 200
TYPES_SHOWN = 5
TYPE_SHOWN = 64

_Member = tuple[JsonValue, str]


class PublicationNotes:
    """Notes what was posted in the audit at the end of ``trail``."""

    def __init__(self, trail: AuditTrail) -> None:
        self._trail = trail
        self._named: dict[str, float] = {}

    def done(self, request: Request, members: Iterable[JsonValue]) -> None:
        """``members`` were published."""
        self._note(request, Outcome.DONE, [(member, "") for member in members])

    def unknown(self, request: Request, members: Iterable[JsonValue]) -> None:
        """Nobody can say whether ``members`` were published."""
        why = "the source did not answer: nobody can say what is published"
        self._note(request, Outcome.FAILED, [(member, why) for member in members])

    def refused(self, request: Request, members: Sequence[JsonValue], refused: Iterable[Refusal]) -> None:
        """Those of ``members`` that are ``refused`` were not let."""
        told = [(members[each.index], "; ".join(fault.message for fault in each.faults)) for each in refused]
        self._note(request, Outcome.REFUSED, told)

    def _note(self, request: Request, outcome: Outcome, told: Iterable[_Member]) -> None:
        identity, at = request.rights.identity, self._trail.clock()
        together: dict[str, list[_Member]] = {}
        for each in told:
            word = self._word(f"{outcome.value} {identity.subject}", _text(each[0], "source")[:SOURCE_SHOWN], at)
            together.setdefault(word, []).append(each)
        whence = Whence(request.client.host, request.path, identity.session)
        for word, of_word in together.items():
            first, why = of_word[0]
            target = Target(_text(first, "source")[:SOURCE_SHOWN], _text(first, "id")[:SOURCE_SHOWN])
            said = _said([member for member, _ in of_word])
            self._trail.note(
                Entry(at, ACTION, outcome, Who.of(identity), whence, target, why, after=said, together=word)
            )

    def _word(self, who: str, source: str, at: float) -> str:
        """By what it is counted together: who and source, or all the others where there are too many."""
        word = f"{who} {source}"
        if word in self._named:
            if self._named[word] <= at < self._named[word] + PERIOD:
                return word
            del self._named[word]
        if len(self._named) >= NAMED:
            self._named = {each: since for each, since in self._named.items() if since <= at < since + PERIOD}
        if len(self._named) >= NAMED:
            return OTHERS
        self._named[word] = at
        return word


def _said(members: Sequence[JsonValue]) -> JsonValue:
    types: list[JsonValue] = [*sorted({_text(member, "type")[:TYPE_SHOWN] for member in members})[:TYPES_SHOWN]]
    return {"events": len(members), "types": types}


def _text(member: JsonValue, name: str) -> str:
    value = member.get(name) if isinstance(member, Mapping) else None
    return value if isinstance(value, str) else ""
