"""The keeper of the channels: makes one when it is first needed, and lets it go when it is idle.

Rules of this file: the keeper is the only one that speaks to a channel, so a channel can be retired without
a message getting lost in between. It knows who follows which tree, because a tree reaches channels that do not
exist yet; and it holds the followers, so that they outlive a life of their channel. It lets nobody follow what their
rights do not see, whoever asked for it: a tree is, to each of its followers, the channels of it that they may see.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import ClassVar

import msgspec
import trio
from msgspec.structs import replace

from actors.beats import beat
from actors.channels.channel import Channel
from actors.channels.critical_order import CriticalOrder
from actors.channels.followers import Followers
from actors.hooks.taps import Taps
from actors.messages import Follow, Publish, ReadChannels, Unfollow
from actors.places import RECORDER, Address
from actors.runtime import ActorRef, ChildSpec, MailboxFull, Policy, Supervisor, ask
from config import ChannelSettings
from domain import Gap, JsonValue, Priority, below, channel_of, holds_state, is_tree, may_be_kept
from telemetry import counters, events, gauges
from transport import Followed, FrameStream

RETIRE_INTERVAL = 10.0
RETIRE_DEADLINE = 0.5
RETIRE_AT_ONCE = 64
KNOWN_LIMIT, KNOWN_TIMEOUT = 1000, 5.0
CROWDED = 0.9


class RetireIdle(msgspec.Struct, frozen=True):
    """It is time to let go of the channels that nobody used."""

    priority: ClassVar[Priority] = Priority.HIGH


class OpenKnown(msgspec.Struct, frozen=True):
    """The journal has events of the channels ``names`` below ``tree``."""

    tree: str
    names: tuple[str, ...]
    priority: ClassVar[Priority] = Priority.HIGH


class _Kept(msgspec.Struct):
    """What the keeper holds of one channel; ``used`` is on trio's clock."""

    ref: ActorRef
    followers: Followers
    used: float


