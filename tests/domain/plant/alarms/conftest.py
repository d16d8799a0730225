"""Alarms of one press, said and asked for by the second."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from domain import Decision, Event, JsonValue, Priority, rfc3339
from domain.plant.alarms import (
    KINDS,
    Alarm,
    AlarmClass,
    AlarmList,
    Alarms,
    AlarmsNow,
    Entry,
    Rulebook,
    Suppression,
    Wish,
    act,
    alarm_id,
)

START = 1_800_000_000.0
PRESS = "acme/plant1/line3/press3"


class Floor:
    """Alarms with a clock, everything that was decided, and the rows as a disk would have them."""

    def __init__(self, rulebook: Rulebook, capacity: int = 10_000) -> None:
        self.rulebook = rulebook
        self.capacity = capacity
        self.now = START
        self.alarms = Alarms(rulebook, START, capacity)
        self.events: list[Event] = []
        self.rows: dict[tuple[str, str], JsonValue] = {}
        self.occurred: list[str] = []
        self._numbers = 0
        self._names: set[str] = set()

    def say(
        self,
        type_: str,
        key: str = "servo",
        code: str = "7",
        level: str = "FAULT",
        equipment: str = PRESS,
        **data: JsonValue,
    ) -> list[Event]:
        self._numbers += 1
        said = Event(
            id=f"e{self._numbers}",
            source="/" + equipment,
            type=type_,
            data={"key": key, "code": code, "level": level, "text": f"{key} {code}", **data},
            recorded=self.now,
            priority=Priority.HIGH,
            subject=f"{key}/{code}",
            time=rfc3339(self.now - 1),
        )
        return self.take(said)

    def take(self, event: Event) -> list[Event]:
        decision = self.alarms.take(event, self.now)
        self.occurred += decision.answer
        return self._did(decision)

    def rise(self, key: str = "servo", code: str = "7", **more: str) -> list[Event]:
        return self.say("alarm.raised", key, code, **more)

    def fall(self, key: str = "servo", code: str = "7", **more: str) -> list[Event]:
        return self.say("alarm.cleared", key, code, **{"level": "NORMAL", **more})

    def wait(self, seconds: float) -> list[Event]:
        self.now += seconds
        decision = self.alarms.due(self.now)
        self.occurred += decision.answer
        return self._did(decision)

    def do(self, word: str, by: str = "ann", alarm: str | None = None, **arguments: JsonValue) -> list[Event]:
        if "equipment" not in arguments:
            arguments["alarm"] = self.id() if alarm is None else alarm
        return self._did(act(self.alarms, f"alarm.{word}", Wish(by, self.now, arguments, self.now - 0.5, "tablet 4")))

    def restart(self) -> None:
        """Lose all but what is on the disk."""
        self.alarms = Alarms(self.rulebook, self.now, self.capacity)
        for kind in KINDS:
            kept = [(key, value) for (each, key), value in self.rows.items() if each == kind]
            assert self.alarms.restore(kind, kept, self.now) == 0

    def id(self, key: str = "servo", code: str = "7", equipment: str = PRESS) -> str:
        return alarm_id(equipment, key, code)

    def alarm(self, key: str = "servo", code: str = "7", equipment: str = PRESS) -> Alarm:
        found = self.alarms.get(self.id(key, code, equipment))
        assert found is not None
        return found

    @property
    def letter(self) -> str:
        return self.alarm().state.letter

    @property
    def view(self) -> AlarmsNow:
        return AlarmsNow(self.alarms, self.now)

    def _did(self, decision: Decision[object]) -> list[Event]:
        for row in decision.rows:
            if row.value is None:
                self.rows.pop((row.kind, row.key), None)
            else:
                self.rows[row.kind, row.key] = row.value
        for event in decision.events:
            assert event.id not in self._names, "no two transitions have one name"
            self._names.add(event.id)
        self.events += decision.events
        return list(decision.events)


def rulebook(
    entries: tuple[Entry, ...] = (),
    suppressions: tuple[Suppression, ...] = (),
    positions: dict[str, str] | None = None,
    **options: object,
) -> Rulebook:
    return Rulebook(AlarmList(entries), [replace(AlarmClass(), **options)], suppressions, positions)


@pytest.fixture
def floor() -> Callable[..., Floor]:
    """``floor(on_delay=5.0)``: a floor whose class ``default`` has these options."""

    def make(capacity: int = 10_000, **options: object) -> Floor:
        return Floor(rulebook(**options), capacity)

    return make
