"""The job orders of the floor: which there are, what may be done with them, which one each place works on.

Rules of this file:

* What moves a job order is in ``states``; here is what two of them owe each other. A place works on one job order at a
  time: another one cannot begin, or go on, while one is running there.
* Every step is an event with its number in its id, and the row of the job order as it is after it. An id can be used
  again when its job order was removed, so the moment when it was stored is in the event's id too.
* Nothing is forgotten that is not over. Past ``capacity`` the job order that ended first goes; if none is over, no more
  are stored. The same holds within the share of a place, see ``domain.plant.shares``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from msgspec.structs import replace

from domain.arguments import Arguments
from domain.decision import Decision, Grounds, Refused, Row
from domain.json import JsonObject, JsonValue
from domain.plant.jobs.order import ID_LIMIT, JobOrder, described, order_of_row
from domain.plant.jobs.states import State, Trigger, status_of, triggers_of
from domain.plant.shares import Shares
from domain.plant.word import Word

CAPACITY = 2000
KIND = "job"

EVENTS: dict[Trigger, str] = {
    Trigger.STORE: "job.created",
    Trigger.STORE_AND_START: "job.created",
    Trigger.START: "job.accepted",
    Trigger.REVOKE_START: "job.revoked",
    Trigger.PAUSE: "job.paused",
    Trigger.HOLD: "job.paused",
    Trigger.RESUME: "job.resumed",
    Trigger.STOP: "job.completed",
    Trigger.FINISH: "job.completed",
    Trigger.ABORT: "job.cancelled",
    Trigger.UPDATE: "job.updated",
    Trigger.CLEAR: "job.removed",
    Trigger.CANCEL: "job.removed",
    Trigger.BECOME_READY: "job.prepared",
    Trigger.BECOME_UNREADY: "job.prepared",
    Trigger.LOAD: "job.prepared",
    Trigger.UNLOAD: "job.prepared",
    Trigger.BEGIN: "job.started",
    Trigger.CLOSE: "job.closed",
}
"""The type of the event that tells of a step."""

Told = Decision[JsonObject]
Extra = Callable[[JobOrder], JsonObject]


def _nothing(_: JobOrder) -> JsonObject:
    return {}


def _as_is(name: str) -> str | None:
    return name


def no_job(id_: str) -> Refused:
    """What is said where there is no job order ``id_``, or none that concerns who asks."""
    return Refused(Grounds.NOT_FOUND, f"there is no job {id_}", {"id": id_})


class Jobs:
    """All job orders by their id.

    ``extra`` says what else is told of a job order: its counts. ``path_of`` gives the path of the place that a path or
    an alias means, None if there is none.
    """

    def __init__(
        self, extra: Extra = _nothing, path_of: Callable[[str], str | None] = _as_is, capacity: int = CAPACITY
    ) -> None:
        self._path_of = path_of
        self._extra = extra
        self._capacity = capacity
        self._shares = Shares(capacity)
        self._orders: dict[str, JobOrder] = {}
        self._running: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._orders)

    def __iter__(self) -> Iterator[JobOrder]:
        return iter(self._orders.values())

    def recall(self, rows: Iterable[JsonObject]) -> int:
        """Know again what was kept; how many rows are none of ours."""
        faults = 0
        for row in rows:
            try:
                self._keep(order_of_row(row))
            except Refused:
                faults += 1
        return faults

    def get(self, id_: str) -> JobOrder:
        """The job order ``id_``.

        Raises:
            Refused: if there is none.
        """
        order = self.find(id_)
        if order is None:
            raise no_job(id_)
        return order

    def find(self, id_: str) -> JobOrder | None:
        """The job order ``id_``; None if there is none."""
        return self._orders.get(id_)

    def seen(self, sees: Callable[[str], bool], extra: Extra) -> Jobs:
        """The job orders at places that ``sees``, for reading; ``extra`` says what else is told of them."""
        part = Jobs(extra, self._path_of, self._capacity)
        for order in self:
            if sees(order.equipment):
                part._keep(order)
        return part

    def running_at(self, equipment: str) -> JobOrder | None:
        """What is being made at ``equipment``."""
        id_ = self._running.get(equipment)
        return None if id_ is None else self._orders[id_]

    def store(self, arguments: JsonObject, word: Word, new_id: str, *, may_start: bool = False) -> Told:
        """Take in a job order; ``new_id`` is its id if it brings none. ``may_start``: it is accepted at once.

        Raises:
            Refused: if it is not well described, there is one of that id already, or there are too many.
        """
        given = Arguments(arguments)
        equipment = self._place(given.text("equipment"), given)
        order = described(JobOrder(given.optional_text("id", ID_LIMIT) or new_id, equipment), given)
        waits_for = given.optional_text("waitsFor")
        given.check()
        if order.id in self._orders:
            raise Refused(Grounds.CONFLICT, f"there is a job {order.id} already", {"id": order.id})
        gone = self._make_room(order)
        trigger = Trigger.STORE_AND_START if may_start else Trigger.STORE
        stored = _step(order, trigger, word)
        if waits_for is None:
            # Nothing to wait for: it is ready as it comes, which is no step of its own.
            stored = replace(_step(stored, Trigger.BECOME_READY, word), step=1)
        else:
            stored = replace(stored, waits_for=waits_for)
        told = self._told(order, stored, trigger, word)
        return replace(told, rows=(*told.rows, *(Row(KIND, id_, None) for id_ in gone)))

    def move(self, id_: str, trigger: Trigger, word: Word, reason: str | None = None) -> Told:
        """Do what ``trigger`` says with the job order ``id_``.

        Raises:
            Refused: if there is none, it is impossible in its state, or another one is running at its place.
        """
        before = self.get(id_)
        after = _step(before, trigger, word, reason)
        self._must_be_free(before, after)
        return self._told(before, after, trigger, word)

    def update(self, id_: str, arguments: JsonObject, word: Word) -> Told:
        """Change what is to be made, before it begins.

        Raises:
            Refused: if there is none, it is not well described, it has begun, or there are too many at the new place.
        """
        before = self.get(id_)
        after = _step(before, Trigger.UPDATE, word)
        given = Arguments(arguments)
        equipment = self._place(given.optional_text("equipment") or after.equipment, given)
        after = described(replace(after, equipment=equipment), given)
        given.check()
        self._must_have_room(before, after)
        return self._told(before, after, Trigger.UPDATE, word)

    def members(self, order: JobOrder, at: float) -> dict[str, JsonValue]:
        """What is told of ``order``: itself, what was made for it, and what can be done with it."""
        possible: list[JsonValue] = [trigger.value for trigger in triggers_of(order.state)]
        return {**order.to_members(at), **self._extra(order), "possible": possible}

    def _place(self, name: str, given: Arguments) -> str:
        path = self._path_of(name) if name else None
        if name and path is None:
            given.fault("equipment", "is no equipment of this site")
        return path or name

    def _told(self, before: JobOrder, after: JobOrder, trigger: Trigger, word: Word) -> Told:
        self._keep(after)
        answer = self.members(after, word.at)
        data = {**answer, "previous": before.state.value, "trigger": trigger.value}
        name = f"{after.id}-{round((after.stored_at or 0.0) * 1000):x}-{after.step}"
        event = word.event(EVENTS[trigger], after.equipment, after.id, name, data)
        row = Row(KIND, after.id, None if after.state is State.END else after.to_row())
        return Decision(answer, (event,), (row,))

    def _keep(self, order: JobOrder) -> None:
        if self._running.get(order.equipment) == order.id and order.state is not State.RUNNING:
            del self._running[order.equipment]
        known = self._orders.get(order.id)
        if known is not None:
            self._shares.remove(known.equipment)
        if order.state is State.END:
            self._orders.pop(order.id, None)
            return
        self._shares.add(order.equipment)
        self._orders[order.id] = order
        if order.state is State.RUNNING:
            self._running[order.equipment] = order.id

    def _must_be_free(self, before: JobOrder, after: JobOrder) -> None:
        if after.state is not State.RUNNING or before.state is State.RUNNING:
            return
        other = self.running_at(after.equipment)
        if other is not None:
            raise Refused(
                Grounds.CONFLICT, f"{after.equipment} works on job {other.id}", {"running": other.id, "id": after.id}
            )

    def _must_have_room(self, before: JobOrder, after: JobOrder) -> None:
        """A job that goes to another place must find room there, or it would be the way around the share."""
        part = self._shares.full(after.equipment)
        if part is not None and not part.has(before.equipment):
            raise _no_room(after)

    def _make_room(self, order: JobOrder) -> list[str]:
        """The ids of those that went for ``order`` to have room."""
        part = self._shares.full(order.equipment)
        if part is None and len(self._orders) < self._capacity:
            return []
        # What is of the narrowest part is of all wider ones too: where one of it goes there is room for one.
        over = [each for each in self if each.state.is_over and (part is None or part.has(each.equipment))]
        if not over:
            raise _no_room(order)
        oldest = min(over, key=lambda each: (each.ended_at or 0.0, each.id))
        del self._orders[oldest.id]
        self._shares.remove(oldest.equipment)
        return [oldest.id]


def _no_room(order: JobOrder) -> Refused:
    """How many there are elsewhere is not said: they may be another tenant's."""
    message = f"there is no room for one more job at {order.equipment}: there are too many, and none of them is over"
    return Refused(Grounds.CONFLICT, message, {"equipment": order.equipment})


def _step(order: JobOrder, trigger: Trigger, word: Word, reason: str | None = None) -> JobOrder:
    moved = order.moved(trigger, word, reason)
    if moved is None:
        possible: list[JsonValue] = [each.value for each in triggers_of(order.state)]
        state = order.state.value
        status = None if state in (State.INITIAL, State.END) else status_of(order.state).value
        raise Refused(
            Grounds.CONFLICT,
            f"{trigger.value} is not possible: job {order.id} is {state}",
            {"id": order.id, "state": state, "status": status, "trigger": trigger.value, "possible": possible},
        )
    return moved
