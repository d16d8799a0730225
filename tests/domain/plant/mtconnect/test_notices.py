import pytest

from domain import Priority, channel_of, parse_event
from domain.plant.mtconnect import (
    CLOCK_JUMPED,
    Alarm,
    AlarmChange,
    Change,
    Jumped,
    Notices,
    Observation,
    Reading,
    Role,
    Settled,
    State,
    StateChanged,
    Status,
)
from domain.plant.mtconnect.notices import TEXT_SIZE

RECEIVED = 1_800_000_000.0
AT = 1478509942.881
STAMP = "2016-11-07T09:12:22.881Z"
NOTICES = Notices("acme/plant1/line3/press3", "press3")


def observed(value: str, role: Role = Role.VALUE, key: str = "Xload", code: str = "", text: str = "") -> Observation:
    return Observation(key, role, value, AT, STAMP, code, text=text)


def alarm(level: str = "FAULT", code: str = "B6") -> Alarm:
    return Alarm("system", code, level, "", "HIGH", "External emergency stop", AT, (0, AT))


def test_a_state_says_what_holds_since_when_and_what_was_before() -> None:
    change = StateChanged(
        Status(State.EXECUTING, "ACTIVE", "ARMED", "AVAILABLE", AT, sequence=2),
        Status(State.NOT_EXECUTING, "READY", "ARMED", None, AT - 90.5),
        "AUTO",
    )
    event = NOTICES.state(change, observed("ACTIVE", Role.EXECUTION, "execution"), RECEIVED, is_good=True)
    assert event.type == "equipment.state.changed"
    assert (event.source, event.subject) == ("/acme/plant1/line3/press3", "press3")
    assert (event.time, event.recorded, event.quality) == (STAMP, RECEIVED, "good")
    assert event.priority is Priority.HIGH
    assert channel_of(event) == "equipment/acme/plant1/line3/press3"
    assert event.data == {
        "state": "executing",
        "execution": "ACTIVE",
        "emergencyStop": "ARMED",
        "availability": "AVAILABLE",
        "since": STAMP,
        "sequence": 2,
        "mode": "AUTO",
        "previous": {
            "state": "not_executing",
            "execution": "READY",
            "emergencyStop": "ARMED",
            "availability": None,
            "since": "2016-11-07T09:10:52.381Z",
            "sequence": 0,
        },
        "lasted": 90.5,
    }


def test_the_first_state_has_nothing_before_it() -> None:
    change = StateChanged(Status(State.UNKNOWN, "UNAVAILABLE", since=AT), Status(State.UNKNOWN), None)
    event = NOTICES.state(change, observed("UNAVAILABLE", Role.EXECUTION), RECEIVED, is_good=False)
    assert isinstance(event.data, dict)
    assert (event.data["previous"], event.data["lasted"], event.quality) == (None, None, "uncertain")


def test_a_raised_fault_is_critical_and_a_raised_warning_is_not() -> None:
    def raised(level: str) -> Priority:
        cause = observed(level, Role.CONDITION, "system", code="B6")
        return NOTICES.alarm(AlarmChange(Change.RAISED, alarm(level), None), cause, RECEIVED, is_good=True).priority

    assert (raised("FAULT"), raised("WARNING")) == (Priority.CRITICAL, Priority.HIGH)


def test_a_cleared_alarm_says_its_last_level_and_why() -> None:
    cause = observed("NORMAL", Role.CONDITION, "system")
    event = NOTICES.alarm(AlarmChange(Change.CLEARED, alarm(), "FAULT", "normal"), cause, RECEIVED, is_good=True)
    assert (event.type, event.subject) == ("alarm.cleared", "system/B6")
    assert channel_of(event) == "alarms/acme/plant1/line3/press3"
    assert isinstance(event.data, dict)
    assert {key: event.data[key] for key in ("level", "previous", "reason", "qualifier", "severity")} == {
        "level": "NORMAL",
        "previous": "FAULT",
        "reason": "normal",
        "qualifier": "HIGH",
        "severity": None,
    }


