"""One characteristic of one product at one place, over time: its points, its baseline, which rules it breaks.

Rules of this file:

* Points are in the order of their own time; one that comes late takes its place, and what is broken now is worked out
  anew. A point's id is taken once.
* A stated baseline holds from the first point on. Without one the first ``learning`` subgroups make it; until then no
  rule but the specification speaks. It is not made anew by itself.
* Each rule is a source of alarms of its own: it is active while the newest point breaks it, and says which points it
  saw.
* The range has its own rule, ``range``; a piece outside of its specification breaks ``specification``.
* Memory is bounded: the newest points, as many as the longest window and a baseline need.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from domain.plant.quality.limits import Baseline, Subgroup, estimated
from domain.plant.quality.rules import LONGEST_WINDOW, NELSON, RULES, Rule

RANGE = "range"
SPECIFICATION = "specification"
SPARE = 16
TITLES = {
    **{rule.name: rule.title for rule in RULES.values()},
    RANGE: "the range beyond its limit",
    SPECIFICATION: "a piece outside of its specification",
}
"""What each rule means, for people."""


class Sample(msgspec.Struct, frozen=True, order=True):
    """The ``values`` of one subgroup, taken ``at`` (Unix seconds)."""

    at: float
    id: str
    values: Subgroup

    @property
    def mean(self) -> float:
        """The mean of its values."""
        return sum(self.values) / len(self.values)


class Violation(msgspec.Struct, frozen=True):
    """A rule that is broken by the last point of its ``window``."""

    rule: str
    window: tuple[Sample, ...]

    @property
    def title(self) -> str:
        """What the rule means, for people."""
        return TITLES[self.rule]


class Judged(msgspec.Struct, frozen=True):
    """What a sample showed: what it breaks itself, and which rules became active or ceased to be by it.

    A late sample can break a rule that is not active any more.
    """

    sample: Sample
    distance: float | None
    violations: tuple[Violation, ...]
    began: tuple[Violation, ...]
    ceased: tuple[str, ...]


class Nature(msgspec.Struct, frozen=True):
    """What a characteristic is to be: its limits (either may be missing), subgroup size, baseline and rules."""

    name: str
    unit: str = ""
    lower: float | None = None
    upper: float | None = None
    size: int = 1
    baseline: Baseline | None = None
    learning: int = 25
    rules: tuple[Rule, ...] = NELSON

    def conforms(self, value: float) -> bool:
        """Whether ``value`` is within the specification."""
        return (self.lower is None or value >= self.lower) and (self.upper is None or value <= self.upper)

    @property
    def has_specification(self) -> bool:
        """Whether anything is asked of a single piece."""
        return self.lower is not None or self.upper is not None


class Chart:
    """The control chart of one characteristic at one place."""

    def __init__(self, nature: Nature) -> None:
        self.nature = nature
        self.baseline = nature.baseline
        self.samples: list[Sample] = []
        self.active: frozenset[str] = frozenset()
        self._limit = max(LONGEST_WINDOW + 1 + SPARE, nature.learning)

    def __contains__(self, id_: str) -> bool:
        return any(sample.id == id_ for sample in self.samples)

    def take(self, sample: Sample) -> Judged | None:
        """What ``sample`` shows; None if it was taken before, or is older than what is known.

        Raises:
            ValueError: if it is no subgroup of the size that was agreed.
        """
        if len(sample.values) != self.nature.size:
            raise ValueError(f"{self.nature.name} has subgroups of {self.nature.size}, not of {len(sample.values)}")
        if sample.id in self or (len(self.samples) >= self._limit and sample < self.samples[0]):
            return None
        insort(self.samples, sample)
        del self.samples[: -self._limit]
        if self.baseline is None and len(self.samples) >= self.nature.learning:
            self.baseline = estimated([each.values for each in self.samples[: self.nature.learning]])
        violations = self._violations(self.samples[: self.samples.index(sample) + 1])
        now = violations if sample is self.samples[-1] else self._violations(self.samples)
        before, self.active = self.active, frozenset(violation.rule for violation in now)
        return Judged(
            sample=sample,
            distance=None if self.baseline is None else self.baseline.distance(sample.values),
            violations=violations,
            began=tuple(violation for violation in now if violation.rule not in before),
            ceased=tuple(sorted(before - self.active)),
        )

    def recall(self, samples: Sequence[Sample], baseline: Baseline | None, active: frozenset[str]) -> None:
        """Know again what was kept; a baseline that is stated now takes the place of one that was estimated."""
        self.samples = [sample for sample in sorted(samples) if len(sample.values) == self.nature.size]
        if self.baseline is None and (baseline is None or baseline.size == self.nature.size):
            self.baseline = baseline
        self.active = active

    def _violations(self, samples: Sequence[Sample]) -> tuple[Violation, ...]:
        found = []
        newest = samples[-1]
        if not all(self.nature.conforms(value) for value in newest.values):
            found.append(Violation(SPECIFICATION, (newest,)))
        if self.baseline is None:
            return tuple(found)
        distances = [self.baseline.distance(sample.values) for sample in samples[-LONGEST_WINDOW:]]
        found += [
            Violation(rule.name, tuple(samples[-rule.window :]))
            for rule in self.nature.rules
            if rule.is_violated(distances)
        ]
        width = _range(samples)
        low, high = self.baseline.range_limits
        if width is not None and not low <= width <= high:
            window = tuple(samples[-2:]) if self.nature.size == 1 else (newest,)
            found.append(Violation(RANGE, window))
        return tuple(found)


def _range(samples: Sequence[Sample]) -> float | None:
    """The range of the newest subgroup; of single values the step from the one before."""
    values = samples[-1].values
    if len(values) > 1:
        return max(values) - min(values)
    steps = [abs(after.values[0] - before.values[0]) for before, after in pairwise(samples[-2:])]
    return steps[0] if steps else None
