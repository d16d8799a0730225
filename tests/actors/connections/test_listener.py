"""The listener on a real port, with the channels and the connections beside it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import h11
import pytest
import trio

from actors import Apply, Drain, Front, Listener, Opening
from actors.channels.keeper import Channels
from actors.messages import Publish
from actors.runtime import ChildSpec, Policy, Strategy, Supervisor, ask
from config import ChannelSettings, ServerSettings
from domain.access import OPEN_RIGHTS
from telemetry import events, gauges
from transport import (
    Close,
    Door,
    Encoder,
    Request,
    Response,
    Routes,
    Subscribe,
    address_of,
    json_response,
    open_listeners,
    text_frame,
)

LISTENER = "gateway/listeners/listener"
CONNECTIONS = "gateway/listeners/connections"
CHANNELS = "gateway/channels"


class Follower:
    """A session that follows one channel, and does what a few words tell it."""

    def opened(self, _at: float):
        return [Subscribe("equipment/acme/press3", tell)]

    def received(self, message: str | bytes, _at: float):
        if message == "fail":
            raise RuntimeError("planted")
        return [Close(4999, "as asked")] if message == "close" else []


class Broken(Follower):
    """A session that fails at once."""

    def opened(self, _at: float):
        raise RuntimeError("planted")


@Encoder
def tell(publication) -> bytes:
    return publication.event.id.encode()


def doors(request: Request) -> Door | Response:
    if request.path in {"/live", "/stream", "/floor"}:
        return Door(request.path[1:], (), Opening(lambda _link, _request: Follower(), rights=OPEN_RIGHTS))
    if request.path == "/broken":
        return Door("broken", (), Opening(lambda _link, _request: Broken(), rights=OPEN_RIGHTS))
    return json_response({"no": "door"}, 404)


class Rig:
    """A port that can be visited."""

    def __init__(self, tree, visit, sockets, front: Front, present: list[ServerSettings]) -> None:
        self.tree = tree
        self._visit = visit
        self.front = front
        self.present = present
        self.authority = address_of(sockets[0])

    def visit(self, path: str = "/live"):
        return self._visit(self.authority, path)

    def publish(self, event) -> None:
        self.tree.ref(CHANNELS).tell(Publish(event))

    async def ask(self, message: object) -> object:
        return await ask(self.tree.ref(LISTENER), message, 60)

    async def until(self, happened) -> None:
        with trio.fail_after(5):
            while not await happened():  # noqa: ASYNC110 - what happens tells nobody
                await trio.sleep(0.01)

    async def minds(self, count: int) -> None:
        """Wait until there are ``count`` connections and as many followers."""

        async def seen() -> bool:
            minded = len((await self.tree.status(CONNECTIONS)).children)
            return (await self.tree.status(CHANNELS)).description["followers"] == minded == count

        await self.until(seen)


@pytest.fixture
def run(grow, visit):
    @asynccontextmanager
    async def running(**options) -> AsyncIterator[Rig]:
        present = [ServerSettings(listen="127.0.0.1:0", **options)]
        sockets = open_listeners("127.0.0.1:0", 16384)
        front = Front()
        routes = Routes()

        async def up(_request: Request) -> Response:
            return json_response({"up": True})

        routes.add("GET", "/up", up)
        policy = Policy(strategy=Strategy.REST_FOR_ONE)
        inner = [
            ChildSpec("connections", Supervisor),
            ChildSpec("listener", Listener, (lambda: present[-1], sockets, routes, doors, front), shutdown=1.0),
        ]
        specs = [
            ChildSpec("channels", Channels, (ChannelSettings(),)),
            ChildSpec("listeners", Supervisor, (inner, policy)),
        ]
        try:
            async with grow(specs, policy) as tree:
                yield Rig(tree, visit, sockets, front, present)
        finally:
            for each in sockets:
                each.close()

    return running


async def get(authority: str, path: str, *, tls: ssl.SSLContext | None = None) -> int:
    """The status of an answer."""
    host, port = authority.split(":")
    stream: trio.abc.Stream = await trio.open_tcp_stream(host, int(port))
    if tls is not None:
        stream = trio.SSLStream(stream, tls, server_hostname=host, https_compatible=True)
    parser = h11.Connection(h11.CLIENT)
    request = h11.Request(method="GET", target=path, headers=[("host", authority), ("connection", "close")])
    async with stream:
        await stream.send_all((parser.send(request) or b"") + (parser.send(h11.EndOfMessage()) or b""))
        while True:
            event = parser.next_event()
            if isinstance(event, h11.Response):
                return event.status_code
            parser.receive_data(await stream.receive_some(65536))


async def test_what_is_published_reaches_a_client_that_came_through_a_door(run, make_event):
    async with run() as rig, rig.visit() as one, rig.visit("/stream") as other:
        await rig.minds(2)
        assert rig.front.open_links() == 2
        assert gauges.read("connections") == {"live": 1, "stream": 1}
        rig.publish(make_event("a"))
        assert [await one.receive(), await other.receive()] == ["a", "a"]
        says = (await rig.tree.status(LISTENER)).description
        assert says["listen"] == [rig.authority]
        assert (says["connections"], says["accepted"], says["draining"]) == (2, 2, False)
    assert rig.front.open_links() == 0
    assert gauges.read("connections") is None


async def test_a_path_without_a_door_is_answered_and_not_opened(run):
    async with run() as rig:
        assert await get(rig.authority, "/nowhere") == 404
        with pytest.raises(AssertionError, match=r"HTTP/1\.1 404"):
            async with rig.visit("/nowhere"):
                pass
        assert await get(rig.authority, "/up") == 200
        await rig.minds(0)


async def test_a_client_that_leaves_leaves_nothing(run):
    async with run() as rig, rig.visit() as one:
        await rig.minds(1)
        await one.close()
        await rig.minds(0)


@pytest.mark.parametrize("path", ["/broken", "/live"])
async def test_a_session_that_fails_is_closed_with_1011_and_nobody_else_notices(run, make_event, path):
    async with run() as rig, rig.visit() as well:
        async with rig.visit(path) as one:
            await one.send("fail")
            code, _ = await one.receive()
            assert code == 1011
        await rig.minds(1)
        rig.publish(make_event("a"))
        assert await well.receive() == "a"
        assert (await rig.tree.status(LISTENER)).restarts == 0


async def test_a_session_closes_its_link_with_the_code_it_says(run):
    async with run() as rig, rig.visit() as one:
        await one.send("close")
        assert await one.receive() == (4999, "as asked")
        await rig.minds(0)


async def test_a_thousand_clients_that_come_and_go_leave_nothing(run):
    async with run(connections=2000) as rig:
        await rig.tree.settle()
        tasks = trio.lowlevel.current_statistics().tasks_living

        async def visit() -> None:
            for number in range(50):
                async with rig.visit() as one:
                    if number % 3 == 0:
                        await one.send("anything")
                    elif number % 3 == 1:
                        await one.close()

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(visit)
        await rig.minds(0)
        assert rig.front.server.statistics().opened == 1000

        async def quiet() -> bool:
            # The channel they followed is still there.
            return trio.lowlevel.current_statistics().tasks_living == tasks + 1

        await rig.until(quiet)
        assert list(rig.front.server.links) == []


async def test_draining_sends_everybody_away_in_the_words_they_know(run):
    async with run() as rig, rig.visit() as live, rig.visit("/stream") as stream:
        await rig.minds(2)
        codes = []

        async def wait(client) -> None:
            codes.append(await client.receive())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait, live)
            nursery.start_soon(wait, stream)
            assert await rig.ask(Drain(5.0)) == 0
        assert sorted(codes) == [(1012, "restart"), (4201, "restart")]
        assert rig.front.server.statistics().listening is False


async def test_draining_tells_those_who_understand_when_to_return_and_breaks_off_with_those_who_must_not_be_told(run):
    async with run() as rig, rig.visit("/stream") as stream, rig.visit("/floor") as floor:
        await rig.minds(2)
        (link,) = [link for link in rig.front.server.links if link.door.name == "stream"]
        link.farewell = lambda code, reason, delay, position: text_frame(f"{code} {reason} {delay} {position}".encode())
        heard = []

        async def listen(client) -> None:
            while not isinstance(said := await client.receive(), tuple):
                heard.append(said)
            heard.append(said)
            await client.stream.aclose()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(listen, stream)
            nursery.start_soon(listen, floor)
            assert await rig.ask(Drain(5.0)) == 0
        # There is no journal here, so there is no position to be told.
        assert sorted(heard, key=str) == [(1006, ""), (4201, "restart"), "4201 restart 3.0 None"]


async def test_who_does_not_leave_is_cut_and_counted(run):
    async with run() as rig, rig.visit():
        # It never reads, so it never answers the Close.
        await rig.minds(1)
        assert await rig.ask(Drain(0.2)) == 1


async def test_a_reload_puts_limits_and_a_certificate_in_force_and_a_restart_keeps_them(run, authority, tmp_path):
    issued = authority.issue_cert("127.0.0.1")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    issued.cert_chain_pems[0].write_to_path(str(chain))
    issued.private_key_pem.write_to_path(str(key))
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    async with run() as rig:
        assert await get(rig.authority, "/up") == 200
        secure = ServerSettings(listen="127.0.0.1:0", certificate=str(chain), key=str(key))
        rig.present.append(secure)
        await rig.ask(Apply(secure))
        assert await get(rig.authority, "/up") == 400
        assert await get(rig.authority, "/up", tls=trusted) == 200
        restart(rig)

        async def restarted() -> bool:
            return (await rig.tree.status(LISTENER)).restarts == 1

        await rig.until(restarted)
        assert await get(rig.authority, "/up", tls=trusted) == 200


def restart(rig: Rig) -> None:
    """Have the listener fail at a message."""
    rig.tree.ref(LISTENER).tell(Apply(None))  # type: ignore[arg-type]


async def test_a_kernel_without_the_limit_is_said_once_and_shown(run, monkeypatch):
    said = []
    monkeypatch.setattr(events, "socket_misconfigured", lambda **fields: said.append(fields))
    monkeypatch.setattr(socket, "TCP_NOTSENT_LOWAT", 9999)
    async with run() as rig:
        restart(rig)

        async def restarted() -> bool:
            return (await rig.tree.status(LISTENER)).restarts == 1

        await rig.until(restarted)
        says = (await rig.tree.status(LISTENER)).description["unsent_limit"]
        assert says == {"size": 16_384, "holds": False, "fault": "Protocol not available"}
        assert await get(rig.authority, "/up") == 200
    assert [(fields["option"], fields["detail"]) for fields in said] == [
        ("TCP_NOTSENT_LOWAT", "Protocol not available")
    ]
    assert "critical" in said[0]["meaning"]


async def test_a_kernel_with_the_limit_is_shown_too(run):
    async with run(notsent_lowat=20_000) as rig:
        says = (await rig.tree.status(LISTENER)).description["unsent_limit"]
        assert says == {"size": 20_000, "holds": True, "fault": None}


async def test_a_certificate_that_cannot_be_used_changes_nothing(run, tmp_path):
    (tmp_path / "chain.pem").write_text("nothing of the kind")
    path = str(tmp_path / "chain.pem")
    async with run() as rig:
        with pytest.raises(OSError):  # noqa: PT011 - OpenSSL's words change
            await rig.ask(Apply(ServerSettings(certificate=path, key=path)))
        assert await get(rig.authority, "/up") == 200
        assert (await rig.tree.status(LISTENER)).restarts == 0


async def test_a_listener_that_begins_anew_serves_the_same_port(run, make_event):
    async with run() as rig:
        async with rig.visit() as one:
            await rig.minds(1)
            restart(rig)
            assert await one.receive() == (1006, "")
        await rig.minds(0)
        async with rig.visit() as one:
            await rig.minds(1)
            rig.publish(make_event("a"))
            assert await one.receive() == "a"
        assert (await rig.tree.status(LISTENER)).restarts == 1
