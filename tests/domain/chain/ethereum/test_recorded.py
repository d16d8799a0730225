"""The readers against what real nodes said: geth, anvil, ganache and hardhat, where a copy of it is at hand."""

from __future__ import annotations

import json
import os
from itertools import pairwise
from pathlib import Path

import pytest

from domain.chain.ethereum import (
    Execution,
    Refused,
    Step,
    read_block,
    read_head,
    read_message,
    read_receipt,
    read_receipts,
    read_transfer,
)
from domain.chain.observations import BlockSeen, Finalized, HeadSeen, HeightsMissed, Reorganized, TransactionSeen

SHARED = Path(os.environ.get("ANDOND_SHARED", Path(__file__).parents[5] / "shared"))
FIXTURES = SHARED / "data" / "validators"
EVM = FIXTURES / "recorded-evm"
GETH = FIXTURES / "execution-apis"

needs_evm = pytest.mark.skipif(not EVM.is_dir(), reason=f"no recordings in {EVM}; ANDOND_SHARED says where they are")
needs_geth = pytest.mark.skipif(not GETH.is_dir(), reason=f"no recordings in {GETH}; ANDOND_SHARED says where they are")


def lines(name: str):
    return [json.loads(line) for line in (EVM / f"{name}.jsonl").read_text().splitlines()]


def exchange(path: str):
    """The request and the answer of one recorded exchange."""
    text = (GETH / path).read_text()
    asked = next(line[3:] for line in text.splitlines() if line.startswith(">> "))
    told = next(line[3:] for line in text.splitlines() if line.startswith("<< "))
    return json.loads(asked), json.loads(told)


def answer(path: str):
    return read_message(exchange(path)[1]).result


def recorded(method: str):
    """All recorded answers to ``method``, by the name of their file."""
    return {path.name: answer(f"{method}/{path.name}") for path in sorted((GETH / method).glob("*.io"))}


class Replay:
    """An ``Execution`` that hears a recording; what it asks is answered by ``answers`` or given up."""

    def __init__(self, answers=None, **more) -> None:
        self.execution = Execution("1", "node1", **more)
        self.answers = answers or {}
        self.observed: list[object] = []
        self.at = 0.0

    def take(self, step: Step) -> None:
        assert step.fault is None
        self.observed += step.observations
        for request in step.requests:
            told = self.answers.get(request.call.name)
            if told is None:
                self.take(self.execution.gave_up(request, self.at))
            else:
                self.take(self.execution.received({**told, "id": request.id}, self.at))

    def only(self, kind):
        return [told for told in self.observed if isinstance(told, kind)]


def replayed(name: str) -> Replay:
    recording = lines(name)
    asked = {line["msg"]["id"]: line["msg"]["params"][0] for line in recording if line["dir"] == "out"}
    # The scenarios were recorded without their subscriptions: first newHeads, then newPendingTransactions.
    asked = asked or {1: "newHeads", 2: "newPendingTransactions", 3: "logs"}
    answers = {"eth_chainId": {"jsonrpc": "2.0", "result": "0x7a69"}}
    for line in recording:
        message = line["msg"]
        if line["dir"] == "in" and "id" in message and message["id"] in asked:
            answers[f"eth_subscribe {asked[message['id']]}"] = message
        elif line["dir"] == "http" and "req" in message:
            answers.setdefault(message["req"]["method"], message["res"])
    answers = {name: told for name, told in answers.items() if not name.startswith("eth_get")}
    replay = Replay(answers)
    replay.take(replay.execution.began(recording[0]["t"]))
    for line in recording:
        if line["dir"] == "in" and line["msg"].get("method") == "eth_subscription":
            replay.at = line["t"]
            replay.take(replay.execution.received(line["msg"], line["t"]))
    return replay


