"""The beacon chain of Ethereum, read: what its nodes say, as observations."""

from domain.chain.beacon.answers import Finality, Header, Sync, read_finality, read_header, read_refusal, read_syncing
from domain.chain.beacon.beacon import Beacon
from domain.chain.beacon.events import AccusedEvent, FinalizedEvent, HeadEvent, ReorgEvent, read_event
from domain.chain.beacon.health import health_fault
from domain.chain.beacon.queries import HEALTH, IDS_LIMIT, Query, QueryName, Topics, validators
from domain.chain.beacon.slots import Spec, Timing, read_genesis, read_spec, skipped
from domain.chain.beacon.statuses import BONDS, SLASHED, read_validators
from domain.chain.beacon.step import Step

__all__ = [
    "BONDS",
    "HEALTH",
    "IDS_LIMIT",
    "SLASHED",
    "AccusedEvent",
    "Beacon",
    "Finality",
    "FinalizedEvent",
    "HeadEvent",
    "Header",
    "Query",
    "QueryName",
    "ReorgEvent",
    "Spec",
    "Step",
    "Sync",
    "Timing",
    "Topics",
    "health_fault",
    "read_event",
    "read_finality",
    "read_genesis",
    "read_header",
    "read_refusal",
    "read_spec",
    "read_syncing",
    "read_validators",
    "skipped",
    "validators",
]
