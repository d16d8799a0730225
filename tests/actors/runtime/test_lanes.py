from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from actors.runtime import MailboxFull
from actors.runtime.lanes import Lanes
from actors.runtime.marks import SPACING, Moment
from domain import Priority, Turns
from domain.turns import MOST_BETWEEN, PROMOTE_AFTER

LIMIT = 4


class Note:
    def __init__(self, number, priority=Priority.NORMAL, key=None):
        self.number, self.priority, self.key = number, priority, key

    def __repr__(self):
        return f"{self.number}{self.priority.wire[0]}{self.key or ''}"


class Reply:
    def __init__(self):
        self.value = self.error = None
        self.resolved = False

    def set(self, value=None):
        assert not self.resolved
        self.resolved, self.value = True, value

    def set_exception(self, exc_info):
        assert not self.resolved
        self.resolved, self.error = True, exc_info[1]


class Letter:
    def __init__(self, message, reply_to=None):
        self.message, self.reply_to = message, reply_to


def numbers(lanes):
    taken = []
    while lanes.count:
        taken.append(lanes.take().message.number)
    return taken


def lanes_of(*notes, limit=100, moment=None):
    lanes = Lanes(limit, moment or Moment())
    for note in notes:
        lanes.accept(Letter(note))
    return lanes


def test_critical_comes_first_the_others_by_weight_and_equals_in_order():
    lanes = lanes_of(
        *(Note(i, p) for i, p in enumerate([Priority.LOW, Priority.NORMAL, Priority.CRITICAL, Priority.HIGH] * 2))
    )
    assert numbers(lanes) == [2, 6, 3, 1, 7, 5, 0, 4]


def test_a_message_without_a_priority_is_normal():
    lanes = lanes_of(Note(1, Priority.LOW))
    lanes.accept(Letter("plain"))
    assert lanes.waiting(Priority.NORMAL) == 1
    assert lanes.take().message == "plain"


@pytest.mark.parametrize("flood", [Priority.HIGH, Priority.NORMAL])
def test_the_lowest_has_its_turn_in_any_flood_but_a_critical_one(flood):
    lanes = lanes_of(Note(-1, Priority.LOW), *(Note(i, flood) for i in range(40)))
    assert numbers(lanes).index(-1) <= 12


def test_in_a_flood_of_critical_messages_the_others_wait():
    lanes = lanes_of(Note(-1, Priority.HIGH), *(Note(i, Priority.CRITICAL) for i in range(40)))
    assert numbers(lanes)[-1] == -1


def test_lanes_that_are_always_full_share_eight_to_four_to_one():
    lanes = lanes_of(*(Note(0, priority) for priority in Priority if priority for _ in range(2000)), limit=2000)
    taken = [lanes.take().message.priority for _ in range(130 * 13)]
    assert [taken.count(priority) for priority in Priority] == [0, 130 * 8, 130 * 4, 130]


def test_a_lane_whose_oldest_waits_too_long_has_the_turns_of_the_next_higher():
    moment = Moment()
    lanes = lanes_of(*(Note(0, Priority.LOW) for _ in range(100)), limit=1000, moment=moment)
    moment.at = PROMOTE_AFTER + SPACING
    for number in range(1000):
        lanes.accept(Letter(Note(number, Priority.HIGH)))
        lanes.accept(Letter(Note(number, Priority.NORMAL)))
    taken = [lanes.take().message.priority for _ in range(4 * 16)]
    assert [taken.count(priority) for priority in Priority] == [0, 4 * 8, 4 * 4, 4 * 4]


@pytest.mark.parametrize("priority", [Priority.CRITICAL, Priority.HIGH])
def test_a_full_urgent_lane_refuses_and_keeps_what_it_has(priority):
    lanes = lanes_of(*(Note(i, priority) for i in range(LIMIT)), limit=LIMIT)
    with pytest.raises(MailboxFull) as refused:
        lanes.accept(Letter(Note(9, priority)))
    assert (refused.value.priority, refused.value.capacity) == (priority, LIMIT)
    assert lanes.statistics().refused[priority] == 1
    assert numbers(lanes) == list(range(LIMIT))


@pytest.mark.parametrize("priority", [Priority.NORMAL, Priority.LOW])
def test_a_full_routine_lane_drops_its_oldest(priority):
    lanes = lanes_of(*(Note(i, priority) for i in range(LIMIT + 2)), limit=LIMIT)
    assert lanes.statistics().dropped[priority] == 2
    assert numbers(lanes) == [2, 3, 4, 5]


