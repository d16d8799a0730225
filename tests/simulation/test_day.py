"""An hour of a plant, twice: nothing is wrong, and the second time it is the same to the last byte.

The whole day is ``make day``.
"""

from __future__ import annotations

import pytest

from tests.simulation.day import Plan, simulate
from tests.simulation.trace import parted


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [1])
def test_the_same_hour_with_faults_lived_twice_leave_the_same_trace_and_nothing_wrong(tmp_path, seed):
    plan = Plan(seed=seed, hours=1.0, scale=0.1, pace=6.0)
    outcomes = []
    for name in ("once", "again"):
        (tmp_path / name).mkdir()
        outcomes.append(simulate(plan, tmp_path / name))
    one, other = outcomes
    assert one.found == []
    assert other.found == []
    assert parted(one.trace, other.trace) is None
    assert one.figures["critical in the journal"] > 0
    assert one.trace.counts["fault"] > 0


def test_another_seed_is_another_day(tmp_path):
    digests = set()
    for seed in (1, 2):
        directory = tmp_path / str(seed)
        directory.mkdir()
        digests.add(simulate(Plan(seed=seed, hours=0.1, scale=0.1, pace=6.0), directory).trace.digest)
    assert len(digests) == 2
