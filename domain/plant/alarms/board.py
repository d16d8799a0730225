"""What an operator sees: one line an alarm, and during a flood at most ten lines in which none is missing.

Rules of this file: grouping changes what is shown and nothing else. Each alarm is in exactly one line. The alarm that
came first in a flood has the first line to itself, whatever became of it since.

* Up to ten alarms are ten lines. More are put together by their data item; if that is not enough, by equipment; if that
  is not enough, the most urgent lines stay and the rest is one line.
* Lines are in the order of urgency, then of age, the oldest first.

Source of the rules: ANSI/ISA-18.2-2016, clause 16 (alarm floods); OPC 10000-9, 5.8.2 (FirstInGroup).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence

import msgspec

from domain.plant.alarms.alarm import Alarm
from domain.plant.alarms.order import Urgency
from domain.plant.alarms.rationale import AlarmPriority
from domain.plant.alarms.states import State

LINES = 10


class Shown(msgspec.Struct, frozen=True):
    """An alarm with what its line depends on."""

    alarm: Alarm
    priority: AlarmPriority

    @property
    def urgency(self) -> Urgency:
        """What is to be seen first sorts first: unacknowledged and active, then priority, then age."""
        state = self.alarm.state
        return _ORDER.get(state, len(_ORDER)), self.priority.rank, self.alarm.occurred_at or 0.0, self.alarm.id


_ORDER = {
    State.UNACKNOWLEDGED: 0,
    State.ACKNOWLEDGED: 1,
    State.RETURNED: 2,
    State.LATCHED_UNACKNOWLEDGED: 2,
    State.LATCHED_ACKNOWLEDGED: 3,
}


class Line(msgspec.Struct, frozen=True):
    """One line: its alarms, the most urgent first; ``key`` and ``equipment`` are empty where they differ."""

    alarms: tuple[Shown, ...]
    is_first_out: bool
    equipment: str
    key: str

    @property
    def top(self) -> Shown:
        """The alarm that the line is read by."""
        return self.alarms[0]

    @property
    def unacknowledged(self) -> int:
        """How many of its alarms nobody has acknowledged."""
        return sum(each.alarm.state.is_acknowledged is False for each in self.alarms)


def board(shown: Iterable[Shown], *, is_flood: bool, first_out: str | None = None, most: int = LINES) -> list[Line]:
    """The lines of one operating position; ``first_out`` is the id of the alarm that came first in the flood."""
    ordered = sorted(shown, key=lambda each: each.urgency)
    first = [each for each in ordered if is_flood and each.alarm.id == first_out]
    rest = [each for each in ordered if each not in first]
    lines = [_line(first, is_first_out=True)] if first else []
    room = most - len(lines)
    if not is_flood or len(rest) <= room:
        return lines + [_line([each]) for each in rest]
    return lines + _grouped(rest, room)


def _grouped(shown: Sequence[Shown], room: int) -> list[Line]:
    groups: list[list[Shown]] = []
    for group_by in (_by_key, _by_equipment):
        groups = _groups(shown, group_by)
        if len(groups) <= room:
            return [_line(group) for group in groups]
    others = sorted((each for group in groups[room - 1 :] for each in group), key=lambda each: each.urgency)
    return [*(_line(group) for group in groups[: room - 1]), _line(others)]


def _by_key(shown: Shown) -> Hashable:
    return shown.alarm.equipment, shown.alarm.key


def _by_equipment(shown: Shown) -> Hashable:
    return shown.alarm.equipment


def _groups(shown: Iterable[Shown], group_by: Callable[[Shown], Hashable]) -> list[list[Shown]]:
    """Those that belong together, in the order of the first of each."""
    groups: dict[Hashable, list[Shown]] = {}
    for each in shown:
        groups.setdefault(group_by(each), []).append(each)
    return list(groups.values())


def _line(shown: Sequence[Shown], *, is_first_out: bool = False) -> Line:
    places = {each.alarm.equipment for each in shown}
    keys = {each.alarm.key for each in shown}
    return Line(
        alarms=tuple(shown),
        is_first_out=is_first_out,
        equipment=places.pop() if len(places) == 1 else "",
        key=keys.pop() if len(keys) == 1 else "",
    )
