"""No step twice and no step lost, whatever comes in whatever order.

A model of the chain is kept beside it: what must have been sent by now, and what must not come again.
"""

from __future__ import annotations

from datetime import UTC

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.plant.escalation import Directory, Reading, Rulebook, read_chain
from domain.plant.site import ShiftCalendar

WAIT = 100.0
RESOLVE = 500.0
PEOPLE = ("anna", "ben", "carl")
REPEATS = 2
STEPS = [*({"notify": name} if kind else {"wait": WAIT} for name in PEOPLE for kind in (1, 0)), {"repeat": REPEATS}]
CHAIN = {
    "name": "own",
    "acknowledge": WAIT,
    "resolve": RESOLVE,
    "unacknowledged": STEPS,
    "unresolved": [{"notify": "@acknowledger"}, {"repeat": REPEATS}],
}


class Life(RuleBasedStateMachine):
    """One call: receipts, failures, words, deaths, steps of the clock and time, in any order."""

    desk_class: type

    @initialize()
    def begin(self) -> None:
        book = Rulebook((read_chain(CHAIN, ("websocket", "mail")),), directory=Directory(), patience=60.0)
        self.desk = self.desk_class(book, ShiftCalendar(UTC))
        self.elapsed = 1000.0
        self.desk.set_clock(0, self.elapsed)
        self.unsettled = {each.id: each for each in self.desk.raise_call()}
        self.is_acknowledged = self.is_resolved = False

    def _sent(self, notifications) -> None:
        self.unsettled |= {each.id: each for each in notifications}

    @rule(number=st.integers(0, 5), is_good=st.booleans())
    @precondition(lambda self: self.unsettled)
    def answer(self, number: int, *, is_good: bool) -> None:
        """An answer comes, in any order; what is late or doubled among them too."""
        names = sorted(self.unsettled)
        one = self.unsettled.pop(names[number % len(names)])
        self._sent(self.desk.receipt(one) if is_good else self.desk.fail(one))
        assert self.desk.receipt(one) == []
        assert self.desk.fail(one) == []

    @rule(seconds=st.sampled_from([0.5, 30.0, 60.0, 99.0, 100.0, 350.0, 2000.0]))
    def wait(self, seconds: float) -> None:
        self.elapsed += seconds
        due, count = self._remaining(), len(self.desk.events)
        sent = self.desk.go(seconds)
        self._sent(sent)
        waited = [each for each in self.desk.events[count:] if dict(each.data).get("cause") == "waited"]
        assert not waited or (due is not None and due <= seconds)
        # What was due is done: a wait that is over is not waited for.
        remaining = self._remaining()
        assert remaining is None or remaining > 0
        assert self.desk.take(self.desk.escalations.due(self.desk.at)) == []

    @rule()
    def die(self) -> None:
        before = self.desk.view()
        again = self.desk.die()
        assert all(each.repeated for each in again)
        after = self.desk.view()
        for name in ("state", "level", "run", "round", "next_step", "steps", "version"):
            assert before[name] == after[name]
        # What the life before sent and knew nothing of is what comes again, and nothing else does.
        assert {each["notification"] for each in before["waiting_for"]} >= {each.id for each in again}

    @rule(step=st.sampled_from([-86_400.0, -3.0, 3.0, 3600.0]))
    def set_clock(self, step: float) -> None:
        before = self._remaining(), self._due()
        self.desk.set_clock(step, self.elapsed)
        assert (self._remaining(), self._due()) == before

    @rule()
    @precondition(lambda self: not self.is_resolved)
    def acknowledge(self) -> None:
        is_first = not self.is_acknowledged
        self.is_acknowledged = True
        sent = self.desk.acknowledge()
        assert sent == []
        if is_first:
            assert self._remaining() == RESOLVE

    @rule()
    def resolve(self) -> None:
        self.is_resolved = True
        assert self.desk.resolve() == []

    @rule()
    @precondition(lambda self: not self.is_resolved)
    def escalate(self) -> None:
        self._sent(self.desk.take(self.desk.escalations.escalate("c1", "dora", self.desk.at)))

    def _remaining(self) -> float | None:
        course = self.desk.escalations._courses["c1"]
        return None if course.wait_until is None else round(course.wait_until - self.desk.at, 3)

    def _due(self) -> float | None:
        course = self.desk.escalations._courses["c1"]
        return None if course.due is None else round(course.due - self.desk.at, 3)

    @invariant()
    def nothing_is_sent_twice_without_a_mark(self) -> None:
        fresh = [each.id for each in self.desk.sent if not each.repeated]
        assert len(fresh) == len(set(fresh))
        marked = [(each.id, each.attempt) for each in self.desk.sent]
        assert len(marked) == len(set(marked))

    @invariant()
    def a_program_that_runs_has_something_to_wait_for(self) -> None:
        view = self.desk.view()
        if view["state"] in ("unacknowledged", "acknowledged"):
            assert view["due"] is not None

    @invariant()
    def levels_are_told_in_their_order_and_none_is_passed_by(self) -> None:
        told = [each for each in self.desk.words("advanced") if "notify" in each["step"]]
        runs: dict[tuple[int, int], list[str]] = {}
        for each in told:
            runs.setdefault((each["run"], each["round"]), []).append(each["step"]["notify"][0])
        for names in runs.values():
            assert tuple(names) in (PEOPLE[: len(names)], ("@acknowledger",))

    @invariant()
    def a_round_begins_when_the_one_before_has_told_everybody(self) -> None:
        told = [each for each in self.desk.words("advanced") if "notify" in each["step"]]
        for each in told:
            if each["round"] and each["state"] == "unacknowledged":
                before = [one for one in told if (one["run"], one["round"]) == (each["run"], each["round"] - 1)]
                assert len(before) == len(PEOPLE)

    @invariant()
    def only_a_chain_that_reached_nobody_goes_on_beyond_its_repetitions(self) -> None:
        is_reached = False
        for event in self.desk.events:
            is_reached = is_reached or event.type == "escalation.step.sent"
            if event.type == "escalation.advanced" and "repeat" in event.data["step"]:
                assert event.data["round"] <= REPEATS or not is_reached

    @invariant()
    def after_the_end_nobody_is_told(self) -> None:
        if self.is_resolved:
            count = len(self.desk.sent)
            self.desk.take(self.desk.escalations.due(self.desk.at))
            assert len(self.desk.sent) == count


def test_no_step_twice_and_no_step_lost(make_desk):
    machine = type("OfThisDesk", (Life,), {"desk_class": type(make_desk())})
    case = machine.TestCase
    case.settings = settings(
        max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
    )
    case().runTest()


def test_a_chain_left_alone_tells_everybody_in_every_round(make_desk):
    desk = make_desk(**{name: value for name, value in CHAIN.items() if name != "name"})
    told = [each.target for each in desk.raise_call()]
    for _ in range(20):
        for each in desk.sent:
            desk.receipt(each)
        told += [each.target for each in desk.pass_time(WAIT)]
    assert told == list(PEOPLE) * (REPEATS + 1)
    assert desk.view()["state"] == "exhausted"


def test_a_reading_of_another_start_of_the_machine_moves_nothing(make_desk):
    desk = make_desk(**{name: value for name, value in CHAIN.items() if name != "name"})
    desk.set_clock(0, 1000.0)
    desk.raise_call()
    due = desk.escalations.next_due()
    desk.take(desk.escalations.read_clocks(Reading(desk.at + 9999, 3.0, "boot-2")))
    assert desk.escalations.next_due() == due
