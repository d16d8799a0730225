"""The execution layer of Ethereum, read: what its nodes say, as observations."""

from domain.chain.ethereum.answers import Notice, Refused, Reply, read_message, read_refusal
from domain.chain.ethereum.blocks import (
    Block,
    Head,
    Receipt,
    Transfer,
    read_block,
    read_head,
    read_receipt,
    read_receipts,
    read_transfer,
)
from domain.chain.ethereum.calls import LATEST, NEW_HEADS, SYNCING, Call, Request
from domain.chain.ethereum.execution import GAP_LIMIT, Execution
from domain.chain.ethereum.heads import Advance, HeadTracker, Linked
from domain.chain.ethereum.reading import (
    COUNT_LIMIT,
    MOMENT_LIMIT,
    AnswerFault,
    digest,
    flag,
    items,
    members,
    words,
)
from domain.chain.ethereum.step import Step
from domain.chain.ethereum.throughput import Throughput

__all__ = [
    "COUNT_LIMIT",
    "GAP_LIMIT",
    "LATEST",
    "MOMENT_LIMIT",
    "NEW_HEADS",
    "SYNCING",
    "Advance",
    "AnswerFault",
    "Block",
    "Call",
    "Execution",
    "Head",
    "HeadTracker",
    "Linked",
    "Notice",
    "Receipt",
    "Refused",
    "Reply",
    "Request",
    "Step",
    "Throughput",
    "Transfer",
    "digest",
    "flag",
    "items",
    "members",
    "read_block",
    "read_head",
    "read_message",
    "read_receipt",
    "read_receipts",
    "read_refusal",
    "read_transfer",
    "words",
]
