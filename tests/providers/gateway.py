"""A whole gateway that people sign in to, and the browser of one of them, without a screen.

Rules of this file: real sockets on 127.0.0.1 and a port that the kernel chose; the tree runs in a thread of its own.
The clock of what is signed and kept can be set ahead, so that nobody waits for an end.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import msgspec
import trio
import websockets.sync.client

from actors import Front
from actors.places import GATEWAY, LISTENER, Address
from actors.runtime import ActorSystem, Supervisor
from andond.api import build_routes
from andond.api.health import Condition, Health
from andond.doors import Doors
from andond.guard import Guard
from andond.identities import Identities, TermsInForce
from andond.own_tokens import own_tokens, roles_known
from andond.rights_review import RightsReview
from andond.signing_in import SigningIn
from andond.tree import GATEWAY_POLICY, Present, Trust, gateway
from config import AccessSettings, IssuerSettings, Settings, StorageSettings
from config.page import PageSettings
from transport import Routes, TokenVerifier, address_of, open_listeners

LIMIT = 20.0
PASSWORD = "correct horse battery"  # noqa: S105


class Gateway:
    """The daemon's tree with ``issuers``, which takes ``directory`` for its data; ``ahead`` is how far its clock is."""

    def __init__(self, directory: Path | None = None) -> None:
        self.ahead = 0.0
        self._sockets = open_listeners("127.0.0.1:0", 16384)
        self.port = int(address_of(self._sockets[0]).rpartition(":")[2])
        self.url = f"http://127.0.0.1:{self.port}/"
        self.callback = f"{self.url}auth/callback"
        settings = Settings(storage=StorageSettings(path=str(directory or "")))
        self.present = Present(settings)
        self._ready = threading.Event()

    def start(self, *, page: PageSettings | None = None, **issuers: IssuerSettings) -> None:
        """Trust ``issuers``, and serve."""
        access = AccessSettings(required="always", issuers=issuers, page=page or PageSettings(address=self.url))
        self.present.settings = msgspec.structs.replace(self.present.settings, access=access)
        self._thread = threading.Thread(target=trio.run, args=(self._main,))
        self._thread.start()
        assert self._ready.wait(LIMIT)

    def now(self) -> float:
        return time.time() + self.ahead

    async def _main(self) -> None:
        access = lambda: self.present.settings.access  # noqa: E731 - said three times
        known = roles_known(access)
        self.verifier = TokenVerifier(known=known)
        self.verifier.apply(access().issuers)
        tokens = own_tokens(self.present.data_directory(), access().own, self.verifier, known)
        signing_in = SigningIn(self.present, self.verifier, tokens, self.now)
        self.sessions = signing_in.sessions
        terms = TermsInForce(access, self.verifier)
        identities = Identities(terms, self.now, visitors=signing_in.visitors)
        front = Front()
        async with ActorSystem.open() as system:
            health = Health(lambda: root, front, Condition(time.time(), self.present.sources))
            guard, signed = Guard(identities), signing_in.access(identities)
            routes: Routes = build_routes(system.environment, health, guard=guard, signing_in=signed)
            review = RightsReview(Address(system.environment, LISTENER), identities, self.verifier, self.now)
            tokens.withdrawn.follow(review)
            trust = Trust(tokens, self.verifier, signing_in.keeper(review.look))
            doors = Doors(identities=identities)
            root = system.start(
                Supervisor, GATEWAY, gateway(self.present, self._sockets, routes, doors, front, trust), GATEWAY_POLICY
            )
            await system.settled(root)
            self._token = trio.lowlevel.current_trio_token()
            self._over = trio.Event()
            self._ready.set()
            await self._over.wait()

    def close(self) -> None:
        if self._ready.is_set():
            trio.from_thread.run_sync(self._over.set, trio_token=self._token)
            self._thread.join(LIMIT)
            assert not self._thread.is_alive()
        for each in self._sockets:
            each.close()


@contextmanager
def standing(directory: Path | None = None) -> Iterator[Gateway]:
    made = Gateway(directory)
    try:
        yield made
    finally:
        made.close()