@needs_evm
def test_the_recorded_reorganization_has_depth_three_and_drops_what_it_took_back() -> None:
    replay = replayed("anvil_scenarios")
    (reorganized,) = replay.only(Reorganized)
    assert (reorganized.height, reorganized.depth) == (6, 3)
    sent = [line["msg"] for line in lines("anvil_scenarios") if line["dir"] == "http" and "req" in line["msg"]]
    hashes = {told["res"]["result"] for told in sent if told["req"]["method"] == "eth_sendTransaction"}
    assert len(hashes) == 21
    assert set(reorganized.dropped) == hashes
    heads = [head.height for head in replay.only(HeadSeen)]
    turn = heads.index(reorganized.height, heads.index(reorganized.height) + 1)
    assert heads[turn - 1 : turn + 3] == [8, 6, 7, 8]
    assert not replay.only(HeightsMissed)


@needs_evm
def test_a_halted_and_a_hung_node_bring_no_head_and_both_come_back_without_a_reorganization() -> None:
    replay = replayed("anvil_scenarios")
    heads = replay.only(HeadSeen)
    pauses = [later.provenance.observed - head.provenance.observed for head, later in pairwise(heads)]
    assert len([pause for pause in pauses if pause > 4]) == 2
    assert len(replay.only(Reorganized)) == 1
    numbers = [head.height for head in heads]
    turn = next(place for place in range(1, len(numbers)) if numbers[place] < numbers[place - 1])
    assert numbers[turn:] == list(range(numbers[turn], numbers[turn] + len(numbers) - turn))


@needs_evm
def test_the_failing_transaction_of_the_scenarios_failed() -> None:
    told = [line["msg"] for line in lines("anvil_scenarios") if line["dir"] == "http" and "req" in line["msg"]]
    (message,) = [one["res"] for one in told if one["req"]["method"] == "eth_getTransactionReceipt"]
    receipt = read_receipt(read_message(message).result)
    assert receipt is not None
    assert receipt.outcome == "FAILED"
    assert receipt.recipient is None


@needs_evm
@pytest.mark.parametrize("name", ["anvil", "ganache", "hardhat"])
def test_heads_and_waiting_transactions_of_three_nodes_are_read_alike(name: str) -> None:
    replay = replayed(name)
    heads = [head.height for head in replay.only(HeadSeen)]
    assert len(heads) >= 8
    assert heads == list(range(heads[0], heads[0] + len(heads)))
    assert [told.status for told in replay.only(TransactionSeen)] == ["PENDING"] * 3
    blocks = replay.only(BlockSeen)
    assert [block.height for block in blocks] == heads
    # Ganache's heads, like geth's, do not tell their transactions.
    counts = [block.transactions for block in blocks]
    assert counts == [None] * len(counts) if name == "ganache" else counts.count(1) == 3


@needs_evm
@pytest.mark.parametrize(
    ("name", "lacking"),
    [
        ("anvil", {"net_peerCount", "admin_peers"}),
        ("ganache", {"txpool_status", "admin_peers"}),
        ("hardhat", {"txpool_status", "admin_peers"}),
    ],
)
def test_what_the_three_nodes_do_not_have_is_not_told_whatever_code_they_say_it_with(name: str, lacking: set) -> None:
    replay = replayed(name)
    assert lacking <= set(replay.execution.not_told)
    refused = set()
    for line in lines(name):
        if line["dir"] == "http" and "error" in line["msg"]["res"]:
            assert read_message(line["msg"]["res"]).result.kind == "not_offered"
            refused.add(line["msg"]["req"]["method"])
    assert refused == lacking


@needs_evm
@pytest.mark.parametrize("name", ["anvil", "ganache", "hardhat"])
def test_receipts_and_full_blocks_of_three_nodes_are_read(name: str) -> None:
    outcomes = []
    for line in lines(name):
        if line["dir"] != "http":
            continue
        method, told = line["msg"]["req"]["method"], read_message(line["msg"]["res"]).result
        if method == "eth_getTransactionReceipt":
            outcomes.append(read_receipt(told).outcome)
        elif method == "eth_getBlockByNumber":
            assert read_block(told).head == read_head(told)
    assert outcomes == ["SUCCESS"] * 3