class Channels(Supervisor):
    """Supervises one ``Channel`` for each name; there are no more than ``settings.limit`` of them at a time.

    Who listens at the ``taps`` is told of every event, whoever follows its channel.
    """

    has_tasks = True

    def __init__(
        self, settings: ChannelSettings, clock: Callable[[], float] = time.time, taps: Taps | None = None
    ) -> None:
        super().__init__((), Policy(intensity=50, period=10.0))
        self._settings = settings
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._trees: dict[str, dict[FrameStream, Follow]] = {}
        self._refused: dict[str, dict[FrameStream, Follow]] = {}
        self._followed: dict[FrameStream, tuple[str, ...]] = {}
        self._critical = CriticalOrder(self._tell)
        self._taps = Taps() if taps is None else taps
        self._recorder = Address(self.life.environment, RECORDER)
        self._known: set[str] = set()

    async def setup(self) -> None:
        """Begin to look for idle channels."""
        gauges.feed("channels", lambda: len(self._kept))
        gauges.feed("subscriptions", lambda: sum(map(len, self._followed.values())))
        self.start_task(self._retire_for_ever)

    async def close(self) -> None:
        """Tell no more figures."""
        gauges.forget("channels")
        gauges.forget("subscriptions")

    def on_receive(self, message: object) -> object:
        """Pass on what is for a channel; the rest is supervision."""
        match message:
            case Publish():
                self._publish(message)
            case Follow():
                self._follow(message)
            case Unfollow(channel=channel, outlet=outlet):
                self._unfollow(channel, outlet)
            case OpenKnown(tree=tree, names=names):
                self._open_known(tree, names)
            case RetireIdle():
                return self._retire_idle()
            case _:
                return super().on_receive(message)
        return None

    def describe(self) -> Mapping[str, JsonValue]:
        """How many channels and followers there are, and which trees are followed."""
        return {"channels": len(self._kept), "followers": len(self._followed), "trees": sorted(self._trees)}

    def child_ended(self, id: str, error: Exception | None) -> None:  # noqa: A002 - the word of ChildSpec
        """Forget a channel that has ended for good."""
        del error
        self._kept.pop(id, None)

    def _publish(self, message: Publish) -> None:
        event = message.event
        if self._taps:
            self._taps.take(event)
        if message.critical is None:
            self._tell(channel_of(event), message)
        else:
            self._critical.take(channel_of(event), message, trio.current_time())

    # -- to a channel -------------------------------------------------------------------------------------

    def _tell(self, name: str, message: Publish | Follow | Unfollow) -> None:
        is_critical = message.priority is Priority.CRITICAL
        kept = self._kept.get(name)
        # Who follows what nobody says anything on yet leaves room for those who say something.
        if kept is None and not (type(message) is Follow and self._room_kept):
            kept = self._open(name, is_critical=is_critical)
        if kept is None:
            if type(message) is Follow:
                self._refused.setdefault(name, {})[message.outlet] = message
                _confirm_without(message)
            return
        kept.used = trio.current_time()
        try:
            kept.ref.tell(message)
        except MailboxFull:
            # The mailbox counts what it refuses; that nobody is forgotten over it is up to us.
            self._follow_directly(kept.followers, message)

    def _follow_directly(self, followers: Followers, message: Publish | Follow | Unfollow) -> None:
        match message:
            case Follow(outlet=outlet, encode=encode, max_hz=max_hz):
                followers.add(outlet, encode, max_hz)
                _confirm_without(message)
            case Unfollow(outlet=outlet):
                followers.discard(outlet)

    def _open(self, name: str, *, is_critical: bool) -> _Kept | None:
        """Make the channel ``name`` with those who follow it or a tree that it is in; None if there are too many.

        For what is critical there is always room: those are few.
        """
        if len(self._kept) >= self._settings.limit and not is_critical:
            events.channel_refused(channel=name, limit=self._settings.limit)
            return None
        followers = Followers()
        waiting = [follows for tree, follows in self._trees.items() if below(name, tree)]
        refused = self._refused.pop(name, {})
        for follows in (*waiting, refused):
            for outlet, follow in follows.items():
                if not follow.rights.sees(name):
                    continue
                followers.add(outlet, follow.encode, follow.max_hz)
        spec = ChildSpec(name, Channel, (name, followers, self._settings, self._clock), shutdown=RETIRE_DEADLINE)
        kept = self._kept[name] = _Kept(self.start_child(spec), followers, trio.current_time())
        for follow in refused.values():
            if follow.critical_after is not None:
                # What the journal has of the time without room.
                kept.ref.tell(replace(follow, latest=0, since=None, confirm=None))
        return kept

    # -- who follows what ---------------------------------------------------------------------------------

    def _follow(self, follow: Follow) -> None:
        names = self._followed.get(follow.outlet, ())
        if follow.channel not in names:
            self._followed[follow.outlet] = (*names, follow.channel)
            counters.subscriptions_made += 1
        if not is_tree(follow.channel):
            self._follow_one(follow)
            return
        if follow.confirm is not None:
            follow.outlet.send(follow.confirm(Followed(follow.channel, "", 0, recovered=True)))
        # A tree has no position; each of its channels has its own.
        each = replace(follow, since=None, confirm=None)
        self._trees.setdefault(follow.channel, {})[follow.outlet] = each
        for name, kept in self._kept.items():
            if below(name, follow.channel) and follow.rights.sees(name):
                self._tell(name, _joined(kept.followers, each))
        if follow.channel not in self._known and may_be_kept(follow.channel):
            self._known.add(follow.channel)
            self.start_task(self._read_known, follow.channel)

    def _follow_one(self, follow: Follow) -> None:
        if follow.rights.sees(follow.channel):
            self._tell(follow.channel, follow)
        else:
            _confirm_without(follow)

    async def _read_known(self, tree: str) -> None:
        """Find out which channels of ``tree`` the journal has: a life before this one may have published on them."""
        names: object = None
        # Whatever went wrong there, who follows is told what is new.
        with suppress(Exception):
            names = await ask(self._recorder.ref, ReadChannels(tree, KNOWN_LIMIT), KNOWN_TIMEOUT)
        if isinstance(names, tuple):
            with suppress(MailboxFull):
                self.actor_ref.tell(OpenKnown(tree, names))
        else:
            # The next who follows it asks again.
            self._known.discard(tree)

    def _open_known(self, tree: str, names: tuple[str, ...]) -> None:
        for name in names:
            if name in self._kept or len(self._kept) >= CROWDED * self._settings.limit:
                continue
            kept = self._open(name, is_critical=False)
            for follow in self._trees.get(tree, {}).values():
                if kept is not None and follow.rights.sees(name):
                    kept.ref.tell(replace(follow, is_late=True))

    def _unfollow(self, channel: str | None, outlet: FrameStream) -> None:
        names = self._followed.pop(outlet, ())
        gone = [name for name in names if channel is None or name == channel]
        rest = tuple(name for name in names if name not in gone)
        if rest:
            self._followed[outlet] = rest
        for name in gone:
            for each in self._reached(name, outlet):
                if not any(_covers(other, each) for other in rest):
                    self._tell(each, Unfollow(each, outlet))

    def _reached(self, name: str, outlet: FrameStream) -> list[str]:
        """The channels that a followed ``name`` reaches; a tree is followed no more by ``outlet``."""
        waiting = self._trees if is_tree(name) else self._refused
        follows = waiting.get(name, {})
        follows.pop(outlet, None)
        if not follows:
            waiting.pop(name, None)
        if not is_tree(name):
            return [name] if name in self._kept else []
        return [each for each in self._kept if below(each, name)]

    # -- idle channels ------------------------------------------------------------------------------------

    async def _retire_for_ever(self) -> None:
        while True:
            await beat(RETIRE_INTERVAL)
            self._critical.go_on(trio.current_time())
            self._retire_soon()

    def _retire_soon(self) -> None:
        # Behind a full mailbox there are more urgent things to do.
        with suppress(MailboxFull):
            self.actor_ref.tell(RetireIdle())

    async def _retire_idle(self) -> None:
        """Let some idle channels go; the others wait for the next message, so that publications get in between."""
        now = trio.current_time()
        idle = {name: now - kept.used for name, kept in islice(self._idle(now), RETIRE_AT_ONCE)}
        async with trio.open_nursery() as nursery:
            for name in idle:
                # Waited for in this handler: nothing can be published to it in between.
                nursery.start_soon(self.stop_child, name)
        for name, age in idle.items():
            events.channel_retired(channel=name, idle=age)
        if len(idle) == RETIRE_AT_ONCE:
            self._retire_soon()

    @property
    def _room_kept(self) -> bool:
        """Whether the room that is left is for channels on which something is said."""
        return len(self._kept) >= CROWDED * self._settings.limit

    def _idle(self, now: float) -> Iterator[tuple[str, _Kept]]:
        # What a machine said last holds until it says otherwise; only room for new channels matters more.
        is_crowded = len(self._kept) > CROWDED * self._settings.limit
        for name, kept in self._kept.items():
            is_unused = now - kept.used >= self._settings.idle and not kept.followers
            if is_unused and (is_crowded or not holds_state(name)):
                yield name, kept


def _confirm_without(follow: Follow) -> None:
    """Answer ``follow`` where its channel cannot: it follows, or will when there is room, from no known position on."""
    if follow.confirm is None:
        return
    since = follow.since
    gap = None if since is None else Gap(follow.channel, since.offset + 1, since.offset, None, "history")
    follow.outlet.send(follow.confirm(Followed(follow.channel, "", 0, recovered=since is None, gap=gap)))


def _joined(followers: Followers, follow: Follow) -> Follow:
    """Let who asks by a tree follow at once: it has its answer, and what is critical overtakes this in a mailbox.

    Who says behind which critical event is told what has overtaken, in its order.
    """
    if follow.critical_after is not None or follow.outlet in followers:
        return follow
    followers.add(follow.outlet, follow.encode, follow.max_hz)
    return replace(follow, is_late=True)


def _covers(name: str, channel: str) -> bool:
    return below(channel, name) if is_tree(name) else name == channel
