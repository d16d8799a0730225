"""The readers against a real beacon chain with two real slashings, and the specification's own examples."""

from __future__ import annotations

import json
import os
from itertools import pairwise
from pathlib import Path

import pytest

from domain.chain.beacon import (
    AccusedEvent,
    Beacon,
    FinalizedEvent,
    HeadEvent,
    ReorgEvent,
    read_event,
    read_finality,
    read_genesis,
    read_header,
    read_refusal,
    read_spec,
    read_syncing,
    read_validators,
    skipped,
)
from domain.chain.beacon.answers import read_peer_count, read_peers, read_proposers, read_version
from domain.chain.observations import (
    BlockSeen,
    Finalized,
    HeadSeen,
    HeightsMissed,
    Reorganized,
    ValidatorsRead,
)
from domain.chain.sse import EventStream

SHARED = Path(os.environ.get("ANDOND_SHARED", Path(__file__).parents[5] / "shared"))
FIXTURES = SHARED / "data" / "validators"
LODESTAR = FIXTURES / "recorded-lodestar"
ALL_EVENTS = FIXTURES / "beacon-apis" / "all-events.sse"

needs_lodestar = pytest.mark.skipif(
    not LODESTAR.is_dir(), reason=f"no recordings in {LODESTAR}; ANDOND_SHARED says where they are"
)
needs_events = pytest.mark.skipif(not ALL_EVENTS.is_file(), reason=f"no {ALL_EVENTS}; ANDOND_SHARED says where it is")


def rest(name: str):
    return json.loads((LODESTAR / "rest" / f"{name}.json").read_text())


def run(number: int):
    return [json.loads(line) for line in (LODESTAR / f"sse_and_status_run{number}.jsonl").read_text().splitlines()]


class Replay:
    """A ``Beacon`` that hears a recorded run; the validators are as the run's status changes have them."""

    def __init__(self) -> None:
        self.beacon = Beacon("1337/beacon", "node1", [5, 7])
        self.observed: list[object] = []
        self.rows = {row["index"]: row for row in rest("beacon_states_head_validators")["data"]}
        for row in self.rows.values():
            row["status"], row["validator"]["slashed"] = "active_ongoing", False
        self.at = 0.0

    def take(self, step) -> None:
        assert step.fault is None
        self.observed += step.observations
        for query in step.queries:
            self.take(self.beacon.answered(query, *self.answer(query), self.at))

    def answer(self, query):
        known = {
            "spec": "config_spec",
            "genesis": "beacon_genesis",
            "version": "node_version",
            "syncing": "node_syncing",
        }
        if query.name in known:
            return 200, rest(known[query.name])
        if query.name == "validators":
            return 200, {"data": [self.rows[id_] for _, id_ in query.query], "execution_optimistic": False}
        if query.name == "peers":
            return 200, rest("node_peers")
        if query.name in ("liveness", "rewards"):
            return 404, rest("lodestar_peers")
        return 500, None

    def change(self, line) -> None:
        row = self.rows[line["index"]]
        row["status"], row["validator"]["slashed"], _ = line["after"]
        self.at = line["t"]
        self.take(self.beacon.polled(line["t"]))

    def only(self, kind):
        return [told for told in self.observed if isinstance(told, kind)]


def replayed(number: int) -> Replay:
    replay = Replay()
    replay.take(replay.beacon.began(0.0))
    for line in run(number):
        replay.at = line["t"]
        if line["kind"] == "sse":
            replay.take(replay.beacon.heard(line["event"], line["data"], line["t"]))
        else:
            replay.change(line)
    return replay


@needs_lodestar
def test_the_two_recorded_slashings_are_read_with_their_exact_status() -> None:
    replay = replayed(1)
    keys = {index: row["validator"]["pubkey"] for index, row in replay.rows.items()}
    slashed: dict[str, tuple[int | None, str | None]] = {}
    for read in replay.only(ValidatorsRead):
        for row in read.rows:
            if row.is_jailed:
                slashed.setdefault(row.address, (read.provenance.height, row.reason))
    assert slashed == {keys["5"]: (66, "slashed"), keys["7"]: (121, "slashed")}
    statuses = {key: [] for key in keys.values()}
    for read in replay.only(ValidatorsRead):
        for row in read.rows:
            if statuses[row.address][-1:] != [row.status]:
                statuses[row.address].append(row.status)
            assert row.is_jailed == row.status.endswith("_slashed")
    assert statuses[keys["5"]] == statuses[keys["7"]] == ["active_ongoing", "active_slashed", "exited_slashed"]
    assert replay.beacon.not_told.keys() >= {"liveness", "rewards"}


@needs_lodestar
@pytest.mark.parametrize(
    ("number", "finals"), [(1, [32, 40, 48, 56, 64, 120, 128, 136, 144]), (2, [120, 128, 136, 144])]
)
def test_every_head_of_the_recorded_runs_is_told_in_its_slot_and_finality_as_it_came(number: int, finals: list) -> None:
    replay = replayed(number)
    heads = replay.only(HeadSeen)
    recorded = [int(line["data"]["slot"]) for line in run(number) if line.get("event") == "head"]
    assert [head.height for head in heads] == recorded
    assert all(-0.5 < head.provenance.observed - head.at < 6 for head in heads)
    assert [final.height for final in replay.only(Finalized)] == finals


