"""The portal's alerts: what the four rules look at, and the alarms that they raise.

Rules of this file: the rules decide (``domain.chain.alerts``); here is where their values come from, each over the
last minute. What was raised before this life is asked of the alarms' desk, which alone knows it; until it has answered
nothing is raised. A gateway that hears no chain and is told of none has no alerts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from config import AlertSettings
from domain import JsonValue, parse_rfc3339
from domain.chain import Grade, Now, Unknown
from domain.chain.alerts import (
    HIGH_LATENCY,
    LOW_THROUGHPUT,
    SERVICE_DOWN,
    STREAM_ERRORS,
    Alerts,
    Change,
    Rule,
    State,
)
from domain.plant.alarms import AlarmsNow
from telemetry import Histogram, counters, gauges

WINDOW = 60.0
"""Seconds that errors are counted and latencies are taken over."""

LOOK_INTERVAL = 1.0
QUANTILE = 0.99

LEAST_SAMPLES = 20
"""Answers or deliveries in a window from which one in a hundred says something."""

EQUIPMENT = "andond/portal"
"""What the alarms are of: the path of ``/andond/portal``."""

_MARGIN = 0.05


class PortalAlerts:
    """Looks once a second; ``required`` names the sources of a chain that must be heard."""

    def __init__(self, required: Callable[[], frozenset[str]]) -> None:
        self._required = required
        self._alerts = Alerts()
        self._errors: deque[tuple[float, int]] = deque()
        self._latencies: deque[tuple[float, tuple[Histogram, ...]]] = deque()
        self.is_restored = False

    def restore(self, raised: Mapping[str, float]) -> None:
        """Go on from the alerts that were ``raised`` before: keys, and when each was."""
        self._alerts.restore(raised)
        self.is_restored = True

    def states(self) -> dict[str, JsonValue]:
        """Where each alert stands."""
        return dict(self._alerts.states())

    def levels(self) -> dict[str, float]:
        """1 for each alert that is raised, else 0."""
        return {key: float(State(state).is_raised) for key, state in self._alerts.states().items()}

    def look(self, now: Now, settings: AlertSettings, target_tps: int | None) -> list[Change]:
        """What changes now."""
        values = {
            SERVICE_DOWN: self._is_down(now),
            LOW_THROUGHPUT: _number(now.average_tps),
            STREAM_ERRORS: self._errors_of_late(now.at),
            HIGH_LATENCY: self._latency_of_late(now.at),
        }
        if not self.is_restored:
            return []
        is_watched = settings.enabled and bool(now.view.heard or now.view.watch.observed or self._required())
        return self._alerts.look(rules_of(settings, target_tps) if is_watched else (), values, now.at)

    def _is_down(self, now: Now) -> float | Unknown:
        """1 while a required source is silent, no node has a head that is not old, or no event comes; else 0."""
        fresh = gauges.read("sources_fresh")
        known = fresh if isinstance(fresh, Mapping) else {}
        if any(known.get(name) == 0 for name in self._required()):
            return 1.0
        watch = now.view.watch
        if watch.observed is not None:
            # Where nodes are asked, what we say of their silence ourselves is no word of the chain.
            head = now.checks[0].grade
            return 0.0 if watch.is_fresh(now.at) and head is not Grade.UNHEALTHY else 1.0
        if now.view.heard:
            return 0.0 if now.silence is None else 1.0
        return Unknown("nothing was heard of the chain yet")

    def _errors_of_late(self, at: float) -> float:
        """Errors of streams within the window."""
        total = _stream_errors()
        self._errors.append((at, total))
        while len(self._errors) > 1 and not 0 <= at - self._errors[0][0] <= WINDOW:
            self._errors.popleft()
        return total - self._errors[0][1]

    def _latency_of_late(self, at: float) -> float | Unknown:
        """What one answer or one delivery in a hundred took at least, whichever is longer, in seconds."""
        present = (counters.request_duration, *counters.delivery_delay)
        self._latencies.append((at, tuple(histogram.copy() for histogram in present)))
        while len(self._latencies) > 1 and not 0 <= at - self._latencies[0][0] <= WINDOW:
            self._latencies.popleft()
        recent = [now.since(then) for now, then in zip(present, self._latencies[0][1], strict=True)]
        slow = [each.quantile(QUANTILE) for each in recent if each.count >= LEAST_SAMPLES]
        known = [value for value in slow if value is not None]
        return max(known) if known else Unknown("too few answers and deliveries in the last minute")


def rules_of(settings: AlertSettings, target_tps: int | None) -> tuple[Rule, ...]:
    """The rules that ``settings`` ask for."""
    low = least_tps(settings, target_tps)
    clear = settings.clear_after
    rules = [
        Rule(
            SERVICE_DOWN, "The chain's service is down: nothing new is heard of it", "", 0.0, settings.down_after, clear
        ),
        Rule(
            STREAM_ERRORS,
            f"More than {settings.stream_errors} errors of streams within a minute",
            "errors",
            float(settings.stream_errors),
            0.0,
            clear,
        ),
        Rule(
            HIGH_LATENCY,
            f"One answer or delivery in a hundred takes more than {settings.latency:g} s",
            "s",
            settings.latency,
            settings.latency_after,
            clear,
            margin=_MARGIN,
        ),
    ]
    if low is not None:
        text = f"Throughput is below {low} transactions a second"
        after = settings.low_tps_after
        rules.append(
            Rule(LOW_THROUGHPUT, text, "transactions/s", float(low), after, clear, is_floor=True, margin=_MARGIN)
        )
    return tuple(rules)


def least_tps(settings: AlertSettings, target_tps: int | None) -> int | None:
    """The throughput below which an alert is raised; None if there is no such alert."""
    return target_tps if settings.low_tps is None else settings.low_tps


def raised_of(alarms: AlarmsNow) -> dict[str, float]:
    """The conditions of the portal that the alarms' desk believes to be so, and since when; for ``ReadAlarms``."""
    raised: dict[str, float] = {}
    for known in alarms.listed(lambda alarm: alarm.equipment == EQUIPMENT and alarm.condition):
        since = known.get("occurred_at") or known.get("since")
        raised[str(known["key"])] = parse_rfc3339(since) if isinstance(since, str) else 0.0
    return raised


def _stream_errors() -> int:
    """Streams that were not made or broke, and messages that were not understood, so far."""
    return (
        counters.connections_failed
        + counters.outboxes_overflowed
        + counters.handshakes_failed.total
        + counters.frames_rejected.total
    )


def _number(value: JsonValue | Unknown) -> float | Unknown:
    if isinstance(value, Unknown):
        return value
    return value if isinstance(value, int | float) else Unknown("no number")
