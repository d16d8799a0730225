"""The settings of sources that are nodes of a chain: which chain, where its nodes are, how far a gap is read again.

Rules of this file: an address is shown by ``andond config``, so that none holds a password: what is secret is in a file
of headers (``node_access``). A node goes by its name; by default that is where it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

import msgspec

from config import rules
from config.meta import means
from config.outgoing import OutgoingTlsSettings
from config.secrets import Secret, without_user

NODES_LIMIT = 16
WATCHED_LIMIT = 200
_CHAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9\[][A-Za-z0-9._:\[\]-]{0,62}", re.ASCII)
# The consensus address in Bech32 is left out: who is jailed is told by the operator, or by the address in hexadecimal.
_VALIDATOR = re.compile(r"[0-9A-Fa-f]{40}|(?![a-z0-9]*cons1)[a-z][a-z0-9]*1[02-9ac-hj-np-z]{38,80}", re.ASCII)
_CHAIN_NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
_BEACON_KEY = re.compile(r"0x[0-9A-Fa-f]{96}|[0-9]{1,15}", re.ASCII)
_INDEX_LIMIT = 10**15
_SHOWN = 100
_DEFAULT_PORTS = {"http": 80, "https": 443}


def node_address(value: object) -> str | None:
    """Expect the address of a node over HTTP, without a secret in it."""
    parts = _split(value)
    wrong = ""
    if "@" in str(value):
        wrong = ", without a name and a password: write them into a file of headers and name it as headers_file"
    elif "//" not in str(value):
        wrong = ", with http:// or https:// before it"
    elif parts is not None and (parts.query or parts.fragment):
        wrong = ", without a query and a fragment"
    is_right = parts is not None and parts.scheme in {"http", "https"} and not wrong
    return None if is_right else f"an address such as http://10.0.0.5:26657{wrong}"


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
    words = "its operator's address, such as cosmosvaloper1..., or the 40 hexadecimal digits of its consensus address"
    return _watched(value, words, lambda each: _VALIDATOR.fullmatch(str(each)) is not None)


def cosmos_nodes(value: object) -> str | None:
    """Expect one node or more, each with a name of its own."""
    nodes = list(_tables(value))
    if not 0 < len(nodes) <= NODES_LIMIT:
        return f"1 to {NODES_LIMIT} nodes; two or more, so that one confirms what the other says"
    return _alike(nodes, "rpc", ("rpc", "rest"))


def execution_address(value: object) -> str | None:
    """Expect the address of a node over HTTP or WebSocket, without a secret in it, or nothing."""
    return node_address(re.sub(r"\Aws(?=s?://)", "http", str(value))) if value else None


def chain_number(value: object) -> str | None:
    """Expect the number of an Ethereum chain."""
    return None if _CHAIN_NUMBER.fullmatch(str(value)) else 'the number of the chain, such as "1" for the main network'


def beacon_validators(value: object) -> str | None:
    """Expect indices or public keys of validators."""

    def is_right(each: object) -> bool:
        return 0 <= each < _INDEX_LIMIT if isinstance(each, int) else _BEACON_KEY.fullmatch(str(each)) is not None

    return _watched(value, "an index such as 123 or a public key (0x and 96 digits)", is_right)


def _watched(value: object, words: str, is_right: Callable[[object], bool]) -> str | None:
    """Expect validators, each once and as ``words`` say; who is wrong is named, because lists are long."""
    named = list(value) if isinstance(value, list | tuple) else []
    expected = f"at most {WATCHED_LIMIT} validators, each by {words}"
    wrong = [number for number, each in enumerate(named, 1) if not is_right(each)]
    if wrong:
        return f"{expected}; number {wrong[0]}, {without_user(str(named[wrong[0] - 1])[:_SHOWN])!r}, is none"
    lower = [str(each).lower() for each in named]
    twice = next((each for each in lower if lower.count(each) > 1), None)
    if twice is not None:
        return f"each validator once, and {twice} is there more than once"
    return expected if len(named) > WATCHED_LIMIT else None


def ethereum_nodes(value: object) -> str | None:
    """Expect one node or more, each with one layer or both, and names of their own."""
    nodes = list(_tables(value))
    if not 0 < len(nodes) <= NODES_LIMIT:
        return f"1 to {NODES_LIMIT} nodes; two or more, so that one confirms what the other says"
    if not all(node.get("execution") or node.get("beacon") for node in nodes):
        return "nodes that have execution, beacon or both"
    for layer in ("execution", "beacon"):
        expected = _alike([node for node in nodes if node.get(layer)], layer, (layer,))
        if expected:
            return expected
    return None


def _alike(nodes: list[Mapping[str, object]], main: str, members: Iterable[str]) -> str | None:
    """Expect names, and places, that are different: one node under two names would confirm itself."""
    names = [name_of(str(node.get("name", "")), str(node.get(main, ""))) for node in nodes]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        return f"nodes that have different names, and {twice} is there more than once"
    for member in members:
        places = [_place(str(node[member])) for node in nodes if node.get(member)]
        both = next((place for place in places if places.count(place) > 1), None)
        if both is not None:
            return f"nodes in different places, and the {member} of two is {both}: one node cannot confirm itself"
    return None


def _place(address: str) -> str:
    """Where ``address`` leads, however it is written."""
    parts = _split(address)
    if parts is None:
        return address
    scheme = parts.scheme.replace("ws", "http")
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname
    return f"{host}:{parts.port or _DEFAULT_PORTS.get(scheme)}{parts.path.rstrip('/')}"


def name_of(name: str, address: str) -> str:
    """What the node at ``address`` goes by: its ``name``, else where it is."""
    parts = _split(address)
    return name or (parts.netloc.rpartition("@")[2] if parts is not None else address)


# What nodes of both kinds have, and what their sources have.
_Headers = Annotated[
    Secret | None,
    means("Headers that each request to it carries, one `Name: value` a line, such as a token", reload=True),
]
_Equipment = Annotated[str, means("Where the nodes belong", unit="ISA-95 path", reload=True, rule=rules.equipment)]
_Cadence = Annotated[
    float,
    means("Longest usual silence; twice this is an event", unit="seconds", within=(0.001, 86_400), reload=True),
]
_Required = Annotated[bool, means("Counts for /readyz", reload=True)]
_Deadline = Annotated[
    float, means("Time that a node has for an answer", unit="seconds", within=(0.1, 300), reload=True)
]


class CosmosNode(OutgoingTlsSettings, frozen=True, kw_only=True):
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
    headers: _Headers = None

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
    equipment: _Equipment = ""
    cadence: _Cadence = 30.0
    required: _Required = False
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
    deadline: _Deadline = 10.0


class EthereumNode(OutgoingTlsSettings, frozen=True, kw_only=True):
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
    headers: _Headers = None

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
    equipment: _Equipment = ""
    cadence: _Cadence = 30.0
    required: _Required = False
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
    deadline: _Deadline = 10.0
    requests: Annotated[
        int, means("Requests that one node is sent at a time", unit="requests", within=(1, 64), reload=True)
    ] = 8


def nodes_by_chain(sources: Mapping[str, msgspec.Struct]) -> dict[str, frozenset[str]]:
    """The names of the nodes that ``sources`` read, by chain; the layers of an Ethereum chain are two."""
    found: dict[str, set[str]] = {}
    for source in sources.values():
        match source:
            case CosmosSource():
                found.setdefault(source.chain, set()).update(node.called for node in source.nodes)
            case EthereumSource():
                executions = {node.execution_called for node in source.nodes if node.execution}
                beacons = {node.beacon_called for node in source.nodes if node.beacon}
                for chain, names in ((source.chain, executions), (f"{source.chain}/beacon", beacons)):
                    if names:
                        found.setdefault(chain, set()).update(names)
    return {chain: frozenset(names) for chain, names in found.items()}


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
