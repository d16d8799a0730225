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
from domain.chain.fields import (
    BLOCK,
    CONSENSUS,
    PEER,
    TRANSACTION,
    VALIDATOR,
    VALIDATOR_STATUSES,
    faults_of,
    is_chain_event,
)
from domain.chain.health import Check, Grade, Vitals, checks, health, health_document, network_health
from domain.chain.members import CONTRACT, client_status, event_members, members_of
from domain.chain.now import Now
from domain.chain.observations import (
    BlockSeen,
    HeadSeen,
    HeightsMissed,
    JailSeen,
    NodeHeard,
    Observation,
    Provenance,
    SetChanged,
    TransactionSeen,
    ValidatorsRead,
)
from domain.chain.provenance import PROVENANCE, behind, provenance, without_provenance
from domain.chain.relay import Relay
from domain.chain.rosters import Entry, Validators
from domain.chain.sampling import Sampling
from domain.chain.series import DAY, HOUR, MINUTE, SPANS, Cell, Cells, Tally, begin_of, folded, joined_cells, whole_of
from domain.chain.sketch import Sketch, Sum
from domain.chain.sse import EventStream, ServerSentEvent
from domain.chain.streams import EVERYTHING, STREAMS, Stream, overview
from domain.chain.surroundings import Surroundings
from domain.chain.unknown import Document, Known, Unknown, carried, document, milliseconds
from domain.chain.view import RECENT_LIMIT, ChainView
from domain.chain.watch import Watch

__all__ = [
    "BLOCK",
    "CONSENSUS",
    "CONTRACT",
    "DAY",
    "EVERYTHING",
    "HOUR",
    "INTERVALS",
    "LIVE",
    "MINUTE",
    "PEER",
    "PROVENANCE",
    "RECENT_LIMIT",
    "SPANS",
    "STREAMS",
    "TRANSACTION",
    "VALIDATOR",
    "VALIDATOR_STATUSES",
    "BlockSeen",
    "Cell",
    "Cells",
    "ChainView",
    "Check",
    "Document",
    "Entry",
    "EventStream",
    "Grade",
    "HeadSeen",
    "HeightsMissed",
    "JailSeen",
    "Known",
    "NodeHeard",
    "Now",
    "Observation",
    "Provenance",
    "Relay",
    "Sampling",
    "ServerSentEvent",
    "SetChanged",
    "Sketch",
    "Stream",
    "Sum",
    "Surroundings",
    "Tally",
    "TransactionSeen",
    "Unknown",
    "Validators",
    "ValidatorsRead",
    "Vitals",
    "Watch",
    "begin_of",
    "behind",
    "block_update",
    "carried",
    "checks",
    "client_status",
    "document",
    "event_members",
    "faults_of",
    "folded",
    "health",
    "health_document",
    "history_row",
    "is_chain_event",
    "joined_cells",
    "members_of",
    "metrics",
    "milliseconds",
    "network_health",
    "network_update",
    "overview",
    "provenance",
    "tps_update",
    "validator_counts",
    "validator_update",
    "whole_of",
    "without_provenance",
]
