"""Lists in pages: put together, whole or not at all, and never without end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.chain.cosmos import Call, CosmosFault, Fetch, NodeRefused, Paging
from domain.chain.cosmos import paging as module
from domain.chain.observations import Provenance

ORIGIN = Provenance("testhub-1", "node1", "", 0.0)
KEY = "bNNlGls5R25wC3Sd8720F/3+7IZBhXcD22MNFtPk/v0="


def address(number: int) -> str:
    return f"{number:040X}"


def page_of_set(wanted: Call, members: int, height: int = 55, size: int = 100) -> dict[str, object]:
    """What a node answers that has so many ``members``."""
    first = (int(wanted.params["page"]) - 1) * size
    rows = [{"address": address(one), "voting_power": "1"} for one in range(first, min(first + size, members))]
    return {"block_height": str(height), "validators": rows, "count": str(len(rows)), "total": str(members)}


@given(st.integers(0, 1000))
def test_an_active_set_of_any_size_is_read_whole(members):
    paging = Paging.of_active_set()
    told = ()
    asked: list[Call] = []
    while (wanted := paging.wanted) is not None:
        assert isinstance(wanted, Call)
        asked.append(wanted)
        told = paging.take(page_of_set(wanted, members), ORIGIN).observations
    (read,) = told
    assert [row.address for row in read.rows] == [address(one) for one in range(members)]
    # It is the set of the block to come.
    assert (read.is_complete, read.provenance.height, read.provenance.method) == (True, 54, "validators")
    assert [call.params.get("height") for call in asked] == [None, *["55"] * (len(asked) - 1)]


def staked(key: str | None, *, bad: bool = False) -> dict[str, object]:
    row = {"consensus_pubkey": {"@type": "/cosmos.crypto.ed25519.PubKey", "key": KEY}, "status": "BOND_STATUS_BONDED"}
    return {"validators": [None if bad else row], "pagination": {"next_key": key, "total": "0"}}


def test_staking_goes_from_key_to_key_and_tells_its_lowest_height():
    paging = Paging.of_staking()
    assert paging.take(staked("AA=="), replace(ORIGIN, height=8)).observations == ()
    assert paging.wanted == Fetch(
        "/cosmos/staking/v1beta1/validators", {"pagination.limit": "200", "pagination.key": "AA=="}
    )
    assert paging.take(staked("AB=="), replace(ORIGIN, height=7)).observations == ()
    (read,) = paging.take(staked(None), replace(ORIGIN, height=9)).observations
    assert (len(read.rows), read.is_complete, read.provenance.height) == (3, True, 7)
    assert paging.wanted is None


def test_a_list_with_a_bad_row_is_not_complete():
    paging = Paging.of_staking()
    paging.take(staked("AA==", bad=True), ORIGIN)
    told = paging.take(staked(None), ORIGIN)
    assert not told.observations[0].is_complete
    assert told.observations[0].provenance.height is None
    assert len(told.faults) == 1


def test_who_was_never_bonded_is_not_in_the_signing_infos():
    paging = Paging.of_signing_infos()
    assert paging.wanted == Fetch("/cosmos/slashing/v1beta1/signing_infos", {"pagination.limit": "200"})
    (read,) = paging.take({"info": []}, ORIGIN).observations
    assert not read.is_complete
    assert read.provenance.method == "slashing/signing_infos"


def test_pages_that_go_round_are_a_fault():
    paging = Paging.of_staking()
    paging.take(staked("AA=="), ORIGIN)
    paging.take(staked("AB=="), ORIGIN)
    with pytest.raises(CosmosFault, match="go round"):
        paging.take(staked("AA=="), ORIGIN)


def test_pages_without_end_are_a_fault(monkeypatch):
    monkeypatch.setattr(module, "PAGES_LIMIT", 10)
    paging = Paging.of_staking()
    for page in range(9):
        paging.take(staked(f"key{page}"), ORIGIN)
    with pytest.raises(CosmosFault, match="more than 10 pages"):
        paging.take(staked("key9"), ORIGIN)


def test_rows_without_end_are_a_fault(monkeypatch):
    monkeypatch.setattr(module, "ROWS_LIMIT", 1)
    paging = Paging.of_staking()
    paging.take(staked("AA=="), ORIGIN)
    with pytest.raises(CosmosFault, match="more than 1 validators"):
        paging.take(staked("AB=="), ORIGIN)


def test_pages_of_different_sets_are_a_fault():
    paging = Paging.of_active_set()
    paging.take(page_of_set(paging.wanted, 150), ORIGIN)
    with pytest.raises(CosmosFault, match="height 56 among those of 55"):
        paging.take(page_of_set(paging.wanted, 150, height=56), ORIGIN)


def test_a_node_that_puts_fewer_rows_on_a_page_leaves_no_hole_unseen():
    paging = Paging.of_active_set()
    paging.take(page_of_set(paging.wanted, 150, size=30), ORIGIN)
    with pytest.raises(CosmosFault, match="60 validators, and not the 150"):
        paging.take(page_of_set(paging.wanted, 150, size=30), ORIGIN)


def test_a_node_that_has_no_staking_says_so():
    with pytest.raises(NodeRefused):
        Paging.of_staking().take({"code": 12, "message": "Not Implemented"}, ORIGIN)
