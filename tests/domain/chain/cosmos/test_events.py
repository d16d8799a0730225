"""The attributes of events, in both spellings, merged or not, and what others put among them."""

import pytest

from domain.chain.cosmos import CosmosFault
from domain.chain.cosmos.events import block_events, groups, has_failed, transaction_results


@pytest.mark.parametrize("coded", [True, False])
def test_attributes_are_the_same_in_base64_and_plain(event, coded):
    made = event("slash", coded=coded, address="one", power="7", mode="BeginBlock")
    assert list(groups(made)) == [{"address": "one", "power": "7"}]


def test_a_plain_value_that_could_be_base64_stays_as_it_is(event):
    assert list(groups(event("slash", reason="bm90", address="abcd"))) == [{"reason": "bm90", "address": "abcd"}]


def test_merged_events_are_taken_apart_where_a_key_comes_again(event):
    one, two = event("slash", address="one", reason="a"), event("slash", address="two", jailed="two")
    merged = {"type": "slash", "attributes": [*one["attributes"], *two["attributes"]]}
    assert list(groups(merged)) == [{"address": "one", "reason": "a"}, {"address": "two", "jailed": "two"}]


@pytest.mark.parametrize(
    "attributes",
    [
        None,
        [],
        [None, 7, "text", []],
        [{}],
        [{"key": None, "value": "x"}],
        [{"key": "", "value": "\n0/dydxprotocol.clob"}],
        [{"key": ["address"], "value": "x"}],
        [{"key": "somebody's", "value": "x"}],
    ],
)
def test_what_is_not_looked_for_is_passed_over(attributes):
    assert list(groups({"type": "slash", "attributes": attributes})) == []


def test_a_null_value_is_empty(event):
    assert list(groups(event("slash", coded=True, power=None))) == [{"power": ""}]


@pytest.mark.parametrize("value", ["not base64!", "/w=="])
def test_a_value_that_is_not_written_as_its_key_is_a_fault(value):
    with pytest.raises(CosmosFault):
        list(groups({"attributes": [{"key": "YWRkcmVzcw==", "value": value}]}))


@pytest.mark.parametrize(
    "value",
    [
        {"result_begin_block": {"events": ["A"]}, "result_end_block": {"events": ["B"]}},
        {"result_finalize_block": {"events": ["A", "B"]}},
        {"begin_block_events": ["A"], "end_block_events": ["B"]},
        {"finalize_block_events": ["A", "B"]},
        {"events": ["A", "B"], "num_txs": "2"},
        {"begin_block_events": ["A", None, "B"], "end_block_events": None, "result_end_block": None},
    ],
)
def test_events_are_found_wherever_a_version_keeps_them_and_in_order(value):
    def grown(inner):
        if isinstance(inner, dict):
            return {key: grown(one) for key, one in inner.items()}
        return [one and {"type": one} for one in inner] if isinstance(inner, list) else inner

    assert [found["type"] for found in block_events(grown(value))] == ["A", "B"]


def test_the_results_of_transactions_are_found_in_both_places():
    assert transaction_results({"txs_results": [{"code": 1}]}) == [{"code": 1}]
    assert transaction_results({"result_finalize_block": {"tx_results": [{}]}}) == [{}]
    assert transaction_results({"txs_results": None, "result_finalize_block": None}) == ()


def test_a_transaction_without_a_code_did_not_fail():
    assert [has_failed(result) for result in ({}, {"code": 0}, {"code": "0"}, {"code": None})] == [False] * 4
    assert [has_failed(result) for result in ({"code": 5}, {"code": "5"}, None)] == [True] * 3
