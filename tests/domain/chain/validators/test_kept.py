"""What is written of chains and validators is read again as it was, and what cannot be read is a fault of its row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chain.validators.evidence import REASONS, Evidence, Standing, standing_of
from domain.chain.validators.rules import Rules, rules_of
from domain.chain.validators.signals import HEIGHTS, Signals
from domain.chain.validators.states import Kind, Status
from domain.chain.validators.validator import JAILINGS_LIMIT, Validator, validator_of
from domain.kept import Unreadable

heights = st.integers(0, 10**12)
moments = st.floats(0, 4e9)
evidence = st.builds(
    Evidence, st.sampled_from(Kind), st.text(max_size=5), st.text(max_size=5), heights, moments, st.none() | moments
)
standings = st.builds(
    Standing,
    st.sampled_from(Status),
    st.none() | heights,
    st.none() | moments,
    st.none() | st.sampled_from(REASONS),
    st.none() | moments,
    st.none() | heights,
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.lists(evidence, max_size=3).map(tuple),
)
validators = st.builds(
    Validator,
    st.text(min_size=1, max_size=5),
    st.none() | st.text(max_size=5),
    st.none() | st.text(max_size=5),
    standing=standings,
    before=standings,
    checked=st.none() | heights,
    risk=st.integers(0, 3),
    jailings=st.dictionaries(st.tuples(heights, st.sampled_from(Kind)), st.none(), max_size=3),
    is_conflicting=st.booleans(),
)


@given(validator=validators)
def test_a_validator_is_read_again_as_it_was(validator):
    assert validator_of(validator.kept()) == validator


@pytest.mark.parametrize("rules", [None, Rules(2000, 0.5, 600.0)])
def test_the_rules_of_a_chain_are_read_again_as_they_were(rules):
    assert rules_of(None if rules is None else rules.kept()) == rules


@pytest.mark.parametrize(
    "read",
    [
        lambda: standing_of([]),
        lambda: standing_of({"status": "ACTIVE", "evidence": [{"kind": "rumour"}]}),
    ],
)
def test_what_is_of_another_kind_cannot_be_read(read):
    with pytest.raises(Unreadable):
        read()


def test_the_newest_jailings_are_remembered():
    validator = Validator("AA")
    for height in range(JAILINGS_LIMIT + 5):
        assert validator.remember(height, Kind.BLOCK_JAILED)
        assert not validator.remember(height, Kind.BLOCK_JAILED)
    assert [height for height, _ in validator.jailings] == list(range(5, JAILINGS_LIMIT + 5))


def test_the_signals_of_the_newest_blocks_are_remembered_until_they_are_taken_back():
    signals = Signals()
    for height in range(HEIGHTS + 10):
        signals.note_set(height, ["AA"])
        signals.note_block(height)
    since = Evidence(Kind.BLOCK_JAILED, "n1", "m", 20, 0.0)
    validator = Validator("BB", standing=Standing(Status.JAILED, 20, evidence=(since,)))
    validator.before = Standing(Status.ACTIVE)
    assert "does not have it" in str(signals.fault_of(validator, 20, 0.0))
    signals.forget(15)
    assert signals.fault_of(validator, 20, 0.0) is None
