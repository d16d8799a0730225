"""A node of a CometBFT chain: JSON-RPC and its WebSocket, and the REST interface of the Cosmos SDK, on one port.

Rules of this file: it says of a ``Chain`` what a real node would, and breaks as the test wants it to (``Node`` has what
can go wrong with any server). A node that lags, lies backwards or has pruned answers so in all of its interfaces.
Nothing is told to subscribers but by ``publish`` and the methods after it.

Source of the words of its errors: CometBFT v0.38, ``rpc/core`` (``env.go``, ``events.go``) and ``rpc/jsonrpc/types``.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from domain import rfc3339
from tests.nodes.comet_chain import Chain, flattened
from tests.nodes.comet_rest import answer_rest
from tests.nodes.serving import Answer, Asked, Attended, Node

QUERIES = 5
INTERNAL, SERVER, UNKNOWN = (-32603, "Internal error"), (-32000, "Server error"), (-32601, "Method not found")
_CONDITION = re.compile(r"^\s*([\w.]+)\s*(?:=\s*'?([^']*?)'?|(EXISTS))\s*$")


class RpcError(Exception):
    """An error object of JSON-RPC."""

    def __init__(self, data: str, kind: tuple[int, str] = INTERNAL) -> None:
        super().__init__(data)
        self.members = {"code": kind[0], "message": kind[1], "data": data}


@dataclass(frozen=True)
class Subscription:
    """A query of one connection; what it matches comes with ``id``."""

    link: Attended
    id: object
    query: str

    def matches(self, flat: Mapping[str, Sequence[str]]) -> bool:
        for condition in self.query.split(" AND "):
            found = _CONDITION.match(condition)
            if found is None:
                raise RpcError("failed to parse query")
            name, value, exists = found.groups()
            if name not in flat or (not exists and value not in flat[name]):
                return False
        return True


class CometNode(Node):
    """A node of ``chain``.

    ``lag`` is how many blocks it is behind, ``backwards`` by how many every second answer is older than the one before
    it, ``earliest`` the lowest height that it has kept, ``queries`` how many one connection may have. ``round_`` is
    where its consensus stands: height, round, step (1 to 8).
    """

    def __init__(
        self, chain: Chain, moniker: str = "node", *, lag: int = 0, backwards: int = 0, earliest: int = 1
    ) -> None:
        super().__init__()
        self.chain = chain
        self.moniker = moniker
        self.lag = lag
        self.backwards = backwards
        self.earliest = earliest
        self.queries = QUERIES
        self.is_catching_up = False
        self.peers: list[str] = []
        self.pool: list[bytes] = []
        self.round_: tuple[int, int, int] | None = None
        self.subscriptions: list[Subscription] = []
        self.refused = 0
        self.called: list[tuple[str, Mapping[str, object]]] = []
        self._told = chain.tip
        self._turn = 0

    @property
    def head(self) -> int:
        """The height of its newest block."""
        return max(self.chain.first - 1, self.chain.tip - self.lag)

    # -- what it tells its subscribers --------------------------------------------------------------------------------

    async def publish(self) -> None:
        """Tell of the blocks that have come since the last time, in the order of a real node: block, txs, set."""
        while self._told < self.head and self.is_awake:
            self._told += 1
            await self._publish_block(self._told)

    async def grow(self, **members: object) -> None:
        """Add a block to the chain and tell of it."""
        self.chain.grow(**members)
        await self.publish()

    async def tell(self, kind: str, value: object, flat: Mapping[str, Sequence[str]]) -> None:
        """Send a message of ``kind`` to whoever has asked for what ``flat`` says."""
        carried = {"type": f"tendermint/event/{kind}", "value": value}
        for subscription in list(self.subscriptions):
            if subscription.matches(flat):
                result = {"query": subscription.query, "data": carried, "events": dict(flat)}
                await subscription.link.send({"jsonrpc": "2.0", "id": subscription.id, "result": result})

    async def tell_round(self, height: int, round_: int = 0, step: str = "RoundStepPropose") -> None:
        """Tell of a step of the consensus; of step ``RoundStepNewRound`` with who proposes."""
        value: dict[str, object] = {"height": str(height), "round": round_, "step": step}
        if step == "RoundStepNewRound":
            bonded = self.chain.validators(height)
            proposer = bonded[(height + round_) % len(bonded)]
            value["proposer"] = {"address": proposer.address, "index": 0}
            await self.tell("NewRound", value, {"tm.event": ["NewRound"]})
        else:
            await self.tell("RoundState", value, {"tm.event": ["NewRoundStep"]})

    async def cancel(
        self, query: str | None = None, reason: str = "client is not pulling messages fast enough"
    ) -> None:
        """Cancel the subscriptions of ``query``, of all by default, as a node does to whom is too slow for it."""
        for subscription in [one for one in self.subscriptions if query in {None, one.query}]:
            self.subscriptions.remove(subscription)
            error = RpcError(f"subscription was canceled (reason: {reason})", SERVER).members
            await subscription.link.send({"jsonrpc": "2.0", "id": subscription.id, "error": error})

    async def _publish_block(self, height: int) -> None:
        chain, block = self.chain, self.chain.blocks[height]
        events, results = chain.events(height), chain.results(height)
        if "finalize_block_events" in results:
            updates = chain.updates(height) or []
            ended = {"result_finalize_block": {"events": events, "validator_updates": updates, "app_hash": ""}}
        else:
            ended = {
                "result_begin_block": {"events": events},
                "result_end_block": {"validator_updates": chain.updates(height)},
            }
        value = {"block": chain.block(height), "block_id": chain.block_id(height), **ended}
        await self.tell("NewBlock", value, flattened("NewBlock", block.events))
        header = {"header": chain.header(height), "num_txs": str(len(block.txs)), **ended}
        if "result_finalize_block" in ended:
            header = {"header": chain.header(height)}
            told = {"height": str(height), "events": events, "num_txs": str(len(block.txs))}
            await self.tell("NewBlockEvents", told, flattened("NewBlockEvents", block.events, block_height=str(height)))
        await self.tell("NewBlockHeader", header, flattened("NewBlockHeader", block.events))
        for index, tx in enumerate(block.txs):
            await self._publish_tx(height, index, tx)
        if block.updates:
            value = {"validator_updates": chain.update_event(height)}
            await self.tell("ValidatorSetUpdates", value, {"tm.event": ["ValidatorSetUpdates"]})

    async def _publish_tx(self, height: int, index: int, tx: bytes) -> None:
        results = self.chain.tx_results(height) or []
        where = {"height": str(height), **({"index": index} if index else {})}
        value = {"TxResult": {**where, "tx": b64encode(tx).decode(), "result": results[index]}}
        flat = flattened("Tx", (), tx_hash=sha256(tx).hexdigest().upper(), tx_height=str(height))
        await self.tell("Tx", value, flat)

    # -- what it answers ----------------------------------------------------------------------------------------------

    async def attend(self, link: Attended) -> None:
        """Serve the WebSocket: subscriptions, and every call that HTTP has."""
        try:
            async for message in link:
                request = json.loads(message)
                await link.send(self._rpc(request, link))
        finally:
            self.subscriptions = [one for one in self.subscriptions if one.link is not link]

    async def answer(self, asked: Asked) -> Answer:
        """Serve HTTP: JSON-RPC by POST and by GET, and REST."""
        if asked.method == "POST":
            return Answer(self._rpc(json.loads(asked.body), None))
        if asked.path.startswith("/cosmos/"):
            return answer_rest(self.chain, asked, self._height({}), self.earliest)
        params = {name: values[0].strip('"') for name, values in asked.query.items()}
        told = self._rpc({"id": -1, "method": asked.path.strip("/"), "params": params}, None)
        return Answer(told, 500 if "error" in told else 200)

    def _rpc(self, request: Mapping[str, object], link: Attended | None) -> dict[str, object]:
        envelope = {"jsonrpc": "2.0", "id": request["id"]}
        method, params = str(request["method"]), request.get("params") or {}
        assert isinstance(params, Mapping)
        self.called.append((method, params))
        try:
            scripted = self.scripted(method, params)
            if scripted is not None:
                return {**envelope, "result": scripted.value}
            return {**envelope, "result": self._call(method, params, link, request["id"])}
        except RpcError as error:
            return {**envelope, "error": error.members}

    def _call(self, method: str, params: Mapping[str, object], link: Attended | None, number: object) -> object:
        if link is not None and method == "subscribe":
            return self._subscribe(link, number, str(params["query"]))
        if link is not None and method in {"unsubscribe", "unsubscribe_all"}:
            gone = [one for one in self.subscriptions if one.link is link and params.get("query") in {None, one.query}]
            self.subscriptions = [one for one in self.subscriptions if one not in gone]
            return {}
        says = getattr(self, f"_say_{method}", None)
        if says is None:
            raise RpcError("", UNKNOWN)
        return says(params)

    def _subscribe(self, link: Attended, number: object, query: str) -> object:
        mine = [one for one in self.subscriptions if one.link is link]
        if len(mine) >= self.queries:
            self.refused += 1
            raise RpcError(f"max_subscriptions_per_client {self.queries} reached")
        if any(one.query == query for one in mine):
            raise RpcError("already subscribed")
        subscription = Subscription(link, number, query)
        subscription.matches({})
        self.subscriptions.append(subscription)
        return {}

    def _height(self, params: Mapping[str, object], newest: int | None = None) -> int:
        """The height that is asked for; by default the newest, or an older one when it is this node's turn to lie."""
        head = self.head
        if "height" not in params:
            self._turn += 1
            return max(self.earliest, (head if newest is None else newest) - self.backwards * (self._turn % 2 == 0))
        height = int(str(params["height"]))
        if height <= 0:
            raise RpcError(f"height must be greater than 0, but got {height}")
        if height > (head if newest is None else newest):
            raise RpcError(f"height {height} must be less than or equal to the current blockchain height {head}")
        if height < self.earliest:
            raise RpcError(f"height {height} is not available, lowest height is {self.earliest}")
        return height

    def _say_health(self, _: object) -> object:
        return {}

    def _say_status(self, _: object) -> object:
        head = self._height({})
        at = self.chain.blocks[head].at if head in self.chain.blocks else self.chain.began
        info = {"id": sha256(self.moniker.encode()).hexdigest()[:40], "network": self.chain.chain}
        return {
            "node_info": {**info, "version": self.chain.release, "moniker": self.moniker},
            "sync_info": {
                "latest_block_hash": self.chain.hash(head),
                "latest_block_height": str(head),
                "latest_block_time": rfc3339(at),
                "earliest_block_height": str(self.earliest),
                "catching_up": self.is_catching_up,
            },
            "validator_info": {"address": "", "pub_key": None, "voting_power": "0"},
        }

    def _say_net_info(self, _: object) -> object:
        def info(name: str) -> object:
            number = sha256(name.encode()).hexdigest()[:40]
            return {"id": number, "moniker": name, "version": self.chain.release}

        peers = [
            {"node_info": info(name), "is_outbound": True, "remote_ip": f"10.0.0.{number}"}
            for number, name in enumerate(self.peers, 1)
        ]
        return {"listening": True, "listeners": ["Listener(@)"], "n_peers": str(len(peers)), "peers": peers}

    def _say_consensus_state(self, _: object) -> object:
        height, round_, step = self.round_ or (self.head + 1, 0, 1)
        bonded = self.chain.validators(height)
        proposer = bonded[(height + round_) % len(bonded)]
        return {
            "round_state": {
                "height/round/step": f"{height}/{round_}/{step}",
                "start_time": rfc3339(self.chain.began),
                "height_vote_set": [{"round": 0, "prevotes_bit_array": "BA{4:____} 0/40 = 0.00"}],
                "proposer": {"address": proposer.address, "index": 0},
            }
        }

    def _say_block(self, params: Mapping[str, object]) -> object:
        height = self._height(params)
        return {"block_id": self.chain.block_id(height), "block": self.chain.block(height)}

    def _say_block_results(self, params: Mapping[str, object]) -> object:
        return self.chain.results(self._height(params))

    def _say_header(self, params: Mapping[str, object]) -> object:
        return {"header": self.chain.header(self._height(params))}

    def _say_commit(self, params: Mapping[str, object]) -> object:
        height = self._height(params)
        signed = {"header": self.chain.header(height), "commit": self.chain.commit(height)}
        return {"signed_header": signed, "canonical": True}

    def _say_blockchain(self, params: Mapping[str, object]) -> object:
        last = min(self.head, int(str(params.get("maxHeight") or self.head)))
        first = max(self.earliest, last - 19, int(str(params.get("minHeight") or 1)))
        if first > last:
            raise RpcError(f"min height {first} can't be greater than max height {last}")
        metas = [
            {
                "block_id": self.chain.block_id(height),
                "block_size": "1000",
                "header": self.chain.header(height),
                "num_txs": str(len(self.chain.blocks[height].txs)),
            }
            for height in range(last, first - 1, -1)
        ]
        return {"last_height": str(self.head), "block_metas": metas}

    def _say_validators(self, params: Mapping[str, object]) -> object:
        # Without a height it is the set of the block to come.
        height = self._height(params, self.head + 1)
        members = self.chain.validators(height)
        size = min(100, int(str(params.get("per_page") or 30)))
        page = int(str(params.get("page") or 1))
        rows = [
            {
                "address": member.address,
                "pub_key": {"type": "tendermint/PubKeyEd25519", "value": b64encode(member.key).decode()},
                "voting_power": str(member.power),
                "proposer_priority": "0",
            }
            for member in members[(page - 1) * size : page * size]
        ]
        return {"block_height": str(height), "validators": rows, "count": str(len(rows)), "total": str(len(members))}

    def _say_unconfirmed_txs(self, params: Mapping[str, object]) -> object:
        txs = self.pool[: int(str(params.get("limit") or 30))]
        size = sum(len(tx) for tx in self.pool)
        shown = [b64encode(tx).decode() for tx in txs] or None
        return {"n_txs": str(len(txs)), "total": str(len(self.pool)), "total_bytes": str(size), "txs": shown}
