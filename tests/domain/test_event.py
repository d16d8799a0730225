import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.event import EXTENSION_LIMIT, QUALITIES, TEXT_LIMIT, Event, EventFault, Fault, parse_event
from domain.priority import Priority

LEAST = {"specversion": "1.0", "id": "1", "source": "/acme/press3", "type": "alarm.raised"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn")), min_size=1, max_size=20)


def faults_of(members) -> list[Fault]:
    with pytest.raises(EventFault) as caught:
        parse_event(members, 0.0)
    return caught.value.faults


def pointers(members) -> list[str]:
    return [fault.pointer for fault in faults_of(members)]


def test_the_least_that_is_an_event():
    event = parse_event(LEAST, 12.5)
    assert event == Event("1", "/acme/press3", "alarm.raised", None, 12.5, Priority.HIGH)
    assert (event.subject, event.time, event.quality, dict(event.extensions)) == (None, None, "good", {})


def test_everything_an_event_can_say():
    event = parse_event(
        {
            **LEAST,
            "subject": "spindle",
            "time": "2026-11-21T06:00:00.000Z",
            "quality": "synthetic",
            "priority": "low",
            "correlationid": "c7",
            "count": 3,
            "test": True,
            "data": {"level": "FAULT"},
        },
        0.0,
    )
    assert (event.subject, event.time, event.quality) == ("spindle", "2026-11-21T06:00:00.000Z", "synthetic")
    assert event.priority is Priority.LOW
    assert event.extensions == {"correlationid": "c7", "count": 3, "test": True}
    assert event.data == {"level": "FAULT"}


def test_the_policy_reads_the_data():
    assert parse_event({**LEAST, "data": {"level": "FAULT"}}, 0.0).priority is Priority.CRITICAL


@pytest.mark.parametrize("members", [None, [], [LEAST], "event", 1, True])
def test_what_is_no_object_is_no_event(members):
    assert faults_of(members) == [Fault("", "an event is a JSON object")]


def test_all_faults_are_named_at_once():
    assert pointers({"type": "BAD", "time": "noon", "quality": [], "Big": 1, "data_base64": "eA=="}) == [
        "/specversion",
        "/id",
        "/source",
        "/type",
        "/time",
        "/quality",
        "/Big",
        "/data_base64",
    ]


def test_a_fault_says_where_and_what_was_expected():
    fault = EventFault([Fault("/id", "is required"), Fault("", "too many")])
    assert str(fault) == "/id: is required; /: too many"


TEXT_FAULTS = ["", 1, True, 1.5, [], {}, "x" * (TEXT_LIMIT + 1), "a\x00", "a\n", "a\x7f", "a\x9f", "a\ud800"]
NONCHARACTERS = ["a\ufdd0", "a\ufdef", "a\ufffe", "a\uffff", "a\U0001fffe", "a\U0010ffff"]


@pytest.mark.parametrize("name", ["id", "source", "type", "subject", "time", "dataschema", "datacontenttype"])
@pytest.mark.parametrize("value", TEXT_FAULTS + NONCHARACTERS, ids=ascii)
def test_an_attribute_that_is_no_proper_string_is_named_once(name, value):
    assert pointers({**LEAST, name: value}) == [f"/{name}"]


@pytest.mark.parametrize("name", ["id", "source", "type", "specversion"])
@pytest.mark.parametrize("how", ["absent", "null"])
def test_what_is_required_must_be_there(name, how):
    members = {**LEAST, name: None}
    if how == "absent":
        del members[name]
    assert pointers(members) == [f"/{name}"]


@pytest.mark.parametrize("version", ["1.1", "0.3", "1", 1.0, 1, [], {}])
def test_another_version_is_refused(version):
    assert pointers({**LEAST, "specversion": version}) == ["/specversion"]


BAD_FORMS = {
    "type": ["alarm", "Alarm.raised", "alarm.", ".alarm", "alarm..raised", "alarm raised", "1alarm.raised", "alarm.ä"],
    "source": ["a b", "/a%", "/a%zz", "/ä", "/a#b#c", "/a\\b", "<a>", '"', "/a^b", "/a|b", "/{a}", "/`"],
    "time": ["now", "2026-11-21", "2026-11-21T06:00:00", "2026-02-30T06:00:00Z", "2026-11-21T06:00:00+24:00"],
    "datacontenttype": ["text/plain", "json", "application/", "application/jsonp", "/json", "application/xml"],
    "dataschema": ["/relative", "no spaces here", "a", "1:x", "https://a/%g0"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD_FORMS.items() for value in values])
def test_an_attribute_of_the_wrong_form_is_named(name, value):
    assert pointers({**LEAST, name: value}) == [f"/{name}"]


GOOD_FORMS = {
    "type": ["alarm.raised", "a.b.c", "a_b-1.2c", "com.github.pull_request.opened"],
    "source": [
        "/a",
        "a",
        "https://a.example/b?c=d#e",
        "urn:acme:1",
        "mailto:a@b.example",
        "/a%20b",
        "#x",
        "?",
        "[::1]",
    ],
    "time": ["2026-11-21T06:00:00Z", "2026-11-21t06:00:00.123456789+14:00", "2016-12-31T23:59:60Z"],
    "datacontenttype": [
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/cloudevents+json",
        "text/json",
        "image/svg+json;x=y",
    ],
    "dataschema": ["https://acme.example/press.json", "urn:x:y"],
    "id": ["1", "ä", "a b", "x" * TEXT_LIMIT, "🦆"],
    "subject": ["spindle", "a/b c"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in GOOD_FORMS.items() for value in values])
def test_an_attribute_of_the_right_form_is_kept_as_it_came(name, value):
    assert parse_event({**LEAST, name: value}, 0.0).to_members()[name] == value


BAD_EXTENSIONS = {
    "Upper": 1,
    "with-dash": 1,
    "with_line": 1,
    "ä": 1,
    "": 1,
    "a/b": 1,
    "a~b": 1,
    "x" * 65: 1,
    "float": 1.5,
    "whole": 1.0,
    "list": [],
    "map": {},
    "big": 2**31,
    "small": -(2**31) - 1,
    "long": "x" * (TEXT_LIMIT + 1),
    "control": "a\nb",
    "surrogate": "\ud800",
    "nonchar": "\uffff",
    "channel": [],
    "offset": 1.5,
}


@pytest.mark.parametrize(("name", "value"), BAD_EXTENSIONS.items(), ids=ascii)
def test_a_bad_extension_attribute_is_named_once_by_its_json_pointer(name, value):
    assert pointers({**LEAST, name: value}) == ["/" + name.replace("~", "~0").replace("/", "~1")]


@pytest.mark.parametrize("value", [True, False, 0, 2**31 - 1, -(2**31), "", "ä", "x" * TEXT_LIMIT])
def test_an_extension_attribute_is_kept_as_it_came(value):
    kept = parse_event({**LEAST, "x9": value}, 0.0).to_members()["x9"]
    assert kept == value
    assert type(kept) is type(value)


def test_an_extension_attribute_that_is_null_is_not_set():
    assert "x9" not in parse_event({**LEAST, "x9": None}, 0.0).to_members()


def test_there_may_be_so_many_extension_attributes_and_no_more():
    extensions = {f"x{number}": number for number in range(EXTENSION_LIMIT)}
    event = parse_event({**LEAST, **extensions}, 0.0)
    assert event.extensions == extensions
    # What a gateway adds on its way does not count: another gateway must be able to take it.
    assert parse_event(event.to_members("alarms/acme/press3", "e7:1"), 0.0) == event
    assert pointers({**LEAST, **extensions, "x": 1}) == [""]


@pytest.mark.parametrize("value", ["best", "GOOD", "", 1, [], {}, True, "a\n"])
def test_a_quality_that_andond_does_not_know_is_named(value):
    assert pointers({**LEAST, "quality": value}) == ["/quality"]


@pytest.mark.parametrize("value", ["urgent", "CRITICAL", "", 1, [], {}, True])
def test_a_priority_that_andond_does_not_know_is_named(value):
    assert pointers({**LEAST, "priority": value}) == ["/priority"]


@pytest.mark.parametrize("quality", QUALITIES)
def test_a_quality_is_kept(quality):
    assert parse_event({**LEAST, "quality": quality}, 0.0).quality == quality


def test_what_the_gateway_says_of_an_event_is_not_taken_from_a_publisher():
    lies = {"channel": "a/b", "offset": "e1:1", "criticaloffset": "e1:1", "recordedtime": "2026-11-21T06:00:00Z"}
    members = parse_event({**LEAST, **lies}, 0.0).to_members()
    assert members["recordedtime"] == "1970-01-01T00:00:00.000Z"
    assert not {"channel", "offset", "criticaloffset"} & set(members)


def test_binary_data_is_refused_and_null_is_none():
    assert pointers({**LEAST, "data_base64": "eA=="}) == ["/data_base64"]
    assert parse_event({**LEAST, "data_base64": None}, 0.0).data is None


def test_the_event_on_the_wire():
    event = parse_event({**LEAST, "subject": "spindle", "x": 1, "data": [1]}, 1795240800.0)
    assert event.to_members("alarms/acme/press3", "e7:1") == {
        **LEAST,
        "subject": "spindle",
        "recordedtime": "2026-11-21T06:00:00.000Z",
        "channel": "alarms/acme/press3",
        "offset": "e7:1",
        "priority": "high",
        "quality": "good",
        "x": 1,
        "data": [1],
    }


def test_an_event_cannot_be_changed():
    event = parse_event(LEAST, 0.0)
    with pytest.raises(AttributeError):
        event.id = "2"


@given(JSON)
def test_no_json_value_raises_anything_but_an_event_fault(value):
    with pytest.raises(EventFault):
        parse_event(value, 0.0)


ANY_MEMBERS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        [*LEAST, "subject", "time", "dataschema", "datacontenttype", "data", "data_base64", "quality", "priority", "x"],
        JSON,
    ),
)


