"""Who is connected to the gateway in the course of a day.

Rules of this file: a list. Each kind of client that the gateway knows is in it, on good lines and on bad ones.
"""

from __future__ import annotations

from dataclasses import replace

from tests.simulation.clients import Client, Profile, World
from tests.simulation.dialects import MSGPACK, CloudEventsClient, Native, NativeClient, PortalClient, Vandal
from tests.simulation.network import Line
from tests.simulation.plant import LINES, PLACE, STATIONS

FAST = Line()
SLOW = Line(latency=0.08, rate=12_000.0, capacity=32 * 1024)
WEAK = Line(latency=0.2, rate=4_000.0, capacity=16 * 1024)
URGENT = ("andon/*", "alarms/*", "sources/*")


def _at(kind: str, *lines: str) -> tuple[str, ...]:
    return tuple(f"{kind}/{PLACE}/{line}/{station}" for line in lines for station in STATIONS)


_ALL = tuple(line.name for line in LINES)

NATIVE = (
    Native("board", line=FAST, channels=URGENT, credit=32_768, stay=7200, away=30),
    Native("board2", line=FAST, channels=URGENT, subprotocol=MSGPACK, shows=True),
    Native("tablet1", line=SLOW, channels=(*_at("andon", "line1"), *_at("alarms", "line1"), *_at("equipment", "line1"),
           *_at("readings", "line1")), credit=8192, stay=1800, away=120, freeze_every=3600, freeze=40),
    Native("tablet2", line=SLOW, channels=(*_at("andon", "line2"), *_at("alarms", "line2"), *_at("events", "line2"),
           *_at("readings", "line2")), credit=4096, sulk_every=1800, sulk=60, stay=5400, away=600,
           subprotocol=MSGPACK),
    Native("tablet3", line=WEAK, channels=(*_at("alarms", *_ALL), *_at("readings", "line1", "line3")), stay=3600,
           away=60, freeze_every=1200, freeze=30),
    Native("dashboard", line=FAST, channels=(*_at("readings", *_ALL), *_at("equipment", *_ALL)), stay=10_800, away=20),
    Native("dashboard2", line=FAST, channels=(*_at("events", *_ALL), *_at("andon", *_ALL), *_at("alarms", *_ALL)),
           credit=16_384, is_late=True, stay=2700, away=90),
    Native("wall", line=FAST, channels=_at("readings", "line1", "line2"), max_hz=0.2),
    Native("pager", line=WEAK, channels=("andon/*", *_at("alarms", *_ALL)), least="critical", stay=900, away=900),
    Native("visitor", line=FAST, channels=URGENT, is_late=True, stay=300, away=600),
)  # fmt: skip

CLOUDEVENTS = (
    Profile("archive", "/stream?channel=equipment/*&channel=alarms/*&channel=andon/*&channel=events/*",
            "cloudevents.json"),
    Profile("logger", "/stream?channel=readings/*&channel=sources/*&latest=5", "cloudevents.json", SLOW, stay=3600,
            away=300, freeze_every=7200, freeze=60),
)  # fmt: skip

PORTAL = (
    Profile("portal1", "/api/v11/live/stream", stay=3600, away=60),
    Profile("portal2", "/api/v11/live/stream", line=SLOW, stay=600, away=600),
    Profile("metrics", "/ws/metrics", stay=7200, away=600),
)

VANDALS = (Profile("vandal1", away=400), Profile("vandal2", line=SLOW, away=900))


def everybody(world: World, rarely: float) -> list[Client]:
    """All clients, on the agenda of ``world``; who comes and goes does so more ``rarely``."""
    kinds = ((NativeClient, NATIVE), (CloudEventsClient, CLOUDEVENTS), (PortalClient, PORTAL), (Vandal, VANDALS))
    pairs = [(kind, profile) for kind, profiles in kinds for profile in profiles]
    return [
        kind(world, replace(profile, stay=rarely * profile.stay, away=rarely * profile.away), number)
        for number, (kind, profile) in enumerate(pairs, 1)
    ]
