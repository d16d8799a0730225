import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.plant.mtconnect import Command, Grammar, Observation, Role
from domain.plant.mtconnect.shdr import EXCERPT_SIZE, KEY_SIZE

AT = 1478509942.881
STAMP = "2016-11-07T09:12:22.881Z"


def read(*lines: str, **roles: Role) -> list[Observation]:
    grammar = Grammar(roles)
    found: list[Observation] = []
    for line in lines:
        said = grammar.read(line)
        assert said.fault is None, said.fault
        found += said.observations
    return found


def pairs(*lines: str, **roles: Role) -> list[tuple[str, str]]:
    return [(found.key, found.value) for found in read(*lines, **roles)]


def test_a_line_of_pairs_gives_one_observation_each() -> None:
    (power, execution) = read(f"{STAMP}|power|ON|execution|ACTIVE")
    assert (power.key, power.role, power.value, power.at, power.stamp) == ("power", Role.VALUE, "ON", AT, STAMP)
    assert (execution.key, execution.role, execution.value) == ("execution", Role.EXECUTION, "ACTIVE")


@pytest.mark.parametrize(
    ("key", "role"),
    [
        ("execution", Role.EXECUTION),
        ("Execution", Role.EXECUTION),
        ("pexecution", Role.EXECUTION),
        ("p2execution", Role.EXECUTION),
        ("execution2", Role.EXECUTION),
        ("mill:execution", Role.EXECUTION),
        ("avail", Role.AVAILABILITY),
        ("mode", Role.MODE),
        ("pmode", Role.MODE),
        ("fmode", Role.VALUE),
        ("estop", Role.EMERGENCY_STOP),
        ("my_execution_time", Role.VALUE),
    ],
)
def test_a_key_is_known_by_habit(key: str, role: Role) -> None:
    assert read(f"{STAMP}|{key}|X")[0].role is role


def test_the_settings_go_before_habit() -> None:
    assert read(f"{STAMP}|run|ACTIVE|execution|7", run=Role.EXECUTION, execution=Role.VALUE)[0].role is Role.EXECUTION
    assert pairs(f"{STAMP}|secret|1|open|2", secret=Role.IGNORED) == [("open", "2")]


def test_a_condition_takes_its_five_fields() -> None:
    (found,) = read(f"{STAMP}|htemp|WARNING|HTEMP|1|HIGH|Oil Temperature High")
    assert found == Observation(
        "htemp", Role.CONDITION, "WARNING", AT, STAMP, "HTEMP", "1", "HIGH", "Oil Temperature High"
    )


@pytest.mark.parametrize("level", ["Fault", "FAULT", "fault", "Normal", "Unavailable"])
def test_a_level_is_read_in_any_case(level: str) -> None:
    assert read(f"{STAMP}|system|{level}||||")[0].value == level.upper()


def test_a_normal_that_is_a_value_is_no_condition() -> None:
    assert [found.role for found in read(f"{STAMP}|move|NORMAL")] == [Role.VALUE]
    assert pairs(f"{STAMP}|move|NORMAL|Xpos|1|Ypos|2") == [("move", "NORMAL"), ("Xpos", "1"), ("Ypos", "2")]


def test_a_key_that_was_a_condition_once_stays_one() -> None:
    found = read(f"{STAMP}|system|Normal||||", f"{STAMP}|system|UNAVAILABLE", f"{STAMP}|system|FAULT|B6")
    assert [(each.role, each.value, each.code) for each in found] == [
        (Role.CONDITION, "NORMAL", ""),
        (Role.CONDITION, "UNAVAILABLE", ""),
        (Role.CONDITION, "FAULT", "B6"),
    ]


def test_a_lone_fault_is_a_condition_and_a_lone_unavailable_is_not() -> None:
    assert read(f"{STAMP}|door|FAULT")[0].role is Role.CONDITION
    assert read(f"{STAMP}|door|UNAVAILABLE")[0].role is Role.VALUE


def test_a_known_condition_in_a_line_of_pairs_takes_its_level_only() -> None:
    found = pairs(
        f"{STAMP}|system|Normal||||", f"{STAMP}|execution|READY", f"{STAMP}|system|UNAVAILABLE|execution|UNAVAILABLE"
    )
    assert found[2:] == [("system", "UNAVAILABLE"), ("execution", "UNAVAILABLE")]


def test_several_conditions_on_a_line_are_told_apart_once_their_keys_are_known() -> None:
    found = pairs(
        f"{STAMP}|a|NORMAL||||", f"{STAMP}|b|NORMAL||||", f"{STAMP}|a|FAULT|1|||too hot|b|WARNING|2|||too cold"
    )
    assert found[2:] == [("a", "FAULT"), ("b", "WARNING")]


def test_pipes_in_a_text_that_nobody_escaped_belong_to_it() -> None:
    (found,) = read(f"{STAMP}|logic|Fault|81|||918 BELLOWS|UNKNOWN POSITION|-> check")
    assert found.text == "918 BELLOWS|UNKNOWN POSITION|-> check"


def test_a_quoted_value_may_escape_a_pipe() -> None:
    assert pairs(f'{STAMP}|note|"Text with \\| (pipe) character."|line|4') == [
        ("note", "Text with | (pipe) character."),
        ("line", "4"),
    ]


def test_a_backslash_outside_of_quotes_is_itself() -> None:
    assert pairs(f"{STAMP}|program|TNC:\\BRIAN\\|line|4") == [("program", "TNC:\\BRIAN\\"), ("line", "4")]


