"""The settings of sources that are nodes of a chain: which chain, where its nodes are, how far a gap is read again.

Rules of this file: an address is shown by ``andond config``, so that none holds a password. A node goes by its name;
by default that is where it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

import msgspec

from config import rules
from config.meta import means

NODES_LIMIT = 16
WATCHED_LIMIT = 200
_CHAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9\[][A-Za-z0-9._:\[\]-]{0,62}", re.ASCII)
# The consensus address in Bech32 is left out: who is jailed is told by the operator, or by the address in hexadecimal.
_VALIDATOR = re.compile(r"[0-9A-Fa-f]{40}|(?![a-z0-9]*cons1)[a-z][a-z0-9]*1[02-9ac-hj-np-z]{38,80}", re.ASCII)
_CHAIN_NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
_BEACON_KEY = re.compile(r"0x[0-9A-Fa-f]{96}|[0-9]{1,15}", re.ASCII)
_INDEX_LIMIT = 10**15
_ADDRESS = "an address such as http://10.0.0.5:26657, without a name and a password, a query and a fragment"


def node_address(value: object) -> str | None:
    """Expect the address of a node over HTTP, without a secret in it."""
    parts = _split(value)
    if parts is None or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        return _ADDRESS
    return None if "@" not in parts.netloc else _ADDRESS


def maybe_node_address(value: object) -> str | None:
    """Expect the same, or nothing."""
    return node_address(value) if value else None


def chain_name(value: object) -> str | None:
    """Expect the name of a chain as its nodes have it."""
    if _CHAIN.fullmatch(str(value)):
        return None
    return "the chain's own name as its nodes tell it, such as cosmoshub-4 (letters, digits, dot, dash, underscore)"


def node_name(value: object) -> str | None:
    """Expect what a node is called, or nothing."""
    if value == "" or _NAME.fullmatch(str(value)):
        return None
    return "a name of letters, digits, dots, dashes and underscores, at most 63"


def cosmos_validators(value: object) -> str | None:
    """Expect addresses of operators, or consensus addresses in hexadecimal."""
    named = [str(each) for each in value] if isinstance(value, list | tuple) else []
    if len(named) <= WATCHED_LIMIT and all(_VALIDATOR.fullmatch(each) for each in named):
        return None
    return (
        f"at most {WATCHED_LIMIT} validators, each by its operator's address, such as cosmosvaloper1..., "
        "or the 40 hexadecimal digits of its consensus address"
    )


def cosmos_nodes(value: object) -> str | None:
    """Expect one node or more, each with a name of its own."""
    nodes = list(_tables(value))
    if not 0 < len(nodes) <= NODES_LIMIT:
        return f"1 to {NODES_LIMIT} nodes; two or more, so that one confirms what the other says"
    names = [name_of(str(node.get("name", "")), str(node.get("rpc", ""))) for node in nodes]
    twice = next((name for name in names if names.count(name) > 1), None)
    return None if twice is None else f"nodes that have different names, and {twice} is there more than once"


def execution_address(value: object) -> str | None:
    """Expect the address of a node over HTTP or WebSocket, without a secret in it, or nothing."""
    return node_address(re.sub(r"\Aws(?=s?://)", "http", str(value))) if value else None


def chain_number(value: object) -> str | None:
    """Expect the number of an Ethereum chain."""
    return None if _CHAIN_NUMBER.fullmatch(str(value)) else 'the number of the chain, such as "1" for the main network'


def beacon_validators(value: object) -> str | None:
    """Expect indices or public keys of validators."""
    named = list(value) if isinstance(value, list | tuple) else []
    is_right = all(0 <= each < _INDEX_LIMIT if isinstance(each, int) else _BEACON_KEY.fullmatch(each) for each in named)
    if is_right and len(named) <= WATCHED_LIMIT:
        return None
    return f"at most {WATCHED_LIMIT} validators, each an index such as 123 or a public key (0x and 96 digits)"


def ethereum_nodes(value: object) -> str | None:
    """Expect one node or more, each with one layer or both, and names of their own."""
    nodes = list(_tables(value))
    if not 0 < len(nodes) <= NODES_LIMIT:
        return f"1 to {NODES_LIMIT} nodes; two or more, so that one confirms what the other says"
    if not all(node.get("execution") or node.get("beacon") for node in nodes):
        return "nodes that have execution, beacon or both"
    for layer in ("execution", "beacon"):
        found = [node for node in nodes if node.get(layer)]
        names = [name_of(str(node.get("name", "")), str(node[layer])) for node in found]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            return f"nodes that have different names, and {twice} is there more than once"
    return None


def name_of(name: str, address: str) -> str:
    """What the node at ``address`` goes by: its ``name``, else where it is."""
    parts = _split(address)
    return name or (parts.netloc if parts is not None else address)


class CosmosNode(msgspec.Struct, frozen=True, kw_only=True):
    """A node of a chain of CometBFT."""

    rpc: Annotated[
        str, means("Its JSON-RPC; /websocket below it is subscribed to", unit="URL", reload=True, rule=node_address)
    ]
    rest: Annotated[
        str,
        means(
            "The REST interface of its Cosmos SDK; without one who is jailed is known by blocks alone",
            unit="URL",
            reload=True,
            rule=maybe_node_address,
        ),
    ] = ""
    name: Annotated[str, means("What it is called; none: host and port of `rpc`", reload=True, rule=node_name)] = ""

    @property
    def called(self) -> str:
        """What it goes by."""
        return name_of(self.name, self.rpc)


class CosmosSource(msgspec.Struct, frozen=True, kw_only=True, tag="cosmos", tag_field="kind"):
    """A chain of CometBFT and the Cosmos SDK: its nodes' JSON-RPC, WebSocket and REST."""

    chain: Annotated[
        str, means("The chain; a node of another one is refused", unit="chain id", reload=True, rule=chain_name)
    ]
    nodes: Annotated[
        tuple[CosmosNode, ...],
        means("Where it is read; two or more confirm each other", reload=True, rule=cosmos_nodes),
    ]
    equipment: Annotated[
        str, means("Where the nodes belong", unit="ISA-95 path", reload=True, rule=rules.equipment)
    ] = ""
    cadence: Annotated[
        float,
        means("Longest usual silence; twice this is an event", unit="seconds", within=(0.001, 86_400), reload=True),
    ] = 30.0
    required: Annotated[bool, means("Counts for /readyz", reload=True)] = False
    watched: Annotated[
        tuple[str, ...],
        means("Validators with metrics of their own", unit="addresses", reload=True, rule=cosmos_validators),
    ] = ()
    poll: Annotated[
        float,
        means("Time between two looks at the records that nodes have", unit="seconds", within=(1, 3600), reload=True),
    ] = 10.0
    gap_limit: Annotated[
        int,
        means(
            "Most blocks that are read again after a gap; what is beyond it is told as missed",
            unit="blocks",
            within=(0, 100_000),
            reload=True,
        ),
    ] = 500
    stale_after: Annotated[
        float,
        means(
            "Silence of a link, while its node has newer blocks, after which it is made anew",
            unit="block times",
            within=(1, 10_000),
            reload=True,
        ),
    ] = 4.0
    deadline: Annotated[
        float, means("Time that a node has for an answer", unit="seconds", within=(0.1, 300), reload=True)
    ] = 10.0


