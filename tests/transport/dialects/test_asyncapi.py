"""The document against the rules of AsyncAPI 3.0 that can be checked without a network, and against the code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import msgspec
import pytest

from domain import Position, is_channel, is_tree
from transport.codec import convert
from transport.codes import CODES, is_sendable
from transport.dialects import cloudevents, examples
from transport.dialects import native_frames as wire
from transport.dialects.asyncapi import CloudEventMessage, document
from transport.dialects.native import ENCODINGS

DOCUMENT = json.loads(json.dumps(document("0.1.0", "gateway.example:9003", secure=True)))
MESSAGES = DOCUMENT["components"]["messages"]
SCHEMAS = DOCUMENT["components"]["schemas"]
# AsyncAPI 3.0.0, "Fixed Fields" of each object; others begin with x-.
FIXED = {
    "root": {"asyncapi", "id", "info", "servers", "defaultContentType", "channels", "operations", "components"},
    "info": {"title", "version", "description", "termsOfService", "contact", "license", "tags", "externalDocs"},
    "server": {"host", "protocol", "protocolVersion", "pathname", "description", "title", "summary", "variables"},
    "channel": {"address", "messages", "title", "summary", "description", "servers", "parameters", "tags", "bindings"},
    "operation": {"action", "channel", "title", "summary", "description", "security", "bindings", "messages", "reply"},
    "reply": {"address", "channel", "messages"},
    "message": {"headers", "payload", "contentType", "name", "title", "summary", "description", "bindings", "examples"},
}


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "$ref":
                yield inner
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def resolve(reference: str) -> object:
    value: object = DOCUMENT
    assert reference.startswith("#/")
    for name in reference[2:].split("/"):
        value = value[name]
    return value


def strange(kind: str, value: dict[str, object]) -> set[str]:
    return {name for name in value if name not in FIXED[kind] and not name.startswith("x-")}


def test_it_is_an_asyncapi_3_document_of_this_gateway():
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert (DOCUMENT["info"]["title"], DOCUMENT["info"]["version"]) == ("andond", "0.1.0")
    assert DOCUMENT["servers"] == {"gateway": {"host": "gateway.example:9003", "protocol": "wss"}}
    assert document("1", "x", secure=False)["servers"]["gateway"]["protocol"] == "ws"


def test_every_object_has_the_members_of_its_kind_and_no_others():
    assert strange("root", DOCUMENT) == set()
    assert strange("info", DOCUMENT["info"]) == set()
    assert all(strange("server", each) == set() for each in DOCUMENT["servers"].values())
    assert all(strange("channel", each) == set() for each in DOCUMENT["channels"].values())
    for each in DOCUMENT["operations"].values():
        assert strange("operation", each) == set()
        assert strange("reply", each.get("reply", {})) == set()
    for each in MESSAGES.values():
        assert strange("message", each) == set()


def test_every_reference_leads_somewhere():
    found = set(references(DOCUMENT))
    assert len(found) > 50
    assert all(isinstance(resolve(reference), dict) for reference in found)


def test_nothing_is_described_that_nobody_refers_to():
    found = set(references(DOCUMENT))
    assert {f"#/components/schemas/{name}" for name in SCHEMAS} <= found
    assert {f"#/components/messages/{name}" for name in MESSAGES} <= found


def test_names_are_what_asyncapi_allows():
    for names in (SCHEMAS, MESSAGES, DOCUMENT["operations"], DOCUMENT["channels"]):
        assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in names)


def test_the_one_channel_has_all_subprotocols():
    (channel,) = DOCUMENT["channels"].values()
    assert channel["address"] == "/stream"
    known = [*(encoding.subprotocol for encoding in ENCODINGS), cloudevents.SUBPROTOCOL]
    assert [each["name"] for each in channel["x-subprotocols"]] == known
    assert channel["bindings"]["ws"]["headers"]["properties"]["Sec-WebSocket-Protocol"]["enum"] == known
    assert [each["name"] for each in channel["x-subprotocols"] if each.get("default")] == ["andond.v1.json"]


@pytest.mark.parametrize("word", wire.COMMANDS)
def test_every_command_is_received_and_replied_to(word):
    operation = DOCUMENT["operations"][word]
    assert operation["action"] == "receive"
    (command,) = map(resolve, references(operation["messages"]))
    assert resolve(command["$ref"])["name"] == f"{word}Command"
    replies = [reference.rpartition("/")[2] for reference in references(operation["reply"]["messages"])]
    assert replies == ([f"{word}Reply"] if word in wire.REPLIES else []) + ["errorReply"]


@pytest.mark.parametrize("word", wire.PUSHES)
def test_every_push_is_sent(word):
    operation = DOCUMENT["operations"][f"push{word.capitalize()}"]
    assert operation["action"] == "send"
    assert list(references(operation["messages"])) == [f"#/channels/stream/messages/{word}Push"]


def test_an_operation_uses_only_messages_of_its_channel():
    ours = {f"#/channels/stream/messages/{name}" for name in MESSAGES}
    for operation in DOCUMENT["operations"].values():
        used = set(references(operation)) - {"#/channels/stream"}
        assert used <= ours


def test_the_codes_are_those_of_the_table():
    errors = {each["code"]: each["word"] for each in DOCUMENT["x-error-codes"]}
    assert errors == {number: code.word for number, code in CODES.items() if number < 400}
    closes = {each["code"]: each["action"] for each in DOCUMENT["x-close-codes"]}
    assert closes == {number: code.action for number, code in CODES.items() if number >= 1000 and is_sendable(number)}


SHOWN = [
    *((wire.COMMANDS[word], example) for word, example in examples.COMMANDS.items()),
    *((wire.REPLIES[word], example) for word, example in examples.REPLIES.items()),
    *((wire.PUSHES[word], example) for word, example in examples.PUSHES.items()),
    (CloudEventMessage, examples.CLOUD_EVENT),
]


def covered(shown: object, kept: object) -> bool:
    """Whether everything in ``shown`` is known to the type that ``kept`` was made of."""
    if isinstance(shown, dict) and isinstance(kept, dict):
        return all(name in kept and covered(inner, kept[name]) for name, inner in shown.items())
    return shown == kept


@pytest.mark.parametrize(("type_", "example"), SHOWN, ids=lambda value: getattr(value, "__name__", ""))
def test_an_example_is_one_of_its_kind_with_no_member_too_many(type_, example):
    known = msgspec.to_builtins(convert(example, type_))
    if type_ is wire.ActCommand:
        # An act has members of its own, which are known where it is done.
        known["act"]["call"] = example["act"]["call"]
    assert covered(example, known)


def test_every_kind_of_message_has_an_example():
    assert set(examples.COMMANDS) == set(wire.COMMANDS)
    assert set(examples.REPLIES) == set(wire.REPLIES)
    assert set(examples.PUSHES) == set(wire.PUSHES)
    assert all(each["examples"][0]["payload"] for each in MESSAGES.values())


def test_every_type_says_what_it_is():
    assert all(each["summary"].endswith((".", "alone.")) for each in MESSAGES.values())
    assert all(schema.get("description") for schema in SCHEMAS.values())


def test_the_patterns_are_those_of_the_domain():
    channel = SCHEMAS["Subscribe"]["properties"]["channel"]
    for name in (
        "a/b",
        "a/*",
        "a/b/*",
        "andon/acme/line3",
        "a",
        "a/",
        "/*",
        "*",
        "a/*/b",
        "a//b",
        "",
        "a b/c",
        "a/b\n",
    ):
        fits = re.search(channel["pattern"], name) is not None and not name.endswith("\n")
        assert fits is (is_channel(name) or is_tree(name)), name
    position = SCHEMAS["Ack"]["properties"]["critical"]["pattern"]
    for text in (
        "e7:1",
        "e7:0",
        "e7:01",
        "e7:",
        ":1",
        "e7",
        "",
        "e.-_7:9999999999999999",
        "e7:10000000000000000",
        "e:-1",
    ):
        try:
            known = Position.parse(text) is not None
        except ValueError:
            known = False
        assert (re.search(position, text) is not None) is known, text
