"""A job order: what is to be made where, how much of it, by whom and when, and how far it has come.

Rules of this file: a job order does not change; a step gives a new one. Times are Unix seconds. How much was made is
not part of it: that comes from count events alone.

Source: the fields after OPC 10031-4 clause 6.3.4 (ISA95JobOrderDataType) that a plant's floor uses: JobOrderID,
Description, WorkMasterID, StartTime, EndTime, Priority, JobOrderParameters, PersonnelRequirements (here one person),
EquipmentRequirements (here one place) and MaterialRequirements (here the product and its quantity).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from domain.arguments import Arguments
from domain.json import JsonObject, JsonValue
from domain.plant.jobs.states import TRANSITIONS, State, Trigger, status_of
from domain.plant.word import Word, moment

T = TypeVar("T")

ID_LIMIT = 128
_NOTHING: Mapping[str, JsonValue] = {}


class JobOrder(msgspec.Struct, frozen=True):
    """A job order in its ``state``, after ``step`` transitions.

    ``quantity`` is in pieces of ``product``; ``planned_start`` and ``planned_end`` are what was asked for, the other
    times what happened. ``ran`` is how long it was running up to ``running_since`` (None: it is not running now).
    """

    id: str
    equipment: str
    state: State = State.INITIAL
    step: int = 0
    product: str | None = None
    quantity: int | None = None
    description: str | None = None
    work_master: str | None = None
    importance: int | None = None
    assigned_to: str | None = None
    planned_start: float | None = None
    planned_end: float | None = None
    parameters: JsonObject = msgspec.field(default_factory=lambda: _NOTHING)
    waits_for: str | None = None
    stored_at: float | None = None
    stored_by: str | None = None
    accepted_at: float | None = None
    accepted_by: str | None = None
    started_at: float | None = None
    ended_at: float | None = None
    running_since: float | None = None
    ran: float = 0.0
    reason: str | None = None

    def running_time(self, at: float) -> float:
        """How long it was running up to ``at``, in seconds."""
        if self.running_since is None:
            return self.ran
        return self.ran + max(0.0, at - self.running_since)

    def moved(self, trigger: Trigger, word: Word, reason: str | None = None) -> JobOrder | None:
        """The job order after ``trigger``; None if that is impossible in its state."""
        state = TRANSITIONS.get((self.state, trigger))
        if state is None:
            return None
        order = replace(self, state=state, step=self.step + 1, reason=reason)
        if trigger in (Trigger.STORE, Trigger.STORE_AND_START):
            order = replace(order, stored_at=word.at, stored_by=word.by)
        if trigger in (Trigger.START, Trigger.STORE_AND_START):
            order = replace(order, accepted_at=word.at, accepted_by=word.by)
        if trigger is Trigger.BECOME_READY:
            order = replace(order, waits_for=None)
        elif trigger is Trigger.BECOME_UNREADY:
            order = replace(order, waits_for=reason)
        return _timed(order, self.state, word.at)

    def to_row(self) -> dict[str, JsonValue]:
        """All of it, as it is kept."""
        return {
            "id": self.id,
            "equipment": self.equipment,
            "state": self.state.value,
            "step": self.step,
            "product": self.product,
            "quantity": self.quantity,
            "description": self.description,
            "workMaster": self.work_master,
            "importance": self.importance,
            "assignedTo": self.assigned_to,
            "plannedStart": self.planned_start,
            "plannedEnd": self.planned_end,
            "parameters": dict(self.parameters),
            "waitsFor": self.waits_for,
            "storedAt": self.stored_at,
            "storedBy": self.stored_by,
            "acceptedAt": self.accepted_at,
            "acceptedBy": self.accepted_by,
            "startedAt": self.started_at,
            "endedAt": self.ended_at,
            "runningSince": self.running_since,
            "ran": self.ran,
            "reason": self.reason,
        }

    def to_members(self, at: float) -> dict[str, JsonValue]:
        """What is told of it at ``at``: the standard's state and the dashboard's word for it, moments as texts."""
        members = self.to_row()
        del members["runningSince"], members["ran"]
        members |= {name: moment(at) for name, at in self._moments()}
        members["status"] = None if self.state in (State.INITIAL, State.END) else status_of(self.state).value
        members["runningTime"] = round(self.running_time(at), 3)
        return members

    def _moments(self) -> Iterator[tuple[str, float | None]]:
        yield "plannedStart", self.planned_start
        yield "plannedEnd", self.planned_end
        yield "storedAt", self.stored_at
        yield "acceptedAt", self.accepted_at
        yield "startedAt", self.started_at
        yield "endedAt", self.ended_at


def _timed(order: JobOrder, before: State, at: float) -> JobOrder:
    """``order`` with the times that its change of state at ``at`` makes."""
    if order.state is State.RUNNING and before is not State.RUNNING:
        order = replace(order, running_since=at, started_at=at if order.started_at is None else order.started_at)
    elif before is State.RUNNING and order.state is not State.RUNNING:
        order = replace(order, ran=order.running_time(at), running_since=None)
    if order.state.is_over and not before.is_over:
        order = replace(order, ended_at=at)
    return order


def order_of_row(row: JsonObject) -> JobOrder:
    """The job order that was kept as ``row``.

    Raises:
        Refused: if ``row`` is none of ours.
    """
    kept = Arguments(row)
    state = kept.choice("state", State) or State.INITIAL
    order = JobOrder(
        id=kept.text("id", ID_LIMIT),
        equipment=kept.text("equipment"),
        state=State(state),
        step=kept.count("step") or 0,
        waits_for=kept.optional_text("waitsFor"),
        stored_at=kept.number("storedAt"),
        stored_by=kept.optional_text("storedBy"),
        accepted_at=kept.number("acceptedAt"),
        accepted_by=kept.optional_text("acceptedBy"),
        started_at=kept.number("startedAt"),
        ended_at=kept.number("endedAt"),
        running_since=kept.number("runningSince"),
        ran=kept.number("ran") or 0.0,
        reason=kept.optional_text("reason"),
    )
    order = described(order, kept)
    kept.check()
    return order


def described(order: JobOrder, arguments: Arguments) -> JobOrder:
    """``order`` with what ``arguments`` say of what is to be made; what they do not name stays as it is."""
    order = replace(
        order,
        product=_either(arguments.optional_text("product", ID_LIMIT), order.product),
        quantity=_either(arguments.count("quantity", least=1), order.quantity),
        description=_either(arguments.optional_text("description"), order.description),
        work_master=_either(arguments.optional_text("workMaster", ID_LIMIT), order.work_master),
        importance=_either(arguments.count("importance"), order.importance),
        assigned_to=_either(arguments.optional_text("assignedTo", ID_LIMIT), order.assigned_to),
        planned_start=_either(arguments.moment("plannedStart"), order.planned_start),
        planned_end=_either(arguments.moment("plannedEnd"), order.planned_end),
        parameters=arguments.object("parameters") if "parameters" in arguments else order.parameters,
    )
    begin, end = order.planned_start, order.planned_end
    if begin is not None and end is not None and end < begin:
        arguments.fault("plannedEnd", "must not be before plannedStart")
    return order


def _either(told: T | None, known: T | None) -> T | None:
    return known if told is None else told
