"""What is remembered beside a block: times, sets and how they change."""

import pytest
from msgspec.structs import replace

from domain.chain.cosmos import Known
from domain.chain.cosmos.known import HEIGHTS_KEPT, SETS_KEPT
from domain.chain.observations import BlockSeen, HeadSeen, Provenance, SetChanged, ValidatorRow, ValidatorsRead

A, B, C = "AA" * 20, "BB" * 20, "CC" * 20


def place(height: int | None) -> Provenance:
    return Provenance("testhub-1", "node1", "", 0.0, height)


def active_set(height: int | None, *powers: tuple[str, int], complete: bool = True) -> ValidatorsRead:
    rows = tuple(ValidatorRow(address, bond="bonded", power=power) for address, power in powers)
    return ValidatorsRead(replace(place(height), method="validators"), rows, complete)


def signed(*signers: str | None) -> list[dict[str, object]]:
    return [{"block_id_flag": 1 if one is None else 2, "validator_address": one or ""} for one in signers]


@pytest.fixture
def known() -> Known:
    known = Known()
    known.learn([active_set(9, (A, 60), (B, 30), (C, 10))])
    return known


def test_the_interval_is_from_the_block_before():
    known = Known()
    known.learn([BlockSeen(place(7), 7, 100.0), HeadSeen(place(9), 9, 120.0)])
    assert known.interval(8, 106.5) == 6.5
    assert known.interval(10, 119.0) == 0.0
    assert known.interval(9, 130.0) is None


def test_the_share_is_of_power_and_not_of_heads(known):
    assert known.signed_share(12, signed(A, None, C)) == 0.7
    assert known.signed_share(12, signed(A, B, C)) == 1.0
    assert known.signed_share(12, signed(None, None, None)) == 0.0


def test_a_signature_for_nil_counts_as_none(known):
    signatures = [*signed(A, B), {"block_id_flag": 3, "validator_address": C}]
    assert known.signed_share(12, signatures) == 0.9


@pytest.mark.parametrize(
    "signatures",
    [
        [],
        signed(A, B),
        signed(A, B, "DD" * 20),
        [*signed(A, B), {"block_id_flag": 2, "validator_address": "nobody"}],
        [*signed(A), *signed(B, C, C)],
    ],
)
def test_a_commit_of_another_set_has_no_share(known, signatures):
    assert known.signed_share(12, signatures) is None


def test_before_any_set_is_known_there_is_no_share(known):
    assert Known().signed_share(12, signed(A, B, C)) is None
    assert known.signed_share(9, signed(A, B, C)) is None


def test_signatures_that_make_no_sense_are_not_signed(known):
    assert known.signed_share(12, [*signed(A), "text", {"block_id_flag": 2}]) == 0.6


def test_a_change_is_in_force_two_blocks_later(known):
    known.learn([SetChanged(place(12), ((C, 0), (B, 40)))])
    assert known.signed_share(13, signed(A, B, C)) == 1.0
    assert known.signed_share(13, signed(A, B)) is None
    assert known.signed_share(14, signed(A, None)) == 0.6
    assert known.signed_share(14, signed(A, B, C)) is None


def test_a_change_without_a_height_is_not_counted(known):
    known.learn([SetChanged(place(None), ((C, 0),))])
    assert known.signed_share(20, signed(A, B, C)) == 1.0


def test_a_newer_set_replaces_the_changes_before_it(known):
    known.learn([SetChanged(place(12), ((C, 0),))])
    known.learn([active_set(19, (A, 1), (C, 1))])
    assert known.signed_share(19, signed(A, B)) == 1.0
    assert known.signed_share(21, signed(A, None)) == 0.5


def test_only_a_whole_active_set_is_a_set(known):
    others = active_set(20, (A, 1))
    known.learn(
        [
            active_set(20, (A, 1), complete=False),
            active_set(None, (A, 1)),
            replace(others, provenance=replace(others.provenance, method="staking/validators")),
        ]
    )
    assert known.signed_share(30, signed(A, B, C)) == 1.0


def test_what_is_kept_is_bounded(known):
    for height in range(1000):
        known.learn([BlockSeen(place(height), height, float(height)), SetChanged(place(height), ((A, height),))])
        known.learn([active_set(height, (A, 1))])
    assert [len(known._times), len(known._changes), len(known._sets)] == [HEIGHTS_KEPT, HEIGHTS_KEPT, SETS_KEPT]
    assert known.interval(1000, 1001.0) == 2.0


def test_the_block_time_is_the_mean_over_the_blocks_that_were_seen():
    known = Known()
    assert known.block_time is None
    known.learn([HeadSeen(place(5), 5, 100.0)])
    assert known.block_time is None
    known.learn([HeadSeen(place(9), 9, 124.0), HeadSeen(place(6), 6, 107.0)])
    assert known.block_time == 6.0
