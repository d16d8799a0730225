"""How every actor of a tree is: asked through the mailboxes, answered in time whatever state they are in.

Rules of this file: who is there is read from the supervisors' records; whether an actor still handles messages is
asked of itself, of all at once, with one deadline. One that does not answer is stuck, unless it
says that it goes on with something long: then it is busy. What is read from outside
are plain values. At most one question a life waits for its answer, so asking often does not fill a mailbox.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from heapq import nlargest

import msgspec
import pykka
import trio
from msgspec.structs import replace

from actors.runtime.actor import Actor, Report
from actors.runtime.child import Child, Past
from actors.runtime.errors import ActorDead, MailboxFull
from actors.runtime.future import ActorRef, TrioFuture
from actors.runtime.life import Life, State
from actors.runtime.registry import AnyMailbox, mailbox_of
from actors.runtime.supervisor import Supervisor
from domain import JsonValue, Priority

PROGRESS_INTERVAL = 20.0  # seconds within which who is busy must say that it goes on
WORST = 8  # children shown of a supervisor that has more than can be expanded
SLICE = 512  # children counted before other tasks get their turn


class ActorStatus(msgspec.Struct, frozen=True):
    """How an actor is, and those below it. Ages are seconds; ``depth``, ``oldest`` and the losses go by priority.

    ``oldest`` is for how long the oldest message has waited, where one does; how exactly that is known says ``marks``.
    ``handling`` is the class of the message in hand, ``handling_age`` for how long it has been. Of a supervisor
    with too many children only the worst are in ``children``; ``summarised`` counts those that are not,
    ``summarised_depth`` adds up their mailboxes, ``summarised_oldest`` is the worst and ``summarised_states`` counts
    them by state.
    """

    id: str
    path: str
    kind: str
    state: str
    depth: Mapping[Priority, int] = msgspec.field(default_factory=dict)
    oldest: Mapping[Priority, float] = msgspec.field(default_factory=dict)
    handled: int = 0
    dropped: Mapping[Priority, int] = msgspec.field(default_factory=dict)
    conflated: Mapping[Priority, int] = msgspec.field(default_factory=dict)
    refused: Mapping[Priority, int] = msgspec.field(default_factory=dict)
    restarts: int = 0
    quarantined: int = 0
    last_failure: str | None = None
    last_failure_age: float | None = None
    last_message_age: float | None = None
    handling: str | None = None
    handling_age: float | None = None
    description: Mapping[str, JsonValue] = msgspec.field(default_factory=dict)
    children: tuple[ActorStatus, ...] = ()
    summarised: int = 0
    summarised_depth: Mapping[Priority, int] = msgspec.field(default_factory=dict)
    summarised_oldest: Mapping[Priority, float] = msgspec.field(default_factory=dict)
    summarised_states: Mapping[str, int] = msgspec.field(default_factory=dict)

    def walk(self) -> Iterable[ActorStatus]:
        """Yield this status and those below it."""
        yield self
        for child in self.children:
            yield from child.walk()


class _Node:
    """An actor to be asked, and those below it."""

    def __init__(self, path: str, kind: str, actor: Actor | None, child: Child | None) -> None:
        self.path = path
        self.kind = kind
        self.actor = actor
        self.child = child
        self.children: list[_Node] = []
        self.rest: list[Child] = []
        self.question: pykka.Future[object] | None = None
        self.state = State.ENDED

    def asked(self) -> None:
        """Send the question, unless an earlier one still waits or there is nobody to answer."""
        if self.actor is None:
            return
        self.state = self.actor.life.state
        if self.state is not State.RUNNING:
            return
        life = self.actor.life
        pending = life.pending_report
        if not isinstance(pending, TrioFuture) or pending.ready:
            try:
                pending = life.pending_report = self.actor.actor_ref.ask(Report(), block=False)
            except MailboxFull:
                # It has not answered for a whole lane of messages: stuck, without asking.
                return
        self.question = pending


async def survey(root: ActorRef, deadline: float = 1.0, expand: int = 64) -> ActorStatus:
    """Return how the actor behind ``root`` and all below it are, within ``deadline`` seconds.

    Of a supervisor with more than ``expand`` children the worst are shown and the rest summed up.

    Raises:
        ActorDead: if ``root`` has ended.
    """
    owner = mailbox_of(root).owner
    if not isinstance(owner, Actor):
        raise ActorDead(f"{root} has ended")
    nodes: list[_Node] = []
    top = await _plan(owner.life.path, owner, None, expand, nodes)
    for node in nodes:
        node.asked()
    with trio.move_on_after(deadline):
        for node in nodes:
            await _answered(node)
    post = owner.life.environment.post
    post.at = post.clock.current_time()
    return await _status(top, post.at)


async def _plan(path: str, actor: Actor | None, child: Child | None, expand: int, nodes: list[_Node]) -> _Node:
    kind = type(actor).__name__ if actor is not None else child.spec.actor_class.__name__ if child is not None else ""
    node = _Node(path, kind, actor, child)
    nodes.append(node)
    if isinstance(actor, Supervisor):
        shown = list(actor.children)
        if len(shown) > expand:
            worst = set(map(id, await _worst(shown, actor.life.environment.post.clock.current_time())))
            node.rest = [one for one in shown if id(one) not in worst]
            shown = [one for one in shown if id(one) in worst]
        for one in shown:
            node.children.append(await _plan(f"{path}/{one.spec.id}", one.actor, one, expand, nodes))
    return node


async def _worst(children: list[Child], now: float) -> list[Child]:
    ranks: list[tuple[float, int, int]] = []
    for index, child in enumerate(children):
        if not index % SLICE:
            await trio.lowlevel.checkpoint()
        if child.actor is not None:
            life = child.actor.life
            ranks.append((_handling_age(life, now) or 0.0, life.mailbox.count, index))
    return [children[index] for _, _, index in nlargest(WORST, ranks)]


async def _answered(node: _Node) -> None:
    if node.question is not None:
        try:
            await node.question
        except Exception as error:  # noqa: BLE001 - an answer all the same: what describe() failed with is shown
            del error


async def _status(node: _Node, now: float) -> ActorStatus:
    rest = await _sum_up(node.rest)
    children = [await _status(below, now) for below in node.children]
    past = (node.child.past if node.child is not None else None) or Past()
    common = ActorStatus(
        id=node.child.spec.id if node.child is not None else node.path,
        path=node.path,
        kind=node.kind,
        state=_state(node, now),
        restarts=past.restarts,
        quarantined=past.quarantined,
        last_failure=past.last_failure,
        last_failure_age=now - past.failed_at if past.last_failure is not None else None,
        description=_description(node.question),
        children=tuple(children),
        summarised=len(node.rest),
        summarised_depth=rest.depth,
        summarised_oldest=rest.oldest,
        summarised_states=rest.states,
    )
    return common if node.actor is None else _with_mailbox(common, node.actor.life, now)


def _with_mailbox(status: ActorStatus, life: Life, now: float) -> ActorStatus:
    statistics = life.mailbox.statistics()
    return replace(
        status,
        depth=statistics.depth,
        oldest={priority: age for priority, age in statistics.age.items() if statistics.depth[priority]},
        handled=statistics.taken - len(life.in_hand()),
        dropped=statistics.dropped,
        conflated=statistics.conflated,
        refused=statistics.refused,
        last_message_age=None if life.last_at is None else now - life.last_at,
        handling=life.message,
        handling_age=_handling_age(life, now),
    )


def _state(node: _Node, now: float) -> str:
    if node.actor is None or node.actor.life.state is State.ENDED:
        return node.child.state if node.child is not None else "stopped"
    if node.state is not State.RUNNING:
        # It may run by now, but was not asked: silence says nothing of it.
        return str(node.state.value)
    if node.actor.life.state is not State.RUNNING:
        return str(node.actor.life.state.value)
    answered = isinstance(node.question, TrioFuture) and node.question.ready
    if answered:
        return "running"
    return "busy" if _goes_on(node.actor.life, now) else "stuck"


def _goes_on(life: Life, now: float) -> bool:
    since, progress = life.busy_since, life.progress_at
    return since is not None and progress is not None and progress >= since and now - progress <= PROGRESS_INTERVAL


def _handling_age(life: Life, now: float) -> float | None:
    if life.current is None:
        return None
    since = life.busy_since if life.busy_since is not None else life.last_at
    return None if since is None else now - since


def _description(question: pykka.Future[object] | None) -> Mapping[str, JsonValue]:
    if not isinstance(question, TrioFuture) or not question.ready:
        return {}
    try:
        description = question.get()
    except Exception as error:  # noqa: BLE001 - a faulty description must not hide the rest of the document
        return {"error": repr(error)}
    return description if isinstance(description, Mapping) else {}


class _Sum(msgspec.Struct):
    """What is told of children that are not shown."""

    depth: dict[Priority, int] = msgspec.field(default_factory=dict)
    oldest: dict[Priority, float] = msgspec.field(default_factory=dict)
    states: Counter[str] = msgspec.field(default_factory=Counter)

    def take(self, mailbox: AnyMailbox) -> None:
        """Add a mailbox with something in it."""
        for priority in Priority:
            waiting = mailbox.waiting(priority)
            if waiting:
                self.depth[priority] += waiting
                self.oldest[priority] = max(self.oldest.get(priority, 0.0), mailbox.age(priority))


async def _sum_up(children: list[Child]) -> _Sum:
    found = _Sum(dict.fromkeys(Priority, 0) if children else {})
    for index, child in enumerate(children):
        if index % SLICE == SLICE - 1:
            await trio.lowlevel.checkpoint()
        found.states[child.state] += 1
        if child.actor is not None and child.actor.life.mailbox.count:
            found.take(child.actor.life.mailbox)
    return found