def test_a_full_lane_does_not_touch_the_others():
    lanes = lanes_of(*(Note(i, Priority.LOW) for i in range(LIMIT)), Note(7, Priority.CRITICAL), limit=LIMIT)
    assert numbers(lanes) == [7, 0, 1, 2, 3]


def test_the_newest_value_of_a_key_takes_the_place_of_the_one_that_waits():
    lanes = lanes_of(Note(1, key="a"), Note(2, key="b"), Note(3, key="a"))
    assert lanes.statistics().conflated[Priority.NORMAL] == 1
    assert numbers(lanes) == [3, 2]


def test_a_value_of_a_key_that_was_taken_is_not_replaced():
    lanes = lanes_of(Note(1, key="a"))
    first = lanes.take()
    lanes.accept(Letter(Note(2, key="a")))
    assert first.message.number == 1
    assert numbers(lanes) == [2]


@pytest.mark.parametrize("priority", [Priority.CRITICAL, Priority.HIGH, Priority.LOW])
def test_only_normal_messages_are_conflated(priority):
    assert numbers(lanes_of(Note(1, priority, "a"), Note(2, priority, "a"))) == [1, 2]


def test_an_ask_is_never_conflated_away_nor_overtaken_by_its_key():
    lanes = lanes_of(Note(1, key="a"))
    reply = Reply()
    lanes.accept(Letter(Note(2, key="a"), reply))
    lanes.accept(Letter(Note(3, key="a")))
    assert numbers(lanes) == [1, 2, 3]
    assert not reply.resolved


def test_an_ask_that_is_dropped_is_told_so():
    lanes, reply = Lanes(1, Moment()), Reply()
    lanes.accept(Letter(Note(1), reply))
    lanes.accept(Letter(Note(2)))
    assert isinstance(reply.error, MailboxFull)


def test_messages_can_be_taken_ahead_of_their_turn_up_to_the_first_that_is_something_else():
    lanes = lanes_of(Note(0, Priority.CRITICAL), Note(1), Note(2))
    lanes.accept(Letter("other"))
    lanes.accept(Letter(Note(3)))
    assert [letter.message.number for letter in lanes.take_waiting(Priority.NORMAL, Note)] == [1, 2]
    assert lanes.take_waiting(Priority.NORMAL, Note) == []
    assert lanes.count == 3


def test_a_value_that_was_taken_ahead_is_not_replaced():
    lanes = lanes_of(Note(1, key="a"))
    (taken,) = lanes.take_waiting(Priority.NORMAL, Note)
    lanes.accept(Letter(Note(2, key="a")))
    assert taken.message.number == 1
    assert numbers(lanes) == [2]


def test_what_is_put_back_may_find_that_its_lane_was_released():
    lanes = lanes_of(Note(1, Priority.LOW))
    taken = lanes.take()
    lanes.release()
    lanes.put_back([taken])
    assert numbers(lanes) == [1]


def test_an_ask_is_not_taken_ahead_of_its_turn():
    lanes = Lanes(LIMIT, Moment())
    lanes.accept(Letter(Note(1), Reply()))
    assert lanes.take_waiting(Priority.NORMAL, Note) == []


def test_what_was_put_back_comes_first_again_and_is_not_conflated():
    lanes = lanes_of(Note(1, key="a"), Note(2))
    taken = [lanes.take(), lanes.take()]
    lanes.accept(Letter(Note(3, key="a")))
    lanes.put_back(taken)
    lanes.accept(Letter(Note(4, key="a")))
    assert numbers(lanes) == [1, 2, 4]


def test_after_close_what_waits_is_handed_out_and_what_is_late_is_kept_apart():
    lanes = lanes_of(Note(1), limit=2)
    lanes.close()
    lanes.accept(Letter(Note(2, Priority.CRITICAL)))
    assert lanes.closing
    assert lanes.statistics().late == 1
    assert numbers(lanes) == [1]
    lanes.reopen()
    assert numbers(lanes) == [2]


def test_late_messages_are_bounded_too():
    lanes = Lanes(1, Moment())
    lanes.close()
    lanes.accept(Letter(Note(1, Priority.LOW)))
    with pytest.raises(MailboxFull):
        lanes.accept(Letter(Note(2, Priority.LOW)))


