"""Nodes and the chain as a whole: V7, V8 and V9."""

from __future__ import annotations

import pytest

from domain import Priority
from domain.chain.observations import HeadSeen
from domain.chain.validators import Terms

ALICE, BOB = "AA" * 20, "BB" * 20


def faults(rig):
    return {node["name"]: node["state"] for node in rig.chain["nodes"]}


# -- V8: stale ------------------------------------------------------------------------------------------------


def test_a_node_that_stops_makes_validators_unknown_within_four_block_times_and_never_inactive(rig):
    rig.begin()
    told = rig.wait(4 * 6 - 1.5)
    assert told == []
    told = rig.wait(3)
    assert [event.type for event in told] == ["chain.node.quarantined", "chain.stale"]
    assert (told[0].data["reason"], told[1].priority) == ("silent", Priority.HIGH)
    assert rig.status() == "UNKNOWN"
    assert {(event.data["status"], event.data["lastStatus"]) for event in rig.told} == {("UNKNOWN", "ACTIVE")}
    assert rig.wait(3600, 30) == []


def test_a_node_that_refuses_is_silent_as_soon_as_its_blocks_stay_away(rig):
    rig.begin()
    rig.at += 10
    rig.say(rig.heard(fault="connection refused"))
    assert rig.chain["nodes"][0]["fault"] == "connection refused"
    rig.wait(16)
    assert faults(rig) == {"n1": "silent"}


def test_the_first_answer_ends_the_silence_and_tells_the_states_again_without_an_alert(rig, make_record):
    rig.begin()
    rig.say(rig.jail(106), rig.change(106), rig.read(106, make_record(jailed=True, bond="unbonding")))
    rig.wait(100)
    rig.told.clear()
    (told,) = rig.say(rig.head(120))
    assert told.type == "chain.fresh"
    assert [each.type for each in rig.look()] == ["chain.node.released"]
    jailed = [event for event in rig.told if event.data["validator"] == ALICE]
    assert [(event.data["status"], event.priority) for event in jailed] == [("JAILED", Priority.NORMAL)]
    assert len(rig.alerts()) == 1


def test_a_jailing_that_comes_with_the_first_word_after_a_silence_is_told(rig):
    rig.begin()
    rig.wait(100)
    rig.say(rig.jail(121))
    assert len(rig.alerts()) == 1


def test_one_silent_node_of_two_makes_nothing_stale(rig):
    rig.begin(nodes=("n1", "n2"))
    told = rig.grow(106, 115, "n1")
    assert [event.type for event in told] == ["chain.node.quarantined"]
    assert rig.status() == "ACTIVE"


def test_staleness_outlives_a_restart_and_is_not_told_twice(rig):
    rig.begin()
    rig.wait(100)
    rig.restart()
    assert rig.say(rig.heard(fault="timed out")) == []
    assert rig.wait(200) == []
    told = rig.say(rig.head(140))
    assert [event.type for event in told] == ["chain.fresh"]


def test_a_restart_gives_nodes_the_time_to_answer(rig):
    rig.begin()
    rig.at += 3600
    rig.restart()
    assert rig.wait(60) == []
    rig.say(rig.heard(fault="timed out"))
    assert rig.wait(20) == []
    assert "chain.stale" in [event.type for event in rig.wait(10)]


def test_before_the_block_time_is_known_silence_is_a_setting(make_rig):
    rig = make_rig(Terms(silence=20.0))
    rig.say(rig.head(100))
    assert rig.wait(19) == []
    assert [event.type for event in rig.wait(3)] == ["chain.node.quarantined", "chain.stale"]


def test_a_node_that_is_only_asked_now_and_then_is_not_silent_between(make_rig):
    rig = make_rig()
    for height in range(100, 160, 10):
        rig.say(rig.heard(), rig.head(height, at=rig.at))
        assert rig.wait(10) == []
    assert faults(rig) == {"n1": "fresh"}


def test_a_chain_whose_first_block_has_the_time_of_long_ago_has_its_pace_after_some_blocks(make_rig):
    rig = make_rig()
    rig.at += 600
    rig.say(rig.head(101, at=rig.at - 86_400))
    for height in range(102, 106):
        rig.at += 6
        rig.say(rig.head(height, at=rig.at))
    assert rig.chain["blockTimeMs"] == 6000


def test_blocks_that_share_their_whole_seconds_have_the_pace_of_all_of_them(make_rig):
    rig = make_rig()
    for height in range(101, 131):
        rig.say(rig.head(height, at=float(int(rig.at + (height - 101) / 3))))
    assert rig.chain["blockTimeMs"] == pytest.approx(333, abs=30)


# -- V9: halted -----------------------------------------------------------------------------------------------


def test_a_chain_that_stands_still_is_one_alert_and_its_end_is_told(rig):
    rig.begin(nodes=("n1", "n2"))
    told = rig.wait(600, 2.0, "n1", "n2")
    assert [(event.type, event.priority) for event in told] == [("chain.halted", Priority.CRITICAL)]
    assert (told[0].data["headHeight"], told[0].data["confirmedBy"]) == (105, ["n1", "n2"])
    assert rig.say(rig.missed(105, 990)) == []
    assert (rig.chain["state"], rig.status()) == ("halted", "ACTIVE")
    rig.at += 1
    (told,) = rig.say(rig.head(106, at=rig.at))
    assert (told.type, told.priority) == ("chain.resumed", Priority.HIGH)


