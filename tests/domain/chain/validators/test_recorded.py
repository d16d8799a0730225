"""The recorded blocks of a real chain in which validators were jailed, from the node's answer to what is told."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from domain import Priority
from domain.chain.cosmos import as_bech32, read_block_results
from domain.chain.observations import BlocksMissed, HeadSeen, JailSeen, Provenance, SetChanged, SlashingRules
from domain.chain.validators import Chains

SHARED = Path(os.environ.get("ANDOND_SHARED", Path(__file__).parents[5] / "shared"))
RECORDED = SHARED / "data" / "validators" / "crypto-org-chain"
NOW = 1_800_000_000.0
JAILINGS = {
    "slash_missing_signature_block_results_full.json": ("JAILED", "downtime", 2),
    "slash_missing_signature_block_results_trimmed.json": ("JAILED", "downtime", 2),
    "slash_double_sign_block_results.json": ("TOMBSTONED", "double_sign", 1),
}


def place(height, method="block_results"):
    return Provenance("crypto", "n1", method, NOW, height, NOW - 5)


def observed(name):
    path = RECORDED / name
    if not path.is_file():
        pytest.skip(f"the recorded blocks are not here: {path.name}; ANDOND_SHARED says where shared/ is")
    return read_block_results(json.loads(path.read_text())["result"], place(None)).observations


def watching(observations):
    """The rules, told before the block that those whom it takes out of the set were in it."""
    (changed,) = [each for each in observations if isinstance(each, SetChanged)]
    height = changed.provenance.height
    chains = Chains()
    joined = SetChanged(place(height - 20), tuple((address, 7) for address, _ in changed.powers))
    chains.take([HeadSeen(place(height - 1), height - 1, NOW - 10), joined], NOW)
    return chains, height


@pytest.mark.parametrize("name", JAILINGS)
@pytest.mark.parametrize("order", [1, -1])
def test_each_recorded_jailing_is_told_of_the_right_validators_with_its_reason(name, order):
    status, reason, count = JAILINGS[name]
    said = observed(name)
    chains, height = watching(said)
    events = chains.take(said[::order], NOW).events
    told = [event for event in events if event.type == "validator.status"]
    jailed = {each.address for each in said if isinstance(each, JailSeen)}
    assert {event.data["validator"] for event in told} == jailed
    assert all(as_bech32(address, "crocnclcons").startswith("crocnclcons1") for address in jailed)
    assert [(event.data["status"], event.data["reason"], event.data["since"]) for event in told] == [
        (status, reason, height)
    ] * count
    assert {event.priority for event in told} == {Priority.CRITICAL}
    assert [event.type for event in chains.look(NOW + 60).events if event.type == "validator.conflict"] == []


@pytest.mark.parametrize("name", JAILINGS)
def test_a_recorded_block_without_its_change_of_the_set_is_a_conflict(name):
    said = observed(name)
    chains, height = watching(said)
    chains.take([each for each in said if not isinstance(each, SetChanged)], NOW)
    heads = [HeadSeen(place(each), each, NOW) for each in range(height, height + 3)]
    told = [*chains.take(heads, NOW + 3).events, *chains.look(NOW + 3).events]
    assert sum(event.type == "validator.conflict" for event in told) == JAILINGS[name][2]


@pytest.mark.parametrize("name", JAILINGS)
def test_a_recorded_block_without_its_slashes_makes_validators_inactive_and_jails_nobody(name):
    said = observed(name)
    chains, _ = watching(said)
    events = chains.take([each for each in said if not isinstance(each, JailSeen)], NOW).events
    told = [event.data["status"] for event in events if event.type == "validator.status"]
    assert told == ["INACTIVE"] * JAILINGS[name][2]


def test_the_recorded_counters_count_down_to_the_block():
    said = observed("slash_missing_signature_block_results_trimmed.json")
    chains, _ = watching(said)
    counters = [each for each in said if isinstance(each, BlocksMissed)]
    active = SetChanged(place(168_400), tuple((each.address, 7) for each in counters))
    chains.take([SlashingRules(place(None), 2000, 0.5, 600.0), active], NOW)
    chains.take([each for each in said if isinstance(each, JailSeen | BlocksMissed)], NOW)
    left = {each.missed: chains.now(NOW).validator(each.address)["blocksToJail"] for each in counters}
    assert (left[1001], left[985], left[976], left[952]) == (None, 16, 25, 49)
