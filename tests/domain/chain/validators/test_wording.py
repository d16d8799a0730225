"""What is told of a chain says itself in one line."""

from __future__ import annotations

from domain.chain.validators import now as present
from domain.chain.validators.wording import text_of


def texts(told):
    return [(event.type, event.data["text"]) for event in told]


def test_a_jailing_says_who_what_why_and_where_and_then_that_it_is_confirmed(rig, make_record):
    rig.say(rig.read(100, make_record(moniker="bob")))
    rig.events.clear()
    rig.say(rig.jail(101))
    assert texts(rig.events)[0] == (
        "validator.status",
        "bob JAILED: downtime (testing-1, height 101), not confirmed yet",
    )
    rig.say(rig.read(102, make_record(moniker="bob", jailed=True)))
    assert ("validator.confirmed", "bob JAILED: downtime (testing-1, height 101), confirmed") in texts(rig.events)


def test_every_event_of_a_chain_has_a_line():
    data = {"validator": "AA", "status": "JAILED", "reason": "unknown", "confirmed": True, "since": None, "why": "w"}
    assert text_of("validator.status", "hub", data) == "AA JAILED: reason not known (hub)"
    assert text_of("validator.status", "hub", {**data, "stale": True, "lastStatus": "ACTIVE"}) == (
        "AA UNKNOWN, was ACTIVE (hub)"
    )
    back = {**data, "status": "ACTIVE", "reason": None, "retracted": "JAILED"}
    assert text_of("validator.retracted", "hub", back) == "AA ACTIVE (hub): that it was JAILED is taken back"
    assert text_of("validator.conflict", "hub", data) == "AA JAILED: reason not known (hub), contradicted: w"
    past = {**data, "kind": "block_jailed", "reason": "downtime", "height": 7}
    assert text_of("validator.history", "hub", past) == "AA, of the past: block_jailed, downtime (hub, height 7)"
    risk = {"name": "bob", "level": 1, "missedBlocks": 45, "blocksToJail": 6, "secondsToJail": 36.4}
    assert (
        text_of("validator.risk", "hub", risk)
        == "bob is 6 blocks, 36 s from jail, missed 45 blocks of its window (hub)"
    )
    calm = {**risk, "level": 0}
    assert (
        text_of("validator.risk", "hub", calm) == "bob is not near jail any more, missed 45 blocks of its window (hub)"
    )
    still = {"headHeight": 95, "why": "no block for 8 s"}
    assert text_of("chain.halted", "hub", still) == "hub HALTED at height 95: no block for 8 s"
    node = {"node": "n1", "reason": "silent"}
    assert text_of("chain.node.quarantined", "hub", node) == "node n1 of hub does not count: silent"
    assert text_of("chain.node.released", "hub", node) == "node n1 of hub counts again, was silent"
    gap = {"first": 5, "last": 9, "reason": "pruned"}
    assert text_of("chain.missed", "hub", gap) == "heights 5 to 9 of hub were seen by nobody: pruned"
    assert text_of("chain.reorganized", "hub", {"first": 5, "why": "w"}) == "hub from height 5: w"
    assert text_of("chain.block", "hub", {}) is None


def test_who_is_in_jail_is_shown_the_watched_ones_first_and_measured_while_watched(rig, make_record):
    rig.say(rig.read(100, make_record(moniker="alice"), make_record("BB" * 20, moniker="bob")))
    rig.say(rig.jail(101), rig.jail(101, "BB" * 20))
    found = rig.chains.now(rig.at).chains()[0]["jailed"]
    assert [(each["text"], each["since"], each["watched"]) for each in found] == [
        ("alice JAILED: downtime", 101, False),
        ("bob JAILED: downtime", 101, False),
    ]
    rig.with_terms(watched=frozenset({"bb" * 20}))
    rig.look()
    now = rig.chains.now(rig.at)
    assert [each["text"] for each in now.chains()[0]["jailed"]] == ["bob JAILED: downtime", "alice JAILED: downtime"]
    levels = now.levels()
    assert levels["chain_watched_jailed"] == {f"testing-1{present.AND}{'BB' * 20}": 1.0}
    assert levels["chain_halted"] == {"testing-1": 0.0}
