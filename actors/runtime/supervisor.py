"""Supervision: who is started, watched, restarted and given up.

Rules of this file: a child's failure never gets out of its task; when a life ends the supervisor decides at once, on
the trio thread, without a message that could wait or be refused. The supervisor itself never waits for a child
in a handler: what takes time (shutting down, backing off) happens in tasks of its own, so it always answers.

* Children start one after the other, each when the one before it is set up; they stop in reverse.
* A restarted child keeps its ref and mailbox. Those that the supervisor was made with keep them even when the
  supervisor is restarted; those started later end with it.
* A ticket on a child names the recovery that may start it. A later recovery puts its own ticket on, so however
  failures overlap each child is started once.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import pykka
import trio

from actors.runtime.actor import Actor
from actors.runtime.child import Child, ChildSpec, ListChildren, Past, StartChild, StopChild, Ticket
from actors.runtime.environment import Birth, born_as
from actors.runtime.errors import ChildExists, NoSuchChild, TooManyRestarts
from actors.runtime.future import ActorRef
from actors.runtime.life import Outcome, State, live
from actors.runtime.policy import Intensity, Policy, Restart, Strategy
from actors.runtime.trio_actor import TrioActor


class Supervisor(TrioActor):
    """Looks after children; a subclass may handle messages of its own and leave the others to ``super()``."""

    mailbox_limit = 100_000
    essential = True

    _flock: trio.Nursery
    _duty: trio.CancelScope

    def __init__(self, specs: Iterable[ChildSpec] = (), policy: Policy | None = None) -> None:
        super().__init__()
        self.policy = policy or Policy()
        self._children: dict[str, Child] = {}
        for spec in specs:
            if spec.id in self._children:
                raise ChildExists(f"{self.life.path}/{spec.id}")
            self._children[spec.id] = Child(spec, lasting=True)
        self._intensity = Intensity(self.policy.intensity, self.policy.period)
        self._in_service = False
        self._ending = False
        self._escalation: TooManyRestarts | None = None

    # What a subclass uses.

    def on_receive(self, message: object) -> object:
        """Handle the messages of supervision."""
        match message:
            case StartChild(spec=spec):
                return self._start_child_asked(spec)
            case StopChild(id=id_):
                return self._stop_child_asked(id_)
            case ListChildren():
                return tuple(child.info() for child in self._children.values())
            case _:
                return super().on_receive(message)

    def start_child(self, spec: ChildSpec) -> ActorRef:
        """Make and start a child, and return its ref at once: messages wait until it is set up.

        Raises:
            ChildExists: if there is one of that id.
            Exception: what making it raised; then there is no such child.
        """
        if spec.id in self._children:
            raise ChildExists(f"{self.life.path}/{spec.id}")
        child = Child(spec, lasting=False)
        ref = self._launch(child)
        self._children[spec.id] = child
        return ref

    async def stop_child(self, id: str) -> None:  # noqa: A002 - the word of ChildSpec
        """End a child for good; what waits is handled first, within the seconds of its spec.

        Raises:
            NoSuchChild: if there is none of that id.
        """
        child = self._children.get(id)
        if child is None:
            raise NoSuchChild(id)
        child.ticket = Ticket()
        await child.end(drain=True)
        self._remove(child)

    def child(self, id: str) -> ActorRef | None:  # noqa: A002 - the word of ChildSpec
        """Return the ref of a child, or None if there is none."""
        child = self._children.get(id)
        return None if child is None else child.ref

    def child_ended(self, id: str, error: Exception | None) -> None:  # noqa: A002 - the word of ChildSpec
        """Learn that a child has ended for good, for a subclass that keeps something about it."""

    @property
    def children(self) -> tuple[Child, ...]:
        """The records of the children in the order of their start, for the survey."""
        return tuple(self._children.values())

    # The supervisor's own life.

    async def run(self) -> None:
        """Start the children, handle messages, and see all children out; raises what ended it."""
        failure: Exception | None = None
        try:
            async with trio.open_nursery() as self._flock:
                try:
                    with trio.CancelScope() as self._duty:
                        await super().run()
                except Exception as error:  # noqa: BLE001 - raised below, when the children are out
                    failure = error
                self._ending = True
                # What comes back keeps its messages; what ends for good handles them first.
                drain = failure is None and self._escalation is None and not self.life.leaving
                await self._stop_children(drain=drain)
                self._flock.cancel_scope.cancel()
            failure = self._escalation or failure
            if failure is not None:
                raise failure
        finally:
            self._ending = True
            self._escalation = None
            del failure
            for child in self.children:
                if not child.lasting:
                    self._remove(child)

    def _enter_service(self) -> None:
        self._in_service = True
        self._begin_recovery(self.children, 0.0)
        self._settle()

    def _settle(self) -> None:
        # The supervisor is set up when its children are, so what comes after it can rely on all of them. One that fails
        # again and again has had its turn: it must not keep from starting what does not need it.
        if not self._in_service or self._ending or self._escalation is not None:
            return
        if self.life.state is State.STARTING and all(child.had_turn for child in self._children.values()):
            self.life.enter(State.RUNNING)

    async def _stop_children(self, *, drain: bool) -> None:
        async with trio.open_nursery() as nursery:
            for child in self.children:
                if child.spec.restart is Restart.TEMPORARY:
                    # In no order among themselves: ten thousand connections are not let out one by one.
                    nursery.start_soon(partial(child.end, drain=drain))
        for child in reversed(self.children):
            await child.end(drain=drain)

    # Starting.

    def _launch(self, child: Child) -> ActorRef:
        life = self.life
        spec, path = child.spec, f"{life.path}/{child.spec.id}"
        former = child.ref or (life.environment.registry.get(path) if child.lasting else None)
        with born_as(Birth(life.environment, spec.id, path, former)):
            actor = spec.actor_class(*spec.args, **spec.kwargs)
        ref = child.ref = actor.actor_ref
        child.actor = actor
        if child.lasting:
            life.environment.registry.keep(path, ref)
        actor.take_office()
        self._flock.start_soon(live, actor, self._child_ended, name=path)
        return ref

    def _begin_recovery(self, group: Iterable[Child], delay: float) -> None:
        ticket, members = Ticket(), tuple(group)
        if members:
            for child in members:
                child.ticket = ticket
            self._flock.start_soon(self._recover, members, ticket, delay, name=f"{self.life.path}:recovery")

    async def _recover(self, group: tuple[Child, ...], ticket: Ticket, delay: float) -> None:
        for child in reversed(group):
            if child.ticket is ticket:
                await child.end(drain=False)
        await trio.sleep(delay)
        for child in group:
            if child.ticket is not ticket or self._ending:
                continue
            child.ticket = None
            if child.spec.restart is Restart.TEMPORARY and child.actor is not None:
                self._remove(child)
            else:
                await self._revive(child)
        self._settle()

    async def _revive(self, child: Child) -> None:
        try:
            self._launch(child)
        except Exception as error:  # noqa: BLE001 - a child that cannot be made has failed like any other
            self._remember(child, error, None, 0)
            self._decide(child, error, failed=True, lived=0.0)
            return
        past, actor = child.past, child.actor
        if past is not None and actor is not None:
            past.restarts += 1
            self.life.environment.observer.actor_restarted(actor.life.path, past.restarts, past.delay)
        if actor is not None:
            await actor.life.settled()

    # Ending.

    def _child_ended(self, actor: Actor) -> None:
        life = actor.life
        child = self._children.get(life.id)
        if child is None or child.actor is not actor:
            life.settle()
            return
        failed = life.outcome is Outcome.FAILED
        wanted = child.spec.restart.wanted(failed=failed) or child.ticket is not None
        error, message = life.error, life.message
        quarantined = life.settle(redeliver=child.spec.redeliver and wanted)
        if failed:
            self._remember(child, error, message, quarantined)
        if self._ending or child.ticket is not None or life.outcome is Outcome.CANCELLED:
            # Somebody has ended it, and knows what comes next.
            return
        self._decide(child, error, failed=failed, lived=trio.current_time() - life.started_at)

    def _remember(self, child: Child, error: Exception | None, message: str | None, quarantined: int) -> None:
        past = child.past = child.past or Past()
        past.last_failure = repr(error)
        past.failed_at = trio.current_time()
        past.quarantined += quarantined
        self.life.environment.observer.actor_failed(f"{self.life.path}/{child.spec.id}", error, message)

    def _decide(self, child: Child, error: Exception | None, *, failed: bool, lived: float) -> None:
        if not child.spec.restart.wanted(failed=failed):
            self._remove(child, error)
            return
        environment, policy = self.life.environment, self.policy
        if self._intensity.exceeded(trio.current_time()):
            self._escalate(child, error)
            return
        past = child.past = child.past or Past()
        past.failures = policy.failures(past.failures, lived)
        past.delay = policy.delay(past.failures, environment.random.random())
        self._begin_recovery(self._group_of(child), past.delay)

    def _group_of(self, child: Child) -> list[Child]:
        if self.policy.strategy is Strategy.ONE_FOR_ONE:
            return [child]
        group = list(self._children.values())
        return group if self.policy.strategy is Strategy.ONE_FOR_ALL else group[group.index(child) :]

    def _escalate(self, child: Child, error: Exception | None) -> None:
        if self._escalation is None:
            restarts, period = self.policy.intensity + 1, self.policy.period
            self._escalation = TooManyRestarts(self.life.path, child.spec.id, restarts, period)
            self._escalation.__cause__ = error
            self.life.environment.observer.supervisor_escalated(self.life.path, child.spec.id, restarts, period)
            self._duty.cancel()

    def _remove(self, child: Child, error: Exception | None = None) -> None:
        if self._children.get(child.spec.id) is not child:
            return
        del self._children[child.spec.id]
        path = f"{self.life.path}/{child.spec.id}"
        environment = self.life.environment
        if isinstance(child.actor, Supervisor):
            environment.bury_below(path)
        if child.ref is not None:
            environment.bury(child.ref, path)
        self.child_ended(child.spec.id, error)

    # Messages.

    def _start_child_asked(self, spec: ChildSpec) -> ActorRef | None:
        try:
            return self.start_child(spec)
        except Exception as error:
            current = self.life.current
            if current is not None and current.reply_to is not None:
                raise
            # Nobody waits for the answer, and a child that cannot be made is no failure of its supervisor.
            self.life.environment.observer.actor_failed(f"{self.life.path}/{spec.id}", error, StartChild.__name__)
            return None

    def _stop_child_asked(self, id_: str) -> bool | None:
        if id_ not in self._children:
            return False
        self._flock.start_soon(self._stop_and_answer, id_, self.defer_reply(), name=f"{self.life.path}:stop")
        return None

    async def _stop_and_answer(self, id_: str, reply_to: pykka.Future[object] | None) -> None:
        stopped = False
        try:
            await self.stop_child(id_)
            stopped = True
        except NoSuchChild:
            # Another request was faster.
            stopped = False
        finally:
            if reply_to is not None:
                reply_to.set(stopped)
