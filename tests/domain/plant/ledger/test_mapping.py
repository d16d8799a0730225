"""The mappings of states to buckets, and PackML's 17 states."""

import itertools

import pytest

from domain.plant.ledger import (
    MACHINERY,
    MTCONNECT,
    PACKML,
    TRANSITIONS,
    Bucket,
    PackMl,
    PackState,
    Saying,
    StateMap,
    saying_of,
)
from domain.plant.mtconnect import EXECUTION, State


@pytest.mark.parametrize(
    ("model", "state", "mode", "bucket"),
    [
        (MTCONNECT, "ACTIVE", "", "production"),
        (MTCONNECT, "active", "AUTOMATIC", "production"),
        (MTCONNECT, "FEED_HOLD", "", "delay"),
        (MTCONNECT, "READY", "", "down"),
        (MTCONNECT, "UNAVAILABLE", "", "unknown"),
        (MTCONNECT, "EMERGENCY_STOP", "", "down"),
        (MACHINERY, "Executing", "Processing", "production"),
        (MACHINERY, "Executing", "Setup", "setup"),
        (MACHINERY, "NotExecuting", "Setup", "setup"),
        (MACHINERY, "OutOfService", "Processing", "delay"),
        (MACHINERY, "OutOfService", "Maintenance", "preventive"),
        (MACHINERY, "NotAvailable", "Processing", "unknown"),
        (MACHINERY, "Executing", "", "unknown"),
        (PACKML, "Execute", "", "production"),
        (PACKML, "Holding", "", "production"),
        (PACKML, "Suspending", "", "production"),
        (PACKML, "Held", "", "down"),
        (PACKML, "Suspended", "", "delay"),
        (PACKML, "Aborted", "", "down"),
        ("plain", "running", "", "production"),
        ("plain", "held", "", "delay"),
    ],
)
def test_a_state_counts_as_its_bucket(model: str, state: str, mode: str, bucket: str) -> None:
    assert StateMap().bucket(model, state, mode) is Bucket(bucket)


def test_every_word_of_the_standards_has_a_row() -> None:
    states = StateMap()
    for word, state in EXECUTION.items():
        assert (states.bucket(MTCONNECT, word) is Bucket.UNKNOWN) is (state is State.UNKNOWN)
    for word in PackState:
        assert states.bucket(PACKML, word) is not Bucket.UNKNOWN
        assert states.knows(PACKML, word)


def test_a_word_that_no_row_knows_is_unknown_and_named() -> None:
    states = StateMap()
    assert states.bucket(MTCONNECT, "DREAMING") is Bucket.UNKNOWN
    assert not states.knows(MTCONNECT, "DREAMING")


def test_a_site_changes_rows_and_chooses_what_ready_is_and_the_version_tells() -> None:
    own = StateMap([(MTCONNECT, "READY", "MANUAL", Bucket.SETUP)], ready=Bucket.DELAY)
    assert own.bucket(MTCONNECT, "READY", "MANUAL") is Bucket.SETUP
    assert own.bucket(MTCONNECT, "READY") is Bucket.DELAY
    assert own.bucket(MACHINERY, "NotExecuting", "Processing") is Bucket.DELAY
    assert len({StateMap().version, own.version, StateMap(ready=Bucket.DELAY).version}) == 3
    assert StateMap().version == StateMap().version


LEGAL = {
    "Reset": [("Stopped", "Resetting"), ("Complete", "Resetting")],
    "Start": [("Idle", "Starting")],
    "Hold": [(s, "Holding") for s in ("Execute", "Starting", "Suspending", "Suspended", "Unsuspending", "Unholding")],
    "Unhold": [("Held", "Unholding")],
    "Suspend": [("Execute", "Suspending")],
    "Unsuspend": [("Suspended", "Unsuspending")],
    "ToComplete": [("Execute", "Completing")],
    "Clear": [("Aborted", "Clearing")],
    "done": [
        ("Resetting", "Idle"), ("Starting", "Execute"), ("Holding", "Held"), ("Unholding", "Execute"),
        ("Suspending", "Suspended"), ("Unsuspending", "Execute"), ("Completing", "Complete"), ("Stopping", "Stopped"),
        ("Aborting", "Aborted"), ("Clearing", "Stopped"),
    ],
}  # fmt: skip
RUNNING = set(PackState) - {"Stopped", "Stopping", "Clearing", "Aborting", "Aborted"}


@pytest.mark.parametrize(("before", "after"), list(itertools.product(PackState, PackState)))
def test_every_pair_of_states_is_legal_or_reported_and_always_taken(before: PackState, after: PackState) -> None:
    legal = {pair for pairs in LEGAL.values() for pair in pairs}
    legal |= {(state, "Stopping") for state in RUNNING}
    legal |= {(state, "Aborting") for state in set(PackState) - {"Aborting", "Aborted"}}
    unit = PackMl(before)
    told = unit.take(after)
    assert (told is None) is (before is after or (before, after) in legal)
    assert unit.state is after
    if told is not None:
        assert set(told.expected) == TRANSITIONS[before]


def test_a_word_that_is_no_state_is_reported_and_the_next_one_begins_anew() -> None:
    unit = PackMl("Execute")
    told = unit.take("Dancing")
    assert told is not None
    assert (told.before, told.now, len(told.expected)) == ("Execute", "Dancing", 17)
    assert unit.take("idle") is None


@pytest.mark.parametrize(
    ("data", "saying"),
    [
        (
            {"state": "executing", "execution": "ACTIVE", "mode": "AUTOMATIC"},
            Saying("mtconnect", "ACTIVE", "AUTOMATIC"),
        ),
        (
            {"state": "unknown", "execution": "ACTIVE", "availability": "UNAVAILABLE"},
            Saying("mtconnect", "UNAVAILABLE"),
        ),
        (
            {"state": "not_executing", "execution": "ACTIVE", "emergencyStop": "TRIGGERED"},
            Saying("mtconnect", "EMERGENCY_STOP"),
        ),
        ({"model": "packml", "state": "Held"}, Saying("packml", "Held")),
        ({"itemState": "Executing", "operationMode": "Setup"}, Saying("machinery", "Executing", "Setup")),
        ({"status": "running"}, Saying("plain", "running")),
        ({"state": 7}, None),
        ({"execution": None, "state": "not_executing"}, None),
        ("running", None),
        (None, None),
    ],
)
def test_what_an_event_says_is_read_by_its_model(data: object, saying: Saying | None) -> None:
    assert saying_of(data) == saying  # type: ignore[arg-type]
