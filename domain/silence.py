"""When a source is silent, and when it has come back: one rule for every kind of source.

Rules of this file: no I/O; a moment is in seconds of a clock that does not jump.

* A source is silent when it has said nothing for twice its cadence, since its last word or, if there was none, since
  it is watched. A cadence of 0 promises nothing.
* What is to be told follows from what is and from what was told. So a notice comes again until it was told, and
  however they come in each other's way, silences and returns of a source take turns.
* A silence ends with a word, and with the promise that was broken: when other settings hold, or none any more.
* Silence that is ours is not the source's: ``excuse``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

import msgspec

from domain.event import Event
from domain.json import JsonValue
from domain.moment import rfc3339
from domain.policy import BUILT_IN

PATIENCE = 2.0
"""Cadences that a source may let pass."""


class Word(Enum):
    """What can be told of a source: the type of the event."""

    SILENT = "source.silent"
    RETURNED = "source.returned"


class Cause(Enum):
    """What ended a silence."""

    SPOKE = "spoke"
    CHANGED = "changed"
    REMOVED = "removed"


class Promise(msgspec.Struct, frozen=True):
    """What a source has promised by its settings; ``equipment`` is its ISA-95 path or empty, ``cadence`` in seconds."""

    name: str
    kind: str
    equipment: str
    cadence: float
    is_required: bool


class Notice(msgspec.Struct, frozen=True):
    """One thing to be told: ``silence`` seconds without a word since ``began``."""

    word: Word
    promise: Promise
    began: float
    silence: float
    cause: Cause | None = None

    def event(self, at: float, present: float, last: float | None) -> Event:
        """The notice as an event: it is ``at`` in Unix seconds, ``present`` on the clock of the notice.

        ``last`` is the moment of the source's last word in Unix seconds, None if it never had one.
        """
        promise, began = self.promise, at - (present - self.began)
        data: dict[str, JsonValue] = {
            "source": promise.name,
            "kind": promise.kind,
            "equipment": promise.equipment or None,
            "required": promise.is_required,
            "cadence": promise.cadence,
            "silence": round(self.silence, 3),
            "since": rfc3339(began),
            "last": None if last is None else rfc3339(last),
        }
        if self.cause is not None:
            data["cause"] = self.cause.value
        return Event(
            id=f"{promise.name}-{self.word.value}-{began:.3f}",
            source="/" + (promise.equipment or f"andond/sources/{promise.name}"),
            type=self.word.value,
            data=data,
            recorded=at,
            priority=BUILT_IN.priority_of(self.word.value, data),
            subject=promise.name,
            time=rfc3339(at),
        )


class _Watched(msgspec.Struct):
    """One source: ``heard`` is its last word, or when the watch began; ``told`` the silence that was told of."""

    promise: Promise
    heard: float
    count: int = 0
    told: Notice | None = None

    def is_silent(self, at: float) -> bool:
        cadence = self.promise.cadence
        return cadence > 0 and at - self.heard >= PATIENCE * cadence

    def due(self, at: float) -> Notice | None:
        if self.told is None:
            return self._notice(Word.SILENT, self.heard, at) if self.is_silent(at) else None
        if self.heard == self.told.began:
            return None
        return self._notice(Word.RETURNED, self.told.began, self.heard, Cause.SPOKE)

    def ended(self, cause: Cause, at: float) -> Notice | None:
        """What is left to be told when the promise holds no more."""
        if self.told is None:
            return None
        if self.heard != self.told.began:
            cause, at = Cause.SPOKE, self.heard
        return self._notice(Word.RETURNED, self.told.began, at, cause)

    def _notice(self, word: Word, began: float, at: float, cause: Cause | None = None) -> Notice:
        return Notice(word, self.promise, began, at - began, cause)


class Watch:
    """Watches sources by their names."""

    def __init__(self) -> None:
        self._watched: dict[str, _Watched] = {}
        self._ended: list[Notice] = []

    def keep(self, promises: Iterable[Promise], at: float) -> None:
        """Watch these from ``at`` on and no others; one that has promised the same before is watched on."""
        wanted = {promise.name: promise for promise in promises}
        for name, watched in list(self._watched.items()):
            if wanted.get(name) == watched.promise:
                continue
            ended = watched.ended(Cause.CHANGED if name in wanted else Cause.REMOVED, at)
            if ended is not None:
                self._ended.append(ended)
            del self._watched[name]
        for name, promise in wanted.items():
            self._watched.setdefault(name, _Watched(promise, at))

    def look(self, name: str, count: int, at: float) -> None:
        """``name`` has said ``count`` things so far, seen at ``at``: when that has grown, it has spoken.

        A count that has fallen is the one of a source that was begun anew.
        """
        watched = self._watched.get(name)
        if watched is None:
            return
        if count > watched.count:
            watched.heard = at
        watched.count = count

    def excuse(self, delay: float) -> None:
        """For ``delay`` seconds nobody could have been heard: that was not their silence."""
        for watched in self._watched.values():
            if watched.told is None:
                watched.heard += delay

    def due(self, at: float) -> list[Notice]:
        """What is to be told at ``at``, in this order, until it was told."""
        notices = (watched.due(at) for watched in self._watched.values())
        return [*self._ended, *(notice for notice in notices if notice is not None)]

    def told(self, notice: Notice) -> None:
        """``notice`` was told."""
        if notice in self._ended:
            self._ended.remove(notice)
            return
        watched = self._watched.get(notice.promise.name)
        if watched is not None:
            watched.told = notice if notice.word is Word.SILENT else None

    @property
    def silent(self) -> Mapping[str, float]:
        """The sources whose silence was told, each with the moment it began."""
        return {name: watched.told.began for name, watched in self._watched.items() if watched.told is not None}
