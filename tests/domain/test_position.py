import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.position import EPOCH_LIMIT, Position

EPOCHS = st.text("abcXYZ019._-", min_size=1, max_size=EPOCH_LIMIT)


@given(EPOCHS, st.integers(0, 10**16 - 1))
def test_a_position_is_read_as_it_was_written(epoch, offset):
    assert Position.parse(str(Position(epoch, offset))) == Position(epoch, offset)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "e7",
        "e7:",
        ":5",
        "e7:-1",
        "e7:+1",
        "e7:05",
        "e7: 5",
        " e7:5",
        "e7:5\n",
        "e7:5.0",
        "e7:1e3",
        "e7:\u0665",
        "e7:" + "9" * 17,
        "e 7:5",
        "e7:5:6",
        "é:5",
        "e" * (EPOCH_LIMIT + 1) + ":5",
    ],
)
def test_what_is_no_position_is_refused(text):
    with pytest.raises(ValueError, match="is no position: epoch:offset"):
        Position.parse(text)


def test_a_refusal_repeats_no_more_than_an_epoch_could_hold():
    with pytest.raises(ValueError, match="is no position") as caught:
        Position.parse("x" * 100_000)
    assert len(str(caught.value)) < 2 * EPOCH_LIMIT


def test_before_the_first_is_a_position():
    assert Position.parse("e7:0") == Position("e7", 0)