class EthereumNode(msgspec.Struct, frozen=True, kw_only=True):
    """A node of an Ethereum chain: its execution layer, its consensus layer, or both."""

    execution: Annotated[
        str,
        means(
            "JSON-RPC of its execution layer; by ws it tells of blocks and transactions, by http it is asked",
            unit="URL",
            reload=True,
            rule=execution_address,
        ),
    ] = ""
    beacon: Annotated[
        str,
        means("The Beacon API of its consensus layer", unit="URL", reload=True, rule=maybe_node_address),
    ] = ""
    name: Annotated[str, means("What it is called; none: host and port of each layer", reload=True, rule=node_name)] = (
        ""
    )

    @property
    def execution_called(self) -> str:
        """What its execution layer goes by."""
        return name_of(self.name, self.execution)

    @property
    def beacon_called(self) -> str:
        """What its consensus layer goes by."""
        return name_of(self.name, self.beacon)


class EthereumSource(msgspec.Struct, frozen=True, kw_only=True, tag="ethereum", tag_field="kind"):
    """An Ethereum chain: its nodes' execution JSON-RPC and Beacon API."""

    chain: Annotated[
        str, means("The chain; a node of another one is refused", unit="chain id", reload=True, rule=chain_number)
    ]
    nodes: Annotated[
        tuple[EthereumNode, ...],
        means("Where it is read; two or more confirm each other", reload=True, rule=ethereum_nodes),
    ]
    equipment: Annotated[
        str, means("Where the nodes belong", unit="ISA-95 path", reload=True, rule=rules.equipment)
    ] = ""
    cadence: Annotated[
        float,
        means("Longest usual silence; twice this is an event", unit="seconds", within=(0.001, 86_400), reload=True),
    ] = 30.0
    required: Annotated[bool, means("Counts for /readyz", reload=True)] = False
    watched: Annotated[
        tuple[int | str, ...],
        means(
            "Validators that are read, and have metrics of their own; of the others nothing is",
            unit="indices or public keys",
            reload=True,
            rule=beacon_validators,
        ),
    ] = ()
    transactions: Annotated[
        bool, means("Whether every transaction is read; else those of a block are counted", reload=True)
    ] = True
    poll: Annotated[
        float,
        means("Time between two looks at what a node does not tell by itself", unit="seconds", within=(0.1, 3600),
              reload=True),
    ] = 10.0  # fmt: skip
    gap_limit: Annotated[
        int,
        means(
            "Most blocks that are read again after a gap; what is beyond it is told as missed",
            unit="blocks",
            within=(1, 10_000),
            reload=True,
        ),
    ] = 500
    deadline: Annotated[
        float, means("Time that a node has for an answer", unit="seconds", within=(0.1, 300), reload=True)
    ] = 10.0
    requests: Annotated[
        int, means("Requests that one node is sent at a time", unit="requests", within=(1, 64), reload=True)
    ] = 8


def _split(value: object) -> SplitResult | None:
    """``value`` taken apart; None if it is no address of a host."""
    try:
        parts = urlsplit(str(value))
        port = parts.port
    except ValueError:
        return None
    is_plain = str(value).isascii() and str(value).isprintable() and " " not in str(value)
    return parts if parts.hostname and port != 0 and is_plain else None


def _tables(value: object) -> Iterable[Mapping[str, object]]:
    return (each for each in value if isinstance(each, Mapping)) if isinstance(value, list | tuple) else ()