def test_a_late_message_that_finds_no_room_at_reopening_is_told_so():
    lanes, reply = lanes_of(Note(1, Priority.HIGH), limit=1), Reply()
    lanes.close()
    lanes.accept(Letter(Note(2, Priority.HIGH), reply))
    lanes.reopen()
    assert isinstance(reply.error, MailboxFull)
    assert numbers(lanes) == [1]


def test_sealing_returns_everything_that_was_left():
    lanes = lanes_of(Note(1), Note(0, Priority.CRITICAL))
    lanes.close()
    lanes.accept(Letter(Note(2)))
    assert [letter.message.number for letter in lanes.seal()] == [0, 1, 2]
    assert lanes.count == 0
    assert lanes.closing


def test_a_reserved_place_is_not_given_away():
    lanes = Lanes(1, Moment())
    assert lanes.reserve(Priority.HIGH)
    assert not lanes.reserve(Priority.HIGH)
    with pytest.raises(MailboxFull):
        lanes.accept(Letter(Note(1, Priority.HIGH)))
    lanes.redeem(Priority.HIGH)
    lanes.accept(Letter(Note(2, Priority.HIGH)))
    assert numbers(lanes) == [2]


def test_losses_are_reported_once():
    lanes = lanes_of(*(Note(i) for i in range(3)), limit=1)
    assert lanes.fresh_losses().dropped[Priority.NORMAL] == 2
    assert lanes.fresh_losses() is None
    assert lanes.statistics().dropped[Priority.NORMAL] == 2


def test_lanes_that_are_empty_take_no_message_out():
    with pytest.raises(IndexError):
        Lanes(1, Moment()).take()


def test_nothing_waits_until_the_moment_moves_and_what_was_taken_has_no_age():
    moment = Moment(100.0)
    lanes = lanes_of(Note(1, Priority.HIGH), moment=moment)
    assert lanes.statistics().age == dict.fromkeys(Priority, 0.0)
    moment.at += 3.0
    assert lanes.statistics().age == {**dict.fromkeys(Priority, 0.0), Priority.HIGH: 3.0}
    lanes.take()
    assert lanes.age(Priority.HIGH) == 0.0


def test_what_is_put_into_a_mailbox_that_was_idle_for_long_is_new():
    moment = Moment()
    lanes = lanes_of(Note(1), moment=moment)
    lanes.take()
    lanes.release()
    moment.at = 3600.0
    lanes.accept(Letter(Note(2)))
    assert lanes.age(Priority.NORMAL) == 0.0


def test_each_lane_has_an_age_of_its_own():
    moment = Moment()
    lanes = lanes_of(Note(1, Priority.LOW), moment=moment)
    for at, priority in ((1.0, Priority.NORMAL), (2.0, Priority.CRITICAL), (4.0, Priority.LOW)):
        moment.at = at
        lanes.accept(Letter(Note(2, priority)))
    assert list(lanes.statistics().age.values()) == [2.0, 0.0, 3.0, 4.0]


class AgesAgainstModel(RuleBasedStateMachine):
    """The model knows when each message was put."""

    def __init__(self):
        super().__init__()
        self.moment = Moment()
        self.lanes = Lanes(1000, self.moment)
        self.waiting = {priority: [] for priority in Priority}

    @rule(seconds=st.floats(0.0, 3.0))
    def time_passes(self, seconds):
        self.moment.at += seconds

    @rule(priority=st.sampled_from(Priority), count=st.integers(1, 5))
    def accept(self, priority, count):
        for _ in range(count):
            self.lanes.accept(Letter(Note(0, priority)))
            self.waiting[priority].append(self.moment.at)

    @precondition(lambda self: self.lanes.count)
    @rule()
    def take(self):
        self.waiting[self.lanes.take().message.priority].pop(0)
        if not self.lanes.count:
            self.lanes.release()

    @invariant()
    def an_age_is_never_too_small_and_not_much_too_great(self):
        for priority, put in self.waiting.items():
            age = self.moment.at - put[0] if put else 0.0
            known = self.lanes.age(priority)
            assert age - 1e-6 <= known <= age + max(SPACING, age / 2) + 1e-6


TestAgesAgainstModel = AgesAgainstModel.TestCase
TestAgesAgainstModel.settings = settings(max_examples=100, stateful_step_count=80)


