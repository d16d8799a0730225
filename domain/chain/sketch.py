"""How values are spread, in a form in which two of them can be added.

Rules of this file:

* Adding is exact, associative and commutative: counts and sums are integers, the extremes are the values themselves.
  So the minutes of an hour give the same as the hour, however they are put together.
* A quantile is a rank (nearest-rank) whose value is known to ``ACCURACY``: values lie in buckets that grow by
  ``_GAMMA``, and a bucket stands for the value that is at most ``ACCURACY`` off from every value in it.
* Memory is bounded: values below ``LEAST`` share a bucket, and those above ``MOST`` do; there are 1,500 between.

Source: C. Masson, J. E. Rim, H. K. Lee: "DDSketch: a fast and fully-mergeable quantile sketch with relative-error
guarantees", PVLDB 12 (2019), section 2.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, isfinite, log
from typing import Self

from domain.json import JsonObject, JsonValue

ACCURACY = 0.01
"""How far a quantile may be off, as a share of it."""

LEAST = 0.001
MOST = 1e10
SCALE = 1000
"""A sum is kept in thousandths of the unit of its values, as an integer."""

_GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
_LOG_GAMMA = log(_GAMMA)
_LOWEST = ceil(log(LEAST) / _LOG_GAMMA)


class Sum:
    """Values of at least 0, in any unit: how many, their sum, the least and the most."""

    __slots__ = ("count", "least", "most", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total = 0
        self.least: float | None = None
        self.most: float | None = None

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Sum) and self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]

    def add(self, value: float) -> None:
        """Count ``value``; what is negative counts as 0."""
        value = max(0.0, float(value))
        self.count += 1
        self.total += round(min(value, MOST) * SCALE)
        self.least, self.most = lesser(self.least, value), greater(self.most, value)

    def merge(self, other: Self) -> None:
        """Count all that ``other`` has counted."""
        self.count += other.count
        self.total += other.total
        self.least, self.most = lesser(self.least, other.least), greater(self.most, other.most)

    @property
    def mean(self) -> float | None:
        """The mean, from the sum; None before the first value."""
        return self.total / SCALE / self.count if self.count else None

    def to_json(self) -> dict[str, JsonValue]:
        """What was counted as it is kept; empty for nothing."""
        if not self.count:
            return {}
        return {"count": self.count, "sum": self.total, "least": self.least, "most": self.most}

    @classmethod
    def of_json(cls, members: JsonValue) -> Self:
        """What ``members`` were made of.

        Raises:
            ValueError: if they are not made of any.
        """
        made = cls()
        if not isinstance(members, Mapping):
            raise ValueError("a sum is an object")  # noqa: TRY004 - whoever reads knows one kind of fault
        if members:
            made._read(members)
        return made

    def _read(self, members: JsonObject) -> None:
        self.count, self.total = whole(members.get("count")), whole(members.get("sum"))
        self.least, self.most = number(members.get("least")), number(members.get("most"))


class Sketch(Sum):
    """A sum that also knows how its values are spread."""

    __slots__ = ("buckets",)

    def __init__(self) -> None:
        super().__init__()
        self.buckets: dict[int, int] = {}

    def add(self, value: float) -> None:
        """Count ``value``; what is negative counts as 0."""
        super().add(value)
        bucket = ceil(log(min(max(value, LEAST), MOST)) / _LOG_GAMMA)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1

    def merge(self, other: Self) -> None:
        """Count all that ``other`` has counted."""
        super().merge(other)
        for bucket, count in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count

    def quantile(self, ratio: float) -> float | None:
        """The value that ``ratio`` of all do not exceed, within ``ACCURACY``; None before the first value."""
        if self.least is None or self.most is None:
            return None
        rank, seen = max(1, ceil(ratio * self.count)), 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen >= rank:
                # What is below the least bucket is in it: its lowest value is as near as can be told.
                value = 0.0 if bucket == _LOWEST else 2 * _GAMMA**bucket / (_GAMMA + 1)
                return min(max(value, self.least), self.most)
        return self.most

    def to_json(self) -> dict[str, JsonValue]:
        """The spread as it is kept; empty for nothing."""
        if not self.count:
            return {}
        buckets: dict[str, JsonValue] = {str(bucket): self.buckets[bucket] for bucket in sorted(self.buckets)}
        return {**super().to_json(), "buckets": buckets}

    def _read(self, members: JsonObject) -> None:
        super()._read(members)
        buckets = members.get("buckets")
        if not isinstance(buckets, Mapping):
            raise ValueError("a spread has buckets")  # noqa: TRY004 - whoever reads knows one kind of fault
        self.buckets = {int(bucket): whole(count) for bucket, count in buckets.items()}
        if sum(self.buckets.values()) != self.count:
            raise ValueError("the buckets of a spread do not add up to its count")


def whole(value: JsonValue) -> int:
    """``value`` if it is an integer of at least 0.

    Raises:
        ValueError: if it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value


def number(value: JsonValue) -> float:
    """``value`` if it is a finite number.

    Raises:
        ValueError: if it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)


def lesser(one: float | None, other: float | None) -> float | None:
    """The lesser of two; of one that is None the other."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def greater(one: float | None, other: float | None) -> float | None:
    """The greater of two; of one that is None the other."""
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)
