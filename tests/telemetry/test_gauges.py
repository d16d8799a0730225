"""Gauges: asked when somebody wants to know."""

import pytest

from telemetry import Gauges
from telemetry.gauges import NAMES
from telemetry.metrics import METRICS


def test_a_gauge_tells_its_value_at_the_moment_of_the_sample():
    gauges = Gauges()
    lag = 0.0
    gauges.feed("loop_lag", lambda: lag)
    assert gauges.sample() == {"loop_lag": 0.0}
    lag = 0.5
    assert gauges.sample() == {"loop_lag": 0.5}


def test_a_sample_keeps_its_numbers_when_the_gauge_goes_on():
    gauges = Gauges()
    connections = {"live": 1}
    gauges.feed("connections", lambda: connections)
    taken = gauges.sample()
    connections["live"] = 2
    assert taken == {"connections": {"live": 1}}


def test_a_gauge_that_has_nothing_to_tell_or_is_forgotten_is_absent():
    gauges = Gauges()
    gauges.feed("loop_lag", lambda: None)
    gauges.feed("tasks", lambda: 3)
    gauges.forget("tasks")
    gauges.forget("tasks")
    assert gauges.sample() == {}


def test_one_gauge_can_be_asked_alone():
    gauges = Gauges()
    gauges.feed("tasks", lambda: 1 / 0)
    gauges.feed("loop_lag", lambda: 0.5)
    assert gauges.read("loop_lag") == 0.5
    assert gauges.read("ready") is None


def test_a_later_feed_takes_the_place_of_an_earlier_one():
    gauges = Gauges()
    gauges.feed("tasks", lambda: 1)
    gauges.feed("tasks", lambda: 2)
    assert gauges.sample() == {"tasks": 2}


def test_a_gauge_that_no_metric_shows_is_refused():
    with pytest.raises(KeyError, match="laod"):
        Gauges().feed("laod", lambda: 1)


def test_every_gauge_is_shown_by_a_metric():
    assert {metric.value for metric in METRICS if not metric.is_counted} == NAMES
