"""How many alarms, how fast: floods by a trailing window and by the clock, chattering, bad actors.

Rules of this file: moments are integer microseconds since 1970, so that a limit is met or not met and nothing is
rounded. Activations come in the order of their moments. What is live and what is analysed afterwards is counted here
and nowhere else.

* The trailing window holds the activations in (t - 600 s, t]. A flood begins when it holds more than 10 and ends at the
  moment it holds fewer than 5. It is for a warning now.
* An aligned interval is floor(t / 600 s). A flood begins with one that holds more than 10 and ends with one that holds
  fewer than 5. It is for reports; it finds other floods than the trailing window in the same log.
* An alarm chatters when it becomes active 3 times or more within 60 s.

Source of the rules: ANSI/ISA-18.2-2016, clause 16 (monitoring and assessment), as restated by public sources.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

import msgspec
from msgspec.structs import replace

SECOND = 1_000_000
WINDOW = 600 * SECOND
BEGINS_ABOVE = 10
ENDS_BELOW = 5
CHATTER_WINDOW = 60 * SECOND
CHATTER_COUNT = 3
BAD_ACTORS = 10

Name = str
"""What an alarm is called; the same for each of its activations."""


class Activation(msgspec.Struct, frozen=True):
    """The alarm ``name`` became active ``at`` (microseconds)."""

    at: int
    name: Name


class Flood(msgspec.Struct, frozen=True):
    """A flood from ``began`` to ``ended`` (microseconds; None: not yet).

    ``count`` activations belong to it, the ``peak`` is the most in one interval, ``first`` the alarm that came first
    and ``first_at`` when.
    """

    began: int
    ended: int | None
    count: int
    peak: int
    first: Name
    first_at: int


class FloodWord(Enum):
    """What can be told of a flood."""

    BEGAN = "began"
    ENDED = "ended"


class FloodChange(msgspec.Struct, frozen=True):
    """A flood began or ended ``at`` (microseconds)."""

    word: FloodWord
    at: int
    flood: Flood


class TrailingWindow:
    """The activations of the last ten minutes, and whether they are a flood.

    Of more than ``limit`` the oldest are forgotten before their time (None: none ever is).
    """

    def __init__(self, limit: int | None = None) -> None:
        self._held: deque[Activation] = deque(maxlen=limit)
        self.flood: Flood | None = None
        self.peak = 0
        self._now = 0

    def __len__(self) -> int:
        """Activations in the window."""
        return len(self._held)

    @property
    def held(self) -> Sequence[Activation]:
        """The activations in the window, oldest first."""
        return tuple(self._held)

    def take(self, activation: Activation) -> list[FloodChange]:
        """What follows from one more; one that is older than the last counts at the moment of that."""
        at = max(activation.at, self._now)
        told = self.advance(at)
        self._held.append(Activation(at, activation.name))
        count = len(self._held)
        self.peak = max(self.peak, count)
        flood = self.flood
        if flood is not None:
            self.flood = replace(flood, count=flood.count + 1, peak=max(flood.peak, count))
        elif count > BEGINS_ABOVE:
            first = self._held[0]
            self.flood = Flood(at, None, count, count, first.name, first.at)
            told.append(FloodChange(FloodWord.BEGAN, at, self.flood))
        return told

    def advance(self, at: int) -> list[FloodChange]:
        """What follows from its being ``at``."""
        self._now = max(self._now, at)
        told: list[FloodChange] = []
        while self._held and self._held[0].at <= self._now - WINDOW:
            gone = self._held.popleft()
            self._end_below(gone.at + WINDOW, told)
        self._end_below(self._now, told)
        return told

    def shift(self, delta: int) -> None:
        """The clock was set by ``delta``: what lay so far back still does."""
        self._now += delta
        self._held = deque(Activation(each.at + delta, each.name) for each in self._held)
        flood = self.flood
        if flood is not None:
            self.flood = replace(flood, began=flood.began + delta, first_at=flood.first_at + delta)

    @property
    def changes_at(self) -> int | None:
        """When the flood ends if nothing comes any more; None without one."""
        if self.flood is None or len(self._held) < ENDS_BELOW:
            return None if self.flood is None else self._now
        return self._held[len(self._held) - ENDS_BELOW].at + WINDOW

    def _end_below(self, at: int, told: list[FloodChange]) -> None:
        if self.flood is not None and len(self._held) < ENDS_BELOW:
            told.append(FloodChange(FloodWord.ENDED, at, replace(self.flood, ended=at)))
            self.flood = None


def trailing_floods(activations: Iterable[Activation]) -> tuple[list[Flood], int]:
    """The floods of a log by the trailing window, and the most activations that it ever held.

    A flood that the last activation leaves open ends when the window has emptied.
    """
    window = TrailingWindow()
    floods: list[Flood] = []
    for activation in activations:
        floods += _ended(window.take(activation))
    ends = window.changes_at
    if ends is not None:
        floods += _ended(window.advance(ends))
    return floods, window.peak


def _ended(told: Iterable[FloodChange]) -> list[Flood]:
    return [change.flood for change in told if change.word is FloodWord.ENDED]


def aligned_floods(activations: Iterable[Activation]) -> list[Flood]:
    """The floods of a log by the clock; the interval that ends one does not belong to it."""
    intervals: dict[int, list[Activation]] = {}
    for activation in activations:
        intervals.setdefault(activation.at // WINDOW, []).append(activation)
    floods: list[Flood] = []
    flood: Flood | None = None
    for number in sorted(intervals):
        held = intervals[number]
        if flood is not None and (number * WINDOW > (flood.ended or 0) or len(held) < ENDS_BELOW):
            floods.append(flood)
            flood = None
        end = (number + 1) * WINDOW
        if flood is not None:
            flood = replace(flood, ended=end, count=flood.count + len(held), peak=max(flood.peak, len(held)))
        elif len(held) > BEGINS_ABOVE:
            flood = Flood(number * WINDOW, end, len(held), len(held), held[0].name, held[0].at)
    return floods if flood is None else [*floods, flood]


class Chatter:
    """Whether alarms chatter: give it each activation in its turn."""

    def __init__(self) -> None:
        self._held: dict[Name, deque[int]] = {}

    def take(self, activation: Activation) -> int:
        """How often the alarm became active within the 60 s that end with this one."""
        held = self._held.setdefault(activation.name, deque())
        held.append(activation.at)
        while held[0] < activation.at - CHATTER_WINDOW:
            held.popleft()
        return len(held)

    def since(self, name: Name, at: int) -> int:
        """How often the alarm became active after ``at``, which is at most a minute ago."""
        return sum(each > at for each in self._held.get(name, ()))

    def forget(self, before: int) -> None:
        """Let go of alarms whose last activation is older than that."""
        for name in [name for name, held in self._held.items() if held[-1] < before]:
            del self._held[name]


def chattering(activations: Iterable[Activation]) -> dict[Name, int]:
    """The alarms that chatter, each with the most activations within 60 s, the worst first."""
    chatter = Chatter()
    worst: Counter[Name] = Counter()
    for activation in activations:
        worst[activation.name] = max(worst[activation.name], chatter.take(activation))
    return {name: count for name, count in worst.most_common() if count >= CHATTER_COUNT}


def bad_actors(counts: Mapping[Name, int], most: int = BAD_ACTORS) -> tuple[list[tuple[Name, int]], float | None]:
    """The ``most`` frequent alarms, and their share of all activations; None where there are none."""
    total = sum(counts.values())
    worst = sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:most]
    return worst, sum(count for _, count in worst) / total if total else None


class Figures(msgspec.Struct, frozen=True):
    """What a log of activations amounts to; floods both ways, and it is said which."""

    activations: int
    distinct: int
    top10: tuple[tuple[Name, int], ...]
    top10_share: float | None
    aligned: tuple[Flood, ...]
    trailing: tuple[Flood, ...]
    trailing_peak: int
    chattering: Mapping[Name, int]

    @property
    def aligned_count(self) -> int:
        """Activations within the aligned floods."""
        return sum(flood.count for flood in self.aligned)

    @property
    def aligned_peak(self) -> int:
        """Most activations in one aligned interval of a flood."""
        return max((flood.peak for flood in self.aligned), default=0)


def figures(activations: Iterable[Activation]) -> Figures:
    """Work out all of it; the activations may come in any order."""
    ordered = sorted(activations, key=lambda each: (each.at, each.name))
    counts = Counter(each.name for each in ordered)
    worst, share = bad_actors(counts)
    trailing, peak = trailing_floods(ordered)
    return Figures(
        activations=len(ordered),
        distinct=len(counts),
        top10=tuple(worst),
        top10_share=share,
        aligned=tuple(aligned_floods(ordered)),
        trailing=tuple(trailing),
        trailing_peak=peak,
        chattering=chattering(ordered),
    )