def test_it_is_told_after_eight_block_times_and_not_before(rig):
    rig.begin()
    assert rig.wait(46, 1.0, "n1") == []
    assert [event.type for event in rig.wait(4, 1.0, "n1")] == ["chain.halted"]


def test_rounds_that_go_by_without_a_block_tell_it_sooner(rig):
    rig.begin()
    rig.wait(25, 1.0, "n1")
    rig.say(rig.round(106, 2))
    assert rig.look() == []
    rig.say(rig.round(106, 3))
    (told,) = rig.look()
    assert (told.type, told.data["round"]) == ("chain.halted", 3)


def test_nodes_that_are_asked_less_often_than_blocks_come_do_not_flap_while_the_chain_stands_still(rig):
    rig.begin(nodes=("n1", "n2"))
    told = []
    for _ in range(60):
        # Several answers within a moment, and then nothing for longer than four block times.
        for _ in range(4):
            rig.at += 0.002
            told += rig.say(rig.heard("n1"), rig.heard("n2"))
        told += rig.wait(30)
    halts = [event.type for event in told if event.type == "chain.halted"]
    moves = [event for event in told if event.type == "chain.node.quarantined"]
    assert len(halts) == 1
    # The first time nobody can know better.
    assert len(moves) <= 2
    assert faults(rig) == {"n1": "fresh", "n2": "fresh"}


def test_a_node_that_did_not_answer_when_it_was_asked_is_not_given_more_time_for_that(rig):
    rig.begin(nodes=("n1", "n2"))
    for height in range(106, 126):
        rig.grow(height, height, "n1")
        rig.say(rig.heard("n2", fault="no answer within 10 s"))
    rig.grow(126, 127, "n1", "n2")
    rig.say(rig.read(127, node="n2"))
    assert faults(rig)["n2"] == "fresh"
    rig.grow(128, 133, "n1")
    assert faults(rig)["n2"] == "silent"


def test_a_node_that_hangs_is_no_chain_that_stands_still(rig):
    rig.begin()
    told = rig.wait(600)
    assert "chain.halted" not in [event.type for event in told]


def test_while_one_node_is_behind_the_chain_does_not_stand_still(rig):
    rig.begin(nodes=("n1", "n2"))
    rig.grow(106, 107, "n1")
    rig.at += 1
    assert "chain.halted" not in [event.type for event in rig.wait(600, 2.0, "n2")]


def test_nodes_that_stand_still_one_block_apart_are_a_chain_that_stands_still(rig):
    rig.begin(nodes=("n1", "n2"))
    rig.grow(106, 106, "n1")
    (told,) = rig.wait(600, 2.0, "n1", "n2")
    assert (told.type, told.data["headHeight"]) == ("chain.halted", 106)
    assert "2 nodes that answer are at heights 105 to 106" in told.data["why"]


def test_the_first_block_behind_a_halt_is_old_by_its_own_time_and_nothing_is_stale_for_that(rig):
    rig.begin(nodes=("n1", "n2"))
    rig.wait(3600, 2.0, "n1", "n2")
    rig.events.clear()
    # Its time is that of the votes for the block before, which were cast when the chain stopped.
    told = rig.say(rig.head(106, at=rig.at - 3590), rig.head(106, "n2", at=rig.at - 3590))
    told += rig.wait(6, 0.5, "n1", "n2")
    told += rig.say(rig.head(107, at=rig.at - 6), rig.head(107, "n2", at=rig.at - 6)) + rig.look()
    assert [event.type for event in told] == ["chain.resumed"]


def test_a_halt_outlives_a_restart_and_is_not_told_twice(rig):
    rig.begin()
    rig.wait(100, 2.0, "n1")
    rig.restart()
    rig.say(rig.head(105))
    assert rig.wait(300, 2.0, "n1") == []
    rig.at += 1
    assert [event.type for event in rig.say(rig.head(106, at=rig.at))] == ["chain.resumed"]


def test_a_chain_that_stood_still_before_the_first_look_is_halted_and_not_stale(make_rig):
    rig = make_rig(Terms(silence=10.0))
    rig.at += 86_400
    rig.say(rig.head(100))
    assert [event.type for event in rig.wait(60, 1.0, "n1")] == ["chain.halted"]


# -- V7: quarantine -------------------------------------------------------------------------------------------


def test_a_node_that_answers_and_is_stuck_is_quarantined_and_released_when_it_is_there(rig):
    rig.begin(nodes=("n1", "n2"))
    told = []
    for height in range(106, 112):
        told += rig.grow(height, height, "n1")
        rig.say(rig.head(105, "n2"))
    assert [(event.type, event.data["node"], event.data["reason"]) for event in told] == [
        ("chain.node.quarantined", "n2", "behind")
    ]
    rig.say(rig.read(111, node="n2"))
    assert rig.chain["nodes"][1]["ignored"] == 1
    rig.say(rig.head(110, "n2"))
    assert [event.type for event in rig.look()] == ["chain.node.released"]


