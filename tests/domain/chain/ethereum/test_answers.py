"""Messages of JSON-RPC and the values in them: what is read, what is refused, what is a fault."""

from __future__ import annotations

import pytest

from domain.chain.ethereum import (
    AnswerFault,
    Notice,
    Reply,
    read_block,
    read_head,
    read_message,
    read_receipt,
    read_refusal,
    read_transfer,
    words,
)
from domain.chain.ethereum.peers import read_peers
from domain.chain.ethereum.reading import address, digest, quantity

HASH = "0x" + "aB" * 32


@pytest.mark.parametrize(
    ("told", "number"), [("0x0", 0), ("0xFf", 255), ("0x00ff", 255), ("0x" + "0" * 63 + "1", 1), (12, 12)]
)
def test_quantities_are_read(told, number) -> None:
    assert quantity(told, "/number") == number


@pytest.mark.parametrize(
    "told",
    [
        "",
        "0x",
        "12",
        "0xg",
        "0x-1",
        "0x1 ",
        "0x\u0661",
        "0x" + "f" * 65,
        hex(2**63),
        2**63,
        -1,
        1.0,
        True,
        None,
        [],
        {},
    ],
)
def test_what_is_no_quantity_is_a_fault_that_names_the_place(told) -> None:
    with pytest.raises(AnswerFault, match=r"^/number must be a quantity"):
        quantity(told, "/number")


def test_hashes_and_addresses_are_one_spelling() -> None:
    assert digest(HASH, "/hash") == HASH.lower()
    assert address("0x" + "Cd" * 20, "/from") == "0x" + "cd" * 20


@pytest.mark.parametrize("told", ["", HASH[:-1], HASH + "0", HASH[2:], HASH + "\n", 5, None])
def test_what_is_no_hash_is_a_fault(told) -> None:
    with pytest.raises(AnswerFault):
        digest(told, "/hash")
    with pytest.raises(AnswerFault):
        address(told, "/from")


def test_a_nodes_own_words_are_cut_and_printable() -> None:
    assert words("a\nb\x00c") == "a b c"
    assert words("x" * 1000) == "x" * 256
    assert words("\n") is words(None) is words(["x"]) is None


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": -32601, "message": "the method x does not exist/is not available"}, "not_offered"),
        ({"code": -32601, "message": ""}, "not_offered"),
        ({"code": -32004, "message": "Method admin_peers is not supported"}, "not_offered"),
        ({"code": -32700, "message": "The method x does not exist/is not available"}, "not_offered"),
        ({"code": -32603, "message": "Not implemented"}, "not_offered"),
        ({"code": -32600, "message": "Unsupported method: admin_peers on ETH_MAINNET"}, "not_offered"),
        ({"code": -32601, "message": "notifications not supported"}, "not_offered"),
        (
            {"code": -32602, "message": "data did not match any variant of untagged enum EthRpcCall"},
            "not_offered",
        ),
        ({"code": 4444, "message": "pruned history unavailable"}, "pruned"),
        ({"code": -32000, "message": "missing trie node 0xabc"}, "pruned"),
        ({"code": -32005, "message": "daily request count exceeded"}, "limited"),
        ({"code": 429, "message": "Too Many Requests"}, "limited"),
        ({"code": -39001, "message": "Unknown block"}, "absent"),
        ({"code": -32000, "message": "finalized block not found"}, "absent"),
        ({"code": -32000, "message": "execution reverted"}, "failed"),
        ({"code": "x", "message": 7}, "failed"),
        ({"code": 10**400}, "failed"),
        ("something went wrong", "failed"),
        (False, "failed"),
    ],
)
def test_refusals_are_told_apart(error, kind) -> None:
    assert read_refusal(error).kind == kind


def test_messages_are_answers_or_notices() -> None:
    assert read_message({"id": 1, "result": None}) == Reply(1, None)
    assert read_message({"id": 1, "error": None, "result": 5}) == Reply(1, 5)
    notice = {"method": "eth_subscription", "params": {"subscription": "0x1", "result": {}}}
    assert read_message(notice) == Notice("0x1", {})


@pytest.mark.parametrize(
    "message",
    [
        None,
        [],
        "x",
        {},
        {"id": 1},
        {"id": "1", "result": 1},
        {"id": True, "result": 1},
        {"method": "eth_subscription"},
        {"method": "eth_subscription", "params": {"subscription": 1, "result": 1}},
        {"method": "eth_subscription", "params": {"subscription": "1"}},
    ],
)
def test_what_is_neither_is_a_fault(message) -> None:
    with pytest.raises(AnswerFault):
        read_message(message)


def test_a_head_without_transactions_does_not_say_that_it_has_none() -> None:
    told = {"number": "0x1", "hash": HASH, "parentHash": HASH, "timestamp": "0x5"}
    assert read_head(told).transactions is None
    assert read_head(told | {"transactions": None}).transactions is None
    assert read_head(told | {"transactions": []}).transactions == ()


@pytest.mark.parametrize("name", ["number", "hash", "parentHash", "timestamp"])
def test_a_block_that_is_still_being_made_is_no_head(name: str) -> None:
    told = {"number": "0x1", "hash": HASH, "parentHash": HASH, "timestamp": "0x5", "transactions": []}
    with pytest.raises(AnswerFault, match=f"/result/{name}"):
        read_block(told | {name: None})


def test_a_moment_after_the_year_9999_is_a_fault() -> None:
    with pytest.raises(AnswerFault, match="timestamp"):
        read_head({"number": "0x1", "hash": HASH, "parentHash": HASH, "timestamp": hex(253_402_300_800)})


def test_a_transaction_to_nobody_has_no_recipient() -> None:
    for to in ({}, {"to": None}, {"to": ""}):
        assert read_transfer({"hash": HASH, "value": "0x0", **to}).recipient is None
    assert read_transfer(HASH).hash == HASH.lower()


def test_a_receipt_says_how_it_ended_only_by_its_status() -> None:
    told = {"transactionHash": HASH, "blockHash": HASH, "gasUsed": "0x5208"}
    assert read_receipt(told | {"root": HASH}).outcome is None
    assert read_receipt(told | {"status": "0x1"}).outcome == "SUCCESS"
    assert read_receipt(told | {"status": "0x0"}).outcome == "FAILED"
    with pytest.raises(AnswerFault):
        read_receipt(told | {"status": "0x2"})


def test_peers_are_counted_all_and_kept_to_a_limit() -> None:
    count, peers = read_peers([{"id": str(number)} for number in range(1500)])
    assert (count, len(peers)) == (1500, 1000)
    assert read_peers([{"name": "nobody"}, {"id": "a", "network": 5}])[0] == 2
    with pytest.raises(AnswerFault):
        read_peers([5])
