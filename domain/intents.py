"""Which acts were carried out: who repeats one by its key gets the answer it got, and nothing happens twice.

Rules of this file: no I/O, no clock. A tablet that was offline sends again what it may have sent before; the key that
it made when the person acted tells. A key is remembered for a week and is good for one act: with anything else in it,
it is refused. What was refused outright changed nothing and is asked anew.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from hashlib import blake2s

import msgspec

from domain.decision import Grounds, Refused, Row
from domain.json import JsonObject, JsonValue

KEPT = 7 * 86_400.0
LIMIT = 100_000


class Outcome(msgspec.Struct, frozen=True):
    """What became of an act at ``at`` (Unix seconds): the answer, or the refusal that was kept."""

    mark: str
    at: float
    answer: JsonValue | Refused


class Intents:
    """The acts of one desk by their keys, oldest first; ``kind`` is what their rows are called."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._known: OrderedDict[str, Outcome] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def restore(self, rows: Iterable[tuple[str, JsonObject]]) -> None:
        """Remember what was kept."""
        outcomes = sorted(((key, _read(value)) for key, value in rows), key=lambda one: one[1].at)
        self._known = OrderedDict(outcomes)

    def find(self, key: str, mark: str, said: str | None = None) -> Outcome | None:
        """What became of the act with ``key``, which its author ``said``; None if it was not carried out.

        Raises:
            Refused: if the key was used for an act with another ``mark``.
        """
        known = self._known.get(key)
        if known is not None and known.mark != mark:
            raise Refused(Grounds.CONFLICT, "this key was used for another act: take a new one", {"key": said or key})
        return known

    def keep(self, key: str, mark: str, at: float, answer: JsonValue | Refused) -> tuple[Row, ...]:
        """Remember what became of an act; returns what is to be written, with those that leave for it."""
        self._known[key] = Outcome(mark, at, answer)
        self._known.move_to_end(key)
        gone = self.expire(at)
        return (self.row(key), *gone)

    def row(self, key: str) -> Row:
        """What is written of the act with ``key``."""
        outcome = self._known[key]
        word, answer = "answer", outcome.answer
        if isinstance(answer, Refused):
            word = "refused"
            answer = {"grounds": answer.grounds.value, "message": answer.message, "details": dict(answer.details)}
        return Row(self.kind, key, {"mark": outcome.mark, "at": outcome.at, word: answer})

    def expire(self, at: float) -> tuple[Row, ...]:
        """Forget what is too old at ``at`` or too much."""
        gone = []
        while self._known:
            key, oldest = next(iter(self._known.items()))
            if len(self._known) <= LIMIT and at - oldest.at < KEPT:
                break
            del self._known[key]
            gone.append(Row(self.kind, key, None))
        return tuple(gone)


def mark_of(type_: str, by: str, arguments: JsonObject) -> str:
    """What tells an act from another one with the same key."""
    text = json.dumps([type_, by, arguments], sort_keys=True, separators=(",", ":"), default=str)
    return blake2s(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _read(value: JsonObject) -> Outcome:
    at, refused = value.get("at"), value.get("refused")
    answer: JsonValue | Refused = value.get("answer")
    if isinstance(refused, Mapping):
        details = refused.get("details")
        grounds, message = str(refused.get("grounds")), str(refused.get("message"))
        answer = Refused(Grounds(grounds), message, details if isinstance(details, Mapping) else {})
    return Outcome(str(value.get("mark")), float(at) if isinstance(at, int | float) else 0.0, answer)
