from __future__ import annotations

import time

import pytest
import trio
from msgspec.structs import replace

from actors.connections import memory as module
from actors.connections.memory import SAVE_INTERVAL, MemoryKeeper, RememberingGate, client_name
from actors.runtime import ChildSpec
from domain import Memory, Remembered
from storage import load_memory, save_memory
from telemetry import events
from transport import ClientAddress, Door, Request

NOW = 1_800_000_000.0
LIVE = Door("live")


def request(*, host: str = "10.0.0.1", agent: str = "Tab/1.0", query=None, **headers: str) -> Request:
    return Request("GET", "/x", query or {}, {"user-agent": agent, **headers}, b"", ClientAddress(host, 5), False, "/x")


# -- who a client is ------------------------------------------------------------------------------------------


def test_a_client_that_returns_has_the_same_name():
    assert client_name(LIVE, request()) == client_name(LIVE, request())
    other_port = Request("GET", "/y", {}, {"user-agent": "Tab/1.0"}, b"", ClientAddress("10.0.0.1", 6), True, "/y")
    assert client_name(LIVE, request()) == client_name(LIVE, other_port)


@pytest.mark.parametrize(
    "other",
    [
        request(host="10.0.0.2"),
        request(agent="Tab/1.1"),
        request(agent=""),
        request(query={"client": ["board-7"]}),
        request(cookie="andond_client=board-7"),
        request(query={"client": ["board-7\n"]}),
    ],
)
def test_clients_that_can_be_told_apart_have_names_of_their_own(other):
    assert client_name(LIVE, other) != client_name(LIVE, request())
    assert client_name(Door("floor"), other) != client_name(LIVE, other)


def test_at_the_floor_s_doors_a_client_is_another_with_another_path_or_query_and_the_same_with_another_token():
    def name(path: str, **query: list[str]) -> str:
        return client_name(Door("floor"), replace(request(query=query), path=path))

    assert len({name("/ws"), name("/ws/andon"), name("/ws", line_id=["L1"]), name("/ws", user_id=["anna"])}) == 4
    assert name("/ws/", token=["a"]) == name("/ws", token=["b"])


def test_an_instance_is_the_same_from_the_query_and_from_the_cookie():
    by_query = client_name(LIVE, request(query={"client": ["old", "board-7"]}))
    assert by_query == client_name(LIVE, request(cookie="theme=dark; andond_client=board-7"))


def test_cookies_that_are_none_are_no_instance():
    for cookie in ("", ";;;", "andond_client", "a=b; \x01=\x02", "andond_client="):
        assert client_name(LIVE, request(cookie=cookie)) == client_name(LIVE, request())


def test_a_name_tells_nothing_about_the_client():
    name = client_name(LIVE, request(host="10.0.0.1", agent="Tab"))
    assert len(name) == 32
    assert set(name) <= set("0123456789abcdef")


# -- the gate -------------------------------------------------------------------------------------------------


class Link:
    recollection = None


class Peer:
    def __init__(self) -> None:
        self.heard: list[object] = []

    async def received(self, message: str | bytes) -> None:
        self.heard.append(message)

    async def closed(self, code: int, reason: str) -> None:
        self.heard.append((code, reason))


class Gate:
    """Opens to everybody, or fails."""

    def __init__(self, *, fails: bool = False) -> None:
        self.peer = Peer()
        self._fails = fails

    def door(self, request: Request) -> Door:
        return Door(request.path)

    async def opened(self, _door: Door, _request: Request, _link: Link) -> Peer:
        await trio.lowlevel.checkpoint()
        if self._fails:
            raise RuntimeError("planted")
        return self.peer


async def test_who_returns_through_a_door_that_remembers_is_recognised():
    memory, inner = Memory(), Gate()
    gate = RememberingGate(inner, memory, lambda: NOW)
    assert gate.door(request()).name == "/x"
    link = Link()
    peer = await gate.opened(LIVE, request(), link)
    assert link.recollection.names is None
    link.recollection.note({"blocks"}, NOW)
    await peer.received("hi")
    await peer.closed(1006, "gone")
    assert inner.peer.heard == ["hi", (1006, "gone")]
    again = Link()
    await gate.opened(LIVE, request(), again)
    assert again.recollection.names == {"blocks"}
    # Alone again: the end of the first one was told.
    again.recollection.note((), NOW, left="blocks")
    assert memory.arrive(client_name(LIVE, request()), NOW).names == frozenset()


