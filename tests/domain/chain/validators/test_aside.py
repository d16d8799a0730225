"""Chains and nodes that the settings do not name any more: neither alarmed about nor lost at once."""

from __future__ import annotations

from domain.chain.validators.aside import KEPT_FOR

ALICE = "AA" * 20
CHAIN = "testing-1"


def named(*nodes):
    return {CHAIN: frozenset(nodes)}


def jailed(rig, make_record, *nodes):
    """The rig with a chain on which one is in jail, and that fact told."""
    rig.named = named(*nodes)
    rig.begin(nodes=nodes)
    rig.say(rig.block(106), rig.jail(106), rig.change(106))
    rig.say(rig.read(107, make_record(jailed=True, bond="unbonding")))
    assert len(rig.alerts()) == 1
    rig.events.clear()
    rig.told.clear()
    return rig


def test_a_chain_that_is_taken_out_of_the_settings_is_no_chain_that_is_silent(rig, make_record):
    jailed(rig, make_record, "n1")
    rig.seen.clear()
    rig.named = {}
    assert rig.wait(3600, 10.0) == []
    assert rig.told == []
    # Who shows states is not to show them as if somebody looked.
    assert [(event.data["status"], event.data["lastStatus"]) for event in rig.seen] == [
        ("UNKNOWN", "JAILED"),
        ("UNKNOWN", "ACTIVE"),
    ]
    assert rig.chains.now(rig.at).chains() == []
    assert rig.chains.now(rig.at).levels()["chain_validators"] == {}
    (aside,) = rig.chains.aside()
    assert (aside["chain"], aside["validators"]) == (CHAIN, 2)


def test_what_its_source_still_said_on_its_way_out_makes_no_chain(rig, make_record):
    jailed(rig, make_record, "n1")
    rig.named = {}
    rig.look()
    assert rig.say(rig.head(120), rig.jail(120, "DD" * 20)) == []
    assert rig.chains.now(rig.at).chains() == []


def test_a_chain_that_is_named_again_goes_on_where_it_was_and_tells_no_jailing_twice(rig, make_record):
    jailed(rig, make_record, "n1")
    rig.named = {}
    rig.wait(600, 10.0)
    assert rig.chains.now(rig.at).told_to(CHAIN) == -1
    rig.named = named("n1")
    assert rig.chains.now(rig.at).told_to(CHAIN) == 106
    rig.grow(210, 212)
    rig.say(rig.read(212, make_record(jailed=True, bond="unbonding")))
    assert rig.alerts() == []
    assert (rig.status(), rig.chains.aside()) == ("JAILED", [])


def test_the_same_over_restarts(rig, make_record):
    jailed(rig, make_record, "n1")
    rig.named = {}
    rig.restart()
    assert rig.look() == []
    assert rig.chains.now(rig.at).chains() == []
    assert [each["chain"] for each in rig.chains.aside()] == [CHAIN]
    rig.named = named("n1")
    rig.restart()
    rig.grow(110, 111)
    rig.say(rig.read(111, make_record(jailed=True, bond="unbonding")))
    assert rig.alerts() == []
    assert rig.status() == "JAILED"


def test_a_chain_that_is_aside_for_long_is_forgotten_on_the_disk_too(rig, make_record):
    jailed(rig, make_record, "n1")
    assert len(rig.rows) == 3
    rig.named = {}
    rig.restart()
    rig.at += KEPT_FOR - 3600
    rig.look()
    assert len(rig.rows) == 3
    rig.at += 7200
    rig.look()
    assert (rig.rows, rig.chains.aside()) == ({}, [])


def test_a_node_that_is_taken_out_of_the_settings_is_not_silent_and_not_kept(rig, make_record):
    jailed(rig, make_record, "n1", "n2")
    rig.named = named("n1")
    told = rig.grow(107, 160, "n1")
    assert [event.type for event in told] == []
    assert [node["name"] for node in rig.chain["nodes"]] == ["n1"]
    assert [node["name"] for node in rig.rows["chain.watch", CHAIN]["nodes"]] == ["n1"]
