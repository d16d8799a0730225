"""What a hook gave, made into what the gateway takes: events of drafts, and no more of them than is sensible.

Rules of this file: it runs in the hook's own thread, where a generator of the hook's may still be at work; what comes
out shares nothing with what the hook keeps, and is known to be JSON. The time is an argument.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from actors.hooks.guard import HookFault
from domain import JsonObject
from domain.hooks import Draft, Intent
from transport import CodecError, decode_json, encode_json

AT_ONCE = 1_000
SIZE = 256 * 1024


def made(given: Iterable[Draft | Intent], id_: str, source: str) -> list[JsonObject | Intent]:
    """What was ``given``: intents as they are, drafts as the members of an event, with what they leave empty.

    Raises:
        HookFault: if it is something else, or more than ``AT_ONCE``.
    """
    found: list[JsonObject | Intent] = []
    for number, each in enumerate(islice(given, AT_ONCE + 1)):
        if number == AT_ONCE:
            raise HookFault(f"gave more than {AT_ONCE} at once")
        if isinstance(each, Draft):
            found.append(_plain(each.members(f"{id_}-{number}", source)))
        elif isinstance(each, Intent):
            found.append(Intent(each.type, _plain(each.arguments), each.key or f"{id_}-{number}"))
        else:
            raise HookFault(f"gave a {type(each).__name__}, which is neither a Draft nor an Intent")
    return found


def _plain(members: JsonObject) -> JsonObject:
    try:
        encoded = encode_json(dict(members))
        if len(encoded) > SIZE:
            raise HookFault(f"gave more than {SIZE} bytes in one")
        plain = decode_json(encoded)
    except (CodecError, TypeError, ValueError, RecursionError) as error:
        raise HookFault(f"gave what is no JSON: {error}") from error
    return plain if isinstance(plain, dict) else {}
