"""A node of a beacon chain: the Beacon API with its stream of events, and what can go wrong with it.

Rules of this file: it says of a ``Chain`` what a real node would. Events go out by ``publish`` and ``tell``, whole or
in pieces of ``piece_size`` bytes, with the line endings that the test wants. Topics that are joined with commas are
never answered, not even with a head, as by Lodestar 1.5.1, unless ``takes_joined``. With ``opens_late`` the head of a
stream comes with its first event, as there too.
"""

from __future__ import annotations

import json
import math
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

import trio

from tests.nodes.beacon_chain import Block, Chain
from tests.nodes.serving import Answer, Asked, Node, Silent

TOPICS = frozenset(
    {"head", "block", "finalized_checkpoint", "chain_reorg", "voluntary_exit", "proposer_slashing", "attester_slashing"}
)


class BeaconNode(Node):
    """A node of ``chain``.

    ``lag`` is how many blocks it is behind, ``backwards`` by how many every second answer about the head is older,
    ``missing`` the beginnings of paths that it does not have, ``topics`` those that it knows.
    """

    def __init__(self, chain: Chain, *, lag: int = 0, backwards: int = 0, missing: Sequence[str] = ()) -> None:
        super().__init__()
        self.chain = chain
        self.lag = lag
        self.backwards = backwards
        self.missing = tuple(missing)
        self.topics = set(TOPICS)
        self.takes_joined = False
        self.opens_late = False
        self.is_syncing = False
        self.health = 200
        self.peers: list[str] = []
        self.newline = "\n"
        self.piece_size: int | None = None
        self._streams: dict[trio.MemorySendChannel[bytes], frozenset[str]] = {}
        self._told = self.head
        self._turn = 0

    @property
    def head(self) -> Block:
        """Its newest block."""
        return self.chain.blocks[max(0, len(self.chain.blocks) - 1 - self.lag)]

    @property
    def listeners(self) -> int:
        """How many streams are open."""
        return len(self._streams)

    # -- what it tells ------------------------------------------------------------------------------------------------

    async def publish(self) -> None:
        """Tell of the blocks that have come since the last time; of a reorganization first."""
        chain = self.chain
        if not self.is_awake:
            return
        if self._told not in chain.blocks:
            old, new = self._told, self.head
            common = old
            while common not in chain.blocks:
                common = chain.known[common.parent]
            await self.tell(
                "chain_reorg",
                {
                    "slot": str(new.slot),
                    "depth": str(old.slot - common.slot),
                    "old_head_block": old.root,
                    "new_head_block": new.root,
                    "epoch": str(new.slot // chain.epoch_size),
                    "execution_optimistic": False,
                },
            )
            self._told = common
        # A node that has fallen behind tells nothing until it is there again.
        while self._told.slot < self.head.slot:
            self._told = chain.blocks[chain.blocks.index(self._told) + 1]
            await self._tell_block(self._told)

    async def grow(self) -> None:
        """Add a block to the chain and tell of it."""
        self.chain.grow()
        await self.publish()

    async def finalize(self, epoch: int) -> None:
        """Make ``epoch`` final and tell of it."""
        self.chain.finalize(epoch)
        root = self.chain.first_of(epoch).root
        told = {"block": root, "state": root, "epoch": str(epoch), "execution_optimistic": False}
        await self.tell("finalized_checkpoint", told)

    async def accuse(self, index: int) -> None:
        """Tell of a proposer slashing that is in no block yet."""
        signed = {"message": {**self.head.message(), "proposer_index": str(index)}, "signature": "0x00"}
        await self.tell("proposer_slashing", {"signed_header_1": signed, "signed_header_2": signed})

    async def tell(self, topic: str, value: object) -> None:
        """Send an event to whoever listens to ``topic``."""
        text = self.newline.join((f"event: {topic}", f"data: {json.dumps(value)}", "", ""))
        await self.say(text.encode(), topic)

    async def keep_alive(self) -> None:
        """Send a comment to all."""
        await self.say(f": {self.newline}".encode())

    async def say(self, data: bytes, topic: str | None = None) -> None:
        """Send bytes as they are, to whoever listens to ``topic``, by default to all."""
        size = self.piece_size or len(data)
        for listener, topics in list(self._streams.items()):
            if topic is None or topic in topics:
                for first in range(0, len(data), size):
                    await listener.send(data[first : first + size])

    def end_streams(self) -> None:
        """End every stream as a server does that restarts in good order."""
        for listener in list(self._streams):
            listener.close()

    async def _tell_block(self, block: Block) -> None:
        await self.tell("block", {"slot": str(block.slot), "block": block.root, "execution_optimistic": False})
        head = {
            "slot": str(block.slot),
            "block": block.root,
            "state": str(block.message()["state_root"]),
            "epoch_transition": block.slot % self.chain.epoch_size == 0,
            "previous_duty_dependent_root": self.chain.blocks[0].root,
            "current_duty_dependent_root": self.chain.blocks[0].root,
            "execution_optimistic": False,
        }
        await self.tell("head", head)

    # -- what it answers ----------------------------------------------------------------------------------------------

    async def answer(self, asked: Asked) -> Answer:
        """Serve the Beacon API."""
        path = asked.path.removeprefix("/eth/v1/")
        if path.startswith(self.missing or ("\n",)):
            return _error(404, f"Route {asked.method}:{asked.path} not found")
        if path == "events":
            answer = self._events(asked)
            return await _held(answer) if self.opens_late and answer.pieces is not None else answer
        if path == "node/health":
            return Answer(b"", 206 if self.is_syncing and self.health == 200 else self.health)
        for beginning, says in _PATHS.items():
            if path.startswith(beginning):
                return says(self, asked, path.removeprefix(beginning))
        return _error(404, f"Route {asked.method}:{asked.path} not found")

    def _events(self, asked: Asked) -> Answer:
        wanted = asked.query.get("topics", [])
        if any("," in topic for topic in wanted):
            if not self.takes_joined:
                raise Silent
            wanted = [topic for joined in wanted for topic in joined.split(",")]
        unknown = sorted(set(wanted) - self.topics)
        if unknown:
            return _error(400, f"Invalid topic: {unknown[0]}")
        listener, pieces = trio.open_memory_channel[bytes](math.inf)
        self._streams[listener] = frozenset(wanted)
        return Answer(pieces=self._pieces(listener, pieces))

    async def _pieces(
        self, listener: trio.MemorySendChannel[bytes], pieces: trio.MemoryReceiveChannel[bytes]
    ) -> AsyncGenerator[bytes, None]:
        try:
            async for piece in pieces:
                yield piece
        finally:
            del self._streams[listener]

    def _find(self, named: str) -> Block | None:
        """A block by its name; the head may be an older one when it is this node's turn to lie."""
        if named == "head":
            self._turn += 1
            place = self.chain.blocks.index(self.head) - self.backwards * (self._turn % 2 == 0)
            return self.chain.blocks[max(0, place)]
        if named == "genesis":
            return self.chain.blocks[0]
        if named == "finalized":
            return self.chain.first_of(self.chain.finalized)
        if named.startswith("0x"):
            return self.chain.known.get(named)
        return next((block for block in self.chain.blocks if str(block.slot) == named), None)

    def _version(self, _: Asked, __: str) -> Answer:
        return _data({"version": "test/v1.0.0"})

    def _syncing(self, _: Asked, __: str) -> Answer:
        head = self.head.slot
        distance = str(self.chain.slot - head)
        sync = {"head_slot": str(head), "sync_distance": distance, "is_syncing": self.is_syncing}
        return _data({**sync, "is_optimistic": False, "el_offline": False})

    def _peer_count(self, _: Asked, __: str) -> Answer:
        return _data({"disconnected": "0", "connecting": "0", "connected": str(len(self.peers)), "disconnecting": "0"})

    def _peers(self, _: Asked, __: str) -> Answer:
        peers = [
            {"peer_id": name, "last_seen_p2p_address": f"/ip4/10.0.0.{number}/tcp/9000", "state": "connected"}
            for number, name in enumerate(self.peers, 1)
        ]
        return Answer({"data": peers, "meta": {"count": len(peers)}})

    def _genesis(self, _: Asked, __: str) -> Answer:
        root, began = self.chain.blocks[0].root, str(self.chain.began)
        return _data({"genesis_time": began, "genesis_validators_root": root, "genesis_fork_version": "0x00000001"})

    def _spec(self, _: Asked, __: str) -> Answer:
        chain = self.chain
        return _data(
            {
                "CONFIG_NAME": "test",
                "SECONDS_PER_SLOT": str(chain.slot_time),
                "SLOTS_PER_EPOCH": str(chain.epoch_size),
                "DEPOSIT_CHAIN_ID": "1",
            }
        )

    def _header(self, _: Asked, named: str) -> Answer:
        block = self._find(named)
        if block is None:
            return _error(404, "Block not found")
        header = {"message": block.message(), "signature": "0x00"}
        data = {"root": block.root, "canonical": block in self.chain.blocks, "header": header}
        is_final = block.slot <= self.chain.finalized * self.chain.epoch_size
        return Answer({"execution_optimistic": False, "finalized": is_final, "data": data})

    def _state(self, asked: Asked, rest: str) -> Answer:
        named, _, what = rest.partition("/")
        block = self._find(named)
        if block is None:
            return _error(404, "State not found")
        if what == "finality_checkpoints":
            epochs = {"previous_justified": max(0, self.chain.justified - 1), "current_justified": self.chain.justified}
            points = {**epochs, "finalized": self.chain.finalized}
            named_points = {
                name: {"epoch": str(at), "root": self.chain.first_of(at).root} for name, at in points.items()
            }
            return Answer({"execution_optimistic": False, "finalized": False, "data": named_points})
        if what != "validators":
            return _error(404, f"Route {asked.method}:{asked.path} not found")
        ids = {one for joined in asked.query.get("id", []) for one in joined.split(",")}
        found = [one.record() for one in block.validators if not ids or {str(one.index), one.pubkey} & ids]
        return Answer({"execution_optimistic": False, "finalized": False, "data": found})

    def _duties(self, _: Asked, epoch: str) -> Answer:
        duties = [
            {"pubkey": validator.pubkey, "validator_index": str(validator.index), "slot": str(slot)}
            for slot, validator in self.chain.duties(int(epoch))
        ]
        root = self.chain.blocks[0].root
        return Answer({"dependent_root": root, "execution_optimistic": False, "data": duties})

    def _liveness(self, asked: Asked, _: str) -> Answer:
        indices = [int(index) for index in json.loads(asked.body)]
        return _data([{"index": str(index), "is_live": index not in self.chain.idle} for index in indices])

    def _rewards(self, asked: Asked, _: str) -> Answer:
        indices = [int(index) for index in json.loads(asked.body)]
        total = []
        for index in indices:
            figure = "-3000" if index in self.chain.idle else "3000"
            total.append({"validator_index": str(index), "head": "0", "target": figure, "source": figure})
        return Answer({"execution_optimistic": False, "data": {"ideal_rewards": [], "total_rewards": total}})


_PATHS: dict[str, Callable[[BeaconNode, Asked, str], Answer]] = {
    "node/version": BeaconNode._version,
    "node/syncing": BeaconNode._syncing,
    "node/peer_count": BeaconNode._peer_count,
    "node/peers": BeaconNode._peers,
    "beacon/genesis": BeaconNode._genesis,
    "config/spec": BeaconNode._spec,
    "beacon/headers/": BeaconNode._header,
    "beacon/states/": BeaconNode._state,
    "validator/duties/proposer/": BeaconNode._duties,
    "validator/liveness/": BeaconNode._liveness,
    "beacon/rewards/attestations/": BeaconNode._rewards,
}


async def _held(answer: Answer) -> Answer:
    """``answer``, when there is a first piece of it."""
    pieces = answer.pieces
    assert pieces is not None
    first = await anext(pieces)

    async def all_of_it() -> AsyncGenerator[bytes, None]:
        async with aclosing(pieces):
            yield first
            async for piece in pieces:
                yield piece

    return Answer(pieces=all_of_it())


def _data(value: object) -> Answer:
    return Answer({"data": value})


def _error(status: int, message: str) -> Answer:
    return Answer({"code": status, "message": message}, status)
