"""The whole tree on a port of its own, in a thread of its own, for the tests that are its clients over real sockets."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from collections.abc import Callable, Mapping

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
from andond.floor_doors import Denied, FloorDoors
from andond.portal_doors import ConsoleDesk, PortalDoors
from andond.tree import GATEWAY_POLICY, Present, gateway
from config import Settings
from transport import address_of, open_listeners
from transport.dialects.floor.roster import Roster
from transport.dialects.floor.session import Visitor
from transport.dialects.portal import Guest

LIMIT = 10.0
numbers = itertools.count(1)

Client = websockets.sync.client.ClientConnection


class House:
    """A daemon with ``settings``; events are published from ``source``.

    ``person_of`` tells whose a token is on the floor, ``guest_of`` whose it is in the portal.
    """

    def __init__(
        self,
        settings: Settings,
        source: str,
        *,
        person_of: Callable[[str], Visitor | Denied] | None = None,
        guest_of: Callable[[str], Guest | None] | None = None,
    ) -> None:
        self._present = Present(settings)
        self._source = source
        self._tokens = person_of, guest_of
        self._sockets = open_listeners("127.0.0.1:0", 16384)
        self.port = int(address_of(self._sockets[0]).rpartition(":")[2])
        self._ready = threading.Event()
        self._thread = threading.Thread(target=trio.run, args=(self._main,))
        self._thread.start()
        assert self._ready.wait(LIMIT)

    async def _main(self) -> None:
        front = Front()
        person_of, guest_of = self._tokens
        async with ActorSystem.open() as system:
            environment = self._environment = system.environment
            roster = Roster(lambda: 100)
            settings = self._present.settings.floor
            floor = FloorDoors(lambda: settings.doors, answer=FloorDesks(environment), roster=roster, tokens=person_of)
            data = DeskData(Address(environment, PORTAL_DESK), Address(environment, SERIES))
            self.portal = PortalDoors(ConsoleDesk(data), guest_of)
            health = Health(lambda: root, front, Condition(time.time(), self._present.sources))
            routes = build_routes(environment, health, roster)
            doors = Doors(self._present.server, floor, portal=self.portal)
            root = system.start(
                Supervisor, GATEWAY, gateway(self._present, self._sockets, routes, doors, front), GATEWAY_POLICY
            )
            await system.settled(root)
            self._token = trio.lowlevel.current_trio_token()
            self._over = trio.Event()
            self._ready.set()
            await self._over.wait()

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

    def connect(self, path: str, **how: object) -> Client:
        return websockets.sync.client.connect(f"ws://127.0.0.1:{self.port}{path}", proxy=None, **how)

    def request(
        self, method: str, path: str, body: object = None, media: str = "application/json"
    ) -> tuple[int, object]:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
        link.request(method, path, None if body is None else json.dumps(body), {"content-type": media})
        answer = link.getresponse()
        document = json.loads(answer.read())
        link.close()
        return answer.status, document

    def publish(self, type_: str, data: Mapping[str, object], **more: str) -> str:
        """Post an event with ``more`` members; its id."""
        id_ = f"e{next(numbers)}"
        event = {"specversion": "1.0", "id": id_, "source": self._source, "type": type_, "data": data, **more}
        status, answer = self.request("POST", "/api/v1/events", event, "application/cloudevents+json")
        assert status == 202, answer
        return id_


def say(client: Client, message: object) -> None:
    """Send ``message``, as JSON unless it is text or bytes."""
    client.send(message if isinstance(message, str | bytes) else json.dumps(message))
