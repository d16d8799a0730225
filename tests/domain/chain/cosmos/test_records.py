"""Records of validators: what each list says of one, and what a node refuses to say."""

import pytest
from msgspec.structs import replace

from domain.chain.cosmos import CosmosFault, NodeRefused, as_bech32, read_slashing_rules, with_signing_infos
from domain.chain.cosmos.records import read_active_set, read_signing_infos, read_staking
from domain.chain.observations import SlashingRules, ValidatorRow, ValidatorsRead

KEY = "bNNlGls5R25wC3Sd8720F/3+7IZBhXcD22MNFtPk/v0="
ADDRESS = "2DD9F44FD9067555C322243C3C913BA7B51D2BE0"
FOREVER = 253402300799.0


def staked(**more: object) -> dict[str, object]:
    return {
        "operator_address": "cosmosvaloper1one",
        "consensus_pubkey": {"@type": "/cosmos.crypto.ed25519.PubKey", "key": KEY},
        "jailed": False,
        "status": "BOND_STATUS_BONDED",
        "description": {"moniker": "\u2728 one"},
        **more,
    }


def signing(**more: object) -> dict[str, object]:
    return {
        "address": as_bech32(ADDRESS, "cosmosvalcons"),
        "start_height": "5",
        "index_offset": "4169",
        "jailed_until": "1970-01-01T00:00:00Z",
        "tombstoned": False,
        "missed_blocks_counter": "12",
        **more,
    }


@pytest.mark.parametrize(
    ("status", "bond"),
    [("BOND_STATUS_BONDED", "bonded"), ("BOND_STATUS_UNBONDING", "unbonding"), ("BOND_STATUS_UNBONDED", "unbonded")],
)
@pytest.mark.parametrize("jailed", [True, False])
def test_staking_says_who_it_is_and_whether_it_is_jailed(status, bond, jailed):
    row = staked(status=status, jailed=jailed, tokens="123456789012345678901234")
    page = read_staking({"validators": [row], "pagination": {"next_key": "AAE="}})
    named = ValidatorRow(ADDRESS, "cosmosvaloper1one", "\u2728 one", status, bond, jailed)
    assert page.rows == (replace(named, key=row["consensus_pubkey"]["key"], stake=123456789012345678901234),)
    assert page.next == "AAE="


@pytest.mark.parametrize("pagination", [None, {}, {"next_key": None, "total": "1"}, {"next_key": ""}])
def test_the_last_page_has_no_key(pagination):
    assert read_staking({"validators": [], "pagination": pagination}).next is None


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        ("1970-01-01T00:00:00Z", None),
        ("2023-11-14T22:13:20Z", 1_700_000_000.0),
        ("9999-12-31T23:59:59Z", FOREVER),
    ],
)
def test_never_jailed_is_no_moment_and_the_past_stays_one(moment, until):
    (row,) = read_signing_infos({"info": [signing(jailed_until=moment)]}).rows
    assert row.jailed_until == until
    # A moment says nothing of whether it is jailed now.
    assert row.is_jailed is None
    assert (row.address, row.missed, row.start_height, row.is_tombstoned) == (ADDRESS, 12, 5, False)


def test_a_tombstone_is_for_ever():
    (row,) = read_signing_infos({"info": [signing(tombstoned=True, jailed_until="9999-12-31T23:59:59Z")]}).rows
    assert (row.is_tombstoned, row.jailed_until) == (True, FOREVER)


@pytest.mark.parametrize(
    "wrong",
    [
        {"consensus_pubkey": None},
        {"status": "BOND_STATUS_UNSPECIFIED"},
        {"status": 3},
        {"jailed": "yes"},
        {"description": "one"},
    ],
)
def test_a_bad_record_costs_only_itself(wrong):
    page = read_staking({"validators": [staked(**wrong), None, staked()]})
    assert [row.address for row in page.rows] == [ADDRESS]
    assert len(page.faults) == 2


def member(address: str = ADDRESS, **more: object) -> dict[str, object]:
    return {"address": address, "pub_key": {"type": "tendermint/PubKeyEd25519", "value": KEY}, **more}


def test_the_active_set_says_power_and_nothing_of_jail():
    answer = {"block_height": "55", "validators": [member(voting_power="7"), member()], "count": "2", "total": "25"}
    page = read_active_set(answer, 1, 2)
    assert page.rows == (ValidatorRow(ADDRESS, bond="bonded", power=7), ValidatorRow(ADDRESS, bond="bonded", power=0))
    assert (page.height, page.next, page.total) == (55, "2", 25)
    assert read_active_set(answer, 13, 2).next is None


def test_an_empty_page_before_the_last_is_a_fault():
    with pytest.raises(CosmosFault, match="page 3 is empty"):
        read_active_set({"block_height": "55", "validators": None, "total": "25"}, 3, 10)


def test_the_rules_of_slashing_are_a_window_a_share_and_a_term(origin):
    params = {
        "signed_blocks_window": "100",
        "min_signed_per_window": "0.500000000000000000",
        "downtime_jail_duration": "600s",
    }
    (rules,) = read_slashing_rules({"params": params}, origin).observations
    assert rules == SlashingRules(rules.provenance, window=100, least_signed=0.5, jail_time=600.0)
    for name in params:
        with pytest.raises(CosmosFault, match=name):
            read_slashing_rules({"params": {**params, name: None}}, origin)


@pytest.mark.parametrize("read", [read_staking, read_signing_infos, lambda value: read_slashing_rules(value, None)])
def test_what_a_node_refuses_is_its_own_word(read):
    with pytest.raises(NodeRefused, match="Not Implemented") as caught:
        read({"code": 12, "message": "Not Implemented", "details": []})
    assert caught.value.code == 12
    with pytest.raises(NodeRefused, match="no reason given"):
        read({"code": "twelve"})
    for wrong in ({}, [], None, "no"):
        with pytest.raises(CosmosFault):
            read(wrong)


def test_what_staking_and_slashing_say_of_one_validator_is_one_record(origin):
    bonded = ValidatorRow("AA", "valoper1a", "ann", "BOND_STATUS_BONDED", "bonded", is_jailed=False)
    jailed = ValidatorRow("BB", "valoper1b", "bob", "BOND_STATUS_UNBONDING", "unbonding", is_jailed=True)
    info = ValidatorRow("BB", is_tombstoned=True, jailed_until=FOREVER, missed=3, start_height=5)
    gone = ValidatorRow("CC", is_tombstoned=False, missed=1, start_height=6)
    staking = ValidatorsRead(origin, (bonded, jailed), is_complete=True)
    signing = ValidatorsRead(replace(origin, height=8), (info, gone), is_complete=False)
    both, rest = with_signing_infos(staking, signing)
    assert (both.provenance, both.is_complete) == (origin, True)
    assert both.rows[0] == bonded
    assert both.rows[1] == replace(jailed, is_tombstoned=True, jailed_until=FOREVER, missed=3, start_height=5)
    assert rest == replace(signing, rows=(gone,))
    assert with_signing_infos(staking, replace(signing, rows=(info,))) == (both,)
