"""Real servers on loopback, and a desk that hears what became of a notification.

Rules of this file: a server is started by the test that needs it, on a port of the kernel's choice.
"""

from __future__ import annotations

import asyncio
import getpass
import shutil
import socket
import ssl
import subprocess
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trio
import trustme
from msgspec.structs import replace

from actors.notifier import Deliver
from actors.runtime import ActorRef, ActorSystem, ChildSpec, Supervisor, TrioActor
from domain.plant.escalation import Importance, Notification

NOW = 1_800_000_000.0
DESK = "gateway/desk"
PATIENCE = 10.0

with warnings.catch_warnings():
    # The library asks asyncio for what it will not have for ever; that is its business.
    warnings.simplefilter("ignore")
    from aiosmtpd.smtp import SMTP


class Desk(TrioActor):
    """Keeps what it is told."""

    def __init__(self, heard: list[object], is_heard: Callable[[], None]) -> None:
        super().__init__()
        self._heard = heard
        self._is_heard = is_heard

    def on_receive(self, message: object) -> None:
        self._heard.append(message)
        self._is_heard()


class Rig:
    """A channel in its tree, and what its desk heard."""

    def __init__(self, channel: ActorRef, system: ActorSystem, heard: list[object]) -> None:
        self.channel = channel
        self.system = system
        self.heard = heard
        self.news = trio.Event()

    def send(self, notification: Notification) -> None:
        self.channel.tell(Deliver(notification))

    async def hear(self, count: int = 1) -> list[object]:
        """What the desk heard, when it has heard ``count``."""
        with trio.fail_after(PATIENCE):
            while len(self.heard) < count:
                self.news = trio.Event()
                await self.news.wait()
        return self.heard


@asynccontextmanager
async def rigged(spec: ChildSpec, *more: ChildSpec) -> AsyncIterator[Rig]:
    heard: list[object] = []
    async with ActorSystem.open() as system:
        rigs: list[Rig] = []
        desk = ChildSpec("desk", Desk, (heard, lambda: [rig.news.set() for rig in rigs]))
        root = system.start(Supervisor, "gateway", [desk, *more, spec])
        await system.settled(root)
        channel = system.environment.registry.get(f"gateway/{spec.id}")
        assert channel is not None
        rigs.append(Rig(channel, system, heard))
        yield rigs[0]


@pytest.fixture
def rig() -> Callable[..., object]:
    """``async with rig(ChildSpec(...)) as rig``: that channel, and a desk for its answers at ``gateway/desk``."""
    return rigged


@pytest.fixture
def make_notification() -> Callable[..., Notification]:
    def make(**changes: object) -> Notification:
        notification = Notification(
            id="c1-1.0.0.0-mail",
            call="c1",
            path="acme/plant1/line3",
            channel="mail",
            target="anna",
            addresses=(),
            subject="Andon high maintenance call: acme/plant1/line3",
            text="Öl auf dem Boden\nCall number: c1",
            importance=Importance.HIGH,
            data={"level": 1},
            at=NOW,
            expires=NOW + 60,
        )
        return replace(notification, **changes)

    return make


@pytest.fixture
def deaf() -> Iterator[str]:
    """An address that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def closed() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"127.0.0.1:{port}"


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def served(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


# --- mail


@dataclass
class MailServer:
    """A mail server: what it took, and what it says to whom."""

    address: str = ""
    taken: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    answer: str = "250 OK: queued as 4711"

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        if address in self.refuses:
            return "550 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        if self.answer.startswith("250"):
            self.taken.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
        return self.answer


@contextmanager
def _in_a_loop(make: Callable[[], object], context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve a protocol in an asyncio loop of its own, in a thread."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(make, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def end() -> None:
        server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


@pytest.fixture
def mail_server() -> Callable[..., object]:
    """``with mail_server(tls_context=..., authenticator=...) as server``: aiosmtpd; ``tls`` from the first byte."""

    @contextmanager
    def serve(tls: ssl.SSLContext | None = None, **options: object) -> Iterator[MailServer]:
        server = MailServer()
        with _in_a_loop(lambda: SMTP(server, loop=asyncio.get_event_loop(), **options), tls) as address:
            server.address = address
            yield server

    return serve


# --- web hooks


@dataclass
class Hook:
    """A web server: what was posted to it, and what it answers."""

    url: str = ""
    posted: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def hook_server() -> Callable[..., object]:
    """``with hook_server() as hook``: the standard library's server; with ``context`` it speaks TLS."""

    @contextmanager
    def serve(context: ssl.SSLContext | None = None) -> Iterator[Hook]:
        hook = Hook()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.posted.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(hook.status)
                for name, value in hook.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        hook.url = f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}/hook?a=b"
        try:
            yield hook
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    return serve


# --- MQTT


@pytest.fixture
def mosquitto(tmp_path: Path) -> Callable[..., object]:
    """``with mosquitto("allow_anonymous true") as address``: a broker with these lines in its configuration."""
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/sbin")
    if program is None:
        pytest.skip("mosquitto is not installed")

    @contextmanager
    def serve(*lines: str) -> Iterator[str]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        path = tmp_path / f"mosquitto-{port}.conf"
        # It would become another user, who cannot read what is in here.
        path.write_text("\n".join([f"user {getpass.getuser()}", f"listener {port} 127.0.0.1", *lines]) + "\n")
        with subprocess.Popen([program, "-c", str(path)], stderr=subprocess.PIPE, text=True) as broker:
            assert broker.stderr is not None
            said = []
            for line in broker.stderr:
                said.append(line)
                if "running" in line:
                    break
            drain = threading.Thread(target=broker.stderr.read)
            drain.start()
            try:
                assert "running" in said[-1], "".join(said)
                yield f"127.0.0.1:{port}"
            finally:
                broker.terminate()
                drain.join(PATIENCE)

    return serve