def test_alarms_cleared_by_one_line_have_ids_of_their_own() -> None:
    cause = observed("NORMAL", Role.CONDITION, "system")
    ids = {
        NOTICES.alarm(AlarmChange(Change.CLEARED, alarm(code=code), "FAULT"), cause, RECEIVED, is_good=True).id
        for code in ("A", "B", "")
    }
    assert len(ids) == 3


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("101.5", 101.5),
        ("-0.00043", -0.00043),
        ("0", 0),
        ("+7", 7),
        ("1e3", 1000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("nan", "nan"),
        ("inf", "inf"),
        ("1e999", "1e999"),
        ("9" * 40, "9" * 40),
        ("1 2 3", "1 2 3"),
        ("0x1F", "0x1F"),
        ("\u0663", "\u0663"),
        ("", ""),
        ("v" * 5000, "v" * TEXT_SIZE),
    ],
)
def test_a_value_is_a_number_where_it_is_one(text: str, value: object) -> None:
    event = NOTICES.reading(Reading(observed(text), RECEIVED, is_good=True))
    assert event.data == {"key": "Xload", "value": value}
    assert type(event.data["value"]) is type(value)


def test_a_value_that_is_not_there_is_null_with_a_reason() -> None:
    event = NOTICES.reading(Reading(observed("unavailable"), RECEIVED, is_good=True))
    assert event.data == {"key": "Xload", "value": None, "reason": "unavailable"}


def test_a_reading_that_stands_for_several_says_so() -> None:
    assert NOTICES.reading(Reading(observed("1"), RECEIVED, is_good=True, count=7)).extensions == {"sampledrate": 7}
    assert "sampledrate" not in NOTICES.reading(Reading(observed("1"), RECEIVED, is_good=True)).extensions


def test_a_counter_keeps_its_reset_and_a_value_its_duration() -> None:
    observation = observed("0")._replace(duration=100.0, reset="DAY")
    event = NOTICES.reading(Reading(observation, RECEIVED, is_good=True))
    assert event.data == {"key": "Xload", "value": 0, "duration": 100.0, "reset": "DAY"}


def test_the_id_follows_from_what_was_observed_and_the_era() -> None:
    def id_of(notices: Notices, value: str = "1", received: float = RECEIVED) -> str:
        return notices.reading(Reading(observed(value), received, is_good=True)).id

    again, later = Notices("/acme/plant1/line3/press3/", "other"), Notices("acme/plant1/line3/press3", "press3")
    later.era = 1
    assert id_of(NOTICES) == id_of(NOTICES, received=RECEIVED + 5) == id_of(again)
    assert len({id_of(NOTICES), id_of(NOTICES, "2"), id_of(later)}) == 3


def test_without_a_stamp_the_receivers_time_tells_events_apart() -> None:
    observation = observed("1")._replace(at=None, stamp="")
    events = [NOTICES.reading(Reading(observation, at, is_good=True)) for at in (RECEIVED, RECEIVED + 1)]
    assert events[0].time is None
    assert events[0].id != events[1].id


def test_news_of_the_clock_are_of_the_source() -> None:
    cause = observed("1")
    jumped = NOTICES.clock(Jumped(-400.0, 1.0, 401.0, backwards=True), cause, RECEIVED)
    assert (jumped.type, jumped.subject, jumped.quality) == (CLOCK_JUMPED, "press3", "uncertain")
    assert jumped.data == {"name": "press3", "offset": 401.0, "step": -400.0, "previousOffset": 1.0}
    settled = NOTICES.clock(Settled(401.0, 10.0, came_back=False, backwards=False), cause, RECEIVED)
    assert settled.data == {"name": "press3", "offset": 401.0, "lasted": 10.0, "cameBack": False}
    assert channel_of(settled) == "sources/acme/plant1/line3/press3"


def test_every_event_is_one_that_the_gateway_takes() -> None:
    cause = observed("FAULT", Role.CONDITION, "system", code="B6", text="x")
    events = [
        NOTICES.alarm(AlarmChange(Change.RAISED, alarm(), None), cause, RECEIVED, is_good=True),
        NOTICES.reading(Reading(observed("1"), RECEIVED, is_good=True, count=3)),
        NOTICES.message(observed("Change Inserts", Role.MESSAGE, "message", code="CHG"), RECEIVED, is_good=True),
        NOTICES.late(cause, RECEIVED),
        NOTICES.clock(Jumped(1.0, 1.0, 1.0, backwards=False), cause, RECEIVED),
        NOTICES.link("silent", {"silence": 20.0}, RECEIVED),
    ]
    for event in events:
        parsed = parse_event(event.to_members(), RECEIVED)
        assert (parsed.id, parsed.type, parsed.data) == (event.id, event.type, event.data)