def test_a_node_that_catches_up_is_not_heard_on_the_present(rig):
    rig.begin()
    rig.at += 3600
    rig.grow(700, 702)
    rig.say(rig.head(110, "n2", is_catching_up=True))
    rig.look()
    assert faults(rig)["n2"] == "catching_up"


def test_new_blocks_that_are_old_are_no_present(make_rig):
    rig = make_rig()
    rig.at += 86_400
    for height in range(100, 110):
        rig.at += 1
        rig.say(rig.head(height))
        rig.look()
    assert faults(rig) == {"n1": "old"}
    assert "chain.stale" in rig.types


def test_a_height_that_no_chain_can_have_reached_is_not_believed(rig):
    rig.begin(nodes=("n1", "n2"))
    rig.say(rig.head(10**9, "n2", at=rig.at))
    assert rig.chain["headHeight"] == 105
    (told,) = rig.look()
    assert (told.type, told.data["reason"]) == ("chain.node.quarantined", "ahead")
    rig.grow(106, 106, "n1", "n2")
    assert faults(rig)["n2"] == "fresh"


def test_a_node_that_claims_a_height_and_tells_honest_blocks_is_ahead_until_it_takes_the_claim_back(rig):
    rig.begin(nodes=("n1", "n2"))

    def claim(height):
        return rig.say(HeadSeen(rig.place(height, "n2", "status", at=rig.at), height, rig.at))

    for height in range(106, 112):
        claim(99_999)
        rig.grow(height, height, "n1", "n2")
    assert [(event.type, event.data["reason"]) for event in rig.events] == [("chain.node.quarantined", "ahead")]
    assert (rig.events[0].data["claimedHeight"], rig.events[0].data["state"]["claimedHeight"]) == (99_999, 99_999)
    assert next(node["height"] for node in rig.chain["nodes"] if node["name"] == "n2") == 111
    claim(111)
    assert [event.type for event in rig.look()] == ["chain.node.released"]
    assert next(node["claimedHeight"] for node in rig.chain["nodes"] if node["name"] == "n2") is None


def test_a_claim_that_is_not_made_again_for_long_does_not_keep_a_node_out(rig):
    rig.begin(nodes=("n1", "n2"))
    rig.say(HeadSeen(rig.place(99_999, "n2", "status", at=rig.at), 99_999, rig.at))
    rig.grow(106, 200, "n1", "n2")
    assert faults(rig)["n2"] == "ahead"
    rig.grow(201, 207, "n1", "n2")
    assert faults(rig)["n2"] == "fresh"


def test_a_block_from_the_future_is_not_believed(rig):
    rig.begin(nodes=("n1", "n2"))
    rig.say(rig.head(106, "n2", at=rig.at + 3600))
    assert rig.chain["headHeight"] == 105


def test_after_a_night_without_us_the_first_block_is_believed(rig):
    rig.begin(nodes=("n1", "n2"))
    rig.at += 36_000
    rig.restart()
    rig.grow(6106, 6107, "n1", "n2")
    assert rig.chain["headHeight"] == 6107
    assert set(faults(rig).values()) == {"fresh"}


def test_records_of_a_height_that_no_node_has_are_not_read(rig, make_record):
    rig.begin()
    assert rig.say(rig.read(10**6, make_record(jailed=True))) == []
    assert rig.status() == "ACTIVE"


def test_records_without_a_height_are_as_high_as_the_nodes_newest_block(rig, make_record):
    rig.begin()
    rig.grow(106, 107)
    (told,) = rig.say(rig.read(None, make_record(jailed=True, bond="unbonding")))
    assert told.data["height"] == 107


# -- a chain that began anew ----------------------------------------------------------------------------------


def test_a_chain_that_began_anew_is_told_and_nothing_is_known_of_its_validators(rig, make_record):
    rig.begin()
    rig.at += 60
    told = rig.say(rig.head(3, at=rig.at - 1))
    assert [event.type for event in told] == ["chain.reorganized"]
    assert (told[0].data["depth"], told[0].data["why"]) == (102, "the chain began anew")
    rig.at += 6
    rig.say(rig.head(4, at=rig.at - 1))
    assert (rig.chain["headHeight"], rig.validator()["lastStatus"]) == (4, "UNKNOWN")
    rig.say(rig.read(4, make_record(jailed=True, bond="unbonded")))
    assert rig.alerts()[-1].data["standing"]


@pytest.mark.parametrize("height", [3, 90])
def test_a_backend_that_lags_is_no_chain_that_began_anew(rig, height):
    rig.begin()
    rig.at += 1
    assert rig.say(rig.head(height)) == []
    assert rig.chain["headHeight"] == 105


def test_a_node_of_another_chain_does_not_make_this_one_begin_anew(rig):
    rig.begin(nodes=("n1", "n2"))
    rig.at += 6
    assert rig.say(rig.head(3, "n2", at=rig.at)) == []
    rig.look()
    assert faults(rig)["n2"] == "behind"
