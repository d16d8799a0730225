"""What can be asked about the alarms of a site, at one moment: lists, counts, rates, floods, the board.

Rules of this file: it changes nothing. A figure says since when it counts; floods say that they are by the trailing
window. What cannot be known is null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from domain.json import JsonValue
from domain.moment import rfc3339
from domain.plant.alarms.alarm import Alarm
from domain.plant.alarms.alarms import Alarms
from domain.plant.alarms.board import LINES, Line, Shown, board
from domain.plant.alarms.documents import Document, flood_document, is_audible
from domain.plant.alarms.performance import DAY, HOUR, Performance
from domain.plant.alarms.rates import SECOND, bad_actors
from domain.plant.alarms.rationale import BELOW, DISTRIBUTION, AlarmList, AlarmPriority
from domain.plant.alarms.seen import SeenAlarms
from domain.plant.alarms.states import State

STALE = 24 * 3600.0
LISTED = 500
"""Alarms in a summary at most; its counts tell how many there are."""


class AlarmsNow:
    """The ``alarms`` as they are ``at`` (Unix seconds); ``sees`` tells of which places the alarm list is shown."""

    def __init__(self, alarms: Alarms, at: float, sees: Callable[[str], bool] = lambda _path: True) -> None:
        self._alarms = alarms
        self._at = at
        self._sees = sees

    def seen(self, sees: Callable[[str], bool]) -> AlarmsNow:
        """The same without what is of equipment that is not seen."""
        return AlarmsNow(SeenAlarms(self._alarms, sees, self._at), self._at, sees)

    def alarm(self, id_: str) -> Document | None:
        """All that is known of the alarm ``id_``, its rationalisation record with it; None if it is not known."""
        alarm = self._alarms.get(id_)
        if alarm is None:
            return None
        return {**self._document(alarm), "rationale": self._alarms.terms(alarm).rationale.record()}

    def listed(
        self,
        choose: Callable[[Alarm], bool] = lambda alarm: alarm.state.is_annunciated,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Document]:
        """The alarms that ``choose`` picks, what is most urgent first; by default those on the operator's list.

        At most ``limit`` of them (None: all) behind the first ``offset``. Nobody else is served while a list is made,
        and a thousand take some 25 ms: who wants many asks with ``chosen``, and for their documents in parts.
        """
        end = None if limit is None else offset + limit
        return self.documents(self.chosen(choose)[offset:end])

    def chosen(self, choose: Callable[[Alarm], bool]) -> list[Alarm]:
        """The alarms that ``choose`` picks, what is most urgent first."""
        return [alarm for alarm in self._alarms.ordered() if choose(alarm)]

    def documents(self, alarms: Sequence[Alarm]) -> list[Document]:
        """What is said of ``alarms``, which are of those that this shows."""
        return [self._document(alarm) for alarm in alarms]

    def priority(self, alarm: Alarm) -> AlarmPriority:
        """How important ``alarm`` is."""
        return self._alarms.terms(alarm).rationale.priority

    def shelved(self) -> list[Document]:
        """The shelved alarms, each with who shelved it, why, and for how long it still is."""
        return self.listed(lambda alarm: alarm.state is State.SHELVED)

    def suppressed(self) -> list[Document]:
        """The alarms that are suppressed, each with what suppresses it."""
        return self.listed(lambda alarm: alarm.state is State.SUPPRESSED)

    def out_of_service(self) -> list[Document]:
        """The alarms out of service, each with who took it out, with which permit and why."""
        return self.listed(lambda alarm: alarm.state is State.OUT_OF_SERVICE)

    def stale(self) -> list[Document]:
        """The alarms that have been active on the operator's list for more than 24 hours."""
        return self.listed(self.is_stale)

    def is_stale(self, alarm: Alarm) -> bool:
        """Whether ``alarm`` has been active and on the list for more than 24 hours."""
        occurred = alarm.occurred_at
        return alarm.state.is_annunciated and alarm.active and occurred is not None and self._at - occurred > STALE

    def counts(self) -> Document:
        """How many alarms there are of each kind, now and at most; what was counted of all alone is null for a part."""
        counts, is_whole = self._alarms.counts, self._alarms.is_whole
        by_state: Document = {state.value: counts.now[state] for state in State}
        return {
            "known": len(self._alarms),
            "refused": self._alarms.refused if is_whole else None,
            "by_state": by_state,
            "standing": counts.standing,
            "standing_peak": counts.standing_peak if is_whole else None,
            "shelved_peak": counts.peak[State.SHELVED] if is_whole else None,
            "suppressed_peak": counts.peak[State.SUPPRESSED] if is_whole else None,
            "out_of_service_peak": counts.peak[State.OUT_OF_SERVICE] if is_whole else None,
            "stale": sum(self.is_stale(alarm) for alarm in self._alarms),
            "unacknowledged": sum(alarm.state.is_acknowledged is False for alarm in self._alarms),
            "unrationalised": self.unrationalised(),
        }

    def unrationalised(self) -> int:
        """How many known alarms the list says nothing of, or not all that it must."""
        return sum(not self._alarms.terms(alarm).rationale.is_rationalised for alarm in self._alarms)

    def summary(self) -> Document:
        """Counts, the list of the operator (the most urgent of it), and the floods that go on."""
        return {
            "at": rfc3339(self._at),
            "counts": self.counts(),
            "alarms": self.listed(limit=LISTED),
            "floods": self.floods(),
        }

    def floods(self) -> list[Document]:
        """The floods that go on, by operating position."""
        return [
            {"position": position, "method": "trailing window", **flood_document(performance.window.flood)}
            for position, performance in sorted(self._alarms.performance.items())
            if performance.window.flood is not None
        ]

    def rates(self) -> dict[str, Document]:
        """How the alarm system of each operating position does."""
        here = self._by_position()
        return {
            position: self._rates(each, here.get(position, []))
            for position, each in sorted(self._alarms.performance.items())
        }

    def board(self, position: str, most: int = LINES) -> Document:
        """What the operator at ``position`` sees; at most ``most`` lines while there is a flood."""
        lines = self.lines(position, most)
        performance = self._alarms.performance.get(position)
        flood = None if performance is None else performance.window.flood
        return {
            "position": position,
            "flood": None if flood is None else flood_document(flood),
            "alarms": sum(len(line.alarms) for line in lines),
            "lines": [self._line(line) for line in lines],
        }

    def lines(self, position: str, most: int = LINES) -> list[Line]:
        """The lines of the board at ``position``."""
        performance = self._alarms.performance.get(position)
        flood = None if performance is None else performance.window.flood
        first = None if flood is None else flood.first
        shown = [
            Shown(alarm, self.priority(alarm))
            for alarm in self._alarms
            if (alarm.state.is_annunciated or alarm.id == first) and self._alarms.position(alarm.equipment) == position
        ]
        return board(shown, is_flood=flood is not None, first_out=first, most=most)

    def positions(self) -> list[str]:
        """The operating positions that have had an alarm."""
        return sorted(self._alarms.performance)

    def rationalisation(self) -> Document:
        """The alarm list as it is in force, and what it lacks."""
        said, sees = self._alarms.rulebook.entries.entries, self._sees
        entries = AlarmList(each for each in said if not each.equipment or sees(each.equipment.removesuffix(BELOW)))
        return {
            "entries": len(entries),
            "doubled": [entry.name for entry in entries.doubled],
            "incomplete": len(entries.incomplete),
            "unrationalised": self.unrationalised(),
            "list": list(entries.export()),
        }

    def metrics(self) -> dict[str, dict[str, float]]:
        """Each metric of AlarmMetricsType by operating position; durations in seconds, rates per ten minutes."""
        made: dict[str, dict[str, float]] = {}
        here = self._by_position()
        for position, performance in self._alarms.performance.items():
            for name, value in self._metrics(performance, here.get(position, [])).items():
                made.setdefault(name, {})[position] = value
        return made

    def _by_position(self) -> dict[str, list[Alarm]]:
        found: dict[str, list[Alarm]] = {}
        for alarm in self._alarms:
            if alarm.active or alarm.unacknowledged_since is not None:
                found.setdefault(self._alarms.position(alarm.equipment), []).append(alarm)
        return found

    def _metrics(self, performance: Performance, here: Iterable[Alarm]) -> dict[str, float]:
        here = tuple(here)
        active = [self._at - each.occurred_at for each in here if each.active and each.occurred_at is not None]
        waiting = [self._at - each.unacknowledged_since for each in here if each.unacknowledged_since is not None]
        return {
            "alarm_count": float(performance.alarm_count),
            "start_time": performance.began,
            "maximum_active_state": max(performance.maximum_active_state, *active, 0.0),
            "maximum_un_ack": max(performance.maximum_un_ack, *waiting, 0.0),
            "current_alarm_rate": float(performance.current_alarm_rate),
            "maximum_alarm_rate": float(performance.maximum_alarm_rate),
            "maximum_re_alarm_count": float(performance.maximum_re_alarm_count),
            "average_alarm_rate": performance.average_alarm_rate(self._at),
            "alarm_flood": float(performance.window.flood is not None),
        }

    def _rates(self, performance: Performance, here: Iterable[Alarm]) -> Document:
        worst, share = bad_actors(performance.by_alarm)
        span = max(self._at - performance.began, 1.0)
        flood = performance.window.flood
        open_for = 0.0 if flood is None else max(0.0, self._at - flood.began / SECOND)
        total = sum(performance.by_priority.values())
        return {
            "since": rfc3339(performance.began),
            **{
                name: rfc3339(value) if name == "start_time" else round(value, 6)
                for name, value in self._metrics(performance, here).items()
            },
            "last_10_minutes": performance.current_alarm_rate,
            "last_hour": performance.count_within(HOUR, self._at),
            "last_day": performance.count_within(DAY, self._at),
            "floods": performance.floods,
            "flood_method": "trailing window",
            "flood_alarms": performance.flood_alarms + (0 if flood is None else flood.count),
            "flood_ratio": round(min(1.0, (performance.flood_seconds + open_for) / span), 6),
            "chattering": [self._named(id_, count) for id_, count in performance.chattering.most_common()],
            "fleeting": performance.fleeting,
            "bad_actors": [self._named(id_, count) for id_, count in worst],
            "bad_actors_ratio": None if share is None else round(share, 6),
            "priority_ratio": {
                priority.value: performance.by_priority[priority] / total if total else None
                for priority in AlarmPriority
            },
            "priority_ratio_target": {priority.value: ratio for priority, ratio in DISTRIBUTION.items()},
            "time_to_acknowledge": [
                {"priority": priority.value, "shift": shift or None, **spread(samples)}
                for (priority, shift), samples in performance.times_to_acknowledge.items()
            ],
        }

    def _named(self, id_: str, count: int) -> Document:
        alarm = self._alarms.get(id_)
        if alarm is None:
            return {"id": id_, "count": count}
        return {"id": id_, "equipment": alarm.equipment, "key": alarm.key, "code": alarm.code or None, "count": count}

    def _document(self, alarm: Alarm) -> Document:
        made = self._alarms.document(alarm)
        shelving = alarm.shelving
        made["shelving_remaining"] = None if shelving is None else round(max(0.0, shelving.until - self._at), 3)
        made["age"] = None if alarm.occurred_at is None else round(max(0.0, self._at - alarm.occurred_at), 3)
        made["stale"] = self.is_stale(alarm)
        made["first_in_group_flag"] = self._is_first_out(alarm)
        return made

    def _is_first_out(self, alarm: Alarm) -> bool:
        performance = self._alarms.performance.get(self._alarms.position(alarm.equipment))
        flood = None if performance is None else performance.window.flood
        return flood is not None and flood.first == alarm.id

    def _line(self, line: Line) -> Document:
        top = line.top
        return {
            "first_in_group_flag": line.is_first_out,
            "count": len(line.alarms),
            "unacknowledged": line.unacknowledged,
            "audible": any(is_audible(each.alarm, self._alarms.terms(each.alarm)) for each in line.alarms),
            "equipment": line.equipment or None,
            "key": line.key or None,
            "priority": min((each.priority for each in line.alarms), key=lambda each: each.rank).value,
            "top": self._document(top.alarm),
            "alarms": [each.alarm.id for each in line.alarms],
        }


def spread(samples: Iterable[float]) -> Document:
    """How many samples there are (seconds), and their median, 90th percentile and greatest."""
    # Here, because it takes memory that most gateways have no use for until somebody asks.
    from statistics import median, quantiles  # noqa: PLC0415

    found = sorted(samples)
    if not found:
        return {"count": 0, "median": None, "p90": None, "greatest": None}
    ninety = quantiles(found, n=10, method="inclusive")[-1] if len(found) > 1 else found[0]
    said: dict[str, JsonValue] = {"count": len(found), "median": median(found), "p90": ninety, "greatest": found[-1]}
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in said.items()}
