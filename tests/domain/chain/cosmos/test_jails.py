"""Who was jailed and why, out of events of every shape: V2 and the first half of V3, on messages made here."""

import pytest

from domain.chain.cosmos import CosmosFault, as_bech32
from domain.chain.cosmos.jails import read_jails, read_set_change, read_transaction_jails
from domain.chain.observations import BlocksMissed, JailSeen, SetChanged

A, B, C = "AA" * 20, "BB" * 20, "CC" * 20
KEY = "bNNlGls5R25wC3Sd8720F/3+7IZBhXcD22MNFtPk/v0="
KEYS_ADDRESS = "2DD9F44FD9067555C322243C3C913BA7B51D2BE0"


def who(address: str) -> str:
    return as_bech32(address, "cosmosvalcons")


def jails(told) -> list[tuple[str, str, int | None]]:
    return [(one.address, one.reason, one.power) for one in told.observations if isinstance(one, JailSeen)]


@pytest.mark.parametrize("coded", [True, False])
def test_downtime_is_one_event_with_everything(event, origin, coded):
    slash = event("slash", coded=coded, address=who(A), power="7", reason="missing_signature", jailed=who(A))
    assert jails(read_jails({"events": [slash]}, origin)) == [(A, "downtime", 7)]


def test_a_double_sign_is_two_events_and_one_jailing(event, origin):
    events = [event("slash", address=who(A), power="7", reason="double_sign"), event("slash", jailed=who(A))]
    assert jails(read_jails({"events": events}, origin)) == [(A, "double_sign", 7)]


def test_several_jailings_of_a_block_keep_their_own_reasons(event, origin):
    events = [
        event("slash", address=who(A), power="1", reason="missing_signature", jailed=who(A)),
        event("slash", address=who(B), power="2", reason="double_sign"),
        event("slash", jailed=who(B)),
        event("slash", jailed=who(C)),
    ]
    told = read_jails({"events": events}, origin)
    assert jails(told) == [(A, "downtime", 1), (B, "double_sign", 2), (C, "unknown", None)]
    assert told.faults == ()


def test_the_worse_reason_is_told_whichever_comes_first(event, origin):
    downtime = event("slash", address=who(A), reason="missing_signature", jailed=who(A))
    double_sign = event("slash", address=who(A), reason="double_sign")
    for events in ([downtime, double_sign], [double_sign, downtime]):
        assert jails(read_jails({"events": events}, origin)) == [(A, "double_sign", None)]


def test_a_slash_that_jails_nobody_is_no_jailing(event, origin):
    events = [event("slash", address=who(A), reason="double_sign"), event("slash", address=who(B), jailed="")]
    assert read_jails({"events": events}, origin).observations == ()


@pytest.mark.parametrize("reason", ["unspecified", "", "INFRACTION_DOWNTIME"])
def test_a_reason_that_is_not_known_is_told_as_unknown(event, origin, reason):
    assert jails(read_jails({"events": [event("slash", reason=reason, jailed=who(A))]}, origin)) == [
        (A, "unknown", None)
    ]


def test_merged_slashes_are_told_apart(event, origin):
    parts = [
        event("slash", address=who(A), power="1", reason="missing_signature", jailed=who(A)),
        event("slash", address=who(B), power="2", reason="double_sign", jailed=who(B)),
    ]
    merged = {"type": "slash", "attributes": [one for part in parts for one in part["attributes"]]}
    assert jails(read_jails({"events": [merged]}, origin)) == [(A, "downtime", 1), (B, "double_sign", 2)]


def test_a_bad_event_hides_no_jailing(event, origin):
    events = [
        event("slash", jailed="nobody"),
        event("slash", address="nobody", jailed=who(A)),
        event("liveness", address=who(C), missed_blocks="many"),
        event("slash", address=who(B), power="a lot", reason="double_sign", jailed=who(B)),
    ]
    told = read_jails({"events": events}, origin)
    assert [address for address, _, _ in jails(told)] == [A, B]
    assert jails(told)[1][1] == "double_sign"
    assert len(told.faults) == 4


def test_missed_blocks_are_told_for_each_validator(event, origin):
    events = [event("liveness", address=who(A), missed_blocks="9", height="28"), event("liveness", address=who(B))]
    assert read_jails({"events": events}, origin).observations == (BlocksMissed(origin, A, 9),)


def test_a_transaction_can_jail_if_it_takes_effect(event, origin):
    slash = event("slash", address=who(A), reason="double_sign", jailed=who(A))
    for result in ({"events": [slash]}, {"code": 0, "events": [slash]}):
        assert jails(read_jails({"txs_results": [None, result]}, origin)) == [(A, "double_sign", None)]
        assert jails(read_transaction_jails(result, origin)) == [(A, "double_sign", None)]
    failed = {"code": 5, "events": [slash]}
    assert read_jails({"txs_results": [failed]}, origin).observations == ()
    assert read_transaction_jails(failed, origin).observations == ()


def test_events_of_others_say_nothing(event, origin):
    events = [event("wasm-slash", jailed=who(A)), {"attributes": event("slash", jailed=who(A))["attributes"]}]
    assert read_jails({"events": events}, origin).observations == ()


@pytest.mark.parametrize(
    "update",
    [
        {"pub_key": {"Sum": {"type": "tendermint.crypto.PublicKey_Ed25519", "value": {"ed25519": KEY}}}},
        {"address": KEYS_ADDRESS, "pub_key": {"type": "tendermint/PubKeyEd25519", "value": KEY}, "voting_power": "0"},
        {"pub_key_bytes": KEY, "pub_key_type": "ed25519"},
        {"pub_key_bytes": KEY, "pub_key_type": "ed25519", "power": None},
    ],
)
@pytest.mark.parametrize("place", ["block_results", "end_block", "finalize_block"])
def test_a_validator_that_leaves_has_no_power_in_any_shape(origin, update, place):
    values = {
        "block_results": {"validator_updates": [update]},
        "end_block": {"result_end_block": {"validator_updates": [update]}},
        "finalize_block": {"result_finalize_block": {"validator_updates": [update]}},
    }
    assert read_set_change(values[place], origin).observations == (SetChanged(origin, ((KEYS_ADDRESS, 0),)),)


def test_a_validator_that_only_leaves_is_jailed_by_nobody(origin):
    block = {"height": "7", "finalize_block_events": [], "validator_updates": [{"address": A}]}
    assert read_jails(block, origin).observations == ()
    assert read_set_change(block, origin).observations == (SetChanged(origin, ((A, 0),)),)


@pytest.mark.parametrize("updates", [None, []])
def test_a_block_that_changes_nothing_says_nothing_of_the_set(origin, updates):
    assert read_set_change({"validator_updates": updates, "result_end_block": None}, origin).observations == ()


def test_an_update_of_nobody_is_a_fault_beside_the_others(origin):
    told = read_set_change({"validator_updates": [{"power": "1"}, {"address": A, "power": "5"}, 7]}, origin)
    assert told.observations == (SetChanged(origin, ((A, 5),)),)
    assert len(told.faults) == 2


@pytest.mark.parametrize("value", [{"events": {}}, {"result_end_block": []}, {"txs_results": "none"}])
def test_events_that_are_in_no_list_are_a_fault(origin, value):
    with pytest.raises(CosmosFault):
        read_jails(value, origin)
