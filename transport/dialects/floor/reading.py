"""What a floor client said, as far as it can be understood.

Rules of this file:

* No I/O, and any bytes may come. Reading never fails: what is wrong is an answer in words, and the connection stays.
* A batch is a wrapper: each message in it is read, and answered, as if it had come by itself. One in another is wrong.
* A member is read wherever one of the client generations puts it: flat, or under ``data``.

Source of the forms: the floor's contract, section 3.6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from domain import JsonObject, JsonValue
from transport.codec import MESSAGE_ITEMS, CodecError, decode_json
from transport.dialects.floor.places import text_of
from transport.dialects.floor.topics import EVENT, Topic, TopicFault, topic_of

BATCH = "batch"
BATCH_LIMIT = 100
ECHO_LIMIT = 64

# Spellings of one and the same thing.
_SUBSCRIPTION_TYPE = ("subscription_type", "subscriptionType", "topic")
_TARGET = ("target_id", "target", "targetId")
_EVENT = ("event_type", "event", "eventType")


class Asked(msgspec.Struct, frozen=True):
    """One message: its type and its members."""

    type: str
    members: JsonObject

    def given(self, *names: str) -> JsonValue:
        """The first of ``names`` that has a value, flat or under ``data``."""
        inner = self.members.get("data")
        places = (self.members, inner) if isinstance(inner, Mapping) else (self.members,)
        for name in names:
            for place in places:
                if place.get(name) is not None:
                    return place[name]
        return None

    def text(self, *names: str) -> str:
        """The same as text; empty if it is none."""
        return text_of(self.given(*names)) or ""

    def echo(self) -> float | None:
        """The client's number for when it said this, in its own milliseconds; None if it wrote none."""
        value = self.members.get("timestamp")
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None


class Fault(msgspec.Struct, frozen=True):
    """Why a message is not understood: the contract's ``code``, the words for it, and what more there is to say."""

    code: str
    message: str
    details: Mapping[str, JsonValue] = msgspec.field(default_factory=dict)


def read(message: str | bytes) -> Sequence[Asked | Fault]:
    """Each message that ``message`` holds, or what is wrong with it; at least one."""
    if isinstance(message, bytes):
        return [Fault("BINARY_NOT_SUPPORTED", "Messages are text: send JSON in text messages")]
    try:
        value = decode_json(message, MESSAGE_ITEMS)
    except CodecError as error:
        return [Fault("INVALID_JSON", "Invalid JSON format", {"error": str(error)})]
    asked = _message(value)
    if isinstance(asked, Fault) or asked.type != BATCH:
        return [asked]
    messages = asked.given("messages")
    if not isinstance(messages, list) or not messages:
        return [Fault("INVALID_BATCH", "A batch has messages: a list of at least one")]
    if len(messages) > BATCH_LIMIT:
        return [Fault("INVALID_BATCH", f"A batch has at most {BATCH_LIMIT} messages; this one has {len(messages)}")]
    return [_inner(each) for each in messages]


def topic(asked: Asked) -> Topic:
    """The topic that a subscribe or an unsubscribe is about, in whichever of the four spellings.

    Raises:
        TopicFault: if it names none.
    """
    type_ = asked.text(*_SUBSCRIPTION_TYPE)
    if type_:
        return topic_of(type_, asked.given(*_TARGET), asked.given("filters"))
    event = asked.given(*_EVENT)
    if event is not None:
        return topic_of(EVENT, event, asked.given("filters"))
    raise TopicFault("MISSING_SUBSCRIPTION_TYPE", "subscription_type is required, or event_type")


def _message(value: JsonValue) -> Asked | Fault:
    if not isinstance(value, Mapping):
        return Fault("INVALID_MESSAGE", "A message is a JSON object")
    type_ = value.get("type")
    if not isinstance(type_, str) or not type_:
        return Fault("MISSING_MESSAGE_TYPE", "A message has a type: a text")
    return Asked(type_, value)


def _inner(value: JsonValue) -> Asked | Fault:
    asked = _message(value)
    if isinstance(asked, Asked) and asked.type == BATCH:
        return Fault("INVALID_BATCH", "A batch is not in another")
    return asked
