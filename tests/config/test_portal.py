from __future__ import annotations

from typing import Annotated

import msgspec
import pytest

from config import AlertSettings, HistorySettings, HttpSource, SettingsError, load, required_chains
from config.meta import means


class Nodes(msgspec.Struct, frozen=True, kw_only=True, tag="cosmos", tag_field="kind"):
    """As a source of a chain is."""

    required: Annotated[bool, means("Counts for /readyz")] = False


def test_the_defaults_are_those_of_the_runbook():
    alerts = AlertSettings()
    assert (alerts.low_tps, alerts.low_tps_after) == (None, 300)
    assert (alerts.stream_errors, alerts.latency) == (10, 0.1)


def test_minutes_are_kept_for_the_day_that_the_peak_needs(tmp_path):
    file = tmp_path / "andond.toml"
    file.write_text("[portal.history]\nminutes = 3600\n")
    with pytest.raises(SettingsError) as refused:
        load(file, {}, {})
    assert [fault.key for fault in refused.value.faults] == ["portal.history.minutes"]
    assert HistorySettings().minutes == 31 * 86_400


def test_limits_are_read_from_the_file_and_from_the_environment(tmp_path):
    file = tmp_path / "andond.toml"
    file.write_text("[portal.alerts]\nlow_tps = 2000000\n")
    assert load(file, {}, {}).settings.portal.alerts.low_tps == 2_000_000
    loaded = load(file, {"ANDOND__PORTAL__ALERTS": "{ stream_errors = 50 }"}, {}).settings.portal.alerts
    assert loaded.stream_errors == 50


def test_only_nodes_of_a_chain_that_count_for_readyz_are_required_chains():
    sources = {"hub": Nodes(required=True), "test": Nodes(), "door": HttpSource(required=True)}
    assert required_chains(sources) == {"hub"}
