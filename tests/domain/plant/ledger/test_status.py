from __future__ import annotations

import pytest

from domain.plant.ledger import MACHINERY, MTCONNECT, PACKML, PLAIN, Bucket, Saying, StateMap, status_said


@pytest.mark.parametrize(
    ("saying", "status"),
    [
        (Saying(MTCONNECT, "ACTIVE"), "running"),
        (Saying(MTCONNECT, "READY"), "idle"),
        (Saying(MTCONNECT, "PROGRAM_COMPLETED"), "idle"),
        (Saying(MTCONNECT, "INTERRUPTED"), "stopped"),
        (Saying(MTCONNECT, "EMERGENCY_STOP"), "fault"),
        (Saying(MTCONNECT, "UNAVAILABLE"), "unknown"),
        (Saying(PACKML, "Held"), "fault"),
        (Saying(PACKML, "Suspended"), "stopped"),
        (Saying(PACKML, "Execute"), "running"),
        (Saying(MACHINERY, "OutOfService", "Maintenance"), "maintenance"),
        (Saying(MACHINERY, "NotExecuting", "Setup"), "setup"),
        (Saying(PLAIN, "fault"), "fault"),
        (Saying(PLAIN, "idle"), "idle"),
        (Saying(PLAIN, "dancing"), "unknown"),
    ],
)
def test_a_machines_word_is_one_of_the_dashboards_seven(saying, status):
    assert status_said(saying, StateMap()) == status


def test_a_row_of_the_site_says_what_its_own_word_means():
    assert status_said(Saying(PLAIN, "dancing"), StateMap([(PLAIN, "dancing", "", Bucket.CORRECTIVE)])) == "fault"
