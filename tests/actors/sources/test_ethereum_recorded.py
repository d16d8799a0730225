"""A real beacon chain with two real slashings, played again over real sockets, from the recording to the desks."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import trio
import trio.testing

from domain import Priority
from tests.actors.sources.ethereum_rig import node, reading
from tests.nodes.beacon import BeaconNode
from tests.nodes.beacon_chain import Chain
from tests.nodes.serving import Answer, Asked

SHARED = Path(os.environ.get("ANDOND_SHARED", Path(__file__).parents[4] / "shared"))
LODESTAR = SHARED / "data" / "validators" / "recorded-lodestar"
pytestmark = pytest.mark.skipif(
    not LODESTAR.is_dir(), reason=f"no recordings in {LODESTAR}; ANDOND_SHARED says where they are"
)
REST = {
    "/eth/v1/config/spec": "config_spec",
    "/eth/v1/beacon/genesis": "beacon_genesis",
    "/eth/v1/node/version": "node_version",
    "/eth/v1/node/syncing": "node_syncing",
    "/eth/v1/node/peers": "node_peers",
}


@pytest.fixture
def clock() -> trio.testing.MockClock:
    return trio.testing.MockClock(autojump_threshold=0.002)


class Recorded(BeaconNode):
    """Says what the recorded node said; the head's header was not recorded, so it is refused."""

    def __init__(self) -> None:
        super().__init__(Chain())
        self.topics.add("attestation")
        rows = json.loads((LODESTAR / "rest" / "beacon_states_head_validators.json").read_text())["data"]
        self.rows = {row["index"]: row for row in rows}
        for row in self.rows.values():
            row["status"], row["validator"]["slashed"] = "active_ongoing", False

    async def answer(self, asked: Asked) -> Answer:
        if asked.path in REST:
            return Answer(json.loads((LODESTAR / "rest" / f"{REST[asked.path]}.json").read_text()))
        if asked.path == "/eth/v1/beacon/states/head/validators":
            found = [self.rows[index] for index in asked.query["id"]]
            return Answer({"data": found, "execution_optimistic": False, "finalized": False})
        if asked.path in ("/eth/v1/events", "/eth/v1/node/health"):
            return await super().answer(asked)
        return Answer({"code": 404, "message": "Route not found"}, 404)


@pytest.mark.parametrize("number", [1, 2])
async def test_the_recorded_slashings_are_jailed_once_each_with_their_exact_status(clock, tmp_path, number):
    lines = (LODESTAR / f"sse_and_status_run{number}.jsonl").read_text().splitlines()
    told = [json.loads(line) for line in lines]
    changed = {line["index"] for line in told if line["kind"] != "sse"}
    began = told[0]["t"] - 5
    async with Recorded() as server:
        settings = {"began": began, "chain": "5", "watched": (5, 7), "poll": 1.0}
        async with reading(tmp_path, node(beacon=server), **settings) as rig:
            await rig.until(lambda: server.listeners)
            for line in told:
                await trio.sleep(max(0.0, line["t"] - rig.wall()))
                if line["kind"] == "sse":
                    await server.tell(line["event"], line["data"])
                else:
                    row = server.rows[line["index"]]
                    row["status"], row["validator"]["slashed"], _ = line["after"]
            await rig.until(lambda: len({event.subject for event in _jailed(rig)}) == len(changed))
            jailed = _jailed(rig)
            assert sorted(event.data["operator"] for event in jailed) == sorted(changed)
            for event in jailed:
                assert event.priority is Priority.CRITICAL
                assert (event.data["spec"], event.data["reason"]) == ("active_slashed", "slashed")
                assert event.data["validator"] == server.rows[event.data["operator"]]["validator"]["pubkey"]
            assert not rig.events("validator.retracted")


def _jailed(rig) -> list:
    return [
        event for event in rig.events("validator.status") if event.data["status"] == "JAILED" and event.data["news"]
    ]