@dataclass
class Said:
    """An answer: ``body`` is JSON where it says so, else text."""

    status: int
    headers: Mapping[str, str]
    body: object

    @property
    def location(self) -> str:
        return self.headers.get("location", "")

    @property
    def query(self) -> dict[str, str]:
        """The query of where it sends the browser."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.location).query).items()}


@dataclass
class Person:
    """Somebody with a browser: ``cookies`` by host and port; it follows nothing by itself."""

    gateway: Gateway
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)

    def ask(self, method: str, url: str, body: str | None = None, **headers: str) -> Said:
        parts = urlsplit(urljoin(self.gateway.url, url))
        jar = self.cookies.setdefault(parts.netloc, {})
        shown = {name.replace("_", "-"): value for name, value in headers.items()}
        if jar:
            shown["cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=LIMIT)) as link:
            link.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, shown)
            got = link.getresponse()
            text = got.read().decode()
            for name, value in got.getheaders():
                if name.lower() == "set-cookie":
                    self._keep(jar, value)
        found = {name.lower(): value for name, value in got.getheaders()}
        is_json = "json" in found.get("content-type", "")
        return Said(got.status, found, json.loads(text) if is_json else text)

    def _keep(self, jar: dict[str, str], value: str) -> None:
        name, _, content = value.partition(";")[0].partition("=")
        is_over = "max-age=0" in value.lower() or "01 jan 1970" in value.lower()
        jar.pop(name, None)
        if not is_over:
            jar[name] = content

    def get(self, url: str, **headers: str) -> Said:
        return self.ask("GET", url, **headers)

    def post(self, path: str, value: object = None, **headers: str) -> Said:
        """As the page does it."""
        shown = {"origin": self.gateway.url.rstrip("/"), "content_type": "application/json", **headers}
        return self.ask("POST", path, json.dumps(value if value is not None else {}), **shown)

    def begin(self, provider: str = "id") -> Said:
        return self.get(f"/auth/login?provider={provider}")

    def sign_in_there(self, url: str, name: str) -> Said:
        """Follow the provider until it sends the browser back here, filling in its form on the way."""
        said = self.get(url)
        while not said.location.startswith(self.gateway.callback):
            if said.location:
                said = self.get(urljoin(url, said.location))
                continue
            form = re.search(r'action="([^"]+)"', str(said.body))
            assert form is not None, said
            filled = urlencode({"prompt": "login", "login": name, "password": "any"})
            said = self.ask("POST", form[1], filled, content_type="application/x-www-form-urlencoded")
        return said

    def back_from(self, name: str, provider: str = "id") -> str:
        """Where the provider sends the browser of ``name``, who has signed in there."""
        return self.sign_in_there(self.begin(provider).location, name).location

    def finish(self, back: str) -> Said:
        """Bring ``back`` what the provider sent along; what is refused is told at an address without it."""
        said = self.get(back)
        if said.location != f"{self.gateway.url}auth/refused":
            return said
        assert said.status == 303
        return self.get(said.location)

    def sign_in(self, name: str, provider: str = "id") -> Said:
        return self.finish(self.back_from(name, provider))

    def session(self) -> dict[str, object]:
        body = self.get("/auth/session").body
        assert isinstance(body, dict)
        return body

    @property
    def user(self) -> object:
        found = self.session()["user"]
        return found["name"] if isinstance(found, dict) else None

    @property
    def secret(self) -> str:
        """What the cookie of the session holds."""
        return next(iter(v for n, v in self.cookies[f"127.0.0.1:{self.gateway.port}"].items() if "signin" not in n), "")

    def stream(self, **headers: str) -> websockets.sync.client.ClientConnection:
        jar = self.cookies.get(f"127.0.0.1:{self.gateway.port}", {})
        cookie = {"cookie": "; ".join(f"{name}={value}" for name, value in jar.items())} if jar else {}
        shown = {name.replace("_", "-"): value for name, value in headers.items()}
        return websockets.sync.client.connect(
            f"ws://127.0.0.1:{self.gateway.port}/stream",
            origin=headers.pop("origin", self.gateway.url.rstrip("/")),  # type: ignore[arg-type]
            additional_headers={**cookie, **{n: v for n, v in shown.items() if n != "origin"}},
            subprotocols=["andond.v1.json"],  # type: ignore[list-item]
            proxy=None,
        )


def until(look: Callable[[], object]) -> object:
    """What ``look`` returns as soon as it is true."""
    deadline = time.monotonic() + LIMIT
    while not (found := look()):
        assert time.monotonic() < deadline, f"it did not become so; last seen: {found!r}"
    return found
