"""The chain: what its events say, and what is known of it now."""

from domain.chain.documents import (
    INTERVALS,
    LIVE,
    block_update,
    history_row,
    metrics,
    network_update,
    tps_update,
    validator_counts,
    validator_update,
)
from domain.chain.fields import BLOCK, CONSENSUS, PEER, TRANSACTION, VALIDATOR, faults_of, is_chain_event
from domain.chain.members import CONTRACT, client_status, event_members, members_of
from domain.chain.now import Now, network_health
from domain.chain.rosters import Entry
from domain.chain.surroundings import Surroundings
from domain.chain.unknown import Document, Known, Unknown, carried, document, milliseconds
from domain.chain.view import RECENT_LIMIT, ChainView

__all__ = [
    "BLOCK",
    "CONSENSUS",
    "CONTRACT",
    "INTERVALS",
    "LIVE",
    "PEER",
    "RECENT_LIMIT",
    "TRANSACTION",
    "VALIDATOR",
    "ChainView",
    "Document",
    "Entry",
    "Known",
    "Now",
    "Surroundings",
    "Unknown",
    "block_update",
    "carried",
    "client_status",
    "document",
    "event_members",
    "faults_of",
    "history_row",
    "is_chain_event",
    "members_of",
    "metrics",
    "milliseconds",
    "network_health",
    "network_update",
    "tps_update",
    "validator_counts",
    "validator_update",
]
