"""What a plant asks of its calls: how many, of what, and how long each phase took.

Rules of this file: a mean is over the intervals that have ended, and says over how many; without any it is not defined
(null), never 0. A call counts where it was raised.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from domain.json import JsonValue
from domain.plant.calls.call import Call
from domain.plant.calls.states import State, Trigger
from domain.plant.calls.timers import INTERVALS, Targets, Timer, timers


def statistics(calls: Iterable[Call], begin: float, end: float, targets: Targets) -> dict[str, JsonValue]:
    """Figures of the calls raised in [``begin``, ``end``) (Unix seconds), as they stand at ``end``."""
    found = [call for call in calls if begin <= call.raised.moment < end]
    ran: dict[str, list[Timer]] = {name: [] for name in INTERVALS}
    for call in found:
        for timer in timers(call, end, targets):
            if timer.until is not None:
                ran[timer.name].append(timer)
    return {
        "total": len(found),
        "open": sum(call.state.is_open for call in found),
        "by_state": _counts(call.state.value for call in found),
        "by_type": _counts(call.type for call in found),
        "by_priority": _counts(call.priority for call in found),
        "by_place": _counts(call.path for call in found),
        "escalated": sum(any(step.trigger == Trigger.ESCALATE for step in call.steps) for call in found),
        "reopened": sum(any(step.trigger == Trigger.REOPEN for step in call.steps) for call in found),
        "cancelled": sum(call.state is State.CANCELLED for call in found),
        "stopped_line": sum(call.stops_line for call in found),
        "intervals": {name: _figures(each) for name, each in ran.items()},
    }


def _figures(ran: list[Timer]) -> JsonValue:
    seconds = sorted(timer.seconds for timer in ran if timer.seconds is not None)
    bound = [timer for timer in ran if timer.target is not None]
    return {
        "count": len(seconds),
        "mean": sum(seconds) / len(seconds) if seconds else None,
        "median": _median(seconds),
        "longest": seconds[-1] if seconds else None,
        "within_target": 1 - sum(timer.is_late for timer in bound) / len(bound) if bound else None,
    }


def _median(seconds: list[float]) -> float | None:
    if not seconds:
        return None
    half = len(seconds) // 2
    return seconds[half] if len(seconds) % 2 else (seconds[half - 1] + seconds[half]) / 2


def _counts(words: Iterable[str]) -> dict[str, JsonValue]:
    return dict(sorted(Counter(words).items()))
