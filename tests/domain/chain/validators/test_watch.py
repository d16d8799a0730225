"""What blocks, sets and records together make of a validator: V2 to V7, V10 and V12."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from domain import Priority
from domain.chain import faults_of
from domain.chain.observations import HeightsMissed, ValidatorRow

ALICE, BOB, CAROL = "AA" * 20, "BB" * 20, "CC" * 20
KEY = "0x" + "ab" * 48
PROVENANCE = {"source", "height", "method", "observedAt", "ageMs", "confirmedBy", "chain"}


def words(events):
    return [(event.type, event.data["status"]) for event in events]


# -- the first evidence, and what comes behind it -------------------------------------------------------------


def test_a_jailing_in_a_block_is_told_at_once_as_critical_and_unconfirmed(rig):
    rig.begin()
    (told,) = rig.say(rig.jail(106))
    assert (told.type, told.priority) == ("validator.status", Priority.CRITICAL)
    data = told.data
    assert (data["status"], data["reason"], data["since"]) == ("JAILED", "downtime", 106)
    assert (data["confirmed"], data["news"], data["previous"]) == (False, True, "ACTIVE")


def test_it_is_confirmed_by_the_next_records_and_told_so_without_another_alert(rig, make_record):
    rig.begin()
    rig.say(rig.jail(106), rig.change(106))
    told = rig.say(rig.read(107, make_record(jailed=True, bond="unbonding", jailed_until=rig.at + 600)))
    assert words(told) == [("validator.confirmed", "JAILED")]
    assert told[0].priority is Priority.HIGH
    assert told[0].data["jailedUntil"] is not None
    assert rig.say(rig.read(108, make_record(jailed=True, bond="unbonding"))) == []
    assert len(rig.alerts()) == 1


def test_records_that_are_read_twice_at_one_height_do_not_confirm_themselves(rig, make_record):
    rig.begin(nodes=("n1", "n2"))
    jailed = make_record(jailed=True, bond="unbonding")
    (told,) = rig.say(rig.read(107, jailed))
    assert (told.data["status"], told.data["confirmed"]) == ("JAILED", False)
    assert rig.say(rig.read(107, jailed)) == []
    (told,) = rig.say(rig.read(107, jailed, node="n2"))
    assert (told.type, told.data["confirmedBy"]) == ("validator.confirmed", ["n1", "n2"])


def test_records_of_a_later_height_confirm_those_of_the_same_node(rig, make_record):
    rig.begin()
    jailed = make_record(jailed=True, bond="unbonding")
    rig.say(rig.read(107, jailed))
    (told,) = rig.say(rig.read(108, jailed))
    assert (told.type, told.data["height"]) == ("validator.confirmed", 108)


def test_records_do_not_confirm_themselves_at_any_height_where_another_node_has_such_records(rig, make_record):
    rig.begin(nodes=("n1", "n2"))
    jailed = make_record(jailed=True, bond="unbonding")
    rig.say(rig.read(107, jailed))
    assert rig.say(rig.read(108, jailed)) == []
    rig.restart()
    rig.say(rig.heard(), rig.read(109, jailed))
    assert not rig.validator()["confirmed"]
    (told,) = rig.say(rig.read(109, jailed, node="n2"))
    assert (told.type, told.data["confirmedBy"]) == ("validator.confirmed", ["n1", "n2"])


def test_who_lies_alone_is_contradicted_never_confirmed_and_taken_back_when_it_tells_the_truth(rig, make_record):
    rig.begin(nodes=("n1", "n2"))
    # The term of a jailing long ago, as the records of who served it have it.
    lie = make_record(jailed=True, bond="unbonding", jailed_until=0.0)
    rig.say(rig.read(107, lie, node="n2"))
    for height in range(108, 130, 2):
        rig.grow(height, height, "n1", "n2")
        rig.say(rig.read(height))
        rig.say(rig.read(height, lie, node="n2"))
    assert [event.type for event in rig.events] == ["validator.status", "validator.conflict"]
    (told,) = rig.say(rig.read(130, node="n2"))
    assert (told.type, told.data["status"], told.data["retracted"]) == ("validator.retracted", "ACTIVE", "JAILED")


def test_a_block_and_the_records_of_one_node_are_not_confirmed_while_another_node_denies_them(rig, make_record):
    rig.begin(nodes=("n1", "n2"))
    jailed = make_record(jailed=True, bond="unbonding")
    rig.say(rig.jail(106, node="n2"), rig.read(108), rig.read(108, jailed, node="n2"))
    assert (rig.status(), rig.validator()["confirmed"]) == ("JAILED", False)
    (told,) = rig.say(rig.read(109, jailed))
    assert (told.type, told.data["confirmedBy"]) == ("validator.confirmed", ["n2", "n1"])


def test_a_second_node_confirms_it_too(rig):
    rig.begin(nodes=("n1", "n2"))
    rig.say(rig.jail(106))
    (told,) = rig.say(rig.jail(106, node="n2"))
    assert told.type == "validator.confirmed"
    assert told.data["confirmedBy"] == ["n1", "n2"]


def test_it_is_taken_back_when_the_records_of_the_node_that_said_so_do_not_have_it(rig):
    rig.begin()
    rig.say(rig.jail(106))
    (told,) = rig.say(rig.read(107))
    assert words([told]) == [("validator.retracted", "ACTIVE")]
    assert (told.data["retracted"], told.data["previous"]) == ("JAILED", "JAILED")
    assert rig.told[-1].data["status"] == "ACTIVE"
    # The same word again, from whoever, is no news.
    assert rig.say(rig.jail(106), rig.jail(106, node="n2")) == []


def test_who_is_jailed_and_later_is_not_is_released_and_not_taken_back(rig, make_record):
    rig.begin()
    rig.say(rig.jail(106), rig.change(106))
    rig.say(rig.read(107, make_record(jailed=True, bond="unbonding")))
    rig.grow(107, 210)
    (told,) = rig.say(rig.read(210))
    assert words([told]) == [("validator.status", "ACTIVE")]
    assert (told.data["previous"], told.priority) == ("JAILED", Priority.HIGH)


def test_an_unconfirmed_jailing_whose_term_is_over_is_released_too(rig):
    rig.begin()
    rig.say(rig.jail(106))
    rig.grow(107, 210)
    (told,) = rig.say(rig.read(210))
    assert words([told]) == [("validator.status", "ACTIVE")]


def test_jailed_and_released_and_jailed_again_are_two_alerts(rig, make_record):
    rig.begin()
    rig.say(rig.jail(106))
    rig.say(rig.read(107, make_record(jailed=True, bond="unbonding")))
    rig.grow(107, 210)
    rig.say(rig.read(210))
    rig.say(rig.jail(215))
    assert [event.data["since"] for event in rig.alerts()] == [106, 215]


def test_a_second_jailing_is_told_although_nobody_saw_the_release_between(rig, make_record):
    rig.begin()
    rig.say(rig.jail(106))
    rig.say(rig.read(107, make_record(jailed=True, bond="unbonding")))
    rig.grow(107, 300)
    rig.say(rig.jail(300))
    assert [event.data["since"] for event in rig.alerts()] == [106, 300]


# -- V2: reasons ----------------------------------------------------------------------------------------------


def test_a_double_sign_tombstones_for_ever_and_has_no_countdown(rig, make_record):
    rig.begin()
    (told,) = rig.say(rig.jail(106, reason="double_sign"))
    assert (told.data["status"], told.data["reason"]) == ("TOMBSTONED", "double_sign")
    assert told.priority is Priority.CRITICAL
    rig.say(rig.read(107, make_record(jailed=True, bond="unbonding", is_tombstoned=True, jailed_until=253402300799.0)))
    data = rig.validator()
    assert data["confirmed"]
    assert (data["jailedUntil"], data["canUnjail"], data["blocksToJail"]) == (None, None, None)


def test_a_jailed_validator_that_is_tombstoned_is_told_again(rig):
    rig.begin()
    rig.say(rig.jail(106))
    rig.say(rig.jail(108, reason="double_sign"))
    assert [event.data["status"] for event in rig.alerts()] == ["JAILED", "TOMBSTONED"]


def test_a_jailing_without_an_event_behind_a_block_that_took_it_out_is_for_its_own_delegation(rig, make_record):
    rig.begin()
    rig.say(rig.change(106))
    assert rig.status() == "INACTIVE"
    rig.say(rig.read(107, make_record(jailed=True, bond="unbonding")))
    (told,) = rig.alerts()
    assert (told.data["reason"], told.data["confirmed"]) == ("self_delegation", False)
    assert rig.of("validator.conflict") == []


def test_a_jailing_that_only_the_records_tell_has_no_known_reason(rig, make_record):
    rig.begin()
    (told,) = rig.say(rig.read(107, make_record(jailed=True, bond="unbonding"), make_record(BOB)))
    assert (told.data["reason"], told.data["method"]) == ("unknown", "staking/validators")
    (told,) = rig.say(rig.read(108, make_record(jailed=True, bond="unbonding"), make_record(BOB)))
    assert told.type == "validator.confirmed"


def test_a_term_that_slashing_still_counts_says_that_it_was_downtime(rig, make_record):
    rig.begin()
    rig.say(rig.read(107, make_record(jailed=True, bond="unbonding")))
    infos = ValidatorRow(ALICE, is_tombstoned=False, jailed_until=rig.at + 500, missed=0)
    (told,) = rig.say(rig.read(107, infos, complete=False, method="slashing/signing_infos"))
    assert (told.type, told.data["reason"]) == ("validator.confirmed", "downtime")
    assert told.data["canUnjail"] is False


def test_the_block_that_comes_late_explains_a_jailing_that_the_records_told(rig, make_record):
    rig.begin()
    rig.say(rig.read(110, make_record(jailed=True, bond="unbonding")))
    (told,) = rig.say(rig.jail(108, history=True))
    assert (told.type, told.data["reason"], told.data["since"]) == ("validator.confirmed", "downtime", 108)
    assert len(rig.alerts()) == 1


def test_a_slashed_validator_of_a_beacon_chain_is_jailed_for_that(rig):
    rig.begin()
    row = ValidatorRow(KEY, operator="7", status="active_ongoing", bond="bonded", is_jailed=False)
    rig.say(rig.read(106, row, complete=False, method="validators"))
    rig.grow(106, 108)
    slashed = replace(row, status="active_slashed", is_jailed=True, reason="slashed")
    rig.say(rig.read(108, slashed, complete=False, method="validators"))
    (told,) = rig.alerts(KEY)
    assert (told.data["reason"], told.data["spec"], told.data["final"]) == ("slashed", "active_slashed", False)
    assert told.data["canUnjail"] is False


def test_another_word_of_the_chain_for_the_same_state_is_told_without_an_alert(rig):
    rig.begin()
    row = ValidatorRow(KEY, operator="7", status="active_ongoing", bond="bonded", is_jailed=False)
    rig.say(rig.read(106, row, complete=False, method="validators"))
    rig.told.clear()
    assert rig.say(rig.read(107, replace(row, status="active_exiting"), complete=False, method="validators")) == []
    (told,) = rig.told
    assert (told.data["status"], told.data["spec"], told.data["news"]) == ("ACTIVE", "active_exiting", False)


def test_a_block_that_comes_late_and_only_corrects_since_when_is_told_too(rig, make_record):
    rig.begin()
    until = rig.at + 600
    rig.say(rig.read(110, make_record(jailed=True, bond="unbonding", jailed_until=until)))
    rig.say(rig.read(111, make_record(jailed=True, bond="unbonding", jailed_until=until)))
    assert (rig.validator()["reason"], rig.validator()["confirmed"]) == ("downtime", True)
    rig.told.clear()
    (told,) = rig.say(rig.jail(108, history=True))
    assert (told.type, told.data["reason"], told.data["since"]) == ("validator.confirmed", "downtime", 108)
    # The status alone says it as well, to those who read nothing else, and is no second alert.
    (again,) = [event for event in rig.told if event.data["validator"] == ALICE]
    assert (again.type, again.data["since"], again.data["news"]) == ("validator.status", 108, False)
    assert rig.say(rig.jail(108, history=True, node="n2")) == []
    assert len(rig.alerts()) == 1


# -- V3: who leaves is not jailed -----------------------------------------------------------------------------


def test_who_only_leaves_the_set_is_inactive_and_nothing_more(rig, make_record):
    rig.begin()
    (told,) = rig.say(rig.change(106))
    assert words([told]) == [("validator.status", "INACTIVE")]
    assert told.priority is Priority.HIGH
    rig.say(rig.read(107, make_record(bond="unbonding"), make_record(BOB)))
    rig.grow(107, 120)
    rig.say(rig.read(120, make_record(bond="unbonded"), make_record(BOB)))
    assert rig.status() == "INACTIVE"
    assert [event.type for event in rig.events] == ["validator.status"]


def test_who_joins_the_set_is_active_and_is_not_missed_in_a_set_that_has_it_two_blocks_later(rig):
    rig.begin()
    rig.say(rig.change(106, [(CAROL, 10)]))
    assert rig.status(CAROL) == "ACTIVE"
    rig.say(rig.read(107, complete=True))
    assert rig.status(CAROL) == "ACTIVE"
    rig.say(rig.read(108, complete=True))
    assert rig.status(CAROL) == "INACTIVE"


def test_who_was_jailed_has_no_power_although_the_set_of_the_next_height_still_has_it(rig):
    rig.begin()
    member, other = ValidatorRow(ALICE, bond="bonded", power=10), ValidatorRow(BOB, bond="bonded", power=5)
    rig.say(rig.read(105, member, other, complete=True, method="validators"))
    assert rig.validator()["votingPower"] == 10
    rig.grow(106, 106)
    rig.say(rig.jail(106), rig.change(106))
    for height in (106, 107):
        rig.say(rig.read(height, member, other, complete=True, method="validators"))
        assert rig.validator()["votingPower"] == 0
    rig.say(rig.read(108, other, complete=True, method="validators"))
    assert (rig.validator()["votingPower"], rig.validator(BOB)["votingPower"]) == (0, 5)


def test_who_is_in_the_set_no_more_has_no_power_whoever_missed_the_block_that_said_so(rig):
    rig.begin()
    rows = ValidatorRow(ALICE, bond="bonded", power=10), ValidatorRow(BOB, bond="bonded", power=5)
    rig.say(rig.read(105, *rows, complete=True, method="validators"))
    rig.grow(106, 110)
    rig.say(rig.read(110, rows[1], complete=True, method="validators"))
    assert (rig.status(), rig.validator()["votingPower"]) == ("INACTIVE", 0)


def test_the_set_of_the_next_height_still_has_who_was_just_jailed_and_that_releases_nobody(rig):
    rig.begin()
    rig.say(rig.jail(106), rig.change(106))
    member = ValidatorRow(ALICE, bond="bonded", power=10)
    for height in (106, 107):
        assert rig.say(rig.read(height, member, complete=False, method="validators")) == []
    assert rig.status() == "JAILED"


def test_on_a_chain_without_records_being_in_the_set_again_ends_a_jailing(rig):
    rig.begin()
    rig.say(rig.jail(106))
    rig.grow(107, 250)
    rig.say(rig.read(250, ValidatorRow(ALICE, bond="bonded", power=10), complete=False, method="validators"))
    assert rig.status() == "ACTIVE"


def test_joining_the_set_ends_a_confirmed_jailing(rig, make_record):
    rig.begin()
    rig.say(rig.jail(106))
    rig.say(rig.read(107, make_record(jailed=True, bond="unbonding")))
    (told,) = rig.say(rig.change(230, [(ALICE, 5)]))
    assert words([told]) == [("validator.status", "ACTIVE")]


# -- V4: the two signals of a block ---------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, -1])
def test_both_signals_of_a_block_agree_in_whichever_order_they_come(rig, order):
    rig.begin()
    for said in (rig.jail(106), rig.change(106))[::order]:
        rig.say(said)
    rig.grow(107, 112)
    assert rig.of("validator.conflict") == []
    kinds = {each["kind"] for each in rig.validator()["evidence"]}
    assert kinds == {"block_jailed", "set_left"}


def test_in_one_message_the_reason_comes_before_the_leaving(rig):
    rig.begin()
    rig.say(rig.change(106), rig.jail(106))
    assert words(rig.events) == [("validator.status", "JAILED")]


def test_a_change_of_the_set_that_does_not_have_the_jailed_one_is_a_conflict_told_once(rig):
    rig.begin()
    rig.say(rig.jail(106))
    (told,) = rig.say(rig.change(106, [(BOB, 7)]))
    assert told.type == "validator.conflict"
    assert told.priority is Priority.HIGH
    assert "does not have it" in told.data["why"]
    rig.grow(107, 115)
    assert len(rig.of("validator.conflict")) == 1


def test_a_jailing_without_any_change_of_the_set_is_a_conflict_after_two_blocks(rig):
    rig.begin()
    rig.grow(106, 106)
    rig.say(rig.jail(106))
    rig.grow(107, 107)
    assert rig.of("validator.conflict") == []
    rig.grow(108, 109)
    assert "no change of the validator set was seen" in rig.of("validator.conflict")[0].data["why"]


def test_a_double_sign_of_one_that_was_not_in_the_set_needs_no_change_of_it(rig, make_record):
    rig.begin(make_record(bond="unbonding"), make_record(BOB))
    rig.say(rig.jail(106, reason="double_sign"), rig.change(106, [(BOB, 7)]))
    rig.grow(107, 112)
    assert rig.of("validator.conflict") == []


def test_a_block_that_keeps_silent_about_a_jailing_with_a_term_is_a_conflict(rig, make_record):
    rig.begin()
    rig.say(rig.block(106), rig.change(106))
    rig.say(rig.read(107, make_record(jailed=True, bond="unbonding", jailed_until=rig.at + 500)))
    (told,) = rig.of("validator.conflict")
    assert "its events do not say that it was jailed" in told.data["why"]


# -- V5, V6: gaps, replays and history ------------------------------------------------------------------------


def test_a_jailing_in_a_gap_is_told_once_when_the_gap_is_filled(rig):
    rig.begin()
    rig.at += 36
    rig.say(rig.head(111))
    rig.say(rig.jail(107, history=True), rig.change(107, history=True))
    rig.say(rig.jail(107, history=True), rig.jail(107, history=True, node="n2"))
    assert len(rig.alerts()) == 1


def test_a_jailing_in_a_gap_is_told_once_when_the_records_were_first(rig, make_record):
    rig.begin()
    rig.at += 36
    rig.say(rig.head(111), rig.read(111, make_record(jailed=True, bond="unbonding")))
    rig.say(rig.jail(107, history=True))
    assert len(rig.alerts()) == 1


def test_blocks_below_what_is_known_are_history_which_is_kept_and_never_an_alert(rig):
    rig.begin()
    (told,) = rig.say(rig.jail(90))
    assert (told.type, told.priority) == ("validator.history", Priority.NORMAL)
    assert (told.data["kind"], told.data["reason"], told.data["height"]) == ("block_jailed", "downtime", 90)
    assert (told.data["status"], rig.status()) == ("ACTIVE", "ACTIVE")
    assert rig.say(rig.jail(90), rig.jail(90, node="n2")) == []


def test_old_blocks_of_a_node_that_synchronises_are_history_whatever_it_says_of_them(rig):
    rig.begin()
    rig.at += 3600
    (told,) = rig.say(rig.jail(120))
    assert told.type == "validator.history"


def test_history_of_a_validator_that_nobody_knows_yet_waits_for_the_records(rig, make_record):
    rig.grow(100, 101)
    (told,) = rig.say(rig.jail(100, history=True))
    assert told.type == "validator.history"
    rig.say(rig.read(101, make_record(jailed=True, bond="unbonding")))
    (told,) = rig.alerts()
    assert told.data["standing"]


def test_heights_that_nobody_saw_are_told(rig):
    rig.begin()
    (told,) = rig.say(HeightsMissed(rig.place(None), 40, 60, "pruned"))
    assert (told.type, told.priority) == ("chain.missed", Priority.HIGH)
    assert (told.data["first"], told.data["last"], told.data["count"], told.data["reason"]) == (40, 60, 21, "pruned")


# -- V7: nodes that lag and nodes that lie --------------------------------------------------------------------


def test_two_backends_behind_one_address_do_not_make_a_state_flap(rig, make_record):
    rig.begin()
    rig.grow(106, 110)
    rig.say(rig.jail(108), rig.read(110, make_record(jailed=True, bond="unbonding")))
    before = len(rig.events)
    for height in (107, 110, 106, 109, 110, 105):
        rig.say(rig.read(height, make_record(jailed=height >= 108, bond="bonded" if height < 108 else "unbonding")))
    assert rig.events[before:] == []
    assert rig.status() == "JAILED"


def test_a_node_that_lags_does_not_undo_what_another_knows(rig, make_record):
    rig.begin(nodes=("n1", "n2"))
    rig.grow(106, 110, "n1")
    rig.say(rig.jail(109), rig.read(110, make_record(jailed=True, bond="unbonding")))
    assert rig.say(rig.read(107, node="n2")) == []
    assert rig.status() == "JAILED"


def test_records_from_below_the_watermark_jail_nobody(rig, make_record):
    rig.begin(nodes=("n1", "n2"))
    rig.grow(106, 110, "n1", "n2")
    rig.say(rig.read(110))
    assert rig.say(rig.read(108, make_record(jailed=True, bond="unbonding"), node="n2")) == []
    assert rig.status() == "ACTIVE"


def test_a_change_of_the_set_from_below_what_is_known_changes_nothing(rig):
    rig.begin()
    rig.say(rig.read(110))
    assert rig.say(rig.change(108)) == []
    assert rig.status() == "ACTIVE"


def test_a_record_of_before_a_state_began_has_no_word_on_it(rig, make_record):
    rig.begin(nodes=("n1", "n2"))
    rig.say(rig.change(108))
    assert rig.say(rig.read(107, node="n2")) == []
    assert rig.status() == "INACTIVE"


def test_a_node_that_denies_what_another_stands_by_is_a_conflict_told_once_and_changes_nothing(rig, make_record):
    rig.begin(nodes=("n1", "n2"))
    rig.grow(106, 110, "n1", "n2")
    rig.say(rig.jail(109), rig.change(109))
    for height in (110, 111, 112):
        rig.grow(height, height, "n1", "n2")
        rig.say(rig.read(height, node="n2"))
        rig.say(rig.read(height, make_record(jailed=True, bond="unbonding")))
    assert len(rig.of("validator.conflict")) == 1
    assert len(rig.alerts()) == 1
    assert rig.status() == "JAILED"


def test_two_nodes_overrule_one_and_its_word_counts_no_more_until_it_agrees(rig, make_record):
    nodes = ("n1", "n2", "n3")
    rig.begin(nodes=nodes)
    rig.grow(106, 106, *nodes)
    rig.say(rig.jail(106, node="n3"))
    rig.say(rig.read(106, node="n1"))
    told = rig.say(rig.read(106, node="n2"))
    assert words(told) == [("validator.retracted", "ACTIVE")]
    assert [each.type for each in rig.look()] == ["chain.node.quarantined"]
    rig.say(rig.jail(107, node="n3"), rig.read(107, make_record(jailed=True, bond="unbonding"), node="n3"))
    assert len(rig.alerts()) == 1
    rig.say(rig.read(108, node="n3"))
    assert [each.type for each in rig.look()] == ["chain.node.released"]


def test_a_witness_that_is_gone_does_not_keep_a_validator_in_jail(rig, make_record):
    rig.begin(nodes=("n1", "n2"))
    rig.say(rig.jail(106), rig.read(106, make_record(jailed=True, bond="unbonding")))
    rig.grow(107, 130, "n2")
    rig.say(rig.read(130, node="n2"))
    assert rig.status() == "ACTIVE"


def test_a_node_that_is_not_believed_jails_nobody(rig):
    rig.begin(nodes=("n1", "n2"))
    rig.say(rig.head(10**9, "n2", at=rig.at))
    assert rig.say(rig.jail(106, node="n2"), rig.change(106, node="n2"), rig.missed(106, 999, node="n2")) == []
    assert rig.status() == "ACTIVE"
    (told,) = rig.say(rig.jail(106))
    assert told.data["status"] == "JAILED"


def test_records_that_deny_a_confirmed_tombstone_are_a_conflict_and_change_nothing(rig, make_record):
    rig.begin()
    rig.say(rig.jail(106, reason="double_sign"), rig.change(106))
    rig.say(rig.read(106, make_record(jailed=True, bond="unbonding", is_tombstoned=True)))
    (told,) = rig.say(rig.read(150))
    assert (told.type, rig.status()) == ("validator.conflict", "TOMBSTONED")
    assert rig.say(rig.read(151), rig.change(152, [(ALICE, 4)])) == []


def test_the_last_block_that_a_validator_proposed_is_known(rig):
    rig.begin()
    rig.say(rig.block(106, proposer=ALICE), rig.block(90, history=True, proposer=ALICE), rig.block(107, proposer="?"))
    assert (rig.validator()["lastBlockProposed"], rig.chain["headHeight"]) == (106, 107)


def test_what_names_no_height_says_nothing_of_a_block(rig):
    rig.begin()
    assert rig.say(rig.jail(None), rig.change(None), rig.missed(None, 999)) == []


def test_validators_past_the_limit_are_counted_and_left_out(rig):
    rig.begin()
    powers = [(f"{number:040X}", 1) for number in range(10_050)]
    rig.say(rig.change(106, powers))
    assert (sum(rig.chain["validators"].values()), rig.chain["validatorsLeftOut"]) == (10_000, 52)


# -- V10: restarts --------------------------------------------------------------------------------------------


def test_already_jailed_at_the_first_look_is_told_once_and_not_again_after_a_restart(rig, make_record):
    rig.say(rig.rules())
    rig.grow(100, 101)
    rig.say(rig.read(101, make_record(jailed=True, bond="unbonded"), make_record(BOB)))
    (told,) = rig.alerts()
    assert (told.data["standing"], told.data["since"], told.priority) == (True, None, Priority.HIGH)
    rig.restart()
    rig.grow(102, 103)
    rig.say(rig.read(103, make_record(jailed=True, bond="unbonded"), make_record(BOB)))
    assert len(rig.alerts()) == 1


def test_a_watched_validator_that_was_jailed_already_is_critical(rig, make_record):
    rig.with_terms(watched=frozenset({"cosmosvaloper1alice"}))
    rig.grow(100, 101)
    rig.say(rig.read(101, make_record(jailed=True, bond="unbonded", operator="cosmosvaloper1alice")))
    assert rig.alerts()[0].priority is Priority.CRITICAL


def test_a_restart_while_jailed_neither_loses_nor_repeats_and_the_release_is_told(rig, make_record):
    rig.begin()
    rig.say(rig.jail(106), rig.change(106))
    rig.restart()
    rig.say(rig.jail(106, history=True), rig.jail(106))
    rig.say(rig.read(107, make_record(jailed=True, bond="unbonding"), make_record(BOB)))
    rig.restart()
    assert len(rig.alerts()) == 1
    rig.grow(210, 211)
    rig.say(rig.read(211))
    assert words(rig.of("validator.status")) == [("validator.status", "JAILED"), ("validator.status", "ACTIVE")]


def test_after_a_restart_the_first_node_to_deny_does_not_release_what_another_stood_by(rig, make_record):
    rig.begin(nodes=("n1", "n2"))
    rig.say(rig.jail(106), rig.read(106, make_record(jailed=True, bond="unbonding")))
    rig.restart()
    rig.grow(107, 108, "n1", "n2")
    rig.say(rig.read(108, node="n2"))
    rig.say(rig.read(108, make_record(jailed=True, bond="unbonding")))
    assert (rig.status(), len(rig.alerts())) == ("JAILED", 1)


def test_blocks_that_are_sent_again_after_a_restart_are_below_the_watermark(rig):
    rig.begin()
    rig.restart()
    (told,) = rig.say(rig.jail(104))
    assert told.type == "validator.history"


def test_before_anybody_was_heard_again_nothing_is_known_of_the_present(rig):
    rig.begin()
    rig.restart()
    data = rig.validator()
    assert (data["status"], data["lastStatus"], data["stale"]) == ("UNKNOWN", "ACTIVE", True)


def test_a_row_that_cannot_be_read_is_left_out_and_counted(rig):
    rig.begin()
    kept = {"chain.watch": [("testing-1", {"head": "x"})], "chain.validator": [("x", {"address": 7})]}
    assert type(rig.chains)().restore(kept, rig.at) == 2


# -- release --------------------------------------------------------------------------------------------------


def test_a_term_that_is_over_can_be_left_and_the_validator_stays_jailed_until_it_does(rig, make_record):
    rig.begin()
    until = rig.at + 60
    rig.say(rig.jail(106), rig.read(106, make_record(jailed=True, bond="unbonding", jailed_until=until)))
    assert rig.validator()["canUnjail"] is False
    rig.told.clear()
    rig.grow(107, 120)
    assert (rig.validator()["canUnjail"], rig.status()) == (True, "JAILED")
    told = [event for event in rig.told if event.data["canUnjail"]]
    assert [(event.data["status"], event.priority) for event in told] == [("JAILED", Priority.NORMAL)]


# -- V12: chains that take blocks back ------------------------------------------------------------------------


def slash(rig, height):
    row = ValidatorRow(KEY, operator="7", status="active_ongoing", bond="bonded", is_jailed=False)
    rig.begin()
    rig.say(rig.read(105, row, complete=False, method="validators"))
    rig.grow(106, height)
    rig.say(rig.jail(height, KEY, "slashed"))
    return replace(row, status="active_slashed", is_jailed=True)


def test_a_slashing_is_provisional_and_then_final(rig):
    row = slash(rig, 108)
    assert rig.alerts(KEY)[0].data["final"] is False
    rig.say(rig.read(109, row, complete=False, method="validators"))
    rig.say(rig.final(107))
    assert rig.validator(KEY)["final"] is False
    (told,) = rig.say(rig.final(108))
    assert (told.type, told.data["final"], told.data["height"]) == ("validator.confirmed", True, 108)
    assert rig.say(rig.final(108), rig.final(109)) == []


def test_a_slashing_in_a_block_that_is_taken_back_is_retracted_and_told_again_in_its_new_block(rig):
    slash(rig, 108)
    told = rig.say(rig.back(107, 2))
    assert [each.type for each in told] == ["chain.reorganized", "validator.retracted"]
    assert (told[0].data["depth"], told[0].priority) == (2, Priority.HIGH)
    assert rig.status(KEY) == "ACTIVE"
    rig.say(rig.jail(109, KEY, "slashed"))
    assert len(rig.alerts(KEY)) == 2


def test_what_is_final_or_below_the_blocks_taken_back_stays(rig):
    row = slash(rig, 108)
    rig.say(rig.read(109, row, complete=False, method="validators"))
    rig.say(rig.back(109, 1))
    assert rig.status(KEY) == "JAILED"
    rig.say(rig.final(108), rig.back(108, 2))
    assert rig.status(KEY) == "JAILED"


def test_a_slashing_that_another_node_stands_by_is_not_retracted_for_one(rig):
    slash(rig, 108)
    rig.grow(108, 108, "n2")
    rig.say(rig.jail(108, KEY, "slashed", "n2"))
    rig.say(rig.back(107, 2))
    assert rig.status(KEY) == "JAILED"
    rig.say(rig.back(107, 2, "n2"))
    assert rig.status(KEY) == "ACTIVE"


def test_on_a_chain_without_finality_everything_is_final(rig):
    rig.begin()
    rig.say(rig.jail(106), rig.back(106, 1))
    assert (rig.status(), rig.validator()["final"]) == ("JAILED", True)


# -- V14 ------------------------------------------------------------------------------------------------------


def test_every_event_says_where_it_comes_from_and_the_portal_can_read_each_status(rig, make_record):
    rig.begin(nodes=("n1", "n2"))
    rig.say(rig.jail(106), rig.change(106, [(BOB, 1)]), rig.jail(90, BOB), rig.missed(106, 990, BOB))
    rig.say(rig.read(107, make_record(jailed=True, bond="unbonding", moniker="a\x07b"), make_record(BOB, power=3)))
    rig.say(HeightsMissed(rig.place(None), 40, 60, "pruned"))
    rig.wait(300)
    rig.grow(160, 161, "n1", "n2")
    rig.wait(100, 0.5, "n1", "n2")
    rig.say(rig.read(161, node="n2"), rig.back(161, 1))
    assert {"chain.stale", "chain.fresh", "chain.halted", "chain.missed", "chain.node.quarantined"} <= set(rig.types)
    for event in (*rig.events, *rig.told, *rig.seen):
        assert set(event.data) >= PROVENANCE, event.type
        assert isinstance(event.data["ageMs"], int)
        assert faults_of(event) == []
