"""What is under way at a node, and what waits: each once, and never without bounds."""

from __future__ import annotations

from domain.chain.ethereum import Call, Execution, Head, HeadTracker, Linked, Transfer
from domain.chain.ethereum.inquiries import TOGETHER, Inquiries
from domain.chain.ethereum.pool import ORPHANS_LIMIT, Pool
from domain.chain.ethereum.requests import Requests
from domain.chain.observations import BlockSeen, Provenance

TOLD = Provenance("1", "node1", "test", 1.0)


def linked(number: int, *transactions: str) -> Linked:
    return Linked(Head(number, f"0x{number}", f"0x{number - 1}", float(number), transactions), 1.0, is_filled=False)


def test_the_same_call_is_under_way_once_and_its_numbers_never_repeat() -> None:
    requests = Requests()
    first = requests.ask(Call("a"))
    assert requests.ask(Call("a")) is None
    assert requests.answered(first.id) == Call("a")
    assert requests.answered(first.id) is None
    requests.begin()
    assert requests.ask(Call("a")).id > first.id


def test_no_more_than_the_limit_is_under_way() -> None:
    requests = Requests(limit=2)
    assert [requests.ask(Call(name)) is not None for name in "abc"] == [True, True, False]
    assert {call.method for call in requests.end()} == {"a", "b"}
    assert requests.ask(Call("c")) is not None


def test_what_is_not_offered_is_not_asked_before_the_next_connection() -> None:
    requests = Requests()
    requests.note_refusal(Call("a"), "no such method")
    assert requests.ask(Call("a")) is None
    assert requests.not_told == {"a": "no such method"}
    requests.begin()
    assert requests.ask(Call("a")) is not None


def test_a_transaction_waits_once_and_the_pool_forgets_the_oldest() -> None:
    pool = Pool(limit=2)
    assert [told.status for told in pool.heard(Transfer("a"), TOLD)] == ["PENDING"]
    assert pool.heard(Transfer("a"), TOLD) == []
    assert pool.heard(Transfer("b", block="0x1"), TOLD) == []
    pool.heard(Transfer("b"), TOLD)
    pool.heard(Transfer("c"), TOLD)
    assert len(pool) == 2
    assert pool.heard(Transfer("a"), TOLD)


def test_orphans_are_asked_for_to_a_limit_and_those_in_a_block_again_are_left_alone() -> None:
    pool = Pool()
    calls = pool.orphaned(str(number) for number in range(1000))
    assert len(calls) == ORPHANS_LIMIT
    assert pool.told("0", Transfer("0", block="0x9"), TOLD) == []
    assert [told.status for told in pool.told("1", Transfer("1"), TOLD)] == ["PENDING"]
    assert [told.status for told in pool.told("2", None, TOLD)] == ["DROPPED"]
    assert pool.told("2", None, TOLD) == []
    pool.settled(["3"])
    pool.forget("4")
    assert pool.told("3", None, TOLD) == pool.told("4", None, TOLD) == []


def test_blocks_are_asked_about_a_few_at_a_time_and_told_in_their_order() -> None:
    inquiries = Inquiries(limit=100, follow=True)
    for number in range(10):
        inquiries.add(linked(number, f"t{number}"), "test")
    calls = inquiries.begin(by_block=True)
    assert len(calls) == 2 * TOGETHER
    for call in calls[2:]:
        inquiries.close(call)
    assert inquiries.finished() == []
    for call in calls[:2]:
        inquiries.close(call)
    assert [each.linked.head.number for each in inquiries.finished()] == list(range(TOGETHER))
    assert len(inquiries.begin(by_block=True)) == 2 * TOGETHER


def test_more_blocks_than_the_limit_push_out_the_oldest_with_what_its_head_told() -> None:
    inquiries = Inquiries(limit=2, follow=True)
    for number in range(4):
        inquiries.add(linked(number, "a", "b"), "test")
    pushed = inquiries.finished()
    assert [each.linked.head.number for each in pushed] == [0, 1]
    block = pushed[0].block_seen(TOLD)
    assert (block.transactions, block.failed) == (2, None)


def test_hashes_that_wait_are_forgotten_too_when_there_are_too_many() -> None:
    tracker = HeadTracker(10, hashes=3)
    tracker.news(Head(1, "1", "0", 1.0))
    tracker.news(Head(5, "5", "4", 5.0, ("a", "b")))
    tracker.news(Head(6, "6", "5", 6.0, ("c", "d")))
    assert [head.transactions for head in tracker._line] == [None, ("c", "d")]


def test_what_cannot_be_asked_holds_no_block_up() -> None:
    execution = Execution("1", "node1")
    (first,) = execution.began(1.0).requests
    step = execution.received({"id": first.id, "error": {"code": -32601, "message": ""}}, 1.0)
    latest = next(request for request in step.requests if request.call.params == ("latest", False))
    execution._requests._limit = 0
    head = {"number": "0x1", "hash": "0x" + "1" * 64, "parentHash": "0x" + "0" * 64, "timestamp": "0x1"}
    told = execution.received({"id": latest.id, "result": head}, 1.0).observations
    assert [block.transactions for block in told if isinstance(block, BlockSeen)] == [None]
