"""A call of ours in the words of the floor's clients: its status, and who did what to it.

Rules of this file: no I/O. The words are the domain's. An event of a call says who did its own step, by the step's
trigger; a call's document says it of every step. What neither says stays unsaid.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain import JsonObject, JsonValue
from domain.plant.calls import State, screen_status, service_status

# The step by which each trigger is known to the clients.
_STEPS: Mapping[str, str] = MappingProxyType(
    {"acknowledge": "acknowledged", "arrive": "arrived", "resolve": "resolved", "close": "closed"}
)


def call_members(data: JsonObject) -> JsonObject:
    """``data`` of a call's event, or its document, with the members that clients look for beside what it has."""
    added: dict[str, JsonValue] = {}
    state = data.get("state")
    if isinstance(state, str) and state in set(State):
        added |= {"status": service_status(State(state)).value, "screen_status": screen_status(State(state)).value}
    trigger = data.get("trigger")
    step = _STEPS.get(trigger) if isinstance(trigger, str) else None
    if step is not None:
        added |= {f"{step}_by": data.get("by"), f"{step}_at": data.get("at")}
        if step == "resolved":
            added["resolution_notes"] = data.get("comment")
    for name in _STEPS.values():
        done = data.get(name)
        if isinstance(done, Mapping):
            added |= {f"{name}_by": done.get("by"), f"{name}_at": done.get("moment")}
            if name == "resolved":
                added["resolution_notes"] = done.get("comment")
    return {**data, **{name: value for name, value in added.items() if data.get(name) is None}}
