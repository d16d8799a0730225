"""What a session enquires of who answers behind its door, and what its dialect alone can say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio

from actors.channels.keeper import Channels
from actors.connections.connection import ConnectionGate, Neighbours, Opening
from actors.connections.prompter import Prompter
from actors.places import Address
from actors.runtime import ChildSpec, Supervisor
from config import ChannelSettings
from domain import Gap, Grounds, Refused
from domain.access import OPEN_RIGHTS
from transport import Door, Enquire, Express, Link, Prompt, Response, Send, Step, text_frame
from transport.addresses import ClientAddress


class Owner:
    def link_closing(self) -> None:
        return None


class Script:
    """A session that takes the steps it was given; what it hears it repeats."""

    def __init__(self, *opened: Step, on_message: Callable[[str], list[Step]] | None = None) -> None:
        self._opened = list(opened)
        self._on_message = on_message or (lambda text: [say(text)])

    def opened(self, _at: float) -> list[Step]:
        return self._opened

    def received(self, message: str | bytes, _at: float) -> list[Step]:
        return self._on_message(str(message))


def say(text: object) -> Send:
    return Send(text_frame(str(text).encode()))


def then(answer: object) -> list[Step]:
    return [say(answer)]


class Rig:
    def __init__(self, gate: ConnectionGate, outlet, prompter: Prompter) -> None:
        self.gate = gate
        self.prompter = prompter
        self._outlet = outlet

    async def open(self, session: Script, **options: object):
        door = Door("test", (), Opening(lambda _link, _request: session, rights=OPEN_RIGHTS, **options))
        link = Link(self._outlet(), door, ClientAddress("127.0.0.1"), Owner())
        return link, await self.gate.opened(door, None, link)


@pytest.fixture
def run(grow, client_outlet):
    @asynccontextmanager
    async def running() -> AsyncIterator[Rig]:
        channels = ChildSpec("channels", Channels, (ChannelSettings(),))
        async with grow([channels, ChildSpec("connections", Supervisor)]) as tree:
            environment, prompter = tree.system.environment, Prompter(lambda: 17.0)
            neighbours = Neighbours(Address(environment, "gateway/channels"), prompter=prompter)
            gate = ConnectionGate(Response, Address(environment, "gateway/connections"), neighbours, clock=lambda: 17.0)
            yield Rig(gate, client_outlet, prompter)

    return running


async def test_an_answer_comes_before_what_the_client_says_next(run):
    async def answer(question: object) -> object:
        await trio.lowlevel.checkpoint()
        return f"answer to {question}"

    asking = Script(on_message=lambda text: [Enquire(text, then), say("behind")] if text == "?" else [say(text)])
    async with run() as rig:
        link, peer = await rig.open(asking, answer=answer)
        await peer.received("?")
        await peer.received("next")
        assert link.stream.texts == ["answer to ?", "behind", "next"]


async def test_a_refusal_is_an_answer_too(run):
    async def refuse(_question: object) -> object:
        raise Refused(Grounds.CONFLICT, "somebody was first")

    async with run() as rig:
        link, peer = await rig.open(Script(on_message=lambda text: [Enquire(text, then)]), answer=refuse)
        await peer.received("?")
        assert link.stream.texts == ["somebody was first"]


async def test_who_comes_in_does_not_wait_for_what_its_session_asks_at_the_opening(run):
    asked, may_answer = trio.Event(), trio.Event()

    async def answer(_question: object) -> object:
        asked.set()
        await may_answer.wait()
        return "answer"

    async with run() as rig:
        link, peer = await rig.open(Script(say("hello"), Enquire("?", then), say("ready")), answer=answer)
        await asked.wait()
        assert link.stream.texts == ["hello"]
        may_answer.set()
        await peer.received("next")
        assert link.stream.texts == ["hello", "answer", "ready", "next"]


async def test_a_question_where_nobody_answers_ends_the_connection_and_no_other(run):
    async with run() as rig:
        _, peer = await rig.open(Script(on_message=lambda text: [Enquire(text, then)]))
        with pytest.raises(TypeError):
            await peer.received("?")
        other, other_peer = await rig.open(Script())
        await other_peer.received("still here")
        assert other.stream.texts == ["still here"]


async def test_what_a_dialect_alone_can_say_is_kept_without_an_introduction(run):
    gap, end = (lambda _gap: text_frame(b"hole")), (lambda *_: text_frame(b"end"))
    async with run() as rig:
        link, peer = await rig.open(Script(Express(gap, end)))
        await peer.received("here")
        assert link.stream.write_gap(Gap("a/b", 1, 2, 2, "overflow")).data == text_frame(b"hole").data
        assert (link.farewell, link.introduced, link.stream.criticals) == (end, "", None)


async def test_the_end_of_a_link_is_told_to_who_wants_to_know_and_nobody_speaks_to_it_any_more(run):
    ended: list[Link] = []
    async with run() as rig:
        link, peer = await rig.open(Script(Prompt(300.0, lambda _: text_frame(b"beat"))), ended=ended.append)
        await peer.received("here")
        assert len(rig.prompter) == 1
        await peer.closed(1000, "")
        assert (ended, len(rig.prompter)) == ([link], 0)
