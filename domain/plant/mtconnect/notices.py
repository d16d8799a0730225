"""What a machine's observations become on the wire: events.

Rules of this file:

* The id of an event follows from the machine, what was observed and the stamp it had, so that reading a log again
  gives the same events and whoever keeps (source, id) takes each once. The era goes into it: after a clock stepped
  back the same stamp is another moment.
* ``time`` is the source's clock as it wrote it, ``recorded`` is ours. A value that is not there is null with a
  reason.
"""

from __future__ import annotations

import re
from hashlib import blake2s

from msgspec.structs import replace

from domain.event import NO_EXTENSIONS, Event
from domain.json import JsonValue
from domain.moment import rfc3339
from domain.plant.mtconnect.clock import Jumped, Settled
from domain.plant.mtconnect.conditions import AlarmChange, Change
from domain.plant.mtconnect.equipment import StateChanged, Status
from domain.plant.mtconnect.observation import Observation, Role
from domain.plant.mtconnect.readings import Reading
from domain.plant.mtconnect.stamp import as_rfc3339
from domain.policy import BUILT_IN

TEXT_SIZE = 1024
CLOCK_JUMPED = "source.clock.jumped"
CLOCK_SETTLED = "source.clock.settled"

_NUMBER = re.compile(r"[+-]?(\d{1,18}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,2})?", re.ASCII)


class Notices:
    """Makes the events of one machine: ``place`` is its ISA-95 path, ``name`` its source in the settings."""

    def __init__(self, place: str, name: str) -> None:
        self._source = "/" + place.strip("/")
        self._subject = self._source.rpartition("/")[2] or name
        self._name = name
        self.era = 0

    def state(
        self,
        change: StateChanged,
        cause: Observation,
        received: float,
        *,
        is_good: bool,
        moment: Observation | None = None,
    ) -> Event:
        """The machine does something else, since the stamp of ``moment``, by default that of its ``cause``."""
        now, before = change.now, change.before
        lasted = None if before.since is None or now.since is None else round(now.since - before.since, 6)
        members: dict[str, JsonValue] = {
            **_status(now),
            "mode": change.mode,
            "previous": _status(before) if before.since is not None else None,
            "lasted": lasted,
        }
        event = self._event("equipment.state.changed", self._subject, members, cause, received, is_good=is_good)
        if moment is None or moment.at is None or cause.at is None:
            return event
        return replace(event, time=as_rfc3339(moment.stamp, moment.at))

    def alarm(self, change: AlarmChange, cause: Observation, received: float, *, is_good: bool) -> Event:
        """An alarm was raised, changed or cleared."""
        alarm = change.alarm
        is_over = change.change is Change.CLEARED
        members: dict[str, JsonValue] = {
            "key": alarm.key,
            "code": alarm.code or None,
            "level": "NORMAL" if is_over else alarm.level,
            "previous": change.before,
            "severity": alarm.severity or None,
            "qualifier": alarm.qualifier or None,
            "text": alarm.text[:TEXT_SIZE],
            "since": rfc3339(alarm.since),
        }
        if is_over:
            members["reason"] = change.reason
        subject = f"{alarm.key}/{alarm.code}" if alarm.code else alarm.key
        return self._event(
            f"alarm.{change.change.value}", subject[:TEXT_SIZE], members, cause, received, is_good=is_good
        )

    def reading(self, reading: Reading) -> Event:
        """A value."""
        observation = reading.observation
        members: dict[str, JsonValue] = {"key": observation.key, "value": _value(observation)}
        if not observation.is_available:
            members["reason"] = "unavailable"
        if observation.duration is not None:
            members["duration"] = observation.duration
        if observation.reset:
            members["reset"] = observation.reset
        return self._event(
            "equipment.reading",
            observation.key,
            members,
            observation,
            reading.received,
            is_good=reading.is_good,
            count=reading.count,
        )

    def message(self, observation: Observation, received: float, *, is_good: bool) -> Event:
        """The control has a word for its operator."""
        members: dict[str, JsonValue] = {
            "key": observation.key,
            "code": observation.code or None,
            "text": observation.value[:TEXT_SIZE],
        }
        return self._event("equipment.message", observation.key, members, observation, received, is_good=is_good)

    def late(self, observation: Observation, received: float) -> Event:
        """Something true of the past that comes after something newer was known; nothing follows from it here."""
        members: dict[str, JsonValue] = {
            "key": observation.key,
            "role": observation.role.value,
            "value": _value(observation),
            "code": observation.code or None,
            "text": observation.text[:TEXT_SIZE] or None,
        }
        return self._event("equipment.reading.late", observation.key, members, observation, received, is_good=True)

    def clock(self, notice: Jumped | Settled, cause: Observation, received: float) -> Event:
        """The source's clock jumped, or is believed again."""
        members: dict[str, JsonValue] = {"name": self._name, "offset": round(notice.offset, 3)}
        if isinstance(notice, Jumped):
            members |= {"step": round(notice.step, 3), "previousOffset": round(notice.offset_before, 3)}
            return self._event(CLOCK_JUMPED, self._name, members, cause, received, is_good=False)
        members |= {"lasted": round(notice.lasted, 3), "cameBack": notice.came_back}
        return self._event(CLOCK_SETTLED, self._name, members, cause, received, is_good=True)

    def link(self, word: str, members: dict[str, JsonValue], received: float) -> Event:
        """What became of the link: ``source.`` with ``word``. Not from an observation, so it is new each time."""
        type_, data = f"source.{word}", {"name": self._name, **members}
        return Event(
            id=self._id(type_, repr(received)),
            source=self._source,
            type=type_,
            data=data,
            recorded=received,
            priority=BUILT_IN.priority_of(type_, data, self._source),
            subject=self._name,
            time=rfc3339(received),
        )

    def _event(
        self,
        type_: str,
        subject: str,
        members: dict[str, JsonValue],
        cause: Observation,
        received: float,
        *,
        is_good: bool,
        count: int = 1,
    ) -> Event:
        moment = cause.stamp if cause.at is not None else repr(received)
        return Event(
            id=self._id(type_, subject, moment, cause.key, cause.code, cause.value),
            source=self._source,
            type=type_,
            data=members,
            recorded=received,
            priority=BUILT_IN.priority_of(type_, members, self._source),
            subject=subject,
            time=None if cause.at is None else as_rfc3339(cause.stamp, cause.at),
            quality="good" if is_good else "uncertain",
            extensions={"sampledrate": count} if count > 1 else NO_EXTENSIONS,
        )

    def _id(self, *parts: str) -> str:
        named = "\x1f".join((*parts, str(self.era)))
        return blake2s(named.encode(errors="replace"), digest_size=12).hexdigest()


def _status(status: Status) -> dict[str, JsonValue]:
    return {
        "state": status.state.value,
        "execution": status.execution,
        "emergencyStop": status.emergency_stop,
        "availability": status.availability,
        "since": None if status.since is None else _moment(status.since, status.stamp),
        "sequence": status.sequence,
    }


def _moment(at: float, stamp: str) -> str:
    return as_rfc3339(stamp, at) if stamp else rfc3339(at)


def _value(observation: Observation) -> JsonValue:
    value = observation.value
    if not observation.is_available:
        return None
    if observation.role in (Role.VALUE, Role.SERIES) and _NUMBER.fullmatch(value):
        return int(value) if value.lstrip("+-").isdecimal() else float(value)
    return value[:TEXT_SIZE]
