"""Whatever people do to calls, in whatever order: what holds always."""

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain import Refused
from domain.plant.calls import TRANSITIONS, Calls, Said, State, Targets, Terms, Trigger, Wish, ended, timers

PEOPLE = st.sampled_from(["kim", "lee", "max"])
DELAYS = st.sampled_from([0.0, 0.5, 30.0, 4000.0, -10.0, 9e6])


class CallLife(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.at = 1_800_000_000.0
        self.count = 0
        self.calls = self.made()
        self.rows = {}
        self.ids = Counter()
        self.timed = Counter()

    def made(self):
        return Calls(lambda: Terms(grace=20.0), self.make_id)

    def make_id(self, _):
        self.count += 1
        return f"c{self.count}"

    def take(self, decide):
        try:
            decision = decide()
        except Refused:
            return
        if decision is None:
            return
        self.ids.update((event.source, event.id) for event in decision.events)
        for row in decision.rows:
            self.rows[row.key] = row.value
        if decision.events and not isinstance(decision.answer, Refused):
            self.timed.update((decision.answer.id, timer.name) for timer in ended(decision.answer, Targets()))

    @rule(seconds=st.sampled_from([0.0, 1.0, 60.0]))
    def wait(self, seconds):
        self.at += seconds

    @rule(by=PEOPLE, word=st.sampled_from(["stop", "material"]), delay=DELAYS)
    def raise_call(self, by, word, delay):
        self.take(lambda: self.calls.raise_call(Wish("acme/st4", word, "high"), Said(by, self.at - delay, self.at)))

    @rule(by=PEOPLE, number=st.integers(1, 6), trigger=st.sampled_from(Trigger), delay=DELAYS)
    def act(self, by, number, trigger, delay):
        said = Said(by, self.at - delay, self.at)
        detail = {"level": 1, "assigned_to": "max", "priority": "low", "stop": "s1"}
        self.take(lambda: self.calls.act(f"c{number}", trigger, said, detail))

    @rule(number=st.integers(1, 6), level=st.integers(1, 3))
    def escalate(self, number, level):
        self.take(lambda: self.calls.escalated(f"c{number}", level, self.at))

    @rule()
    def restart(self):
        calls = self.made()
        assert calls.restore(list(self.rows.items())) == []
        assert {call.id: call for call in calls} == {call.id: call for call in self.calls}
        self.calls = calls

    @invariant()
    def no_two_calls_of_a_word_are_open_at_a_place(self):
        places = Counter((call.path, call.word) for call in self.calls.open_calls())
        assert all(count == 1 for count in places.values())

    @invariant()
    def every_step_follows_from_the_one_before(self):
        for call in self.calls:
            assert [step.number for step in call.steps] == list(range(1, len(call.steps) + 1))
            assert call.state is call.last.state
            for before, step in zip(call.steps, call.steps[1:], strict=False):
                assert TRANSITIONS[before.state, Trigger(step.trigger)] is step.state
                assert before.moment <= step.moment <= step.said.received

    @invariant()
    def every_event_has_its_own_name(self):
        assert all(count == 1 for count in self.ids.values())

    @invariant()
    def no_time_is_negative_and_what_is_over_does_not_run(self):
        for call in self.calls:
            found = timers(call, self.at, Targets())
            assert all(timer.seconds is None or timer.seconds >= 0 for timer in found)
            assert not (call.state.is_over and any(timer.is_running for timer in found))
            parts = {timer.name: timer.seconds for timer in found}
            if parts["acknowledge_to_arrive"] is not None and call.state is State.IN_PROGRESS:
                whole = parts["raise_to_acknowledge"] + parts["acknowledge_to_arrive"]
                assert abs(whole - parts["raise_to_arrive"]) < 1e-6

    @invariant()
    def an_interval_ends_once_in_a_round(self):
        for (id_, name), count in self.timed.items():
            rounds = 1 + sum(step.trigger == Trigger.REOPEN for step in self.calls.find(id_).steps)
            assert count <= (1 if name == "raise_to_close" else rounds)


CallLife.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestCallLife = CallLife.TestCase
