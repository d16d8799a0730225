import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.event import Event
from domain.gap import Gap
from domain.history import CRITICAL_KEPT, History, Missed
from domain.position import Position
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


# -- what is critical is remembered for longer --------------------------------------------------------------

FIRE = Event("2", "/press3", "andon.call.raised", None, 0.0, Priority.CRITICAL)


def mixed(pattern: str, keep: int = 3) -> History:
    """A channel that was told an event for each letter; the critical ones ("c") are the critical log "j7"."""
    history = History("alarms/press3", "e7", keep)
    for letter in pattern:
        if letter == "c":
            number = len(history.critical_after(Position("j7", 0))) + 1
            history.append(0.0, FIRE, Position("j7", number))
        else:
            history.append(0.0, EVENT)
    return history


def test_critical_ones_are_remembered_apart_from_the_others():
    history = mixed("cr" * 4 + "r" * 50)
    assert offsets(history.kept()) == [56, 57, 58]
    assert offsets(history.critical_after(Position("j7", 0))) == [1, 3, 5, 7]


@pytest.mark.parametrize(("after", "expected"), [(0, [1, 3, 5]), (1, [3, 5]), (2, [5]), (3, []), (99, [])])
def test_who_has_a_critical_position_gets_what_is_behind_it(after, expected):
    assert offsets(mixed("crcrc").critical_after(Position("j7", after))) == expected


def test_what_cannot_be_compared_is_told_rather_than_missed():
    history = mixed("c")
    history.append(0.0, FIRE)
    history.append(0.0, FIRE, Position("j8", 1))
    assert offsets(history.critical_after(Position("j7", 1))) == [2, 3]


def test_only_the_newest_critical_ones_are_remembered():
    history = History("alarms/press3", "e7", 3)
    for number in range(1, CRITICAL_KEPT + 11):
        history.append(0.0, FIRE, Position("j7", number))
    assert offsets(history.critical_after(Position("j7", 0))) == list(range(11, CRITICAL_KEPT + 11))


def test_a_history_begins_with_what_an_earlier_life_has_told():
    history = filled(0)
    told = [*filled(2).kept(), *mixed("c").kept()]
    seeds = history.seed(told)
    assert offsets(seeds) == offsets(history.kept()) == [1, 2, 3]
    assert [each.epoch for each in seeds] == ["e7"] * 3
    assert [each.critical for each in seeds] == [None, None, Position("j7", 1)]
    assert history.append(0.0, EVENT).offset == 4
    assert offsets(history.critical_after(Position("j7", 0))) == [3]


@pytest.mark.parametrize(
    ("pattern", "since", "critical", "others", "gap"),
    [
        # All of it is kept.
        ("rrr", 0, [], [1, 2, 3], None),
        ("rcr", 1, [2], [3], None),
        ("rrr", 3, [], [], None),
        # Some of it is not: the gap is what cannot be told.
        ("rrrrr", 1, [], [3, 4, 5], (2, 2, 1)),
        ("rrrrrrr", 1, [], [5, 6, 7], (2, 4, 3)),
        ("rcrrrrr", 0, [2], [5, 6, 7], (1, 4, 3)),
        ("crrrrrr", 1, [], [5, 6, 7], (2, 4, 3)),
        # All that is not kept any more is critical, so nothing is missed.
        ("rccrrr", 1, [2, 3], [4, 5, 6], None),
    ],
)
def test_who_returns_is_told_what_is_left_and_of_what_is_not(pattern, since, critical, others, gap):
    backlog = mixed(pattern).recover(Position("e7", since))
    assert offsets(backlog.critical) == critical
    assert offsets(backlog.others) == others
    assert backlog.gap == (None if gap is None else Gap("alarms/press3", *gap, "history"))


@pytest.mark.parametrize("since", [Position("e6", 2), Position("e6", 0), Position("e7", 8)])
def test_who_returns_from_another_log_is_told_all_there_is_and_that_nobody_knows_the_rest(since):
    backlog = mixed("crrcrrr").recover(since)
    assert offsets(backlog.critical) == [1, 4]
    assert offsets(backlog.others) == [5, 6, 7]
    assert backlog.gap == Gap("alarms/press3", 1, 4, None, "epoch")


def test_who_returns_from_another_log_knowing_its_critical_position_is_told_no_critical_one_again():
    backlog = mixed("crrcrrc").recover(Position("e6", 2), Position("j7", 2))
    assert offsets(backlog.critical) == [7]


def test_who_returns_is_told_what_is_behind_its_critical_position_also_if_it_is_older_than_the_other():
    backlog = mixed("crcrcr").recover(Position("e7", 4), Position("j7", 1))
    assert offsets(backlog.critical) == [3, 5]
    assert offsets(backlog.others) == [6]


@given(
    pattern=st.text("cr", max_size=30),
    keep=st.integers(0, 8),
    since=st.integers(0, 30),
    after=st.none() | st.integers(0, 30),
)
def test_what_is_told_and_the_gap_are_all_that_was_published(pattern, keep, since, after):
    history = mixed(pattern, keep)
    since = min(since, history.offset)
    backlog = history.recover(Position("e7", since), None if after is None else Position("j7", after))
    told = [offset for offset in offsets([*backlog.critical, *backlog.others]) if offset > since]
    assert len(set(told)) == len(told)
    assert len(told) + (backlog.gap.count if backlog.gap else 0) == len(pattern) - since
    missing = sorted(set(range(since + 1, len(pattern) + 1)) - set(told))
    assert all(pattern[offset - 1] == "r" for offset in missing)
    if missing:
        assert backlog.gap.first <= missing[0]
        assert missing[-1] <= backlog.gap.last
    if after is not None:
        behind = [offset for offset, letter in enumerate(pattern, 1) if letter == "c"][after:]
        assert set(behind) <= set(offsets(backlog.critical))
