"""How the portal's clients say what they want, and how they are answered.

Rules of this file: a command is a JSON object. One client generation wraps all it sends in ``{channel, data,
timestamp}``: then the command is what is inside. What is not understood is said in words and never ends a connection.
"""

from __future__ import annotations

from collections.abc import Mapping

from domain import JsonObject, JsonValue, Priority
from transport.codec import MESSAGE_ITEMS, CodecError, decode_json, encode_json
from transport.frames import text_frame
from transport.session import Send

NOT_UNDERSTOOD = "Invalid message format"

# A client's word in an error is cut here: it must recognise it, we need not repeat it whole.
_ECHO_LIMIT = 64
_NAME_LIMIT = 128
_NAMES_LIMIT = 100


class Misunderstood(Exception):
    """The client's message is not understood: what it says, and what is taken instead."""

    def __init__(self, error: str, detail: str) -> None:
        super().__init__(error)
        self.error = error
        self.detail = detail


def command_of(message: str | bytes, verb: str) -> JsonObject:
    """The object that holds the client's command, whose word stands under ``verb``.

    Raises:
        Misunderstood: if there is none.
    """
    try:
        value = decode_json(message, MESSAGE_ITEMS)
    except CodecError as error:
        raise Misunderstood(NOT_UNDERSTOOD, str(error)) from None
    if not isinstance(value, Mapping):
        raise Misunderstood(NOT_UNDERSTOOD, "a message is a JSON object")
    wrapped = value.get("data")
    return wrapped if value.get(verb) is None and isinstance(wrapped, Mapping) else value


def names_of(command: JsonObject) -> list[str]:
    """The names under ``channels``, each once.

    Raises:
        Misunderstood: if that is no list of names.
    """
    named = command.get("channels")
    if not isinstance(named, list) or len(named) > _NAMES_LIMIT:
        raise Misunderstood(NOT_UNDERSTOOD, f"channels is a list of at most {_NAMES_LIMIT} names")
    names = [name for name in named if isinstance(name, str) and len(name) <= _NAME_LIMIT]
    if len(names) != len(named):
        raise Misunderstood(NOT_UNDERSTOOD, f"a channel's name is a string of at most {_NAME_LIMIT} characters")
    return list(dict.fromkeys(names))


def echo(word: str) -> str:
    """``word`` as it may be repeated to who said it."""
    return word[:_ECHO_LIMIT]


def say(members: Mapping[str, JsonValue]) -> Send:
    """An answer to this client, ahead of routine updates."""
    return Send(text_frame(encode_json(dict(members)), Priority.HIGH))


def say_text(text: str) -> Send:
    """An answer in plain text."""
    return Send(text_frame(text.encode(errors="replace"), Priority.HIGH))
