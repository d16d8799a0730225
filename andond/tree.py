"""The supervision tree: which actors there are, in which order they start, and what each is given.

Rules of this file: the gateway's strategy is rest for one, so what comes later may rely on what comes before and
begins anew with it. Nothing is decided here but the order.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from actors import Channels, Front, Listener, Pulse
from actors.desks import FloorDesk, PortalDesk
from actors.runtime import ChildSpec, Policy, Strategy, Supervisor
from actors.sources import Sources
from config import ServerSettings, Settings, SourceSettings
from transport import Door, Request, Response, Routes

GATEWAY_POLICY = Policy(strategy=Strategy.REST_FOR_ONE, intensity=5, period=60.0)
LISTENERS_POLICY = Policy(strategy=Strategy.REST_FOR_ONE, intensity=5, period=60.0)


@dataclass(slots=True)
class Present:
    """The settings in force: a reload puts others here."""

    settings: Settings

    def server(self) -> ServerSettings:
        """How the port is served."""
        return self.settings.server

    def sources(self) -> Mapping[str, SourceSettings]:
        """The sources that there should be."""
        return self.settings.sources


def gateway(
    present: Present,
    sockets: Sequence[socket.socket],
    routes: Routes,
    doors: Callable[[Request], Door | Response],
    front: Front,
) -> list[ChildSpec]:
    """The children of the gateway's supervisor, in the order of their start."""
    settings = present.settings
    desks = [ChildSpec("floor", FloorDesk), ChildSpec("portal", PortalDesk, (settings.portal,))]
    listeners = [
        ChildSpec("connections", Supervisor),
        ChildSpec("listener", Listener, (present.server, sockets, routes, doors, front), shutdown=1.0),
    ]
    return [
        ChildSpec("channels", Channels, (settings.channels,)),
        ChildSpec("desks", Supervisor, (desks,)),
        ChildSpec("sources", Sources, (present.sources,)),
        ChildSpec("listeners", Supervisor, (listeners, LISTENERS_POLICY)),
        ChildSpec("pulse", Pulse, (front.open_links,)),
    ]
