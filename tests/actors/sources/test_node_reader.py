"""What the readers of all layers have in common: questions by turns, bounded, and a reason for every end."""

from __future__ import annotations

import random

import pytest
import trio

from actors.sources.chain_link import NodeState
from actors.sources.node_reader import QUESTIONS_LIMIT, NodeReader, Pace, Post
from domain.chain import NodeHeard


class Link:
    """Keeps what is told."""

    def __init__(self) -> None:
        self.told: list = []

    async def tell(self, observations) -> None:
        self.told += observations
        await trio.lowlevel.checkpoint()


class Reader(NodeReader[int]):
    """Reads a node that answers a question in a second, and whose first look asks ``first`` of them."""

    def __init__(self, post: Post, first: int) -> None:
        super().__init__(post)
        self.first = first
        self.asked: list[int] = []
        self.sessions = 0

    async def session(self) -> None:
        self.sessions += 1
        await self.serve(self._begin, self._ask, trio.lowlevel.checkpoint)

    def is_known(self) -> bool:
        return True

    async def _begin(self) -> None:
        self.want(range(self.first if self.sessions == 1 else 1))

    async def _ask(self, question: int) -> None:
        await trio.sleep(1)
        self.asked.append(question)
        self.hear()


@pytest.fixture
def reader():
    def make(first: int) -> tuple[Reader, Link]:
        link = Link()
        state = NodeState("m", "a", "beacon", "http://a:1", lambda: 1.0)
        post = Post("1", "http://a:1", state, link, Pace(100.0, 10.0, 2), lambda: 1.0, random.Random(1))
        return Reader(post, first), link

    return make


async def test_questions_are_asked_by_turns_and_how_many_wait_is_shown(reader, autojump_clock):
    one, _ = reader(5)
    with trio.move_on_after(2.5):
        await one.keep_reading()
    assert sorted(one.asked) == [0, 1, 2, 3]
    assert one.state.describe()["waiting"] == 0


async def test_of_a_node_that_owes_too_many_answers_the_session_ends_and_the_next_one_begins_anew(
    reader, autojump_clock
):
    one, link = reader(QUESTIONS_LIMIT + 10)
    with trio.move_on_after(30):
        await one.keep_reading()
    assert one.sessions == 2
    (ended,) = [said for said in link.told if isinstance(said, NodeHeard) and said.fault]
    assert f"{QUESTIONS_LIMIT} questions wait" in ended.fault
    assert one.asked[-1] == 0
