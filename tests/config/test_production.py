"""The settings of time and stops as a file gives them."""

import pytest

from config import SettingsError, load


def test_a_site_has_its_own_words_reasons_and_limits(tmp_path):
    file = tmp_path / "andond.toml"
    file.write_text(
        "[floor.oee]\nready = 'delay'\n"
        "[[floor.oee.states]]\nmodel = 'mtconnect'\nstate = 'WAIT'\nmode = 'MANUAL'\nbucket = 'setup'\n"
        "[floor.downtime]\nminor = 60\n"
        "[[floor.downtime.reasons]]\ncode = 'RAIN'\ngroup = 'weather'\nfailure = true\nbucket = 'preventive'\n"
    )
    floor = load(file, {}, {}).settings.floor
    assert (floor.oee.ready, floor.downtime.minor) == ("delay", 60.0)
    assert [(row.state, row.mode, row.bucket) for row in floor.oee.states] == [("WAIT", "MANUAL", "setup")]
    assert [(row.code, row.failure, row.bucket) for row in floor.downtime.reasons] == [("RAIN", True, "preventive")]


@pytest.mark.parametrize(
    "text",
    [
        "[floor.oee]\nready = 'production'\n",
        "[floor.oee]\ncoverage = 2\n",
        "[[floor.oee.states]]\nmodel = 'mtconnect'\nstate = 'WAIT'\nbucket = 'lost'\n",
        "[[floor.downtime.reasons]]\ncode = 'RAIN'\n",
    ],
)
def test_what_means_nothing_is_refused(text, tmp_path):
    file = tmp_path / "andond.toml"
    file.write_text(text)
    with pytest.raises(SettingsError):
        load(file, {}, {})