@pytest.mark.parametrize("value", ['"', '"open', 'a"b"', '5"'])
def test_a_quote_that_does_not_enclose_is_itself(value: str) -> None:
    assert pairs(f"{STAMP}|size|{value}|line|4") == [("size", value), ("line", "4")]


def test_a_message_has_a_code_and_a_text() -> None:
    (found,) = read(f"{STAMP}|message|CHG_INSRT|Change Inserts | at once")
    assert (found.role, found.code, found.value) == (Role.MESSAGE, "CHG_INSRT", "Change Inserts | at once")


def test_a_message_without_a_code_is_its_text() -> None:
    assert (read(f"{STAMP}|message|UNAVAILABLE")[0].code, pairs(f"{STAMP}|message|Help")) == ("", [("message", "Help")])


def test_a_series_is_its_newest_sample() -> None:
    found = pairs(f"{STAMP}|current|4|100|1 2 3 4.5|line|7", current=Role.SERIES)
    assert found == [("current", "4.5"), ("line", "7")]


@pytest.mark.parametrize("count", ["3", "x", "0", "99999999999999999999"])
def test_a_series_whose_count_is_wrong_is_a_fault(count: str) -> None:
    said = Grammar({"current": Role.SERIES}).read(f"{STAMP}|current|{count}|100|1 2 3 4")
    assert not said.observations
    assert said.fault is not None
    assert said.fault.field == 3


def test_a_duration_and_a_reset_are_kept_apart_from_stamp_and_value() -> None:
    (found,) = read(f"{STAMP}@100.0|pcount|0:DAY")
    assert (found.at, found.stamp, found.duration, found.value, found.reset) == (AT, STAMP, 100.0, "0", "DAY")


def test_an_empty_stamp_leaves_the_time_to_the_receiver() -> None:
    (found,) = read("|power|ON")
    assert (found.at, found.stamp) == (None, "")


def test_a_stamp_that_cannot_be_read_costs_the_time_and_not_the_reading() -> None:
    said = Grammar().read("0000-00-00T00:00:00Z|power|ON")
    assert [(found.value, found.at, found.stamp) for found in said.observations] == [
        ("ON", None, "0000-00-00T00:00:00Z")
    ]
    assert said.fault is not None
    assert said.fault.field == 1


@pytest.mark.parametrize(
    ("line", "field", "kept"),
    [
        ("no pipe at all", 0, 0),
        (f"{STAMP}|power", 2, 0),
        (f"{STAMP}|power|ON|line", 4, 1),
        (f"{STAMP}||ON", 2, 0),
        (f"{STAMP}|power|ON||7", 4, 1),
        (f"{STAMP}|po\x00wer|ON", 2, 0),
        (f"{STAMP}|{'k' * (KEY_SIZE + 1)}|ON", 2, 0),
    ],
)
def test_a_malformed_line_says_where_and_keeps_what_came_before(line: str, field: int, kept: int) -> None:
    said = Grammar().read(line)
    assert said.fault is not None
    assert said.fault.field == field
    assert said.fault.reason
    assert len(said.fault.excerpt) <= EXCERPT_SIZE
    assert len(said.observations) == kept


def test_a_condition_of_the_settings_without_a_level_is_a_fault() -> None:
    said = Grammar({"system": Role.CONDITION}).read(f"{STAMP}|system|OK")
    assert said.fault is not None
    assert said.fault.field == 3


@pytest.mark.parametrize("line", ["", "   ", "\t", f"{STAMP}|", f"{STAMP}|||"])
def test_a_line_that_says_nothing_is_no_fault(line: str) -> None:
    said = Grammar().read(line)
    assert not said.observations
    assert said.fault is None


def test_trailing_pipes_are_no_fault() -> None:
    assert pairs(f"{STAMP}|power|ON||") == [("power", "ON")]


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("* PONG 10000", Command("PONG", "10000")),
        ("* PING", Command("PING", "")),
        ("*adapterVersion:UNAVAILABLE", Command("adapterVersion", "UNAVAILABLE")),
        ("* manufacturer: ACME Ltd.", Command("manufacturer", "ACME Ltd.")),
        ("*", Command("", "")),
    ],
)
def test_a_line_with_a_star_is_a_command(line: str, command: Command) -> None:
    assert Grammar().read(line).command == command


def test_an_asset_is_no_observation_and_opens_its_document() -> None:
    grammar = Grammar()
    assert grammar.read(f"{STAMP}|@ASSET@|1.2|CuttingTool|--multiline--AB").opens == "--multiline--AB"
    for line in ("@ASSET@|1.2|CuttingTool|<x/>", "@REMOVE_ASSET@|1.2", "@UPDATE_ASSET@|1|Length|3|Diameter|4"):
        said = grammar.read(f"{STAMP}|{line}")
        assert (said.observations, said.opens, said.fault) == ((), "", None)


@given(st.lists(st.text(st.sampled_from('|"\\* @:FAULTNRML0123-TZ'), max_size=60), max_size=6))
def test_no_line_raises(lines: list[str]) -> None:
    grammar = Grammar({"F": Role.CONDITION, "A": Role.SERIES, "U": Role.MESSAGE})
    for line in lines:
        said = grammar.read(line)
        assert all(found.key for found in said.observations)


KEYS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8).map(lambda key: f"k{key}")
VALUES = st.text(
    st.characters(exclude_characters='|"\r\n', exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=9
)


@given(st.lists(st.tuples(KEYS, VALUES.map(lambda value: f"v{value}")), min_size=1, max_size=8))
def test_pairs_survive_the_line(items: list[tuple[str, str]]) -> None:
    line = "|".join([STAMP, *(field for item in items for field in item)])
    assert pairs(line) == items
