"""What was kept is read as the kind that it must be, or is a fault of its row."""

from __future__ import annotations

from enum import StrEnum

import pytest

from domain.kept import (
    Unreadable,
    flag,
    integer,
    maybe_integer,
    maybe_number,
    maybe_text,
    number,
    several,
    table,
    text,
    texts,
    word,
)


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (integer, 5),
        (number, 0.5),
        (text, ""),
        (flag, False),
        (table, {}),
        (several, [1, "a"]),
        (texts, ["a", "b"]),
        (maybe_integer, None),
        (maybe_number, None),
        (maybe_text, None),
        (maybe_integer, 0),
        (maybe_number, 1.5),
        (maybe_text, "a"),
    ],
)
def test_what_was_kept_is_read_as_it_is(read, value):
    assert read({"x": value}, "x") == value


def test_a_number_may_be_whole_and_a_word_is_one_of_its_kind():
    assert isinstance(number({"x": 1}, "x"), float)
    assert word({"x": "red"}, "x", Colour) is Colour.RED


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (integer, "1"),
        (integer, True),
        (integer, 1.0),
        (number, None),
        (number, "1"),
        (number, True),
        (text, 1),
        (flag, 0),
        (flag, None),
        (table, []),
        (several, "ab"),
        (several, None),
        (texts, ["a", 1]),
        (maybe_integer, "1"),
        (maybe_number, []),
        (maybe_text, 1),
    ],
)
def test_what_is_of_another_kind_cannot_be_read(read, value):
    with pytest.raises(Unreadable):
        read({"x": value}, "x")


@pytest.mark.parametrize("value", [{}, [], None, "x"])
def test_what_is_not_there_cannot_be_read(value):
    with pytest.raises(Unreadable):
        text(value, "x")


def test_a_word_of_another_kind_cannot_be_read():
    with pytest.raises(Unreadable):
        word({"x": "blue"}, "x", Colour)
