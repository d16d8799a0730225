"""What an act carries: every argument by its type, and every fault at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import Arguments, Grounds, Refused

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=5,
)


def test_what_is_right_is_returned_by_its_type():
    given_ = Arguments(
        {"a": "text", "b": 3.0, "c": 1.5, "d": [1, 2.5], "e": True, "f": "2026-11-21T06:00:00Z", "g": {"x": 1}, "h": 0}
    )
    assert (given_.text("a"), given_.choice("a", ("text", "other"))) == ("text", "text")
    assert (given_.count("b"), given_.number("c"), given_.numbers("d", 2)) == (3, 1.5, (1.0, 2.5))
    assert (given_.flag("e"), given_.moment("f"), given_.moment("h")) == (True, 1_795_240_800.0, 0.0)
    assert given_.object("g") == {"x": 1}
    given_.check()


def test_null_and_nothing_are_the_same():
    given_ = Arguments({"a": None})
    assert "a" not in given_
    for name in ("a", "b"):
        assert given_.optional_text(name) is given_.count(name) is given_.number(name) is given_.moment(name) is None
        assert (given_.flag(name), given_.numbers(name, 3), given_.object(name), given_.objects(name, 3)) == (
            None,
            None,
            {},
            [],
        )
    given_.check()


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda it: it.text("x"), None),
        (lambda it: it.text("x"), " "),
        (lambda it: it.text("x", 3), "four"),
        (lambda it: it.text("x"), 4),
        (lambda it: it.choice("x", ("a", "b")), "c"),
        (lambda it: it.count("x"), -1),
        (lambda it: it.count("x"), 1.5),
        (lambda it: it.count("x"), True),
        (lambda it: it.count("x"), 10**13),
        (lambda it: it.number("x"), float("inf")),
        (lambda it: it.number("x"), "1"),
        (lambda it: it.numbers("x", 2), [1, 2, 3]),
        (lambda it: it.numbers("x", 2), []),
        (lambda it: it.numbers("x", 2), [float("nan")]),
        (lambda it: it.flag("x"), 1),
        (lambda it: it.moment("x"), "yesterday"),
        (lambda it: it.moment("x"), -1),
        (lambda it: it.moment("x"), 1e300),
        (lambda it: it.object("x"), []),
        (lambda it: it.objects("x", 1), [{}, {}]),
    ],
)
def test_what_is_wrong_is_a_fault_at_its_pointer(read, value):
    given_ = Arguments({"x": value})
    read(given_)
    assert [fault.pointer for fault in given_.faults] == ["/x"]
    with pytest.raises(Refused) as refused:
        given_.check()
    assert refused.value.grounds is Grounds.INVALID
    assert refused.value.details["faults"][0]["pointer"] == "/x"


def test_every_fault_is_said_at_once_and_those_in_a_list_with_their_place():
    given_ = Arguments({"n": -1, "rows": [{}, 3]})
    given_.count("n")
    for row in given_.objects("rows", 5):
        row.text("name")
        given_.faults += row.faults
    with pytest.raises(Refused) as refused:
        given_.check()
    pointers = [fault["pointer"] for fault in refused.value.details["faults"]]
    assert pointers == ["/n", "/rows/1", "/rows/0/name"]


@given(value=JSON)
def test_no_argument_makes_it_fail_but_by_refusing(value):
    given_ = Arguments({"x": value})
    given_.text("x"), given_.count("x"), given_.number("x"), given_.numbers("x", 3), given_.flag("x")
    given_.moment("x"), given_.object("x"), given_.objects("x", 3), given_.choice("x", ("a",))
    with pytest.raises(Refused):
        given_.check()
