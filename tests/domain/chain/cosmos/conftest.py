"""What the tests of a Cosmos chain share: who asks, small messages of a node's making, and the recorded ones."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from domain import JsonValue
from domain.chain.observations import Provenance

SHARED = Path(os.environ.get("ANDOND_SHARED", Path(__file__).parents[5] / "shared"))
RECORDED = SHARED / "data" / "validators"

CHAIN = "testhub-1"
AT = 1_700_000_000.0
TIME = "2023-11-14T22:13:20.123456789Z"
PROPOSER = "AA" * 20


def origin_of(chain: str = CHAIN) -> Provenance:
    return Provenance(chain=chain, source="node1", method="", observed=AT + 5)


@pytest.fixture
def origin() -> Provenance:
    """Who asks whom, about the chain of the messages made here."""
    return origin_of()


@pytest.fixture
def origin_on() -> Callable[[str], Provenance]:
    """The same about another chain."""
    return origin_of


def event_of(kind: str, *, coded: bool = False, **attributes: str | None) -> dict[str, JsonValue]:
    def spell(text: str) -> str:
        return b64encode(text.encode()).decode() if coded else text

    return {
        "type": kind,
        "attributes": [
            {"key": spell(key), "value": None if value is None else spell(value), "index": True}
            for key, value in attributes.items()
        ],
    }


@pytest.fixture
def event() -> Callable[..., dict[str, JsonValue]]:
    """An application's event: ``event("slash", jailed=...)``, ``coded=True`` for the spelling of 0.34."""
    return event_of


def header_of(height: int, **more: JsonValue) -> dict[str, JsonValue]:
    return {
        "chain_id": CHAIN,
        "height": str(height),
        "time": TIME,
        "last_block_id": {"hash": "CD" * 32, "parts": {"total": 1, "hash": "EF" * 32}},
        "proposer_address": PROPOSER,
        **more,
    }


@pytest.fixture
def header() -> Callable[..., dict[str, JsonValue]]:
    """A block's header: ``header(7, time=...)``."""
    return header_of


@pytest.fixture
def new_block() -> Callable[..., dict[str, JsonValue]]:
    """The value of a ``NewBlock``: ``new_block(7, txs=[...], signatures=[...], result_finalize_block={...})``."""

    def make(
        height: int, txs: list[JsonValue] | None = None, signatures: list[JsonValue] | None = None, **more: JsonValue
    ) -> dict[str, JsonValue]:
        block: JsonValue = {
            "header": header_of(height),
            "data": {"txs": txs},
            "last_commit": {"height": str(height - 1), "signatures": signatures},
        }
        return {"block": block, "block_id": {"hash": "AB" * 32}, **more}

    return make


@pytest.fixture
def message() -> Callable[..., dict[str, JsonValue]]:
    """What a subscription sends: ``message("NewBlock", value)``."""

    def make(kind: str, value: JsonValue, events: JsonValue = None) -> dict[str, JsonValue]:
        return {"query": "", "data": {"type": f"tendermint/event/{kind}", "value": value}, "events": events}

    return make


@pytest.fixture
def recorded() -> Callable[[str], JsonValue]:
    """The result in a recorded answer or message, by its path under ``data/validators``; skips where there is none."""

    def read(path: str) -> JsonValue:
        if not RECORDED.is_dir():
            pytest.skip(f"no recordings of nodes in {RECORDED}; ANDOND_SHARED says where they are")
        value: JsonValue = json.loads((RECORDED / path).read_text())
        return value["result"] if isinstance(value, dict) and "result" in value else value

    return read
