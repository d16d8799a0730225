"""All calls of the plant: who may do what about which, and what two do at the same time.

Rules of this file: no I/O, no clock, no chance. Whoever calls has the rows and events of a decision kept before anybody
is answered.

* One call of a word at a place is open at a time: another one is a conflict, and the open call is its detail.
* Who reaches the gateway first wins. An act that was possible in what its author saw, and came after another one that
  changed that, is recorded with the call and told to everybody; its author learns that it came too late.
* The raiser can cancel within the grace; after that a supervisor.
* Whoever has proved who they are is that person with those roles: a name that somebody else has too gives them nothing.
* What is over is remembered for as long as it is asked for, then forgotten; its events stay in the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec
from msgspec.structs import replace

from domain.decision import Decision, Grounds, Refused, Row
from domain.json import JsonObject, JsonValue
from domain.plant.calls.call import LINKS, RAISE, Call, Promise, Said, Step
from domain.plant.calls.kept import KIND, call_of, row_of
from domain.plant.calls.kinds import KINDS
from domain.plant.calls.states import TRANSITIONS, State, Trigger
from domain.plant.calls.telling import contest_event, event_of
from domain.plant.calls.timers import Targets
from domain.plant.calls.wish import Wish

GRACE = 60.0
REMEMBERED = 30 * 86_400.0
LIMIT = 20_000
"""Calls that are remembered after they are over."""

SUPERVISORS = frozenset({"supervisor", "shift_manager", "production_manager", "admin"})

Outcome = Decision[Call | Refused]


class Terms(msgspec.Struct, frozen=True):
    """What the plant has agreed: the seconds of ``grace`` in which a raiser can cancel, and the roles of supervisors.

    ``remembered`` is for how many seconds a call that is over can be asked for.
    """

    grace: float = GRACE
    supervisors: frozenset[str] = SUPERVISORS
    remembered: float = REMEMBERED
    targets: Targets = msgspec.field(default_factory=Targets)


def no_call(id_: str) -> Refused:
    """What is said where there is no call ``id_``, or none that concerns who asks."""
    return Refused(Grounds.NOT_FOUND, f"there is no call {id_}", {"call": id_})


class Calls:
    """Keeps every call by the terms that ``present`` returns; ``make_id`` makes the id of one raised at a moment.

    ``roles_of`` knows the roles that the plant's roster has for a name, for those who prove nothing; ``is_modelled``
    says whether the site describes a place, None if it describes none.
    """

    def __init__(
        self,
        present: Callable[[], Terms],
        make_id: Callable[[float], str],
        roles_of: Callable[[str], Iterable[str]] = lambda _: (),
        is_modelled: Callable[[str], bool | None] = lambda _: None,
    ) -> None:
        self._present = present
        self._make_id = make_id
        self._roles_of = roles_of
        self._is_modelled = is_modelled
        self._calls: dict[str, Call] = {}
        self._open: dict[tuple[str, str], str] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        """Every call that is remembered, in the order in which they were raised."""
        return iter(self._calls.values())

    def restore(self, rows: Iterable[tuple[str, JsonObject]]) -> list[str]:
        """Begin with what was kept; returns the keys of rows that are no calls."""
        found, unreadable = [], []
        for key, value in rows:
            try:
                found.append(call_of(value))
            except ValueError:
                unreadable.append(key)
        for call in sorted(found, key=lambda one: (one.raised.said.received, one.id)):
            self._put(call)
        return unreadable

    # --- what there is

    def find(self, id_: str) -> Call:
        """The call ``id_``.

        Raises:
            Refused: if there is none.
        """
        call = self._calls.get(id_)
        if call is None:
            raise no_call(id_)
        return call

    def has(self, id_: str) -> bool:
        """Whether the call ``id_`` is remembered."""
        return id_ in self._calls

    def seen(self, sees: Callable[[str], bool]) -> Calls:
        """The calls at places that ``sees``, for reading."""
        part = Calls(self._present, self._make_id, self._roles_of, self._is_modelled)
        part._calls = {id_: call for id_, call in self._calls.items() if sees(call.path)}
        part._open = {place: id_ for place, id_ in self._open.items() if id_ in part._calls}
        return part

    def open_calls(self, path: str | None = None) -> list[Call]:
        """The calls that somebody has yet to do something about, at ``path`` or below it if that is given."""
        return [
            call
            for call in self
            if call.state.is_open and (path is None or call.path == path or call.path.startswith(f"{path}/"))
        ]

    # --- what people do

    def raise_call(self, wish: Wish, said: Said) -> Outcome:
        """Raise a call.

        Raises:
            Refused: if one of that word is open there; ``details.call`` is its id.
        """
        open_id = self._open.get((wish.path, wish.word))
        if open_id is not None:
            first = self._calls[open_id]
            if said.at < first.opened.said.received and not said.is_by_same(first.opened.said):
                return self._late(first, RAISE, said, first.opened, _duplicate(first))
            raise _duplicate(first)
        id_ = wish.id or self._make_id(said.received)
        if id_ in self._calls:
            raise Refused(Grounds.CONFLICT, f"call {id_} was raised before", {"call": id_})
        kind = KINDS[wish.word]
        detail: dict[str, JsonValue] = {"assigned_to": wish.assigned_to} if wish.assigned_to else {}
        step = Step(1, RAISE, State.RAISED, said, said.moment(0.0), detail)
        call = Call(
            id=id_,
            path=wish.path,
            word=wish.word,
            type=kind.type,
            priority=wish.priority,
            text=wish.text,
            stops_line=wish.stops_line,
            incident=wish.incident or id_,
            steps=(step,),
            assigned_to=wish.assigned_to,
            links=dict(wish.links),
            is_modelled=self._is_modelled(wish.path),
        )
        return self._decided(call)

    def act(self, id_: str, trigger: Trigger, said: Said, detail: Mapping[str, JsonValue] | None = None) -> Outcome:
        """Do ``trigger`` to the call ``id_``.

        Raises:
            Refused: if there is no such call, it is impossible, or ``said.by`` may not.
        """
        call = self.find(id_)
        if (call.state, trigger) not in TRANSITIONS:
            beaten_by = call.beaten(trigger, said.at)
            if beaten_by is not None and not beaten_by.said.is_by_same(said):
                return self._late(call, trigger.value, said, beaten_by, _beaten(call, trigger, beaten_by))
        after = call.step(trigger, said, detail)
        if trigger is Trigger.CANCEL:
            self._may_cancel(call, after)
        if trigger is Trigger.REOPEN and (call.path, call.word) in self._open:
            raise _duplicate(self._calls[self._open[call.path, call.word]])
        return self._decided(after)

    # --- what the gateway does

    def notified(self, id_: str, channel: str, by: str, at: float) -> Outcome | None:
        """Somebody has received word of the call for the first time; None if that changes nothing."""
        return self._by_itself(id_, Trigger.NOTIFY, by, at, {"channel": channel})

    def escalated(self, id_: str, level: int, at: float) -> Outcome | None:
        """The chain has reached ``level``; None if the call is there. The first level is no escalation."""
        call = self._calls.get(id_)
        if call is None or level <= call.level or not call.state.is_open:
            return None
        if level <= 1:
            call = replace(call, level=level)
            self._put(call)
            return Decision(call, rows=(row_of(call),))
        return self._by_itself(id_, Trigger.ESCALATE, "escalation", at, {"level": level})

    def promised(self, id_: str, promise: Promise | None) -> Outcome | None:
        """The chain of the call allows it ``promise``; None if that is known."""
        call = self._calls.get(id_)
        if call is None or call.promise == promise:
            return None
        call = replace(call, promise=promise)
        self._put(call)
        return Decision(call, rows=(row_of(call),))

    def linked(self, id_: str, links: Mapping[str, str], at: float, incident: str | None = None) -> Outcome | None:
        """The call is of one incident with these; None if that is known."""
        call = self._calls.get(id_)
        if call is None or all(call.links.get(name) == value for name, value in links.items()):
            return None
        detail: dict[str, JsonValue] = {name: links[name] for name in LINKS if name in links}
        return self._by_itself(id_, Trigger.LINK, "gateway", at, {**detail, "incident": incident or call.incident})

    def expire(self, at: float) -> tuple[Row, ...]:
        """Forget what was over for too long at ``at``, or is too much."""
        over = [call for call in self if not call.state.is_open]
        limit = at - self._present().remembered
        gone = [call for number, call in enumerate(over) if call.last.moment < limit or number < len(over) - LIMIT]
        for call in gone:
            del self._calls[call.id]
        return tuple(Row(KIND, call.id, None) for call in gone)

    # --- how it is done

    def _by_itself(
        self, id_: str, trigger: Trigger, by: str, at: float, detail: Mapping[str, JsonValue]
    ) -> Outcome | None:
        call = self._calls.get(id_)
        if call is None or (call.state, trigger) not in TRANSITIONS:
            return None
        return self._decided(call.step(trigger, Said(by, at, at), detail))

    def _late(self, call: Call, trigger: str, said: Said, beaten_by: Step, refusal: Refused) -> Outcome:
        """Record an act that came too late, as its author could not know."""
        answer = Refused(refusal.grounds, refusal.message, {**refusal.details, "recorded": True})
        if call.is_contested(trigger, said):
            return Decision(answer)
        contested = call.contested(trigger, said, beaten_by)
        self._put(contested)
        return Decision(answer, (contest_event(contested),), (row_of(contested),))

    def _may_cancel(self, call: Call, after: Call) -> None:
        said = after.last.said
        terms = self._present()
        roles = said.roles if said.person else {*said.roles, *self._roles_of(said.by)}
        if terms.supervisors & roles:
            return
        details: dict[str, JsonValue] = {"call": call.id, "raised_by": call.raised.said.by, "grace": terms.grace}
        if not said.is_by_same(call.raised.said):
            raise Refused(Grounds.NOT_ALLOWED, "who raised the call can cancel it, or a supervisor", details)
        if after.last.moment - call.opened.moment > terms.grace:
            message = f"the raiser can cancel a call for {terms.grace:g} s; now a supervisor can"
            raise Refused(Grounds.NOT_ALLOWED, message, details)

    def _decided(self, call: Call) -> Outcome:
        self._put(call)
        return Decision(call, (event_of(call),), (row_of(call),))

    def _put(self, call: Call) -> None:
        self._calls[call.id] = call
        place = (call.path, call.word)
        if call.state.is_open:
            self._open[place] = call.id
        elif self._open.get(place) == call.id:
            del self._open[place]


def _duplicate(call: Call) -> Refused:
    message = f"a call of type {call.word} is open at {call.path}: {call.id}"
    return Refused(Grounds.CONFLICT, message, {"call": call.id, "state": call.state.value, "trigger": RAISE})


def _beaten(call: Call, trigger: Trigger, beaten_by: Step) -> Refused:
    by = beaten_by.said.by
    details = {"call": call.id, "state": call.state.value, "trigger": trigger.value, "by": by}
    return Refused(Grounds.CONFLICT, f"{by or 'somebody'} was first: call {call.id} is {call.state}", details)