async def test_a_door_whose_clients_ask_again_by_themselves_remembers_nothing():
    inner = Gate()
    link = Link()
    assert await RememberingGate(inner, Memory()).opened(Door("stream"), request(), link) is inner.peer
    assert link.recollection is None


async def test_a_client_whose_opening_fails_is_not_here():
    memory = Memory()
    name = client_name(LIVE, request())
    with pytest.raises(RuntimeError, match="planted"):
        await RememberingGate(Gate(fails=True), memory, lambda: NOW).opened(LIVE, request(), Link())
    here = memory.arrive(name, NOW)
    here.note({"tps"}, NOW)
    here.note((), NOW, left="tps")
    assert memory.contents()[name].names == frozenset()


# -- the keeper -----------------------------------------------------------------------------------------------


def kept(memory: Memory, directory) -> list[ChildSpec]:
    return [ChildSpec("memory", MemoryKeeper, (memory, directory))]


async def until(happened) -> None:
    """Let virtual time pass until a thread, which has real time only, has done it."""
    deadline = time.monotonic() + 5.0
    while not happened():
        assert time.monotonic() < deadline
        await trio.sleep(SAVE_INTERVAL)


async def test_what_is_remembered_outlives_the_process(grow, tmp_path):
    first = Memory()
    async with grow(kept(first, tmp_path)):
        here = first.arrive("a", NOW)
        here.note({"blocks"}, NOW)
    second = Memory()
    async with grow(kept(second, tmp_path)) as tree:
        assert second.arrive("a", NOW).names == {"blocks"}
        says = (await tree.status("gateway/memory")).description
        assert says == {"clients": 1, "lasting": True}


async def test_it_is_saved_every_few_seconds_so_that_a_kill_costs_little(grow, monkeypatch, tmp_path, autojump_clock):
    saved = []
    monkeypatch.setattr(module, "save_memory", lambda *arguments: saved.append(arguments))
    memory = Memory()
    async with grow(kept(memory, tmp_path)):
        memory.arrive("a", NOW).note({"blocks"}, NOW)
        began = trio.current_time()
        await until(lambda: saved)
        assert trio.current_time() - began >= SAVE_INTERVAL
        await trio.sleep(5 * SAVE_INTERVAL)
    assert saved == [(tmp_path, {"a": Remembered(frozenset({"blocks"}), NOW)})], "nothing has changed since"


async def test_a_restart_of_the_keeper_does_not_undo_what_is_newer(grow, tmp_path):
    save_memory(tmp_path, {"a": Remembered(frozenset({"old"}), NOW - 60)})
    memory = Memory()
    memory.arrive("a", NOW).note({"new"}, NOW)
    async with grow(kept(memory, tmp_path)):
        assert memory.contents()["a"].names == {"new"}


async def test_a_file_that_is_damaged_costs_the_memory_and_nothing_else(grow, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(events, "memory_failed", lambda **fields: said.append(fields["operation"]))
    (tmp_path / "subscriptions.json").write_text("{")
    memory = Memory()
    async with grow(kept(memory, tmp_path)):
        memory.arrive("a", NOW).note({"blocks"}, NOW)
    assert said == ["read"]
    assert len(load_memory(tmp_path)) == 1


async def test_a_directory_that_cannot_be_written_is_said_and_tried_again(grow, tmp_path, monkeypatch, autojump_clock):
    said = []
    monkeypatch.setattr(events, "memory_failed", lambda **fields: said.append(fields["operation"]))
    directory = tmp_path / "later"
    memory = Memory()
    async with grow(kept(memory, directory)):
        memory.arrive("a", NOW).note({"blocks"}, NOW)
        await until(lambda: said)
        directory.mkdir()
        await until(lambda: load_memory(directory))
    assert set(said) == {"write"}


async def test_without_a_directory_it_lives_as_long_as_the_process(grow):
    memory = Memory()
    async with grow(kept(memory, None)) as tree:
        memory.arrive("a", NOW).note({"blocks"}, NOW)
        assert (await tree.status("gateway/memory")).description == {"clients": 1, "lasting": False}
