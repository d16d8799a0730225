"""Every pair of a state and evidence, and what records say."""

from __future__ import annotations

from itertools import product

import pytest

from domain.chain.observations import ValidatorRow
from domain.chain.validators.evidence import Evidence, Standing
from domain.chain.validators.judging import Court, Told, Word, judge
from domain.chain.validators.states import TRANSITIONS, Kind, Status, kind_of, reason_of
from domain.chain.validators.validator import Validator

A, N, J, T, U = Status.ACTIVE, Status.INACTIVE, Status.JAILED, Status.TOMBSTONED, Status.UNKNOWN
ORDER = (
    Kind.BLOCK_JAILED, Kind.BLOCK_TOMBSTONED, Kind.SET_LEFT, Kind.SET_JOINED, Kind.READ_TOMBSTONED, Kind.READ_JAILED,
    Kind.READ_BONDED, Kind.READ_UNBONDED, Kind.READ_FREE, Kind.READ_IN_SET, Kind.READ_ABSENT,
)  # fmt: skip
EXPECTED = {
    U: (J, T, N, A, T, J, A, N, U, A, N),
    A: (J, T, N, A, T, J, A, N, A, A, N),
    N: (J, T, N, A, T, J, A, N, N, A, N),
    J: (J, T, J, A, T, J, A, N, N, A, J),
    T: (T, T, T, T, T, T, T, T, T, T, T),
}
PAIRS = list(product(Status, Kind))
COURT = Court(lambda _: True, lambda _: True, lambda *_: False, 300.0, 30.0)


def validator_in(status: Status) -> Validator:
    validator = Validator("AA" * 20)
    if status is not Status.UNKNOWN:
        since = Evidence(Kind.READ_JAILED, "n1", "m", 100, 1000.0)
        validator.standing = Standing(status, since=100, is_confirmed=True, evidence=(since,))
        validator.checked = 100
    return validator


def test_every_state_has_a_word_on_every_evidence():
    assert set(ORDER) == set(Kind)
    assert {status: set(row) for status, row in TRANSITIONS.items()} == {key: set(Kind) for key in Status}


@pytest.mark.parametrize(("status", "kind"), PAIRS, ids=[f"{status}-{kind}" for status, kind in PAIRS])
def test_fresh_evidence_does_to_a_state_what_the_table_says(status, kind):
    expected = EXPECTED[status][ORDER.index(kind)]
    assert TRANSITIONS[status][kind] is expected
    validator = validator_in(status)
    said = judge(validator, Evidence(kind, "n1", "m", 110, 1060.0, 1060.0), COURT, Told("downtime"))
    assert validator.status is expected
    told = [each.word for each in said if each.word is not Word.CONFIRMED]
    if expected is not status:
        assert told == [Word.STATUS]
    else:
        # A record that denies a tombstone is a conflict; everything else that changes nothing is silent.
        denies = status is T and kind in (Kind.READ_BONDED, Kind.READ_UNBONDED, Kind.READ_FREE, Kind.READ_IN_SET)
        assert told == ([Word.CONFLICT] if denies else [])


@pytest.mark.parametrize(("status", "kind"), PAIRS, ids=[f"{status}-{kind}" for status, kind in PAIRS])
def test_evidence_of_long_before_changes_no_state_that_is_known(status, kind):
    if status is U:
        return
    validator = validator_in(status)
    said = judge(validator, Evidence(kind, "n1", "m", 50, 1060.0, 1060.0), COURT, Told("downtime"))
    is_escalation = (status, kind) == (J, Kind.BLOCK_TOMBSTONED)
    assert validator.status is (T if is_escalation else status)
    assert {each.word for each in said} <= {Word.HISTORY, Word.CONFIRMED} | ({Word.STATUS} if is_escalation else set())


@pytest.mark.parametrize("kind", Kind)
def test_only_what_says_jailed_makes_anybody_jailed(kind):
    for status in (U, A, N):
        is_jailing = TRANSITIONS[status][kind] in (J, T)
        assert is_jailing == ("jailed" in kind.value or "tombstoned" in kind.value)


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"is_tombstoned": True, "is_jailed": False}, Kind.READ_TOMBSTONED),
        ({"is_jailed": True, "bond": "unbonded"}, Kind.READ_JAILED),
        ({"is_jailed": False, "bond": "bonded"}, Kind.READ_BONDED),
        ({"is_jailed": False, "bond": "unbonding"}, Kind.READ_UNBONDED),
        ({"is_jailed": False, "bond": "unbonded"}, Kind.READ_UNBONDED),
        ({"is_jailed": False}, Kind.READ_FREE),
        ({"bond": "bonded"}, Kind.READ_IN_SET),
        ({"bond": "unbonded"}, Kind.READ_ABSENT),
        ({"is_tombstoned": False, "missed": 3}, None),
        ({}, None),
    ],
)
def test_what_a_record_says_of_a_state(row, kind):
    assert kind_of(ValidatorRow("AA" * 20, **row)) is kind


@pytest.mark.parametrize(
    ("row", "has_left", "reason"),
    [
        ({"reason": "slashed"}, True, "slashed"),
        ({"is_tombstoned": True}, True, "double_sign"),
        ({"jailed_until": 1001.0}, True, "downtime"),
        ({"jailed_until": 1000.0}, True, "self_delegation"),
        ({"jailed_until": 0.0}, False, "unknown"),
        ({}, True, "self_delegation"),
        ({}, False, "unknown"),
    ],
)
def test_why_a_record_says_jailed(row, has_left, reason):
    assert reason_of(ValidatorRow("AA" * 20, **row), 1000.0, has_left=has_left) == reason
