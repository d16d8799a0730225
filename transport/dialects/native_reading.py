"""What a client of the native protocol said, as far as it can be understood.

Rules of this file: no I/O, and any bytes may come. Reading never fails: what is wrong is kept, beside the id under
which it can be told.
"""

from __future__ import annotations

import msgspec

from domain import JsonObject
from transport.codec import CodecError
from transport.codes import ProtocolError
from transport.dialects import native_frames as wire
from transport.dialects.native_encoding import Encoding

UNKNOWN_COMMAND = 104
BAD_REQUEST = 107

# Said often and cheap to do: ten of them weigh as much as one other command, as long as they are short.
_LIGHT = frozenset({"ack", "shown", "credit"})
_LIGHT_COST = 0.1
_LIGHT_SIZE = 1024


class Asked(msgspec.Struct, frozen=True):
    """A message: its members, the id that its reply has, the commands that stand in it, or why it cannot be read.

    ``cost`` is its weight in commands. One that ``is_light`` needs no reply.
    """

    members: JsonObject
    id: int | None
    words: tuple[str, ...]
    cost: float
    is_light: bool = False
    fault: str = ""

    def word(self) -> str:
        """The one command.

        Raises:
            ProtocolError: if there is none, or more than one, or nothing that can be read.
        """
        if self.fault:
            raise ProtocolError(BAD_REQUEST, self.fault)
        if not self.words:
            raise ProtocolError(UNKNOWN_COMMAND, f"a command is one of {', '.join(wire.COMMANDS)}")
        if len(self.words) > 1:
            raise ProtocolError(BAD_REQUEST, f"one command a message, not {', '.join(self.words)}")
        return self.words[0]


def read(encoding: Encoding, message: str | bytes) -> Asked:
    """Read ``message``, whatever it is."""
    try:
        members = encoding.members(message)
    except CodecError as error:
        return Asked({}, None, (), 1, fault=str(error))
    words = tuple(word for word in wire.COMMANDS if word in members)
    is_light = len(words) == 1 and words[0] in _LIGHT
    cost = _LIGHT_COST if is_light and len(message) <= _LIGHT_SIZE else 1
    return Asked(members, _id(members), words, cost, is_light)


def _id(members: JsonObject) -> int | None:
    id_ = members.get("id")
    # A boolean is an integer to Python, not to anybody else.
    return id_ if type(id_) is int and 0 <= id_ <= wire.ID_LIMIT else None
