"""One WebSocket to a node of a chain of CometBFT: made, subscribed on, read to its end, and made anew.

Rules of this file:

* The ``Session`` decides what is subscribed to and when the link is given up; here is what it cannot do.
* A link is silent when its node has newer blocks than it tells: a chain that stands still is no silence.
* A delay is random and doubles while nothing comes.
"""

from __future__ import annotations

import trio

from actors.sources.backoff import Backoff
from actors.sources.chain_link import NodeState
from actors.sources.cosmos_node import FAULTS_TOLD, Node
from domain import JsonObject
from domain.chain import BlockSeen, HeadSeen, SetChanged
from domain.chain.cosmos import (
    Cancelled,
    CosmosFault,
    Heard,
    Lane,
    Opened,
    Reconnect,
    Refused,
    Send,
    Session,
    Step,
    Stray,
    queries_of,
    read_message,
)
from transport import Closed, CodecError, LinkLimits, Unfetched, WebSocketLink, connect, decode_json, encode_json
from transport import Refused as RefusedByNode

LOOK = 1.0
SHORTEST_QUIET = 3.0
UNKNOWN_PACE = 7.5
"""Seconds that are taken for the block time while it is not known."""


class NodeLane:
    """The link for ``lane`` to ``node``."""

    def __init__(self, node: Node, lane: Lane) -> None:
        self._node = node
        self._lane = lane
        self._backoff = Backoff(node.chance)
        self._height = -1
        self.session: Session | None = None
        state = node.state
        self.state = NodeState(state.source, node.name, lane.value, state.place, state.clock)

    async def keep(self) -> None:
        """Have a link, for ever."""
        while True:
            await self._node.wait_ours()
            reason = await self._attend()
            delay = self._backoff.next()
            self.state.lost(reason, delay)
            await trio.sleep(delay)

    async def _attend(self) -> str:
        """Make a link and read it to its end; why it ended."""
        node = self._node
        address, limits = f"{node.address}/websocket", LinkLimits(deadline=node.settings.deadline)
        headers, context = node.access.headers, node.access.context
        try:
            async with connect(address, limits=limits, headers=headers, context=context) as link:
                return await self._converse(link)
        except (Unfetched, RefusedByNode, Closed) as error:
            return str(error)
        finally:
            self.session = None

    async def _converse(self, link: WebSocketLink) -> str:
        session = self.session = Session(queries_of(self._lane, self._node.release))
        self._height = self._node.height
        self.state.connected()
        steps = session.opened(trio.current_time())
        while True:
            for step in steps:
                if isinstance(step, Reconnect):
                    return step.reason
                await self._do(step, session, link)
            if not self._node.is_ours:
                return self._node.state.reason or "it is a node of another chain"
            session.quiet_after = self._patience()
            due = min(session.due() or float("inf"), trio.current_time() + LOOK)
            message: str | bytes | None = None
            with trio.move_on_at(due):
                message = await anext(link)
            steps = session.tick(trio.current_time()) if message is None else self._take(session, message)

    def _take(self, session: Session, message: str | bytes) -> list[Step]:
        try:
            return session.received(decode_json(message, limit=None), trio.current_time())
        except CodecError as error:
            return [Stray(str(error))]

    def _patience(self) -> float | None:
        """How long the link may be silent; None while it has told all that its node has."""
        if self._node.height <= self._height + 1:
            return None
        block_time = self._node.known.block_time or UNKNOWN_PACE
        return max(SHORTEST_QUIET, self._node.settings.stale_after * block_time)

    async def _do(self, step: Step, session: Session, link: WebSocketLink) -> None:
        match step:
            case Send(message=message):
                await link.send(encode_json(message).decode())
            case Opened() if self._lane is Lane.BULK and session.is_open:
                self._node.opened()
            case Heard(query=query, message=message):
                await self._hear(query.name, message)
            case Refused(query=query, reason=reason):
                self.state.lost_stream(query.name, f"refused: {reason}")
            case Cancelled(query=query, reason=reason):
                self.state.lost_stream(query.name, f"cancelled: {reason}")
            case Stray(reason=reason):
                self.state.failed(self._lane.value, reason)

    async def _hear(self, query: str, message: JsonObject) -> None:
        self._backoff.reset()
        node = self._node
        try:
            told = read_message(message, node.origin(query), node.known)
        except CosmosFault as fault:
            self.state.failed(query, str(fault))
            return
        for each in told.observations:
            if isinstance(each, HeadSeen | BlockSeen):
                self._height = max(self._height, each.height)
                node.note_height(each.height)
        self.state.answered()
        for unread in told.faults[:FAULTS_TOLD]:
            self.state.failed(query, str(unread))
        await node.take(told.observations)
        if any(isinstance(each, SetChanged) and _has_leavers(each) for each in told.observations):
            node.suspect()


def _has_leavers(change: SetChanged) -> bool:
    """Whether ``change``, which names no height, says that somebody leaves the set."""
    return change.provenance.height is None and any(not power for _, power in change.powers)
