"""The native protocol as an AsyncAPI 3.0 document, for programs that make clients, documents and tests.

Rules of this file: no I/O. Everything is taken from where it is used: the types of the messages, the table of codes,
the encodings, the examples. What AsyncAPI has no word for stands in members that begin with ``x-``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from domain import JsonObject, JsonValue
from transport.codes import CODES, Code, is_sendable
from transport.dialects import cloudevents, examples
from transport.dialects import native_frames as wire
from transport.dialects.native_encoding import JSON, MSGPACK

VERSION = "3.0.0"
PATH = "/stream"

_DESCRIPTION = (
    "A command carries the client's id and gets exactly one reply with the same id; a push has no id. The first "
    "command is connect. Members that are not described here are to be ignored, by both sides. Whoever opens the "
    "WebSocket chooses the encoding by the subprotocol; without one it is andond.v1.json."
)
_LOWEST_ERROR, _LOWEST_REFUSAL, _LOWEST_CLOSE = 100, 400, 1000


class CloudEventMessage(wire.CloudEvent):
    """A message of the subprotocol ``cloudevents.json``: the event alone."""

    priority: wire.PriorityWord | msgspec.UnsetType = msgspec.UNSET


def document(version: str, host: str, *, secure: bool) -> JsonObject:
    """The document of a gateway of ``version`` that is reached at ``host``."""
    return {
        "asyncapi": VERSION,
        "info": {
            "title": "andond",
            "version": version,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"gateway": {"host": host, "protocol": "wss" if secure else "ws"}},
        "channels": {"stream": _channel()},
        "operations": _operations(),
        "components": {"messages": _messages(), "schemas": _schemas()},
        "x-error-codes": [_code(code) for code in CODES.values() if _LOWEST_ERROR <= code.number < _LOWEST_REFUSAL],
        "x-close-codes": [
            _code(code) for code in CODES.values() if code.number >= _LOWEST_CLOSE and is_sendable(code.number)
        ],
    }


def _channel() -> JsonObject:
    subprotocols: list[JsonValue] = [
        {"name": JSON.subprotocol, "frames": "text", "contentType": "application/json", "default": True},
        {"name": MSGPACK.subprotocol, "frames": "binary", "contentType": "application/vnd.msgpack"},
        {"name": cloudevents.SUBPROTOCOL, "frames": "text", "contentType": "application/cloudevents+json"},
    ]
    names: list[JsonValue] = [JSON.subprotocol, MSGPACK.subprotocol, cloudevents.SUBPROTOCOL]
    return {
        "address": PATH,
        "description": "One WebSocket for everything that a client follows.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _messages()},
        "bindings": {
            "ws": {
                "method": "GET",
                "headers": {"type": "object", "properties": {"Sec-WebSocket-Protocol": {"enum": names}}},
                "query": {
                    "type": "object",
                    "description": f"For {cloudevents.SUBPROTOCOL} alone; the others subscribe by commands.",
                    "properties": {
                        "channel": {
                            "type": "array",
                            "items": {"type": "string"},
                            "maxItems": cloudevents.CHANNEL_LIMIT,
                        },
                        "latest": {"type": "integer", "minimum": 0, "maximum": cloudevents.LATEST_LIMIT},
                    },
                },
            }
        },
        "x-subprotocols": subprotocols,
    }


def _operations() -> JsonObject:
    """From the gateway's side: it receives commands, and replies; it sends pushes."""
    channel = {"$ref": "#/channels/stream"}
    commands: dict[str, JsonValue] = {}
    for word in wire.COMMANDS:
        replies = [f"{word}Reply"] if word in wire.REPLIES else []
        commands[word] = {
            "action": "receive",
            "channel": channel,
            "messages": _references([f"{word}Command"]),
            "reply": {"channel": channel, "messages": _references([*replies, "errorReply"])},
        }
    pushes: dict[str, JsonValue] = {
        f"push{word.capitalize()}": {"action": "send", "channel": channel, "messages": _references([f"{word}Push"])}
        for word in wire.PUSHES
    }
    event: JsonObject = {"action": "send", "channel": channel, "messages": _references(["cloudEvent"])}
    return {**commands, **pushes, "tellCloudEvent": event}


def _references(names: Iterable[str]) -> list[JsonValue]:
    return [{"$ref": f"#/channels/stream/messages/{name}"} for name in names]


def _messages() -> dict[str, JsonValue]:
    return {
        **_kind("Command", wire.COMMANDS, examples.COMMANDS),
        **_kind("Reply", wire.REPLIES, examples.REPLIES),
        **_kind("Push", wire.PUSHES, examples.PUSHES),
        "cloudEvent": _message("cloudEvent", CloudEventMessage, examples.CLOUD_EVENT),
    }


def _kind(
    kind: str, types: Mapping[str, type[msgspec.Struct]], shown: Mapping[str, JsonObject]
) -> dict[str, JsonValue]:
    return {f"{word}{kind}": _message(f"{word}{kind}", type_, shown[word]) for word, type_ in types.items()}


def _message(name: str, type_: type[msgspec.Struct], example: JsonObject) -> JsonObject:
    return {
        "name": name,
        "summary": (type_.__doc__ or "").partition("\n")[0],
        "payload": {"$ref": f"#/components/schemas/{type_.__name__}"},
        "examples": [{"payload": example}],
    }


def _schemas() -> JsonObject:
    types = [*wire.COMMANDS.values(), *wire.REPLIES.values(), *wire.PUSHES.values(), CloudEventMessage]
    _, schemas = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    return schemas


def _code(code: Code) -> JsonObject:
    return {
        "code": code.number,
        "word": code.word,
        "meaning": code.meaning,
        "temporary": code.temporary,
        "action": code.action,
    }
