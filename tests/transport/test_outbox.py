import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from domain import Priority
from telemetry import counters
from transport.frames import Frame
from transport.ledger import Ledger
from transport.outbox import Behind, Limits, Outbox, OutboxStatistics

CRITICAL, HIGH, NORMAL, LOW = Priority


def frame(name: str, priority: Priority = NORMAL, key: object = None, size: int = 10) -> Frame:
    return Frame(name.encode().ljust(size, b"."), priority, key)


def filled(*frames: Frame, size_limit: int = 1000, critical_limit: int = 10) -> Outbox:
    outbox = Outbox(Limits(size_limit, critical_limit), Ledger(), lambda: 0.0)
    for one in frames:
        outbox.put(one)
    return outbox


def names(outbox: Outbox) -> list[str]:
    popped = []
    while (one := outbox.pop()) is not None:
        popped.append(one.data.decode().rstrip("."))
    return popped


def test_an_empty_outbox_has_nothing():
    assert filled().pop() is None
    assert filled().statistics() == OutboxStatistics((0, 0, 0, 0), 0, 0, 0)


def test_the_most_important_goes_first_and_each_priority_in_its_order():
    outbox = filled(*(frame(f"{priority.wire}{turn}", priority) for turn in "12" for priority in reversed(Priority)))
    assert outbox.statistics() == OutboxStatistics((2, 2, 2, 2), 60, 0, 0)
    assert names(outbox) == ["critical1", "critical2", "high1", "high2", "normal1", "normal2", "low1", "low2"]
    assert outbox.size == 0


def test_critical_overtakes_all_that_waits():
    outbox = filled(frame("high", HIGH), frame("normal"), frame("low", LOW))
    outbox.put(frame("critical", CRITICAL))
    assert names(outbox)[0] == "critical"


def test_one_frame_in_sixteen_is_the_lowest_that_waits():
    outbox = filled(frame("low", LOW), frame("normal"), *(frame(f"high{turn}", HIGH) for turn in range(40)))
    order = names(outbox)
    assert order.index("low") == 15
    assert order.index("normal") == 31


def test_the_newest_frame_of_a_key_takes_the_place_of_the_oldest():
    outbox = filled(
        frame("a1", key="a"), frame("x"), frame("b1", key="b"), frame("a2", key="a", size=30), frame("a3", key="a")
    )
    assert outbox.statistics() == OutboxStatistics((0, 0, 3, 0), 30, 0, 2)
    assert names(outbox) == ["a3", "x", "b1"]
    assert outbox.size == 0


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


def test_past_the_byte_limit_the_least_important_goes_first_and_its_oldest():
    outbox = filled(
        frame("high", HIGH), frame("n1"), frame("low1", LOW), frame("low2", LOW), frame("n2"), size_limit=30
    )
    assert names(outbox) == ["high", "n1", "n2"]
    assert outbox.dropped == 2


def test_high_drops_its_oldest_after_everything_below_it():
    outbox = filled(
        frame("low", LOW), frame("normal"), *(frame(f"high{turn}", HIGH) for turn in range(4)), size_limit=30
    )
    assert names(outbox) == ["high1", "high2", "high3"]
    assert outbox.dropped == 3


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
    assert outbox.statistics() == OutboxStatistics((0, 0, 0, 0), 0, 1, 1)


def test_what_never_fits_drives_nothing_else_out():
    outbox = filled(frame("high", HIGH), frame("n"), frame("giant", HIGH, size=31), size_limit=30)
    assert names(outbox) == ["high", "n"]
    assert outbox.dropped == 1


def test_critical_frames_are_spared_by_the_byte_limit():
    outbox = filled(*(frame(f"c{turn}", CRITICAL, size=100) for turn in range(10)), frame("n"), size_limit=20)
    assert outbox.statistics() == OutboxStatistics((10, 0, 1, 0), 10, 0, 0)


def test_one_critical_frame_too_many_says_that_the_client_is_lost():
    outbox = filled(frame("c1", CRITICAL), frame("c2", CRITICAL), critical_limit=2)
    with pytest.raises(Behind):
        outbox.put(frame("c3", CRITICAL))
    assert names(outbox) == ["c1", "c2"]


def test_what_is_forgotten_is_counted_by_priority():
    before = list(counters.frames_dropped)
    outbox = filled(*(frame("x", priority) for priority in Priority), frame("k", key="k"))
    outbox.clear()
    assert outbox.statistics() == OutboxStatistics((0, 0, 0, 0), 0, 5, 0)
    assert [now - then for now, then in zip(counters.frames_dropped, before, strict=True)] == [1, 1, 2, 1]


class OutboxAgainstLedger(RuleBasedStateMachine):
    """Whatever is put and popped: nothing is lost unmarked, nothing goes back in time, the bounds hold."""

    def __init__(self):
        super().__init__()
        self.outbox = Outbox(200, 5)
        self.put_count = 0
        self.refused = 0
        self.popped = []
        self.number = 0

    @rule(priority=st.sampled_from(Priority), key=st.sampled_from([None, "a", "b", 0]), size=st.integers(1, 90))
    def put(self, priority, key, size):
        self.number += 1
        one = Frame(b"x" * size, priority, key)
        one.data = str(self.number).encode().ljust(size, b".")
        self.put_count += 1
        try:
            self.outbox.put(one)
        except Behind:
            assert priority is CRITICAL
            self.refused += 1

    @precondition(lambda self: self.put_count)
    @rule(count=st.integers(1, 20))
    def pop(self, count):
        for _ in range(count):
            critical_waits = self.outbox.statistics().depth[0]
            one = self.outbox.pop()
            if one is None:
                assert self.outbox.statistics().depth == (0, 0, 0, 0)
                return
            assert one.priority is CRITICAL or not critical_waits
            self.popped.append(one)

    @rule()
    def clear(self):
        self.outbox.clear()
        assert self.outbox.statistics().depth == (0, 0, 0, 0)
        assert self.outbox.size == 0

    @invariant()
    def nothing_is_lost_unmarked(self):
        now = self.outbox.statistics()
        assert len(self.popped) + sum(now.depth) + now.dropped + now.conflated + self.refused == self.put_count

    @invariant()
    def the_bounds_hold(self):
        now = self.outbox.statistics()
        assert 0 <= now.size <= 200
        assert now.depth[0] <= 5

    @invariant()
    def nothing_goes_back_in_time(self):
        for priority in Priority:
            # A keyed frame takes an older place, so order is promised within a key, and among those without.
            for key in (None, "a", "b", 0):
                numbers = [
                    int(one.data.rstrip(b".")) for one in self.popped if (one.priority, one.key) == (priority, key)
                ]
                assert numbers == sorted(numbers)


TestOutboxAgainstLedger = OutboxAgainstLedger.TestCase
TestOutboxAgainstLedger.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
