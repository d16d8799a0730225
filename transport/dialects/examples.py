"""One message of each kind, as it stands on the wire.

Rules of this file: what a reader learns from. The page of the protocol and ``/asyncapi.json`` show these, and a test
lets a session take the commands and compares the others with the types; so no example can be out of date.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain import JsonObject

_EVENT: JsonObject = {
    "specversion": "1.0",
    "id": "01JD6W",
    "source": "/acme/plant1/line3/st4",
    "type": "andon.call.raised",
    "subject": "st4",
    "time": "2026-11-21T06:00:00.000Z",
    "recordedtime": "2026-11-21T06:00:00.004Z",
    "channel": "andon/acme/plant1/line3/st4",
    "offset": "9c1f:77",
    "criticaloffset": "e7:88121",
    "quality": "good",
    "data": {"type": "material"},
}

COMMANDS: Mapping[str, JsonObject] = MappingProxyType(
    {
        "connect": {
            "id": 1,
            "connect": {
                "client": "andon-board/2.3",
                "credit": 32768,
                "resume": {"critical": "e7:88120", "channels": {"oee/acme/plant1/line3": "4b20:512", "andon/*": None}},
            },
        },
        "subscribe": {
            "id": 2,
            "subscribe": {
                "channel": "readings/acme/plant1/line3/press3",
                "from": "77aa:512",
                "max_hz": 2,
                "min_priority": "normal",
            },
        },
        "unsubscribe": {"id": 3, "unsubscribe": {"channel": "readings/acme/plant1/line3/press3"}},
        "ping": {"id": 4, "ping": {}},
        "refresh": {"id": 9, "refresh": {"token": "eyJhbGciOiJFZERTQSJ9.e30.c2ln"}},
        "act": {
            "id": 5,
            "act": {
                "type": "andon.acknowledge",
                "key": "tablet7-118",
                "by": "lee",
                "at": "2026-11-21T06:00:04.000Z",
                "station": "st4",
                "call": "01JD6W",
            },
        },
        "ack": {"ack": {"critical": "e7:88121"}},
        "shown": {"shown": ["01JD6W"]},
        "credit": {"credit": 16384},
    }
)
"""What a client says, by the word of the command; each can be said after the one before it."""

REPLIES: Mapping[str, JsonObject] = MappingProxyType(
    {
        "connect": {
            "id": 1,
            "connect": {
                "session": "5f0c2b9d1e7a4c3386d2a1f4",
                "server": "andond/0.1.0",
                "time": "2026-11-21T06:00:00.000Z",
                "ping_ms": 10000,
                "credit": 32768,
                "limits": {"message_size": 65536, "subscriptions": 64, "commands_per_second": 50},
                "critical": {"recovered": True, "missed": 5, "position": "e7:88125"},
            },
        },
        "subscribe": {
            "id": 2,
            "subscribe": {
                "channel": "readings/acme/plant1/line3/press3",
                "epoch": "77aa",
                "offset": 640,
                "recovered": False,
                "gap": {"from": 513, "to": 540, "count": 28, "reason": "history"},
            },
        },
        "unsubscribe": {"id": 3, "unsubscribe": {"channel": "readings/acme/plant1/line3/press3"}},
        "ping": {"id": 4, "ping": {"time": "2026-11-21T06:00:05.120Z"}},
        "refresh": {"id": 9, "refresh": {"expires": "2026-11-21T06:30:00.000Z"}},
        "act": {"id": 5, "act": {"kept": True, "result": {"id": "01JD6W", "state": "acknowledged"}}},
        "ack": {"id": 6, "ack": {}},
        "shown": {"id": 7, "shown": {}},
        "credit": {"id": 8, "credit": {}},
        "error": {
            "id": 2,
            "error": {
                "code": 105,
                "message": "andon/* is subscribed to already",
                "temporary": False,
                "retry_after_ms": 0,
            },
        },
    }
)
"""What the gateway answers, by the word of the reply."""

PUSHES: Mapping[str, JsonObject] = MappingProxyType(
    {
        "event": {"push": "event", "priority": "critical", "event": _EVENT},
        "subscribed": {
            "push": "subscribed",
            "channel": "oee/acme/plant1/line3",
            "epoch": "4b20",
            "offset": 640,
            "recovered": True,
        },
        "gap": {
            "push": "gap",
            "channel": "oee/acme/plant1/line3",
            "from": 641,
            "to": 655,
            "reason": "overflow",
            "count": 15,
        },
        "disconnect": {
            "push": "disconnect",
            "code": 4201,
            "reason": "restart",
            "delay_ms": 3170,
            "resume": "e7:88125",
        },
    }
)
"""What the gateway says of itself, by the word of the push."""

CLOUD_EVENT: JsonObject = {**_EVENT, "priority": "critical"}
"""A message of ``cloudevents.json``."""
