"""The floor's dialect: one connection to one of its doors, as a state machine.

Rules of this file:

* No I/O. The time is an argument, or what ``Surroundings`` were given where something is told that nobody asked for.
* A client may send anything: every message gets an answer in words, and none ends the connection but too many (1008).
  A message is counted where it comes in, by the same limit as at other doors; what more is in a batch is counted here.
* What is asked is answered as section 3.6 of the contract says; ``COMMANDS`` has a row for each type of message.
* Who has no right to act reads: what it wants to have done is refused with who must act.
* What is unsubscribed from is left, what is followed twice comes once, what nobody knows is null with a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

import msgspec

from domain import Gap, JsonValue, Position, Priority, Recollection, rfc3339
from transport.dialects.floor import answers
from transport.dialects.floor.envelope import Envelope, Teller
from transport.dialects.floor.following import LIMIT, Following
from transport.dialects.floor.health import alert_of, name_of
from transport.dialects.floor.questions import SECTION_WORDS, Snapshot, sections_of
from transport.dialects.floor.reading import BATCH, ECHO_LIMIT, Asked, Fault, read, topic
from transport.dialects.floor.roster import Roster, Visit
from transport.dialects.floor.script import Script
from transport.dialects.floor.topics import Topic, TopicFault, remembered
from transport.dialects.floor.welcome import Entry
from transport.frames import Frame
from transport.session import Close, Enquire, Express, Prompt, Send, Step, Subscribe, Unsubscribe

POLICY_VIOLATION = 1008
HEARTBEAT_AFTER = 300.0

RETURN_TIME = 10.0
"""Seconds in which a client that returns asks again by itself, if it does; what it followed before is not kept then."""


class Visitor(msgspec.Struct, frozen=True):
    """Who is at the door: its name, and whether it may act or only read. ``is_known`` says that a token proved it."""

    user_id: str
    may_act: bool = False
    is_known: bool = False


class Surroundings(msgspec.Struct, frozen=True):
    """What all sessions share: the script of events, the roster of connections, ``now`` in Unix seconds.

    Who says nothing for ``heartbeat_after`` seconds hears a heartbeat.
    """

    script: Script
    roster: Roster
    now: Callable[[], float]
    heartbeat_after: float = HEARTBEAT_AFTER


class FloorSession:
    """One connection: ``visit`` is counted, ``visitor`` may do what it may, ``entry`` is what its query said.

    ``charge`` counts one message more; it returns in words which limit is met, nothing where there is room.
    """

    __slots__ = ("_at", "_channels", "_charge", "_entry", "_envelope", "_recollection", "_score", "_surroundings",
                 "_teller", "_visit", "_visitor", "closed")  # fmt: skip

    def __init__(
        self,
        visit: Visit,
        visitor: Visitor,
        entry: Entry,
        surroundings: Surroundings,
        recollection: Recollection | None = None,
        charge: Callable[[], str] = str,
    ) -> None:
        self.closed = False
        self._charge = charge
        self._visit = visit
        self._visitor = visitor
        self._entry = entry
        self._surroundings = surroundings
        self._recollection = recollection
        self._envelope = Envelope(visit.connection_id)
        self._teller = Teller(surroundings.script, visit.following, visit.connection_id)
        self._channels: frozenset[str] = frozenset()
        self._score = 1.0
        visit.events = lambda teller=self._teller: (teller.told, teller.size)  # type: ignore[misc]

    @property
    def following(self) -> Following:
        """What the connection follows."""
        return self._visit.following

    def opened(self, at: float) -> list[Step]:
        """Begin with what the door, or the client's last visit, says; greet where that is asked for."""
        entry, restored = self._entry, self._restored()
        if not entry.is_default:
            self.following.begin(entry.topics)
        self.following.begin(restored if restored is not None else entry.topics, implicit=entry.is_default)
        steps: list[Step] = [
            Express(self._tell_gap, self._tell_end),
            Prompt(self._surroundings.heartbeat_after, self._heartbeat),
            *self._greet(at, restored is not None),
            *self._move(),
        ]
        return self._counted(steps)

    def received(self, message: str | bytes, at: float) -> list[Step]:
        """Do what the client asks, or say why not."""
        if self.closed:
            return []
        self._visit.heard_at = at
        self._visit.received += len(message.encode() if isinstance(message, str) else message)
        steps: list[Step] = []
        for number, asked in enumerate(read(message)):
            excess = self._charge() if number else ""
            if excess:
                self.closed = True
                steps += [*self._refuse(Fault("RATE_LIMITED", excess), at), Close(POLICY_VIOLATION, excess)]
                break
            self._visit.messages += 1
            steps += self._answer(asked, at)
        return self._counted([*steps, *self._alert(at)])

    # -- opening ----------------------------------------------------------------------------------------------

    def _restored(self) -> tuple[Topic, ...] | None:
        names = None if self._recollection is None else self._recollection.names
        if names is None:
            return None
        found = (remembered(name) for name in sorted(names))
        return tuple(each for each in found if each is not None)[:LIMIT]

    def _greet(self, at: float, is_restored: bool) -> list[Step]:  # noqa: FBT001 - one fact
        entry, door = self._entry, self._entry.door
        if door.word == "main" and not self._visitor.is_known:
            return []
        data = entry.greeting(rfc3339(at), self._visit.connection_id, self._visitor.user_id, self.following.topics)
        data |= {"read_only": not self._visitor.may_act, "authenticated": self._visitor.is_known}
        if is_restored:
            data["restored"] = [each.members() for each in self.following.topics]
        greeting = self._envelope.send(door.greeting, data, at, Priority.HIGH)
        if not door.initial:
            return [greeting]
        place = entry.line_id if door.rest == "line_id" else entry.equipment_code
        wanted = answers.LINE_SECTIONS if door.rest == "line_id" else answers.EQUIPMENT_SECTIONS
        return [greeting, Enquire(Snapshot(wanted, place), partial(self._initial, at))]

    def _initial(self, at: float, answer: object) -> list[Step]:
        door, places = self._entry.door, self._surroundings.script.places
        own = {door.rest: self._entry.line_id if door.rest == "line_id" else self._entry.equipment_code}
        data = answers.initial(door.rest, answer, places)
        return self._counted([self._envelope.send(door.initial, {**own, **data}, at, Priority.HIGH, **own)])

    # -- answers ----------------------------------------------------------------------------------------------

    def _answer(self, asked: Asked | Fault, at: float) -> Sequence[Step]:
        if isinstance(asked, Fault):
            return self._refuse(asked, at)
        command = COMMANDS.get(asked.type)
        if command is None:
            supported: list[JsonValue] = [BATCH, *COMMANDS]
            words = f"Unknown message type: {asked.type[:ECHO_LIMIT]}"
            return self._refuse(Fault("UNKNOWN_MESSAGE_TYPE", words, {"supported_types": supported}), at)
        try:
            return command(self, asked, at)
        except TopicFault as fault:
            details: dict[str, JsonValue] = {"subscription_type": asked.text("subscription_type")[:ECHO_LIMIT] or None}
            return self._refuse(Fault(fault.code, fault.message, details), at)

    def _refuse(self, fault: Fault, at: float) -> list[Step]:
        self._visit.errors += 1
        data: dict[str, JsonValue] = {
            "message": fault.message, "error": fault.message, "code": fault.code, **fault.details
        }  # fmt: skip
        return [self._envelope.send("error", data, at, Priority.HIGH)]

    def subscribe(self, asked: Asked, at: float) -> Sequence[Step]:
        """Follow one topic more; with ``snapshot`` the confirmation has how it is now."""
        chosen = topic(asked)
        if at - self._visit.opened_at > RETURN_TIME and self._recollection is not None and self._recollection.names:
            self.following.settle()
        is_new = self.following.follow(chosen)
        if self._recollection is not None:
            self._recollection.note(self.following.names, at)
        confirm = partial(self._confirm, "subscription_confirmed", chosen, at)
        if asked.given("snapshot") is True:
            ask = Snapshot(answers.sections_for(chosen), answers.place_of(chosen))
            return [Enquire(ask, lambda seen: self._counted(self._snapshot_confirmed(confirm, seen))), *self._move()]
        return [confirm({"status": "subscribed", "is_new": is_new}), *self._move()]

    def unsubscribe(self, asked: Asked, at: float) -> Sequence[Step]:
        """Follow one topic no more."""
        chosen = topic(asked)
        was_followed = self.following.leave(chosen)
        if self._recollection is not None:
            self._recollection.note(self.following.names, at, chosen.name)
        more: dict[str, JsonValue] = {"status": "unsubscribed", "was_subscribed": was_followed}
        return [*self._move(), self._confirm("unsubscription_confirmed", chosen, at, more)]

    def _confirm(self, type_: str, chosen: Topic, at: float, more: Mapping[str, JsonValue]) -> Send:
        words = "Subscribed to" if type_ == "subscription_confirmed" else "Unsubscribed from"
        shown = chosen.target if isinstance(chosen.target, str | int) else "the target"
        data = {**chosen.members(), "message": f"{words} {chosen.type} {shown}", **more}
        return self._envelope.send(type_, data, at)

    def _snapshot_confirmed(self, confirm: Callable[[Mapping[str, JsonValue]], Send], seen: object) -> list[Step]:
        snapshot = answers.snapshot(seen, self._surroundings.script.places)
        return [confirm({"status": "subscribed", "snapshot": snapshot})]

    def ping(self, asked: Asked, at: float) -> Sequence[Step]:
        """Answer, with the client's own number where it sent one."""
        echo = asked.echo()
        now = rfc3339(at)
        data: dict[str, JsonValue] = {"timestamp": now if echo is None else echo, "server_time": now}
        data["connection_id"] = self._visit.connection_id
        own: dict[str, JsonValue] = {} if echo is None else {"timestamp": echo}
        return [self._envelope.send("pong", data, at, Priority.LOW, **own)]

    def heartbeat(self, asked: Asked, at: float) -> Sequence[Step]:
        """Answer as the client's generation expects it: by whether its ``timestamp`` is a number."""
        if asked.echo() is not None:
            return self.ping(asked, at)
        now = rfc3339(at)
        data: dict[str, JsonValue] = {"timestamp": now, "client_data": asked.members.get("data"), "server_time": now}
        return [self._envelope.send("heartbeat_response", data, at, Priority.LOW)]

    def request_data(self, asked: Asked, at: float) -> Sequence[Step]:
        """Answer with how it is now; a client that wants several types is told when it has them all."""
        wanted = asked.given("types")
        words = [asked.text("data_type", "dataType")] if wanted is None else wanted
        if (
            not isinstance(words, list)
            or not all(isinstance(word, str) for word in words)
            or len(words) > len(SECTION_WORDS)
        ):
            return self._refuse(Fault("INVALID_DATA_TYPE", "types is a list of names"), at)
        asks = []
        for word in words:
            sections = sections_of(str(word))
            if sections is None:
                known: dict[str, JsonValue] = {"supported_types": list(SECTION_WORDS)}
                return self._refuse(
                    Fault("UNKNOWN_DATA_TYPE", f"Unknown data type: {str(word)[:ECHO_LIMIT]}", known), at
                )
            place = self._place_asked(asked)
            asks.append(Enquire(Snapshot(sections, place), partial(self._data, str(word), sections, asked, at)))
        return asks if wanted is None else [*asks, self._synced(words, at)]

    def force_sync(self, asked: Asked, at: float) -> Sequence[Step]:
        """Answer with how everything is now, and say when that is all."""
        sections = sections_of("all") or ()
        ask = Snapshot(sections, self._place_asked(asked))
        return [Enquire(ask, partial(self._data, "snapshot", sections, asked, at)), self._synced(list(sections), at)]

    def _place_asked(self, asked: Asked) -> str | None:
        filters = asked.given("filters")
        inner = Asked("", filters) if isinstance(filters, Mapping) else asked
        words = ("line_id", "lineId", "equipment_code", "equipmentId")
        return inner.text(*words) or asked.text(*words) or self._entry.equipment_code or self._entry.line_id

    def _data(self, word: str, sections: tuple[str, ...], asked: Asked, at: float, seen: object) -> list[Step]:
        data = answers.requested(word, sections, seen, self._surroundings.script.places, round(at * 1000))
        filters = asked.given("filters")
        data |= {"data_type": word, "filters": filters if isinstance(filters, Mapping) else {}}
        return self._counted([self._envelope.send(f"{word}_data", data, at)])

    def _synced(self, words: list[JsonValue], at: float) -> Send:
        return self._envelope.send("sync_complete", {"types": words, "timestamp": rfc3339(at)}, at)

    def acknowledge(self, asked: Asked, at: float) -> Sequence[Step]:
        """Have a call, or an alarm, acknowledged by who sent this; the answer is the desk's."""
        deed = answers.acknowledgement(asked, self._visitor.user_id, at)
        return self._act(deed, "acknowledge_confirmed", at)

    def act(self, asked: Asked, at: float) -> Sequence[Step]:
        """Have any act of the floor done: ``{"type": "act", "act": {"type": "andon.raise", ...}}``."""
        return self._act(answers.deed(asked, self._visitor.user_id, at), "act_confirmed", at)

    def _act(self, deed: answers.Deed | Fault, confirmation: str, at: float) -> Sequence[Step]:
        if not self._visitor.may_act:
            return self._refuse(answers.READ_ONLY, at)
        if isinstance(deed, Fault):
            return self._refuse(deed, at)
        return [Enquire(deed, partial(self._acted, deed, confirmation, at))]

    def _acted(self, deed: answers.Deed, confirmation: str, at: float, answer: object) -> list[Step]:
        told = answers.acted(deed, answer)
        if isinstance(told, Fault):
            return self._counted(self._refuse(told, at))
        return self._counted([self._envelope.send(confirmation, told, at, Priority.HIGH)])

    def _statistics(self) -> Mapping[str, JsonValue]:
        """The figures of all connections, or of those of its client's tenant."""
        return self._surroundings.roster.statistics(self._visit.kin)

    def get_stats(self, asked: Asked, at: float) -> Sequence[Step]:
        """Answer with the figures of all connections that it is told of."""
        del asked
        return [self._envelope.send("connection_stats", self._statistics(), at, Priority.LOW)]

    def get_connection_details(self, asked: Asked, at: float) -> Sequence[Step]:
        """Answer with the figures of this connection, and of no other."""
        wanted = asked.text("connection_id")
        if wanted and wanted != self._visit.connection_id:
            words = "Only the details of this connection are told here"
            return self._refuse(Fault("PERMISSION_DENIED", words), at)
        return [self._envelope.send("connection_details", self._visit.details(), at, Priority.LOW)]

    def get_status(self, asked: Asked, at: float) -> Sequence[Step]:
        """Answer with both."""
        del asked
        data = {"status": "connected", **self._visit.details(), "server": self._statistics()}
        return [self._envelope.send("status_response", data, at, Priority.LOW)]

    def authenticate(self, asked: Asked, at: float) -> Sequence[Step]:
        """A token in a message: who is at the door is settled at the handshake."""
        del asked
        return self._refuse(answers.TOKEN_LATE, at)

    # -- what comes by itself -----------------------------------------------------------------------------------

    def _move(self) -> list[Step]:
        """Follow the channels that it takes, and no other."""
        wanted = self.following.channels()
        added, left = sorted(wanted - self._channels), sorted(self._channels - wanted)
        self._channels = wanted
        return [*(Unsubscribe(each) for each in left), *(Subscribe(each, self._teller) for each in added)]

    def _alert(self, at: float) -> list[Step]:
        before, now = self._score, self._visit.score
        self._score = now
        word = alert_of(before, now)
        if word is None:
            return []
        data: dict[str, JsonValue] = {
            "type": word, "score": now, "health": name_of(now),
            "message": "Messages of this connection are refused, or events to it are left out",
        }  # fmt: skip
        return [self._envelope.send("health_alert", data, at, Priority.HIGH)]

    def _heartbeat(self, at: float) -> Frame:
        data: dict[str, JsonValue] = {"timestamp": rfc3339(at), "connection_id": self._visit.connection_id}
        return self._envelope.frame("heartbeat", data, at, Priority.LOW)

    def _tell_gap(self, gap: Gap) -> Frame:
        return self._envelope.frame("health_alert", answers.gap(gap, self._visit.score), self._surroundings.now())

    def _tell_end(self, code: int, reason: str, delay: float, position: Position | None) -> Frame:
        del position
        data = answers.ending(code, reason, delay)
        return self._envelope.frame("system_shutdown", data, self._surroundings.now(), Priority.CRITICAL)

    def _counted(self, steps: list[Step]) -> list[Step]:
        for step in steps:
            if isinstance(step, Send):
                self._visit.told += 1
                self._visit.told_size += len(step.frame.data)
        return steps


Command = Callable[[FloorSession, Asked, float], Sequence[Step]]

COMMANDS: Mapping[str, Command] = MappingProxyType(
    {
        "subscribe": FloorSession.subscribe,
        "unsubscribe": FloorSession.unsubscribe,
        "ping": FloorSession.ping,
        "heartbeat": FloorSession.heartbeat,
        "request_data": FloorSession.request_data,
        "force_sync": FloorSession.force_sync,
        "acknowledge": FloorSession.acknowledge,
        "act": FloorSession.act,
        "get_stats": FloorSession.get_stats,
        "get_connection_details": FloorSession.get_connection_details,
        "get_status": FloorSession.get_status,
        "authenticate": FloorSession.authenticate,
    }
)
"""What a client can say, beside a ``batch`` of these."""