@given(ANY_MEMBERS, st.sets(st.sampled_from(list(LEAST))))
def test_no_mixture_of_good_and_bad_raises_anything_but_an_event_fault(members, good):
    mixed = {**members, **{name: LEAST[name] for name in good}}
    faults = []
    try:
        event = parse_event(mixed, 0.0)
    except EventFault as fault:
        faults = [one.pointer for one in fault.faults]
    else:
        assert event.data is mixed.get("data")
    assert len(set(faults)) == len(faults)


GOOD_MEMBERS = st.fixed_dictionaries(
    {
        "specversion": st.just("1.0"),
        "id": TEXT,
        "source": st.from_regex(r"\A(/[a-z0-9._~%]{0}[a-z0-9]{1,8}){1,4}\Z"),
        "type": st.from_regex(r"\A[a-z]{1,8}(\.[a-z0-9]{1,8}){1,3}\Z"),
    },
    optional={
        "subject": TEXT,
        "time": st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
        "datacontenttype": st.just("application/json"),
        "dataschema": st.just("https://acme.example/press.json"),
        "quality": st.sampled_from(QUALITIES),
        "data": JSON.filter(lambda value: value == value),  # noqa: PLR0124
        "traceparent": TEXT,
        "count": st.integers(-(2**31), 2**31 - 1),
        "flag": st.booleans(),
    },
)


@given(GOOD_MEMBERS)
def test_what_was_sent_is_kept(members):
    event = parse_event(members, 0.0)
    kept = event.to_members()
    for name, value in members.items():
        assert kept[name] is value or kept[name] == value
    assert parse_event(kept, 0.0) == event