class Flood(RuleBasedStateMachine):
    """Whoever waits is served, whatever comes and goes beside it."""

    def __init__(self):
        super().__init__()
        self.moment = Moment()
        self.lanes = Lanes(10_000, self.moment)
        self.others = dict.fromkeys(Priority, 0)

    @rule(priority=st.sampled_from(list(Priority)[1:]), count=st.integers(1, 30))
    def accept(self, priority, count):
        for _ in range(count):
            self.lanes.accept(Letter(Note(0, priority)))

    @rule(seconds=st.floats(0.0, 2.0))
    def time_passes(self, seconds):
        self.moment.at += seconds

    @rule(count=st.integers(1, 30))
    def take(self, count):
        for _ in range(min(count, self.lanes.count)):
            waited = [priority for priority in Priority if self.lanes.waiting(priority)]
            served = self.lanes.take().message.priority
            for priority in Priority:
                self.others[priority] = self.others[priority] + 1 if priority in waited and priority != served else 0
            assert max(self.others.values()) <= MOST_BETWEEN

    @rule()
    def a_critical_message_is_next(self):
        self.lanes.accept(Letter(Note(0, Priority.CRITICAL)))
        assert self.lanes.take().message.priority is Priority.CRITICAL


TestFlood = Flood.TestCase
TestFlood.settings = settings(max_examples=100, stateful_step_count=60)


class LanesAgainstModel(RuleBasedStateMachine):
    """The naive model: one list, searched from the front for everything."""

    def __init__(self):
        super().__init__()
        self.lanes = Lanes(LIMIT, Moment())
        self.model = []
        self.number = 0
        self.turns = Turns()
        self.lost = 0
        self.put = 0
        self.taken = 0
        self.hand = []
        self.fixed = set()

    def lane(self, priority):
        return [note for note in self.model if note.priority == priority]

    def turn(self):
        waiting = [priority for priority in Priority if self.lane(priority)]
        if Priority.CRITICAL in waiting or len(waiting) == 1:
            return waiting[0]
        return self.turns.next(*(priority in waiting for priority in list(Priority)[1:]))

    @rule(priority=st.sampled_from(Priority), key=st.sampled_from([None, None, "a", "b"]), asked=st.booleans())
    def accept(self, priority, key, asked):
        self.number += 1
        note = Note(self.number, priority, key)
        lane = self.lane(priority)
        if priority is Priority.NORMAL and key is not None:
            same = [other for other in lane if other.key == key]
            if asked:
                self.fixed.update(other.number for other in same)
                self.fixed.add(note.number)
            elif same and same[-1].number not in self.fixed:
                self.model[self.model.index(same[-1])] = note
                self.lanes.accept(Letter(note))
                self.put += 1
                self.lost += 1
                return
        if len(lane) >= LIMIT:
            if priority <= Priority.HIGH:
                with pytest.raises(MailboxFull):
                    self.lanes.accept(Letter(note, Reply() if asked else None))
                return
            self.model.remove(lane[0])
            self.lost += 1
        self.model.append(note)
        self.put += 1
        self.lanes.accept(Letter(note, Reply() if asked else None))

    @precondition(lambda self: self.model)
    @rule()
    def take(self):
        expected = self.lane(self.turn())[0]
        self.model.remove(expected)
        self.taken += 1
        taken = self.lanes.take()
        self.hand = [taken]
        assert taken.message.number == expected.number

    @precondition(lambda self: self.hand)
    @rule()
    def put_back(self):
        note = self.hand[0].message
        self.fixed.add(note.number)
        first = self.lane(note.priority)[:1]
        self.model.insert(self.model.index(first[0]) if first else len(self.model), note)
        self.lanes.put_back(self.hand)
        self.taken -= 1
        self.hand = []

    @rule()
    def close_and_reopen(self):
        self.lanes.close()
        self.lanes.reopen()

    @invariant()
    def the_depths_agree(self):
        depth = self.lanes.statistics().depth
        assert depth == {priority: len(self.lane(priority)) for priority in Priority}
        assert self.lanes.count == len(self.model)

    @invariant()
    def nothing_leaves_uncounted(self):
        statistics = self.lanes.statistics()
        lost = sum(statistics.dropped.values()) + sum(statistics.conflated.values())
        assert (statistics.put, lost, statistics.taken) == (self.put, self.lost, self.taken)
        assert statistics.put == statistics.taken + self.lanes.count + lost


TestLanesAgainstModel = LanesAgainstModel.TestCase
TestLanesAgainstModel.settings = settings(max_examples=150, stateful_step_count=60)
