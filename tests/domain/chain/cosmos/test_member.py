"""Members of a node's JSON: each what it must be, or a fault that names it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chain.cosmos import CosmosFault
from domain.chain.cosmos import member as members
from domain.chain.cosmos.fault import EXCERPT_SIZE, excerpt
from domain.chain.cosmos.member import TEXT_LIMIT, WHOLE_LIMIT


@pytest.mark.parametrize("written", ["7", 7])
def test_a_whole_number_may_be_a_string(written):
    assert members.height_of({"height": written}) == 7
    assert members.count({"power": written}, "power") == 7


@pytest.mark.parametrize("value", [{}, {"power": None}])
def test_what_is_left_out_counts_as_zero_but_is_no_height(value):
    assert members.count(value, "power") == 0
    with pytest.raises(CosmosFault, match="power"):
        members.height_of(value, "power")


@pytest.mark.parametrize(
    "written",
    [
        "",
        "-1",
        -1,
        True,
        7.0,
        "7.0",
        " 7",
        "\u0667",
        "9" * 19 + "9",
        WHOLE_LIMIT + 1,
        str(2**63),
        [],
        {},
        pytest.param(10**6000, id="huge"),
    ],
)
def test_what_is_no_count_is_a_fault(written):
    with pytest.raises(CosmosFault, match="power"):
        members.count({"power": written}, "power")


def test_a_list_may_be_null_and_is_bounded():
    assert members.rows({"txs": None}, "txs") == ()
    assert members.rows({}, "txs") == ()
    assert members.rows({"txs": [1]}, "txs", 1) == [1]
    for wrong in ("text", {}, 7, [1, 2]):
        with pytest.raises(CosmosFault, match="txs"):
            members.rows({"txs": wrong}, "txs", 1)


def test_objects_are_found_on_their_way_down():
    assert members.inner({"a": {"b": {"c": 1}}}, "a", "b") == {"c": 1}
    assert members.inner_or_empty({"a": None}, "a") == {}
    with pytest.raises(CosmosFault, match="b must be an object"):
        members.inner({"a": {"b": [1]}}, "a", "b")
    with pytest.raises(CosmosFault, match="a must be an object"):
        members.inner_or_empty({"a": "text"}, "a")


def test_words_for_people_are_printable_and_short():
    assert members.words({"moniker": "\u2728 node\x00\ud800 one \n"}, "moniker") == "\u2728 node   one"
    assert members.words({"moniker": "x" * 10_000}, "moniker") == "x" * TEXT_LIMIT
    assert members.words({"moniker": "\x00"}, "moniker") is None
    assert members.words({"moniker": 7}, "moniker") is None


@pytest.mark.parametrize(("written", "share"), [("0.500000000000000000", 0.5), ("1", 1.0), ("0", 0.0)])
def test_a_ratio_is_a_decimal(written, share):
    assert members.ratio({"share": written}, "share") == share


@pytest.mark.parametrize("written", ["1.01", "-0.1", "nan", "1e3", "0x1", "", None, 0.5])
def test_what_is_no_ratio_is_a_fault(written):
    with pytest.raises(CosmosFault, match="share"):
        members.ratio({"share": written}, "share")


def test_a_duration_is_in_seconds():
    assert members.seconds({"jail": "600s"}, "jail") == 600.0
    assert members.seconds({"jail": "0.5s"}, "jail") == 0.5
    for wrong in ("600", "10m", "s", "-1s", None):
        with pytest.raises(CosmosFault, match="jail"):
            members.seconds({"jail": wrong}, "jail")


def test_a_moment_is_read_to_the_microsecond():
    assert members.moment({"time": "1970-01-01T00:00:01.500000001Z"}, "time") == 1.5
    assert members.moment({"time": "9999-12-31T23:59:59Z"}, "time") == 253402300799.0
    for wrong in ("", "yesterday", "2023-02-30T00:00:00Z", "0000-01-01T00:00:00Z", None, 7):
        with pytest.raises(CosmosFault, match="time"):
            members.moment({"time": wrong}, "time")


def test_a_flag_that_is_left_out_is_not_so():
    assert members.flag({}, "jailed") is False
    assert members.flag({"jailed": True}, "jailed") is True
    with pytest.raises(CosmosFault, match="jailed"):
        members.flag({"jailed": "true"}, "jailed")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    )
)
def test_an_excerpt_is_short_and_plain(value):
    shown = excerpt(value)
    assert len(shown) <= EXCERPT_SIZE
    assert shown.isprintable()
