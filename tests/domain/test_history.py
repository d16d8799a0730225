import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.event import Event
from domain.history import History, Missed
from domain.priority import Priority

EVENT = Event("1", "/press3", "alarm.raised", None, 0.0, Priority.HIGH)


def filled(count: int, keep: int = 3) -> History:
    history = History("alarms/press3", "e7", keep)
    for at in range(count):
        history.append(float(at), EVENT)
    return history


def offsets(publications):
    return [publication.offset for publication in publications]


def test_offsets_start_at_one_and_never_skip():
    history = filled(0)
    assert history.offset == 0
    assert offsets([history.append(0.0, EVENT) for _ in range(5)]) == [1, 2, 3, 4, 5]
    assert history.offset == 5


def test_a_publication_knows_its_channel_epoch_and_moment():
    publication = filled(0).append(12.5, EVENT)
    assert (publication.channel, publication.epoch, publication.at) == ("alarms/press3", "e7", 12.5)
    assert publication.event is EVENT


def test_the_newest_are_kept_oldest_first():
    history = filled(5)
    assert offsets(history.kept()) == [3, 4, 5]
    assert history.latest() == history.kept()[-1]


def test_before_the_first_publication_there_is_no_latest():
    assert filled(0).latest() is None


def test_what_is_handed_out_does_not_change_afterwards():
    history = filled(3)
    kept = history.kept()
    history.append(9.0, EVENT)
    assert offsets(kept) == [1, 2, 3]


@pytest.mark.parametrize(("offset", "expected"), [(2, [3, 4, 5]), (3, [4, 5]), (4, [5]), (5, [])])
def test_a_late_joiner_gets_what_followed(offset, expected):
    assert offsets(filled(5).since("e7", offset)) == expected


@pytest.mark.parametrize(
    ("epoch", "offset"),
    [("e7", 1), ("e7", 0), ("e7", -1), ("e7", 6), ("e8", 5), ("e8", 0), ("", 5)],
)
def test_what_is_not_kept_was_never_there_or_is_of_another_epoch_is_missed(epoch, offset):
    with pytest.raises(Missed) as caught:
        filled(5).since(epoch, offset)
    assert caught.value.wanted == f"{epoch}:{offset}"
    assert caught.value.oldest == "e7:3"


def test_nothing_is_missed_on_a_channel_that_nobody_has_spoken_on():
    assert filled(0).since("e7", 0) == []
    with pytest.raises(Missed):
        filled(0).since("e7", 1)


def test_a_history_that_keeps_nothing_only_knows_who_is_up_to_date():
    history = filled(4, keep=0)
    assert history.latest() is None
    assert history.since("e7", 4) == []
    with pytest.raises(Missed):
        history.since("e7", 3)


@given(count=st.integers(0, 20), keep=st.integers(0, 8), offset=st.integers(-2, 25))
def test_since_is_everything_that_followed_or_it_says_that_it_is_not(count, keep, offset):
    history = filled(count, keep)
    try:
        followed = offsets(history.since("e7", offset))
    except Missed:
        assert offset < max(0, count - keep) or offset > count
    else:
        assert followed == list(range(offset + 1, count + 1))
