"""What waits for one socket: in which order it goes, what is given up, and that nothing is given up in silence."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from domain import Event, Gap, Priority, Publication
from domain.position import Position
from telemetry import counters
from transport.frames import Batch, Frame
from transport.ledger import Ledger, imbalance
from transport.outbox import (
    ANSWER_LIMIT,
    ANSWERS_UNREAD,
    CRITICAL_BEHIND,
    PIECE_COUNT,
    PIECE_SIZE,
    URGENT_SIZE,
    Behind,
    Limits,
    Outbox,
    OutboxStatistics,
)

CRITICAL, HIGH, NORMAL, LOW = Priority
NOTHING = (0, 0, 0, 0)
PLENTY = 10**9


def frame(name: str, priority: Priority = NORMAL, key: object = None, size: int = 10) -> Frame:
    return Frame(name.encode().ljust(size, b"."), priority, key)


def told(channel: str, offset: int, priority: Priority = NORMAL, key: object = None, critical: int = 0) -> Frame:
    """A frame that tells a publication, of a dialect that can say for how many it stands."""
    position = Position("j", critical) if critical else None
    event = Event("1", "/a", "a.b", None, 0.0, priority)
    publication = Publication(channel, "e", offset, 0.0, event, position)
    name = f"{channel}{offset}"
    return Frame(name.encode() + b" ", priority, key, publication, lambda rate: f"{name}x{rate} ".encode())


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def filled(*frames: Frame, size_limit: int = 1000, critical_limit: int = 10, clock: Clock | None = None) -> Outbox:
    outbox = Outbox(Limits(size_limit, critical_limit), Ledger(), clock or Clock())
    for one in frames:
        outbox.put(one)
    return outbox


def gaps_of(outbox: Outbox) -> list[Gap]:
    """The gaps that ``outbox`` tells from now on."""
    gaps: list[Gap] = []

    def write(gap: Gap) -> Frame:
        gaps.append(gap)
        return Frame(b"gap:" + gap.channel.encode() + b" ", HIGH)

    outbox.write_gap = write
    return gaps


def names(outbox: Outbox) -> list[str]:
    taken = b""
    while piece := outbox.take_urgent() or outbox.take_routine(PLENTY):
        taken += piece
    assert not outbox
    return [name for name in taken.replace(b".", b" ").decode().split(" ") if name]


# -- the order -------------------------------------------------------------------------------------------------


def test_an_empty_outbox_has_nothing():
    outbox = filled()
    assert outbox.take_urgent() == outbox.take_routine(PLENTY) == b""
    assert not outbox
    assert outbox.statistics() == OutboxStatistics(NOTHING, 0, 0, 0)


def test_each_priority_goes_in_its_order_and_critical_before_all():
    outbox = filled(*(frame(f"{priority.wire}{turn}", priority) for turn in "12" for priority in reversed(Priority)))
    assert outbox.statistics() == OutboxStatistics((2, 2, 2, 2), 60, 0, 0)
    order = names(outbox)
    assert order[:2] == ["critical1", "critical2"]
    for priority in Priority:
        assert order.index(f"{priority.wire}1") < order.index(f"{priority.wire}2")
    assert outbox.size == 0


def test_critical_overtakes_all_that_waits():
    outbox = filled(frame("high", HIGH), frame("normal"), frame("low", LOW))
    outbox.answer(b"answer ")
    outbox.put(frame("critical", CRITICAL))
    assert names(outbox)[:2] == ["critical", "answer"]


def test_answers_go_before_what_is_routine_and_in_their_order():
    outbox = filled(frame("high", HIGH))
    for turn in "123":
        outbox.answer(f"answer{turn} ".encode())
    assert outbox
    assert names(outbox) == ["answer1", "answer2", "answer3", "high"]


def test_below_critical_the_lanes_share_by_weight():
    lanes = [frame(f"{priority.wire}", priority) for priority in (LOW, NORMAL, HIGH) for _ in range(40)]
    outbox = filled(*lanes, size_limit=10_000)
    order = names(outbox)
    for begin in (0, 13, 26, 39):
        turn = order[begin : begin + 13]
        assert [turn.count(name) for name in ("high", "normal", "low")] == [8, 4, 1]


def test_what_has_waited_long_is_served_more_often():
    clock = Clock()
    outbox = filled(*(frame("low", LOW) for _ in range(40)), size_limit=10_000, clock=clock)
    clock.now += 30
    for _ in range(40):
        outbox.put(frame("high", HIGH))
    # A round is 8 turns of HIGH and now 4 of LOW.
    assert names(outbox)[:12].count("low") == 4


def test_a_value_that_is_renewed_on_and_on_has_waited_since_its_first():
    clock = Clock()
    outbox = filled(frame("a1", key="a"), clock=clock)
    for turn in range(2, 50):
        clock.now += 1
        outbox.put(frame(f"a{turn}", key="a"))
    assert outbox.statistics().age == (0.0, 0.0, 48.0, 0.0)
    clock.now += 30
    assert names(outbox) == ["a49"]


def test_what_a_critical_frame_may_only_follow_goes_before_it():
    outbox = filled(frame("critical", CRITICAL))
    outbox.answer(b"answer ")
    outbox.answer(b"ahead ", is_ahead=True)
    assert names(outbox) == ["ahead", "critical", "answer"]


# -- pieces ----------------------------------------------------------------------------------------------------


def test_a_piece_of_routine_is_sixteen_frames_at_most():
    outbox = filled(*(frame("x") for _ in range(40)))
    assert [len(outbox.take_routine(PLENTY)) for _ in range(4)] == [160, 160, 80, 0]
    assert PIECE_COUNT == 16


def test_a_piece_of_routine_ends_with_the_frame_that_fills_it():
    outbox = filled(*(frame("x", size=1500) for _ in range(6)), size_limit=10_000)
    assert [len(outbox.take_routine(PLENTY)) for _ in range(3)] == [4500, 4500, 0]
    assert PIECE_SIZE == 4096


@pytest.mark.parametrize(("room", "sizes"), [(1, [100] * 4), (100, [100] * 4), (101, [200] * 2), (350, [400])])
def test_a_piece_of_routine_goes_beyond_its_room_by_less_than_one_frame(room, sizes):
    outbox = filled(*(frame("x", size=100) for _ in range(4)))
    assert [len(outbox.take_routine(room)) for _ in range(len(sizes) + 1)] == [*sizes, 0]


@pytest.mark.parametrize("room", [0, -5000])
def test_one_frame_goes_however_little_room_there_is(room):
    assert len(filled(frame("x"), frame("y")).take_routine(room)) == 10


def test_critical_frames_that_waited_go_many_in_one_send():
    outbox = filled(*(frame("c", CRITICAL, size=1000) for _ in range(30)), critical_limit=100)
    assert [len(outbox.take_urgent()) for _ in range(3)] == [17_000, 13_000, 0]
    assert URGENT_SIZE == 16 * 1024


def test_a_critical_frame_waits_for_no_more_than_a_piece_of_the_answers():
    outbox = filled()
    for _ in range(100):
        outbox.answer(b"." * 500)
    assert len(outbox.take_urgent()) == 4500
    outbox.put(frame("critical", CRITICAL))
    assert outbox.take_urgent() == b"critical.."


def test_no_piece_mixes_what_needs_credit_with_what_does_not():
    outbox = filled(frame("c", CRITICAL), frame("n"))
    outbox.answer(b"answer")
    assert outbox.take_urgent().startswith(b"c")
    assert outbox.take_urgent() == b"answer"
    assert outbox.take_urgent() == b""
    assert outbox.take_routine(PLENTY).startswith(b"n")


# -- conflation ------------------------------------------------------------------------------------------------


def test_the_newest_frame_of_a_key_takes_the_place_of_the_oldest():
    outbox = filled(
        frame("a1", key="a"), frame("x"), frame("b1", key="b"), frame("a2", key="a", size=30), frame("a3", key="a")
    )
    assert outbox.statistics() == OutboxStatistics((0, 0, 3, 0), 30, 0, 2)
    assert names(outbox) == ["a3", "x", "b1"]
    assert outbox.size == 0


def test_what_takes_the_place_of_several_says_of_how_many():
    outbox = filled(told("a", 1, key="k"), told("b", 1), told("a", 2, key="k"), told("a", 3, key="k"))
    assert names(outbox) == ["a3x3", "b1"]


def test_a_dialect_without_a_word_for_it_gets_the_newest_alone():
    outbox = filled(frame("a1", key="a"), frame("a2", key="a"))
    assert names(outbox) == ["a2"]


def test_what_is_replaced_is_counted():
    before = counters.frames_conflated[NORMAL]
    filled(frame("a1", key="a"), frame("a2", key="a"))
    assert counters.frames_conflated[NORMAL] == before + 1


def test_a_key_that_was_sent_waits_anew():
    outbox = filled(frame("a1", key="a"))
    assert names(outbox) == ["a1"]
    outbox.put(frame("b", key="b"))
    outbox.put(frame("a2", key="a"))
    assert names(outbox) == ["b", "a2"]


@pytest.mark.parametrize("priority", [CRITICAL, HIGH, LOW])
def test_a_key_replaces_nothing_outside_of_normal(priority):
    assert names(filled(frame("1", priority, "k"), frame("2", priority, "k"))) == ["1", "2"]


# -- the limits ------------------------------------------------------------------------------------------------


def test_past_the_byte_limit_the_least_important_goes_first_and_its_oldest():
    outbox = filled(
        frame("high", HIGH), frame("n1"), frame("low1", LOW), frame("low2", LOW), frame("n2"), size_limit=30
    )
    assert names(outbox) == ["high", "n1", "n2"]
    assert outbox.statistics().dropped == 2


def test_high_drops_its_oldest_after_everything_below_it():
    outbox = filled(
        frame("low", LOW), frame("normal"), *(frame(f"high{turn}", HIGH) for turn in range(4)), size_limit=30
    )
    assert names(outbox) == ["high1", "high2", "high3"]
    assert outbox.statistics().dropped == 3


def test_what_arrives_is_dropped_itself_when_it_is_the_least():
    outbox = filled(*(frame(f"high{turn}", HIGH) for turn in range(3)), frame("low", LOW), size_limit=30)
    assert names(outbox) == ["high0", "high1", "high2"]


def test_dropping_a_key_lets_it_wait_anew():
    outbox = filled(frame("a1", key="a"), frame("b", key="b"), frame("c", key="c"), size_limit=20)
    outbox.put(frame("a2", key="a"))
    assert names(outbox) == ["c", "a2"]


def test_what_grows_by_conflation_is_bounded_too():
    outbox = filled(frame("x"), frame("a1", key="a"), frame("a2", key="a", size=25), size_limit=30)
    assert names(outbox) == ["a2"]
    assert outbox.statistics() == OutboxStatistics(NOTHING, 0, 1, 1)


def test_what_never_fits_drives_nothing_else_out():
    outbox = filled(frame("high", HIGH), frame("n"), frame("giant", HIGH, size=31), size_limit=30)
    assert names(outbox) == ["high", "n"]
    assert outbox.statistics().dropped == 1


def test_critical_frames_and_answers_are_spared_by_the_byte_limit():
    outbox = filled(*(frame(f"c{turn}", CRITICAL, size=100) for turn in range(10)), frame("n"), size_limit=20)
    outbox.answer(b"a" * 100)
    assert outbox.statistics() == OutboxStatistics((10, 0, 1, 0), 10, 0, 0)


def test_one_critical_frame_too_many_says_that_the_client_is_lost():
    before = counters.frames_dropped[CRITICAL]
    outbox = filled(frame("c1", CRITICAL), frame("c2", CRITICAL), critical_limit=2)
    with pytest.raises(Behind) as caught:
        outbox.put(frame("c3", CRITICAL))
    assert caught.value.reason == CRITICAL_BEHIND
    assert names(outbox) == ["c1", "c2"]
    assert outbox.statistics().dropped == 1
    assert counters.frames_dropped[CRITICAL] == before + 1


def test_a_client_that_asks_on_and_on_and_does_not_read_is_lost():
    outbox = filled()
    for _ in range(ANSWER_LIMIT):
        outbox.answer(b"a")
    with pytest.raises(Behind) as caught:
        outbox.answer(b"one too many")
    assert caught.value.reason == ANSWERS_UNREAD
    assert outbox.take_urgent() == b"a" * ANSWER_LIMIT


def test_normal_and_low_that_have_waited_too_long_are_not_sent():
    clock = Clock()
    before = counters.frames_expired[NORMAL], counters.frames_expired[LOW]
    outbox = filled(*(frame(priority.wire, priority) for priority in Priority), frame("k1", key="k"), clock=clock)
    clock.now += 30
    outbox.put(frame("k2", key="k"))
    outbox.put(frame("young"))
    clock.now += 31
    # What was renewed is as young as its newest.
    assert sorted(names(outbox)) == ["critical", "high", "k2", "young"]
    assert outbox.statistics().expired == 2
    assert outbox.statistics().dropped == 0
    assert (counters.frames_expired[NORMAL], counters.frames_expired[LOW]) == (before[0] + 1, before[1] + 1)


def test_how_long_the_oldest_of_each_priority_has_waited():
    clock = Clock()
    outbox = filled(frame("c", CRITICAL), clock=clock)
    for priority in (HIGH, NORMAL, LOW):
        clock.now += 1
        outbox.put(frame("x", priority))
    clock.now += 10
    for priority in Priority:
        outbox.put(frame("y", priority))
    assert outbox.statistics().age == (13.0, 12.0, 11.0, 10.0)
    outbox.take_urgent()
    outbox.take_routine(PLENTY)
    assert outbox.statistics().age == (0.0, 0.0, 0.0, 0.0)


def test_what_is_shed_is_counted_and_critical_frames_and_answers_stay():
    outbox = filled(*(frame(priority.wire, priority) for priority in Priority), frame("k", key="k"))
    outbox.answer(b"answer")
    outbox.shed()
    assert outbox.statistics() == OutboxStatistics((1, 0, 0, 0), 0, 4, 0)
    outbox.put(frame("k2", key="k"))
    assert names(outbox) == ["critical", "answerk2"]


def test_what_is_forgotten_is_counted_by_priority_and_told_to_nobody():
    before = list(counters.frames_dropped)
    outbox = filled(*(told("a", 1, priority) for priority in Priority), told("a", 2, key="k"))
    outbox.answer(b"answer")
    gaps_of(outbox)
    outbox.clear()
    assert not outbox
    assert outbox.statistics() == OutboxStatistics(NOTHING, 0, 5, 0)
    assert [now - then for now, then in zip(counters.frames_dropped, before, strict=True)] == [1, 1, 2, 1]


# -- gaps ------------------------------------------------------------------------------------------------------


def test_what_overflows_is_told_as_one_gap_for_each_channel():
    outbox = filled(size_limit=8)
    gaps = gaps_of(outbox)
    for offset in range(5, 10):
        outbox.put(told("a", offset))
        outbox.put(told("b", offset + 100))
    assert names(outbox) == ["gap:a", "a9", "gap:b", "b109"]
    assert gaps == [Gap("a", 5, 8, 4, "overflow"), Gap("b", 105, 108, 4, "overflow")]


def test_a_gap_counts_all_that_its_frames_stood_for():
    outbox = filled(size_limit=6)
    gaps = gaps_of(outbox)
    for offset in range(1, 6):
        outbox.put(told("a", offset, key="k"))
    outbox.put(told("b", 1))
    outbox.put(told("b", 2))
    assert names(outbox) == ["gap:a", "b1", "b2"]
    assert gaps == [Gap("a", 1, 5, 5, "overflow")]


def test_what_is_too_old_is_told_as_a_gap_of_its_own_also_when_nothing_else_is_left():
    clock = Clock()
    outbox = filled(clock=clock)
    gaps = gaps_of(outbox)
    for offset in (1, 2):
        outbox.put(told("a", offset))
    clock.now += 61
    assert names(outbox) == ["gap:a"]
    assert gaps == [Gap("a", 1, 2, 2, "expired")]
    assert not outbox


def test_reasons_are_not_mixed():
    clock = Clock()
    outbox = filled(clock=clock)
    gaps = gaps_of(outbox)
    outbox.put(told("a", 1))
    outbox.shed()
    outbox.put(told("a", 2))
    clock.now += 61
    outbox.put(told("a", 3))
    names(outbox)
    assert sorted(gaps, key=lambda gap: gap.first) == [Gap("a", 1, 1, 1, "overflow"), Gap("a", 2, 2, 1, "expired")]


def test_what_is_shed_is_told():
    outbox = filled()
    gaps = gaps_of(outbox)
    for offset, priority in enumerate((HIGH, NORMAL, LOW), 1):
        outbox.put(told("a", offset, priority))
    outbox.shed()
    assert outbox
    assert names(outbox) == ["gap:a"]
    assert gaps == [Gap("a", 1, 3, 3, "overflow")]


def test_what_has_no_place_on_its_channel_leaves_no_gap_there():
    outbox = filled()
    gaps = gaps_of(outbox)
    outbox.put(told("a", 0))
    outbox.put(frame("control", HIGH))
    outbox.shed()
    assert names(outbox) == gaps == []


def test_a_client_that_does_not_understand_gaps_is_told_none_and_nothing_is_kept_for_it():
    outbox = filled(told("a", 1))
    outbox.shed()
    assert not outbox


def test_a_flood_of_gaps_leaves_every_second_place_to_the_frames():
    outbox = filled(size_limit=400)
    gaps_of(outbox)
    # All channels overflow again before the gaps of all could be told.
    for round_ in range(1, 20):
        for channel in range(200):
            outbox.put(told(f"c{channel}-", round_))
        piece = outbox.take_routine(PLENTY).decode().split()
        assert [name.startswith("gap:") for name in piece[:16]] in ([True, False] * 8, [False, True] * 8)


# -- the resume position ---------------------------------------------------------------------------------------


def test_the_newest_critical_position_that_was_taken_is_kept():
    outbox = filled(told("a", 1, CRITICAL, critical=7), told("b", 1, CRITICAL, critical=8), told("c", 3, CRITICAL))
    assert outbox.critical_sent is None
    outbox.take_urgent()
    assert outbox.critical_sent == Position("j", 8)


# -- everything at once ----------------------------------------------------------------------------------------


class OutboxAgainstLedger(RuleBasedStateMachine):
    """Whatever is put and taken: nothing is lost unmarked, nothing goes back in time, the bounds hold."""

    def __init__(self):
        super().__init__()
        self.clock = Clock()
        self.outbox = Outbox(Limits(200, 5, age=10.0), Ledger(), self.clock)
        self.told = gaps_of(self.outbox)
        self.put_count = 0
        self.refused = 0
        self.taken = []
        self.number = 0

    @rule(priority=st.sampled_from(Priority), key=st.sampled_from([None, "a", "b", 0]), size=st.integers(1, 90))
    def put(self, priority, key, size):
        self.number += 1
        one = Frame(f"{self.number}:{int(priority)}:{key}".encode().ljust(size, b".") + b" ", priority, key)
        self.put_count += 1
        try:
            self.outbox.put(one)
        except Behind:
            assert priority is CRITICAL
            self.refused += 1

    @precondition(lambda self: self.put_count)
    @rule(count=st.integers(1, 5), room=st.integers(-10, 500))
    def take(self, count, room):
        for _ in range(count):
            critical_waits = self.outbox.statistics().depth[0]
            piece = self.outbox.take_urgent()
            assert bool(piece) == bool(critical_waits)
            if not piece:
                piece = self.outbox.take_routine(room)
            if not piece:
                assert self.outbox.statistics().depth == NOTHING
                assert not self.outbox
                return
            self.taken += [text.rstrip(b".").decode().split(":") for text in piece.split()]

    @rule(seconds=st.sampled_from([0.5, 4.0, 20.0]))
    def wait(self, seconds):
        self.clock.now += seconds

    @rule()
    def shed(self):
        self.outbox.shed()
        assert self.outbox.statistics().depth[1:] == (0, 0, 0)
        assert self.outbox.size == 0

    @rule()
    def clear(self):
        self.outbox.clear()
        assert not self.outbox

    @invariant()
    def nothing_is_lost_unmarked(self):
        now = self.outbox.statistics()
        lost = now.dropped + now.conflated + now.expired
        assert len(self.taken) + sum(now.depth) + lost == self.put_count
        assert imbalance(self.outbox.ledger.entries(NOTHING, now.depth)) == 0

    @invariant()
    def the_bounds_hold(self):
        now = self.outbox.statistics()
        assert 0 <= now.size <= 200
        assert now.depth[0] <= 5

    @invariant()
    def nothing_goes_back_in_time(self):
        # A keyed frame takes an older place, so order is promised within a key, and among those without.
        lanes = {(priority, key) for _, priority, key in self.taken}
        for lane in lanes:
            numbers = [int(number) for number, priority, key in self.taken if (priority, key) == lane]
            assert numbers == sorted(numbers)


TestOutboxAgainstLedger = OutboxAgainstLedger.TestCase
TestOutboxAgainstLedger.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def batch(*names: str, size: int = 10) -> Batch:
    return Batch([frame(name, size=size) for name in names])


def test_what_was_joined_stays_together_as_far_as_there_is_room():
    outbox = filled()
    outbox.put_batch(batch("a", "b", "c"), NORMAL)
    assert outbox.depth == (0, 0, 3, 0)
    assert outbox.take_routine(1000) == b"a.........b.........c........."
    assert not outbox
    assert outbox.size == 0


def test_frames_that_wait_together_go_one_by_one_where_there_is_little_room():
    outbox = filled()
    outbox.put_batch(batch("a", "b", "c"), NORMAL)
    assert outbox.take_routine(1) == b"a........."
    assert (outbox.depth, outbox.size) == ((0, 0, 2, 0), 20)
    assert outbox.take_routine(10) == b"b........."
    assert outbox.take_routine(1000) == b"c........."


def test_frames_that_wait_together_are_given_up_together_and_counted_each():
    outbox = filled(size_limit=35)
    outbox.put_batch(batch("a", "b", "c"), NORMAL)
    outbox.put(frame("d"))
    assert outbox.take_routine(1000) == b"d........."
    assert outbox.ledger.gapped[NORMAL] == 3
    assert imbalance(outbox.ledger.entries((0, 0, 0, 0), outbox.depth)) == 0


def test_who_waits_beside_a_batch_need_not_wait_for_all_of_it():
    outbox = filled(size_limit=100_000)
    outbox.put_batch(batch(*(str(number) for number in range(40)), size=1000), NORMAL)
    outbox.put(frame("low", LOW))
    first = outbox.take_routine(100_000)
    assert len(first) <= 2 * PIECE_SIZE
