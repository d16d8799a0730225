"""Desks that decide: what people and machines do becomes events and kept state, both or neither.

Rules of this file:

* A desk asks a plain domain object, which returns a ``Decision``; the desk has it committed, and only when the disk has
  it, or has refused it, is anybody answered.
* A life begins with what was kept. While that cannot be read nothing is decided: acts are refused as unavailable, what
  was told waits, and the streams go on.
* An act with a key is carried out once, see ``domain.intents``.
* An act is done by who may do it at the place of what it is about. To whom that place is another tenant's, it is not
  there: the refusal is as for what does not exist. What it was is noted, and shown to no tenant (``andond.api.audit``).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import ClassVar, Protocol

import msgspec
import trio

from actors.acts import Act, Acted, unavailable
from actors.audit.acts import ActNote, State, nothing
from actors.audit.words import AuditTrail
from actors.messages import Commit, Line, Publish, ReadState, StateRead
from actors.places import CHANNELS, RECORDER, Address
from actors.ranks import Ranks
from actors.runtime import ActorDead, AskTimeout, MailboxFull, TrioActor, ask
from domain import Decision, Event, Grounds, Intents, JsonValue, Priority, Refused, Row, mark_of
from domain.plant.site import Site
from telemetry import counters, events

READ_PATIENCE = 5.0
READ_INTERVAL = 1.0
EXPIRE_INTERVAL = 3600.0
OWED_INTERVAL = 1.0
EARLY_LIMIT = 50_000
LONGEST_KEY = 128
PLACE_SHOWN = 200

Answer = JsonValue | Refused
Method = Callable[[Act], Decision[Answer]]
Settled = Callable[[bool], None]


class Reply(Protocol):
    """Where an answer goes: a future."""

    def set(self, value: object) -> None:
        """Answer with ``value``."""

    def set_exception(self, exc_info: tuple[type[BaseException], BaseException, None] | None = None) -> None:
        """Answer with an exception, by default the one being handled."""


class Concern(msgspec.Struct, frozen=True):
    """Something that an act is about: the ``path`` of its place, and what is said to whom it is not there.

    Without a ``path`` it is there for nobody: who has a tenant is told so at once, as of what is another's. Where it
    has an ``id``, ``state`` returns what it is at the moment: noted before and after.
    """

    path: str | None
    unknown: Refused
    id: str = ""
    state: State = nothing


class Restored(msgspec.Struct, frozen=True):
    """What was kept could be read at last."""

    rows: Mapping[str, StateRead]
    priority: ClassVar[Priority] = Priority.CRITICAL


class Expire(msgspec.Struct, frozen=True):
    """It is time to forget acts that are too old."""

    priority: ClassVar[Priority] = Priority.HIGH


class PayOwed(msgspec.Struct, frozen=True):
    """It is time to try again to commit what the recorder had no room for."""

    priority: ClassVar[Priority] = Priority.HIGH


def named_place(act: Act, site: Site, name: str = "equipment") -> Iterator[Concern]:
    """The place that ``act`` names in its argument ``name``, by its path or an alias."""
    said = act.arguments.get(name)
    if isinstance(said, str) and said:
        words = f"{said[:PLACE_SHOWN]} is no place of yours"
        yield Concern(site.equipment.path_of(said).strip("/"), Refused(Grounds.NOT_ALLOWED, words, {name: said}))


class DecidingDesk(TrioActor):
    """The desk ``name`` with kept rows of ``kinds``; ``acts()`` is its table of what a person can do here.

    A subclass overrides ``restore()``, ``acts()`` and ``take()``, and ``begin()`` for what it does from then on.
    """

    mailbox_limit = 50_000
    has_tasks = True
    name: ClassVar[str]
    kinds: ClassVar[tuple[str, ...]]

    def __init__(self, clock: Callable[[], float] = time.time, ranks: Ranks | None = None) -> None:
        super().__init__()
        self.clock = clock
        self.is_restored = False
        self._ranks = ranks
        self._recorder = Address(self.life.environment, RECORDER)
        self._channels = Address(self.life.environment, CHANNELS)
        self._line = Line()
        self._owed: dict[tuple[str, str], Row] = {}
        self._intents = Intents(f"{self.name}.acts")
        self._pending: dict[str, list[Reply]] = {}
        self._unkept: set[str] = set()
        self._early: deque[object] = deque(maxlen=EARLY_LIMIT)
        self._after: list[Callable[[], None]] = []
        self._trail = AuditTrail(self.life.environment, clock)

    # -- what a subclass is ---------------------------------------------------------------------------------

    def restore(self, kept: Mapping[str, StateRead]) -> None:
        """Begin with what was ``kept``: of each of ``kinds`` the rows by their keys."""
        raise NotImplementedError

    def begin(self) -> None:
        """Do what is to be done once the desk knows what was kept: start tasks, take up timers."""

    def acts(self) -> Mapping[str, Method]:
        """What a person can do here: the type of an act and the method that decides about it.

        The method raises ``Refused`` if nothing is done; one whose decision has a ``Refused`` for its answer is refused
        although its events and rows are kept.
        """
        return {}

    def concerns(self, act: Act) -> Iterable[Concern]:
        """What ``act`` is about, as far as there is such a thing: a desk with acts says it of each of them."""
        raise NotImplementedError

    def take(self, message: object) -> object:
        """Handle any other message; what is returned answers it, see ``on_receive()``."""
        raise NotImplementedError

    # -- what it does ---------------------------------------------------------------------------------------

    async def setup(self) -> None:
        """Read what was kept; if that cannot be, go on trying."""
        kept = await self._read(READ_PATIENCE)
        if kept is None:
            events.state_awaited(desk=self.name)
            self.start_task(self._keep_reading)
        else:
            self._restore(kept)
        self.start_task(self._keep_expiring)

    def on_receive(self, message: object) -> object:
        """Decide about an act; have the subclass handle the rest."""
        match message:
            case Restored(rows=rows):
                if not self.is_restored:
                    self._restore(rows)
            case Act():
                self._act(message)
            case Expire():
                if self.is_restored:
                    self.commit(Decision(None, rows=self._intents.expire(self.clock())))
            case PayOwed():
                self._pay_owed()
            case _ if self.is_restored:
                return self.take(message)
            case _:
                self._wait(message)
        return None

    def commit(self, decision: Decision[Answer], reply: Reply | None = None, settled: Settled | None = None) -> None:
        """Have the events and rows of ``decision`` kept, and give its answer to ``reply`` then.

        ``settled`` is called too, with False if the disk does not take it.
        """

        def settle(is_kept: bool) -> None:  # noqa: FBT001 - see ``Commit``
            if reply is not None:
                _answer(reply, decision.answer, is_kept=is_kept)
            if settled is not None:
                settled(is_kept)

        self._commit(decision.events, decision.rows, settle)

    def when_settled(self, work: Callable[[], None]) -> None:
        """Do ``work`` when what is decided now is kept, or cannot be."""
        self._after.append(work)

    # -- acts -----------------------------------------------------------------------------------------------

    def _act(self, act: Act) -> None:
        reply, note = self.defer_reply(), ActNote(self._trail, act)
        try:
            if not self.is_restored:
                raise unavailable("what was kept cannot be read yet")  # noqa: TRY301 - all refusals leave one way
            self._perform(act, reply, note)
        except Refused as refused:
            note.refused(refused)
            if reply is not None:
                _answer(reply, refused, is_kept=True)
        except Exception:
            # The life ends with it, and the next one begins with what was kept.
            note.failed()
            if reply is not None:
                reply.set_exception()
            raise

    def _perform(self, act: Act, reply: Reply | None, note: ActNote) -> None:
        """Decide about ``act`` if it is new.

        Raises:
            Refused: if it is not done.
        """
        method = self.acts().get(act.type)
        if method is None:
            raise Refused(Grounds.UNSUPPORTED, f"there is no act {act.type}", {"type": act.type})
        self._check_rights(act, note)
        if act.key is None:
            decision = method(act)
            note.decided(decision.answer)
            self.commit(decision, reply, note.settled)
            return
        if not 0 < len(act.key) <= LONGEST_KEY:
            raise Refused(Grounds.INVALID, f"a key has 1 to {LONGEST_KEY} characters")
        tenant = act.rights.identity.tenant
        # What one tenant calls its acts is nothing that another could learn from, or be kept from by.
        key = f"{act.key}@{tenant}" if tenant else act.key
        mark = mark_of(act.type, f"{act.person or act.by}@{tenant}" if tenant else act.person or act.by, act.arguments)
        known = self._intents.find(key, mark, act.key)
        if known is not None:
            self._repeat(key, known.answer, reply)
            return
        decision = method(act)
        note.decided(decision.answer)
        rows = (*decision.rows, *self._intents.keep(key, mark, self.clock(), decision.answer))
        self._commit_key(key, decision.events, rows, decision.answer, reply, note.settled)

    def _check_rights(self, act: Act, note: ActNote) -> None:
        concerned = tuple(self.concerns(act))
        beyond = [each for each in concerned if not act.rights.reaches(each.path)]
        for each in beyond[:1] or sorted(concerned, key=lambda concern: not concern.id)[:1]:
            note.about(each.path or "", each.id, each.state)
        if beyond:
            raise beyond[0].unknown
        for each in concerned:
            if each.path is not None:
                act.check(each.path)

    def _repeat(self, key: str, answer: Answer, reply: Reply | None) -> None:
        waiting = self._pending.get(key)
        if waiting is not None:
            if reply is not None:
                waiting.append(reply)
        elif key in self._unkept:
            # Whether it is kept by now only the recorder knows.
            self._commit_key(key, (), (self._intents.row(key),), answer, reply)
        elif reply is not None:
            _answer(reply, answer, is_kept=True)

    def _commit_key(
        self,
        key: str,
        told: Sequence[Event],
        rows: Sequence[Row],
        answer: Answer,
        reply: Reply | None,
        settled: Settled | None = None,
    ) -> None:
        self._pending[key] = [] if reply is None else [reply]

        def settle(is_kept: bool) -> None:  # noqa: FBT001 - see ``Commit``
            (self._unkept.discard if is_kept else self._unkept.add)(key)
            for one in self._pending.pop(key, ()):
                _answer(one, answer, is_kept=is_kept)
            if settled is not None:
                settled(is_kept)

        self._commit(told, rows, settle)

    # -- to the recorder ------------------------------------------------------------------------------------

    def _commit(self, told: Iterable[Event], rows: Iterable[Row], settled: Settled) -> None:
        after, self._after = self._after, []
        ranked = [event if self._ranks is None else self._ranks.rank(event) for event in told]
        written = (*self._owed.values(), *rows)
        settle = _once([settled, *(_whatever(work) for work in after)])
        if not ranked and not written:
            settle(True)
            return
        commit = Commit(ranked, written, settle, trio.current_time(), self._line)
        try:
            self._recorder.tell(commit)
        except (ActorDead, MailboxFull):
            commit.is_done = True
            self._line.advance()
            self._go_without(commit)
        else:
            self._owed = {}

    def _go_without(self, commit: Commit) -> None:
        """Have it told all the same, and owe the rows."""
        for event in commit.events:
            counters.journal_unkept[event.priority] += 1
            self._channels.tell(Publish(event))
        if not self._owed:
            self.start_task(self._ask_to_pay)
        self._owed |= {(row.kind, row.key): row for row in commit.rows}
        if commit.settled is not None:
            commit.settled(False)

    def _pay_owed(self) -> None:
        if self._owed:
            self._commit((), (), lambda _: None)

    async def _ask_to_pay(self) -> None:
        while self._owed:
            await trio.sleep(OWED_INTERVAL)
            with suppress(MailboxFull):
                self.actor_ref.tell(PayOwed())

    # -- what was kept --------------------------------------------------------------------------------------

    async def _read(self, patience: float) -> Mapping[str, StateRead] | None:
        kept: dict[str, StateRead] = {}
        for kind in (*self.kinds, self._intents.kind):
            try:
                rows = await ask(self._recorder.ref, ReadState(kind), patience)
            except (ActorDead, AskTimeout, MailboxFull):
                return None
            if not isinstance(rows, tuple):
                return None
            kept[kind] = rows
        return kept

    async def _keep_reading(self) -> None:
        kept = None
        while kept is None:
            await trio.sleep(READ_INTERVAL)
            kept = await self._read(READ_PATIENCE)
        self.actor_ref.tell(Restored(kept))

    def _restore(self, kept: Mapping[str, StateRead]) -> None:
        self._intents.restore(kept[self._intents.kind])
        self.restore(kept)
        self.is_restored = True
        self.begin()
        early, self._early = self._early, deque(maxlen=EARLY_LIMIT)
        for message in early:
            self.take(message)

    def _wait(self, message: object) -> None:
        reply = self.defer_reply()
        if reply is not None:
            _answer(reply, unavailable("what was kept cannot be read yet"), is_kept=True)
            return
        if len(self._early) == EARLY_LIMIT:
            events.message_dead_lettered(actor=self.life.path, message=type(self._early[0]).__name__, reason="overflow")
        self._early.append(message)

    async def _keep_expiring(self) -> None:
        while True:
            await trio.sleep(EXPIRE_INTERVAL)
            with suppress(MailboxFull):
                self.actor_ref.tell(Expire())


def _once(heard: list[Settled]) -> Settled:
    """Tells all who ``heard`` once: a life of the recorder may settle what the one before it had settled."""

    def settle(is_kept: bool) -> None:  # noqa: FBT001 - see ``Commit``
        while heard:
            heard.pop(0)(is_kept)

    return settle


def _whatever(work: Callable[[], None]) -> Settled:
    return lambda _: work()


def _answer(reply: Reply, answer: Answer, *, is_kept: bool) -> None:
    if isinstance(answer, Refused):
        reply.set_exception((Refused, answer, None))
    else:
        reply.set(Acted(answer, is_kept))
