"""What is asked of a node, and how its answer is told from a refusal."""

import pytest

from domain.chain.cosmos import STATUS, UNCONFIRMED, Call, CosmosFault, NodeRefused, answer_to, block, blockchain
from domain.chain.cosmos.requests import Fetch, active_set, block_results, signing_infos, staking


def test_a_call_is_json_rpc_with_numbers_as_strings():
    assert STATUS.body(3) == {"jsonrpc": "2.0", "id": 3, "method": "status", "params": {}}
    assert block(7).body(1)["params"] == {"height": "7"}
    assert block() == Call("block")
    assert block_results(7) == Call("block_results", {"height": "7"})
    assert blockchain(1, 20).params == {"minHeight": "1", "maxHeight": "20"}
    assert UNCONFIRMED.params == {"limit": "100"}
    assert active_set(2, 55).params == {"height": "55", "page": "2", "per_page": "100"}
    assert active_set().params == {"page": "1", "per_page": "100"}


def test_a_fetch_is_a_path_and_what_goes_after_it():
    assert staking() == Fetch("/cosmos/staking/v1beta1/validators", {"pagination.limit": "200"})
    assert signing_infos("AB+/=").params == {"pagination.limit": "200", "pagination.key": "AB+/="}


def test_the_answer_to_a_call_is_its_result():
    assert answer_to(7, {"jsonrpc": "2.0", "id": 7, "result": {}}) == {}
    assert answer_to(7, {"id": 7, "error": None, "result": 1}) == 1
    assert answer_to(7, {"id": 7, "error": "", "result": None}) is None


@pytest.mark.parametrize("number", [8, -1, None, "7", 7.5, [7]])
def test_the_answer_to_another_call_is_a_fault(number):
    with pytest.raises(CosmosFault, match="not to 7"):
        answer_to(7, {"id": number, "result": {}})


def test_true_is_not_the_first_call():
    with pytest.raises(CosmosFault):
        answer_to(1, {"id": True, "result": {}})


@pytest.mark.parametrize("value", [None, [], "text", {}, {"id": 7}])
def test_what_is_no_answer_is_a_fault(value):
    with pytest.raises(CosmosFault):
        answer_to(7, value)


def test_a_refusal_is_told_in_the_nodes_words_whatever_its_id():
    error = {"code": -32603, "message": "Internal error", "data": "height 1 is not available, lowest height is 100"}
    for number in (7, -1, None):
        with pytest.raises(NodeRefused, match="Internal error: height 1 is not available") as caught:
            answer_to(7, {"id": number, "error": error})
        assert caught.value.code == -32603


@pytest.mark.parametrize("error", ["no", {}, [], 5, {"message": None, "code": "x"}, False])
def test_a_refusal_of_any_shape_is_one(error):
    with pytest.raises(NodeRefused) as caught:
        answer_to(7, {"id": 7, "error": error, "result": {}})
    assert caught.value.code is None
    assert str(caught.value)
