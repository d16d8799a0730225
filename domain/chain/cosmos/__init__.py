"""A chain of CometBFT and the Cosmos SDK: what its nodes say, and what to ask them."""

from domain.chain.cosmos.addresses import address_of, address_of_key, as_bech32
from domain.chain.cosmos.backlog import UNREAD, Backlog, joined
from domain.chain.cosmos.blocks import read_block, read_block_results, read_blockchain
from domain.chain.cosmos.fault import CosmosFault, NodeRefused
from domain.chain.cosmos.gaps import PRUNED, TOO_MANY, Fill, Lost, fill
from domain.chain.cosmos.known import Known
from domain.chain.cosmos.messages import read_message
from domain.chain.cosmos.nodes import NodeStatus, read_consensus_state, read_net_info, read_status
from domain.chain.cosmos.paging import Paging
from domain.chain.cosmos.records import read_slashing_rules, with_signing_infos
from domain.chain.cosmos.release import Release, release_of
from domain.chain.cosmos.requests import (
    CONSENSUS_STATE,
    HEADERS_LIMIT,
    HEALTH,
    HEIGHT_HEADER,
    NET_INFO,
    SLASHING_RULES,
    STATUS,
    UNCONFIRMED,
    Call,
    Fetch,
    Request,
    answer_to,
    block,
    block_results,
    blockchain,
)
from domain.chain.cosmos.session import (
    QUERIES_LIMIT,
    Cancelled,
    Heard,
    Lane,
    Opened,
    Query,
    Reconnect,
    Refused,
    Send,
    Session,
    State,
    Step,
    Stray,
    queries_of,
)
from domain.chain.cosmos.told import Told
from domain.chain.cosmos.transactions import read_unconfirmed

__all__ = [
    "CONSENSUS_STATE",
    "HEADERS_LIMIT",
    "HEALTH",
    "HEIGHT_HEADER",
    "NET_INFO",
    "PRUNED",
    "QUERIES_LIMIT",
    "SLASHING_RULES",
    "STATUS",
    "TOO_MANY",
    "UNCONFIRMED",
    "UNREAD",
    "Backlog",
    "Call",
    "Cancelled",
    "CosmosFault",
    "Fetch",
    "Fill",
    "Heard",
    "Known",
    "Lane",
    "Lost",
    "NodeRefused",
    "NodeStatus",
    "Opened",
    "Paging",
    "Query",
    "Reconnect",
    "Refused",
    "Release",
    "Request",
    "Send",
    "Session",
    "State",
    "Step",
    "Stray",
    "Told",
    "address_of",
    "address_of_key",
    "answer_to",
    "as_bech32",
    "block",
    "block_results",
    "blockchain",
    "fill",
    "joined",
    "queries_of",
    "read_block",
    "read_block_results",
    "read_blockchain",
    "read_consensus_state",
    "read_message",
    "read_net_info",
    "read_slashing_rules",
    "read_status",
    "read_unconfirmed",
    "release_of",
    "with_signing_infos",
]
