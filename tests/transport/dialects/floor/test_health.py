from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.dialects.floor.health import Traffic, alert_of, name_of, score

counts = st.integers(0, 10**9)


def test_who_only_listens_does_well():
    assert score(0, 0, Traffic()) == 1.0
    assert score(0, 0, Traffic(offered=1_000_000)) == 1.0


def test_one_mistake_among_the_first_words_is_no_bad_connection():
    assert score(1, 1, Traffic()) == 0.97


def test_what_is_refused_and_what_is_left_out_counts():
    assert score(100, 50, Traffic()) == 0.7
    assert score(0, 0, Traffic(100, 50)) == 0.8
    assert score(100, 100, Traffic(100, 100)) == 0.0


@given(counts, counts, counts, counts)
def test_a_score_is_between_0_and_1(messages, errors, offered, left_out):
    assert 0 <= score(messages, errors, Traffic(offered, left_out)) <= 1


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (1.0, "excellent"),
        (0.9, "excellent"),
        (0.89, "good"),
        (0.8, "good"),
        (0.6, "fair"),
        (0.3, "poor"),
        (0.29, "critical"),
    ],
)
def test_a_score_has_a_name(value, name):
    assert name_of(value) == name


def test_a_warning_is_told_once_and_so_is_what_is_worse():
    falling = [1.0, 0.7, 0.59, 0.55, 0.29, 0.1, 0.5, 0.2]
    told = [alert_of(before, now) for before, now in itertools.pairwise(falling)]
    assert told == [None, "connection_warning", None, "connection_critical", None, None, "connection_critical"]