@needs_geth
def test_blocks_of_every_fork_are_read() -> None:
    blocks = {name: read_block(told) for name, told in recorded("eth_getBlockByNumber").items()}
    assert blocks.pop("get-block-notfound.io") is None
    assert len(blocks) >= 9
    assert blocks["get-genesis.io"].head.number == 0
    latest = blocks["get-latest.io"]
    assert latest.head.number == 54
    assert [transfer.hash for transfer in latest.transfers] == list(latest.head.transactions)
    assert all(transfer.sender and transfer.value is not None for transfer in latest.transfers)
    assert len({block.head.number for block in blocks.values()}) >= 6


@needs_geth
def test_the_final_block_is_told_as_final() -> None:
    answers = {
        "eth_chainId": exchange("eth_chainId/get-chain-id.io")[1],
        "eth_getBlockByNumber finalized": exchange("eth_getBlockByNumber/get-finalized.io")[1],
    }
    replay = Replay(answers, chain_id=0xC72DD9D5E883E)
    replay.take(replay.execution.began(1.0))
    assert [final.height for final in replay.only(Finalized)] == [54]


@needs_geth
def test_receipts_of_every_kind_of_transaction_are_read_and_older_ones_do_not_say_how_it_ended() -> None:
    told = {name: read_receipt(value) for name, value in recorded("eth_getTransactionReceipt").items()}
    assert told.pop("get-notfound-tx.io") is told.pop("get-empty-tx.io") is None
    assert told["get-legacy-contract.io"].outcome is None
    assert told["get-legacy-contract.io"].recipient is None
    assert told["get-blob-tx.io"].outcome == "SUCCESS"
    assert all(receipt.fee is not None and receipt.gas_used > 0 for receipt in told.values())


@needs_geth
def test_receipts_by_block_are_read_and_a_block_that_is_not_there_has_none() -> None:
    told = {name: read_receipts(value) for name, value in recorded("eth_getBlockReceipts").items()}
    assert [name for name, receipts in told.items() if receipts is None] == [
        "get-block-receipts-empty.io",
        "get-block-receipts-future.io",
        "get-block-receipts-not-found.io",
    ]
    assert told["get-block-receipts-0.io"] == ()
    latest = told["get-block-receipts-latest.io"]
    block = read_block(answer("eth_getBlockByNumber/get-latest.io"))
    assert [receipt.hash for receipt in latest] == [transfer.hash for transfer in block.transfers]
    assert {receipt.block for receipt in latest} == {block.head.hash}


@needs_geth
def test_transactions_of_every_kind_are_read() -> None:
    told = {name: read_transfer(value) for name, value in recorded("eth_getTransactionByHash").items()}
    assert told.pop("get-notfound-tx.io") is told.pop("get-empty-tx.io") is None
    assert told["get-legacy-create.io"].recipient is None
    assert all(transfer.block is not None and transfer.value is not None for transfer in told.values())


@needs_geth
def test_a_recorded_block_is_told_with_all_its_transactions() -> None:
    answers = {
        "eth_chainId": exchange("eth_chainId/get-chain-id.io")[1],
        "eth_getBlockByNumber latest": exchange("eth_getBlockByNumber/get-latest.io")[1],
        "eth_getBlockByHash": exchange("eth_getBlockByNumber/get-latest.io")[1],
        "eth_getBlockReceipts": exchange("eth_getBlockReceipts/get-block-receipts-latest.io")[1],
        "txpool_status": exchange("txpool_status/get-status.io")[1],
        "eth_syncing": exchange("eth_syncing/check-syncing.io")[1],
    }
    replay = Replay(answers)
    replay.take(replay.execution.began(1.0))
    (block,) = replay.only(BlockSeen)
    seen = replay.only(TransactionSeen)
    assert (block.height, block.transactions, block.failed) == (54, len(seen), 0)
    assert len(seen) > 0
    assert all(told.status == "SUCCESS" and told.value is not None and told.fee is not None for told in seen)


@needs_geth
@pytest.mark.parametrize(
    "name",
    [
        "filter-error-future-block-range",
        "filter-error-invalid-blockHash-and-range",
        "filter-error-reversed-block-range",
    ],
)
def test_refusals_of_geth_are_refusals_in_its_words(name: str) -> None:
    told = answer(f"eth_getLogs/{name}.io")
    assert isinstance(told, Refused)
    assert told.kind == "failed"
    assert told.reason
