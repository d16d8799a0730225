from __future__ import annotations

import pytest

from actors.sources.source import Freshness
from config import HostSource, HttpSource, MtconnectSource

NOW = 1_000_000.0


def test_before_the_first_word_a_source_with_a_cadence_is_stale():
    freshness = Freshness("press3", "mtconnect", "acme/press3", 10.0, is_required=True)
    assert freshness.is_stale(NOW)
    assert freshness.describe(NOW) == {
        "name": "press3",
        "kind": "mtconnect",
        "equipment": "acme/press3",
        "required": True,
        "state": "stale",
        "cadence": 10.0,
        "last": None,
        "age": None,
        "events": 0,
    }


@pytest.mark.parametrize(("age", "state"), [(0, "fresh"), (20, "fresh"), (20.001, "stale"), (86400, "stale")])
def test_a_source_is_stale_after_twice_its_cadence(age, state):
    freshness = Freshness("press3", "mtconnect", "", 10.0, is_required=False)
    freshness.note(NOW)
    says = freshness.describe(NOW + age)
    assert (says["state"], says["age"], says["events"]) == (state, age, 1)
    assert (says["last"], says["equipment"]) == ("1970-01-12T13:46:40.000Z", None)


def test_a_source_that_promises_nothing_is_never_stale():
    freshness = Freshness("http", "http", "", 0.0, is_required=True)
    assert not freshness.is_stale(NOW)
    assert freshness.describe(NOW)["state"] == "fresh"
    assert freshness.describe(NOW)["cadence"] is None


def test_a_source_that_knows_better_says_so():
    freshness = Freshness("press3", "mtconnect", "", 10.0, is_required=True)
    assert freshness.describe(NOW, "connecting")["state"] == "connecting"


@pytest.mark.parametrize(
    ("settings", "kind", "cadence"),
    [
        (HostSource(equipment="acme/gateway", required=True), "host", 1.0),
        (HttpSource(equipment="acme/gateway", required=True, cadence=7.0), "http", 7.0),
        (MtconnectSource(address="127.0.0.1:1", equipment="acme/gateway", required=True), "mtconnect", 10.0),
    ],
)
def test_the_settings_say_what_a_source_promises(settings, kind, cadence):
    assert Freshness.of("one", settings) == Freshness("one", kind, "acme/gateway", cadence, is_required=True)


def test_a_clock_that_is_set_back_makes_no_age_below_zero():
    freshness = Freshness("press3", "mtconnect", "", 10.0, is_required=True)
    freshness.note(NOW)
    assert freshness.describe(NOW - 3600)["age"] == 0.0
