"""The whole tree on a port of its own, in a thread of its own, for the tests that are its clients over real sockets.

Rules of this file: who clients are is found out as the daemon does it, by the settings of ``[access]``; only that what
tokens say is looked up in a table of words.
"""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from collections.abc import Mapping

import trio
import websockets.sync.client

from actors import Drain, Front
from actors.places import GATEWAY, LISTENER, PORTAL_DESK, SERIES, Address
from actors.runtime import ActorSystem, Supervisor, ask
from andond.api import build_routes
from andond.api.health import Condition, Health
from andond.api.portal_data import DeskData
from andond.doors import Doors
from andond.floor_desks import FloorDesks
from andond.floor_doors import FloorDoors
from andond.guard import Guard
from andond.identities import Identities, TermsInForce
from andond.portal_doors import ConsoleDesk, PortalDoors
from andond.tree import GATEWAY_POLICY, Present, gateway
from config import Settings, Standing
from domain.access import Identity, Proof, TokenFault, TokenRefused
from transport import address_of, open_listeners
from transport.dialects.floor.roster import Roster

LIMIT = 10.0
numbers = itertools.count(1)

DESKS = "desks"
"""The token of the gateway's own desks, as it were: whoever is asked who they are publishes nothing that those say."""

_DESKS = Identity("desks", "desks", frozenset({"admin"}), Proof.OPEN)

Client = websockets.sync.client.ClientConnection

People = Mapping[str, Identity | TokenFault]
"""Who has which word for a token, or why it is refused; words that are not here were signed by nobody."""


def person(name: str, *roles: str, places: tuple[str, ...] = (), tenant: str = "") -> Identity:
    """Whom a token proves to be ``name``."""
    return Identity(f"id-of-{name}", name, frozenset(roles), Proof.TOKEN, tenant, places)


class Verifier:
    """Knows the tokens of ``people``."""

    def __init__(self, people: People) -> None:
        self._people = people

    def verify(self, token: str, at: float) -> Identity:
        assert at > 0
        found = self._people.get(token, TokenFault.SIGNATURE)
        if isinstance(found, TokenFault):
            raise TokenRefused(found)
        return found


class House:
    """A daemon with ``settings``, which knows ``people``; what is published there comes from ``source``."""

    def __init__(self, settings: Settings, source: str, people: People) -> None:
        self._present = Present(settings)
        self._source = source
        self._verifier = Verifier({**people, DESKS: _DESKS})
        self._sockets = open_listeners("127.0.0.1:0", 16384)
        self.port = int(address_of(self._sockets[0]).rpartition(":")[2])
        self._ready = threading.Event()
        self._thread = threading.Thread(target=trio.run, args=(self._main,))
        self._thread.start()
        assert self._ready.wait(LIMIT)

    async def _main(self) -> None:
        front, present = Front(), self._present
        identities = Identities(TermsInForce(lambda: present.settings.access, self._verifier))
        async with ActorSystem.open() as system:
            environment = self._environment = system.environment
            floor = self._floor(identities)
            data = DeskData(Address(environment, PORTAL_DESK), Address(environment, SERIES))
            portal = PortalDoors(ConsoleDesk(data), identities)
            condition = Condition(time.time(), present.sources, standing=lambda: Standing.GUARDED)
            health = Health(lambda: root, front, condition)
            routes = build_routes(environment, health, floor.roster, present.site, Guard(identities))
            doors = Doors(present.server, floor, portal, identities)
            root = system.start(
                Supervisor, GATEWAY, gateway(present, self._sockets, routes, doors, front), GATEWAY_POLICY
            )
            await system.settled(root)
            self._token = trio.lowlevel.current_trio_token()
            self._over = trio.Event()
            self._ready.set()
            await self._over.wait()

    def _floor(self, identities: Identities) -> FloorDoors:
        present = self._present
        return FloorDoors(
            lambda: present.floor().doors,
            lambda: present.site().equipment,
            FloorDesks(self._environment, present.site).answers,
            Roster(lambda: 100),
            identities,
        )

    def close(self) -> None:
        trio.from_thread.run_sync(self._over.set, trio_token=self._token)
        self._thread.join(LIMIT)
        assert not self._thread.is_alive()
        for each in self._sockets:
            each.close()

    def drain(self) -> None:
        async def drain() -> None:
            await ask(Address(self._environment, LISTENER).ref, Drain(5.0), 10.0)

        trio.from_thread.run(drain, trio_token=self._token)

    def connect(self, path: str, token: str = "", **how: object) -> Client:
        """A client at ``path``, which shows ``token`` in a header; none if it is empty."""
        if token:
            how["additional_headers"] = {"Authorization": f"Bearer {token}"}
        return websockets.sync.client.connect(f"ws://127.0.0.1:{self.port}{path}", proxy=None, **how)

    def request(
        self, method: str, path: str, body: object = None, media: str = "application/json", shown: str = ""
    ) -> tuple[int, object]:
        """The status and the document that answer who has ``shown`` such a token; none if it is empty."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
        headers = {"content-type": media} | ({"authorization": f"Bearer {shown}"} if shown else {})
        link.request(method, path, None if body is None else json.dumps(body), headers)
        answer = link.getresponse()
        document = json.loads(answer.read())
        link.close()
        return answer.status, document

    def publish(self, type_: str, data: Mapping[str, object], **more: str) -> str:
        """Post an event with ``more`` members; its id."""
        id_ = f"e{next(numbers)}"
        event = {"specversion": "1.0", "id": id_, "source": self._source, "type": type_, "data": data, **more}
        status, answer = self.request("POST", "/api/v1/events", event, "application/cloudevents+json", DESKS)
        assert status == 202, answer
        return id_


def say(client: Client, message: object) -> None:
    """Send ``message``, as JSON unless it is text or bytes."""
    client.send(message if isinstance(message, str | bytes) else json.dumps(message))