@needs_lodestar
def test_the_recorded_run_has_slots_without_a_block() -> None:
    slots = [int(line["data"]["slot"]) for line in run(1) if line.get("event") == "head"]
    missing = [slot for parent, child in pairwise(slots) for slot in range(parent + 1, child)]
    assert sum(skipped(parent, child) for parent, child in pairwise(slots)) == len(missing) > 5
    assert 74 in missing


@needs_lodestar
def test_the_recorded_heads_with_headers_make_one_chain_without_gaps_or_reorganizations() -> None:
    replay = Replay()
    blocks = [line["data"] for line in run(1) if line.get("event") == "head"]
    parents = {child["block"]: parent["block"] for parent, child in pairwise(blocks)}
    slots = {block["block"]: block["slot"] for block in blocks}
    simple = replay.answer

    def answer(query):
        if query.name != "header":
            return simple(query)
        message = {
            "slot": slots[query.about],
            "proposer_index": "5",
            "parent_root": parents.get(query.about, "0x" + "00" * 32),
        }
        return 200, {"data": {"root": query.about, "header": {"message": message}}, "execution_optimistic": False}

    replay.answer = answer
    replay.take(replay.beacon.began(0.0))
    for block in blocks:
        replay.take(replay.beacon.heard("head", block, 0.0))
    told = replay.only(BlockSeen)
    assert [block.height for block in told] == [int(block["slot"]) for block in blocks]
    assert [block.interval for block in told[1:]] == [2.0 * (b.height - a.height) for a, b in pairwise(told)]
    assert not replay.only(Reorganized)
    assert not replay.only(HeightsMissed)


@needs_lodestar
def test_the_recorded_answers_are_read() -> None:
    spec = read_spec(rest("config_spec"))
    assert (spec.slot_time, spec.epoch_size, spec.chain_id) == (2.0, 8, 5)
    assert read_genesis(rest("beacon_genesis")) == 1795224239.0
    header = read_header(rest("beacon_headers_head"))
    assert (header.slot, header.proposer, header.is_optimistic) == (88, "10", False)
    finality = read_finality(rest("beacon_states_head_finality_checkpoints"))
    assert (finality.justified, finality.finalized) == (9, 8)
    sync = read_syncing(rest("node_syncing"))
    assert (sync.head_slot, sync.is_catching_up) == (86, False)
    assert read_peer_count(rest("node_peer_count")) == 0
    assert read_peers(rest("node_peers")) == (0, ())
    assert read_version(rest("node_version")) == "Lodestar/v1.5.1/2115aa7"
    duties = read_proposers(rest("duties_proposer"), 8)
    assert duties[88][0] == "10"
    assert sorted(duties) == list(range(88, 96))


@needs_lodestar
def test_the_recorded_validators_are_sixteen_of_which_one_is_slashed() -> None:
    rows = read_validators(rest("beacon_states_head_validators"), {str(index) for index in range(16)})
    assert len(rows) == 16
    assert [(index, row.status) for index, row in rows if row.is_jailed] == [("5", "active_slashed")]
    assert sum(row.bond == "bonded" for _, row in rows) == 16


@needs_lodestar
def test_the_route_that_this_node_does_not_have_is_not_offered() -> None:
    assert read_refusal(404, rest("lodestar_peers")).kind == "not_offered"


@needs_lodestar
@pytest.mark.parametrize("index", ["5", "7"])
def test_the_slashing_that_was_submitted_accuses_its_proposer(index: str) -> None:
    told = json.loads((LODESTAR / f"proposer_slashing_{index}.json").read_text())
    assert read_event("proposer_slashing", told, {index}.__contains__) == AccusedEvent((index,))
    assert read_event("proposer_slashing", told, set().__contains__) == AccusedEvent(())


@needs_events
def test_the_examples_of_all_topics_are_read_or_passed_over() -> None:
    told = {}
    # The file lacks the empty line that ends its last event.
    for event in EventStream().feed(ALL_EVENTS.read_bytes() + b"\n"):
        told[event.name] = read_event(event.name, json.loads(event.data), lambda _: True)
    assert len(told) == 24
    root = "0x9a2fefd2fdb57f74993c7780ea5b9030d2897b615b89f808011ca5aebed54eaf"
    assert {name: event for name, event in told.items() if event is not None} == {
        "head": HeadEvent(10, root, is_optimistic=False),
        "head_v2": HeadEvent(10, root, is_optimistic=False),
        "finalized_checkpoint": FinalizedEvent(2, is_optimistic=False),
        "chain_reorg": ReorgEvent(200, "0x76262e91970d375a19bfe8a867288d7b9cde43c8635f598d93d39d041706fc76"),
        "voluntary_exit": AccusedEvent(("1",)),
        "proposer_slashing": AccusedEvent(("0",)),
        "attester_slashing": AccusedEvent(("0", "1")),
    }
