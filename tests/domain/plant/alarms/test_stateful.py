"""Whatever happens in whatever order: the alarm is where an independent account of the standard says it is."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from domain import Refused
from domain.plant.alarms import AlarmClass, AlarmsNow, State

from .conftest import Floor, rulebook

WORDS = st.sampled_from(
    ["acknowledge", "silence", "shelve", "one_shot", "unshelve", "suppress", "unsuppress", "remove", "restore", "reset"]
)
ARGUMENTS = {
    "shelve": {"duration": 60.0, "reason": "tuning"},
    "one_shot": {"one_shot": True, "reason": "tuning"},
    "suppress": {"reason": "empty"},
    "remove": {"permit": "P-17", "reason": "repair"},
}
CLASSES = st.builds(
    AlarmClass,
    on_delay=st.sampled_from([0.0, 5.0]),
    off_delay=st.sampled_from([0.0, 5.0]),
    is_annunciated=st.booleans(),
    is_auto_acknowledged=st.booleans(),
    acknowledge_on_return=st.booleans(),
    is_latching=st.booleans(),
    re_alarm_time=st.sampled_from([0.0, 50.0]),
    max_time_shelved=st.just(100.0),
)


class OneAlarm(RuleBasedStateMachine):
    """One alarm, told and treated in any order, with restarts and a clock that is set; checked after each step."""

    @initialize(of_class=CLASSES)
    def begin(self, of_class: AlarmClass) -> None:
        self.of_class = of_class
        options = {name: getattr(of_class, name) for name in of_class.__slots__ if name != "name"}
        self.floor = Floor(rulebook(**options))
        self.condition = False
        self.condition_since = self.floor.now
        self.shelved_until: float | None = None
        self.told = 0

    @rule(level=st.sampled_from(["WARNING", "FAULT"]))
    def rise(self, level: str) -> None:
        self.floor.rise(level=level)
        if not self.condition:
            self.condition, self.condition_since = True, self.floor.now
        self._look()

    @rule()
    def fall(self) -> None:
        self.floor.fall()
        if self.condition:
            self.condition, self.condition_since = False, self.floor.now
        self._look()

    @rule(seconds=st.sampled_from([0.0, 1.0, 5.0, 49.0, 60.0, 100.0]))
    def wait(self, seconds: float) -> None:
        self.floor.wait(seconds)
        self._look()

    @rule()
    @precondition(lambda self: len(self.floor.alarms))
    def restart(self) -> None:
        before = self.floor.alarm()
        self.floor.restart()
        assert self.floor.alarm() == before

    @rule(delta=st.sampled_from([-3600.0, 3600.0]))
    def set_clock(self, delta: float) -> None:
        self.floor.now += delta
        self.floor._did(self.floor.alarms.shift(delta))
        self.condition_since += delta
        if self.shelved_until is not None:
            self.shelved_until += delta

    @rule(word=WORDS)
    @precondition(lambda self: len(self.floor.alarms))
    def act(self, word: str) -> None:
        before = self.floor.alarm()
        try:
            (told,) = self.floor.do("shelve" if word == "one_shot" else word, **ARGUMENTS.get(word, {}))
        except Refused:
            assert self.floor.alarm() == before
            return
        assert told.data["previous"] == before.state.value
        if word in ("shelve", "one_shot"):
            self.shelved_until = self.floor.now + (60 if word == "shelve" else 100)
        self._look()

    def _look(self) -> None:
        if not len(self.floor.alarms):
            return
        if self.floor.alarm().state is not State.SHELVED:
            self.shelved_until = None

    @invariant()
    def nothing_is_due(self) -> None:
        due = self.floor.alarms.next_due
        assert due is None or due > self.floor.now or self.floor.alarms.due(due - 1).events == ()

    @invariant()
    def the_process_and_the_state_agree(self) -> None:
        if not len(self.floor.alarms):
            return
        alarm = self.floor.alarm()
        assert alarm.condition is self.condition
        if alarm.delay_until is None:
            assert alarm.active is self.condition
        else:
            assert alarm.active is not self.condition
            delay = self.of_class.on_delay if self.condition else self.of_class.off_delay
            assert alarm.delay_until == pytest.approx(self.condition_since + delay)
        if alarm.state in (State.UNACKNOWLEDGED, State.ACKNOWLEDGED):
            assert alarm.active
            assert self.of_class.is_annunciated
        if alarm.state in (State.RETURNED, State.LATCHED_UNACKNOWLEDGED, State.LATCHED_ACKNOWLEDGED):
            assert not alarm.active
        if alarm.state is State.NORMAL:
            assert not (alarm.active and self.of_class.is_annunciated)

    @invariant()
    def what_belongs_to_a_state_is_there_and_nothing_else(self) -> None:
        if not len(self.floor.alarms):
            return
        alarm = self.floor.alarm()
        assert (alarm.shelving is not None) is (alarm.state is State.SHELVED)
        assert (alarm.removal is not None) is (alarm.state is State.OUT_OF_SERVICE)
        assert (alarm.unacknowledged_since is not None) is (alarm.state.is_acknowledged is False)
        if alarm.state is State.SUPPRESSED:
            assert alarm.suppressed_by
        if alarm.shelving is not None:
            assert alarm.shelving.until == pytest.approx(self.shelved_until)
            assert alarm.shelving.until - self.floor.now <= self.of_class.max_time_shelved
        if alarm.latched:
            assert self.of_class.is_latching
        if self.of_class.is_auto_acknowledged:
            assert alarm.state is not State.UNACKNOWLEDGED

    @invariant()
    def the_journal_alone_tells_the_state(self) -> None:
        alarms = self.floor.alarms
        if not len(alarms):
            return
        state = "normal"
        for event in self.floor.events[self.told :]:
            if event.type.startswith("alarm.state."):
                state = event.data["state"]
        if self.floor.events[self.told :]:
            assert state == self.floor.alarm().state.value
        counts = AlarmsNow(alarms, self.floor.now).counts()
        assert sum(counts["by_state"].values()) == 1
        assert counts["by_state"][self.floor.alarm().state.value] == 1

    @invariant()
    def what_is_on_the_disk_is_what_is(self) -> None:
        if not len(self.floor.alarms):
            return
        again = Floor(self.floor.rulebook)
        again.rows, again.now = self.floor.rows, self.floor.now
        again.restart()
        assert replace(again.alarm()) == self.floor.alarm()


OneAlarm.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestOneAlarm = OneAlarm.TestCase
