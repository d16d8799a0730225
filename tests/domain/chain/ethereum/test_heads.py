"""The branch of one node: joins, reorganizations of every depth, gaps, and a model that knows the whole tree."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.chain.ethereum import AnswerFault, Head, HeadTracker
from domain.chain.ethereum.heads import NOTHING


def head(number: int, name: str, parent: str, *transactions: str, at: float | None = None) -> Head:
    return Head(number, name, parent, float(number if at is None else at), transactions or None)


def line(first: int, last: int, mark: str = "", parent: str | None = None) -> list[Head]:
    """Heads from ``first`` to ``last``, each the parent of the next, called by number and ``mark``."""
    names = [parent if parent is not None else f"{first - 1}{mark}", *(f"{n}{mark}" for n in range(first, last + 1))]
    return [head(first + place, names[place + 1], names[place]) for place in range(last - first + 1)]


def tracker_at(last: int, fill: int = 10) -> HeadTracker:
    tracker = HeadTracker(fill)
    for each in line(1, last):
        tracker.news(each)
    return tracker


def test_the_first_head_joins_without_an_interval() -> None:
    advance = HeadTracker(10).news(head(7, "7", "6"))
    assert [(linked.head.number, linked.interval) for linked in advance.linked] == [(7, None)]
    assert advance.missed is None


def test_the_child_of_the_tip_joins_with_its_interval_even_if_that_is_nothing() -> None:
    tracker = HeadTracker(10)
    tracker.news(head(1, "1", "0", at=50))
    assert tracker.news(head(2, "2", "1", at=62)).linked[0].interval == 12
    assert tracker.news(head(3, "3", "2", at=62)).linked[0].interval == 0
    assert tracker.news(head(4, "4", "3", at=60)).linked[0].interval is None


def test_a_repeated_or_older_head_is_no_news() -> None:
    tracker = tracker_at(5)
    for each in line(1, 5):
        assert tracker.news(each) == NOTHING
    assert tracker.tip.number == 5


@pytest.mark.parametrize("depth", range(1, 8))
def test_a_head_beside_the_branch_takes_back_what_is_above_its_parent(depth: int) -> None:
    tracker = tracker_at(8)
    advance = tracker.news(head(9 - depth, "new", str(8 - depth)))
    assert [taken.number for taken in advance.taken_back] == list(range(9 - depth, 9))
    assert [linked.head.hash for linked in advance.linked] == ["new"]
    assert tracker.tip.hash == "new"


def test_several_heads_at_one_height_take_each_other_back() -> None:
    tracker = tracker_at(5)
    for before, now in (("5", "5b"), ("5b", "5c"), ("5c", "5")):
        advance = tracker.news(head(5, now, "4"))
        assert [taken.hash for taken in advance.taken_back] == [before]


def test_dropped_are_the_transactions_that_are_in_no_block_now() -> None:
    tracker = HeadTracker(10)
    tracker.news(head(1, "1", "0", "a"))
    tracker.news(head(2, "2", "1", "b", "c"))
    assert tracker.news(head(2, "2b", "1", "c", "d")).dropped == ("b",)


def test_what_a_head_did_not_tell_can_be_learnt_later() -> None:
    tracker = HeadTracker(10)
    tracker.news(head(1, "1", "0"))
    tracker.news(head(2, "2", "1"))
    tracker.learn(head(2, "2", "1", "a"))
    tracker.learn(head(3, "unknown", "2", "z"))
    assert tracker.news(head(2, "2b", "1")).dropped == ("a",)


def test_a_gap_is_asked_for_by_the_hashes_of_parents() -> None:
    tracker = tracker_at(2)
    missing = line(3, 6)
    assert tracker.news(missing[3]) == NOTHING
    for each in reversed(missing[1:3]):
        assert tracker.wanted == each.hash
        assert tracker.fill(each) == NOTHING
    advance = tracker.fill(missing[0])
    assert [(linked.head.number, linked.is_filled) for linked in advance.linked] == [
        (3, True),
        (4, True),
        (5, True),
        (6, False),
    ]
    assert tracker.wanted is None


def test_a_reorganization_of_which_only_the_new_tip_is_told_has_its_real_depth() -> None:
    tracker = tracker_at(8)
    branch = line(6, 9, "b", parent="5")
    tracker.news(branch[-1])
    for each in reversed(branch[:-1]):
        advance = tracker.fill(each)
    assert [taken.number for taken in advance.taken_back] == [6, 7, 8]
    assert [linked.head.hash for linked in advance.linked] == ["6b", "7b", "8b", "9b"]


def test_heads_that_come_while_a_gap_is_filled_wait_behind_it() -> None:
    tracker = tracker_at(1)
    tracker.news(head(3, "3", "2"))
    tracker.news(head(4, "4", "3"))
    assert tracker.wanted == "2"
    assert [linked.head.number for linked in tracker.fill(head(2, "2", "1")).linked] == [2, 3, 4]


def test_a_node_that_goes_back_to_its_tip_is_asked_for_nothing_more() -> None:
    tracker = tracker_at(3)
    tracker.news(head(9, "9b", "8b"))
    tracker.news(head(3, "3", "2"))
    assert tracker.wanted is None


def test_a_block_that_nobody_asked_for_fills_nothing() -> None:
    tracker = tracker_at(1)
    tracker.news(head(5, "5", "4"))
    assert tracker.fill(head(3, "3", "2")) == NOTHING
    assert tracker.wanted == "4"


def test_a_gap_that_cannot_be_filled_is_missed_and_the_new_heads_go_on() -> None:
    tracker = tracker_at(2)
    tracker.news(head(6, "6", "5"))
    advance = tracker.give_up()
    assert advance.missed == (3, 5)
    assert advance.taken_back == ()
    assert tracker.tip.number == 6
    assert tracker.news(head(7, "7", "6")).linked[0].interval == 1


def test_a_stranger_at_the_next_height_takes_back_at_least_the_tip() -> None:
    tracker = tracker_at(5)
    tracker.news(head(6, "6b", "5b"))
    advance = tracker.give_up()
    assert advance.missed is None
    assert [taken.number for taken in advance.taken_back] == [5]


def test_a_gap_longer_than_the_limit_is_not_followed_further() -> None:
    tracker = tracker_at(2, fill=3)
    missing = line(3, 20)
    advance = tracker.news(missing.pop())
    while tracker.wanted is not None:
        advance = tracker.fill(missing.pop())
    assert len(advance.linked) == 4
    assert advance.missed == (3, 16)


def test_a_reorganization_deeper_than_what_is_remembered_takes_back_all_of_it() -> None:
    tracker = HeadTracker(50, remember=4)
    for each in line(1, 9):
        tracker.news(each)
    branch = line(2, 10, "b", parent="1")
    advance = tracker.news(branch.pop())
    while tracker.wanted is not None:
        advance = tracker.fill(branch.pop())
    assert [taken.number for taken in advance.taken_back] == [6, 7, 8, 9]
    assert advance.missed is None


@pytest.mark.parametrize("number", [0, 4, 5])
def test_a_child_that_is_not_above_its_parent_is_a_fault_and_changes_nothing(number: int) -> None:
    tracker = tracker_at(5)
    with pytest.raises(AnswerFault):
        tracker.news(head(number, "bad", "5"))
    assert tracker.tip.hash == "5"


def test_a_filling_block_that_does_not_fit_is_a_fault_and_is_not_asked_for_again() -> None:
    tracker = tracker_at(5)
    tracker.news(head(9, "9", "8"))
    with pytest.raises(AnswerFault):
        tracker.fill(head(9, "8", "7"))
    assert tracker.wanted is None


def test_the_oldest_blocks_forget_their_transactions_first() -> None:
    tracker = HeadTracker(10, hashes=5)
    for number in range(1, 5):
        tracker.news(head(number, str(number), str(number - 1), f"{number}x", f"{number}y"))
    advance = tracker.news(head(1, "1b", "0"))
    assert advance == NOTHING
    advance = tracker.give_up()
    assert [taken.transactions for taken in advance.taken_back] == [None, None, ("3x", "3y"), ("4x", "4y")]


@st.composite
def trees(draw):
    """A tree of blocks: each has a parent among those before it, and slots may be left out."""
    blocks = [head(0, "0", "none")]
    for index in range(1, draw(st.integers(1, 25))):
        parent = blocks[draw(st.integers(max(0, index - 4), index - 1))]
        blocks.append(head(parent.number + draw(st.integers(1, 2)), str(index), parent.hash))
    return blocks


@settings(max_examples=300)
@given(trees(), st.data())
def test_with_a_node_that_answers_the_branch_is_always_the_path_to_the_newest_head(blocks, data) -> None:
    tree = {block.hash: block for block in blocks}
    tracker = HeadTracker(1000, remember=1000)
    tracker.news(blocks[0])
    alive = ["0"]
    for place in data.draw(st.lists(st.integers(1, len(blocks) - 1), max_size=15) if len(blocks) > 1 else st.just([])):
        newest = blocks[place]
        advances = [tracker.news(newest)]
        while tracker.wanted is not None:
            advances.append(tracker.fill(tree[tracker.wanted]))
        for advance in advances:
            assert advance.missed is None
            for taken in reversed(advance.taken_back):
                assert alive.pop() == taken.hash
            alive += [linked.head.hash for linked in advance.linked]
        path = [newest.hash]
        while path[0] != "0":
            path.insert(0, tree[path[0]].parent)
        # A head that is on the branch already is no news; any other is the new tip.
        assert alive[: len(path)] == path
        assert list(tracker._branch) == alive


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(st.sampled_from(["news", "fill", "give up"]), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
    )
)
def test_whatever_heads_come_memory_is_bounded_and_only_the_one_error_is_raised(moves) -> None:
    tracker = HeadTracker(3, remember=4, hashes=6)
    for move, number, name, parent in moves:
        told = head(number, str(name), str(parent), "a", "b")
        try:
            if move == "give up":
                tracker.give_up()
            else:
                (tracker.news if move == "news" else tracker.fill)(told)
        except AnswerFault:
            pass
        kept = [*tracker._branch.values(), *tracker._line]
        assert len(tracker._branch) <= 4
        assert len(tracker._line) <= 3
        assert sum(len(each.transactions or ()) for each in kept) <= 6
        numbers = [each.number for each in tracker._branch.values()]
        assert numbers == sorted(set(numbers))
