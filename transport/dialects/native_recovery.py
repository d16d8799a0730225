"""Where a client of the native protocol goes on: positions, and which critical events a resume has told.

Rules of this file: no I/O. Any text may come; what is no channel or no position is refused in words.
"""

from __future__ import annotations

from domain import Position, below, is_channel, is_tree
from transport.codes import ProtocolError
from transport.dialects.native_reading import BAD_REQUEST

UNKNOWN_CHANNEL = 102
LIMIT_EXCEEDED = 106

ECHO_LIMIT = 64
"""A client's word is cut here where it is repeated."""


class Recovery:
    """What a resume told of the critical events behind ``since``: those of the channels ``names``, or of all.

    ``since`` of None is from now: nothing was missed up to the ``newest`` that the reply tells.
    """

    __slots__ = ("_names", "_since", "newest")

    def __init__(self, since: Position | None, names: tuple[str, ...]) -> None:
        self._since = since
        self._names = names
        self.newest: Position | None = None

    def told(self, channel: str) -> Position | None:
        """Up to where the client has every critical event of ``channel``; None if nobody knows."""
        covered = (
            self._since is None
            or not self._names
            or any(channel == name or (is_tree(name) and below(channel, name)) for name in self._names)
        )
        return self.newest if covered and self.newest is not None else self._since


def start_of(channel: str, position: str | None) -> Position | None:
    """Where to begin on ``channel``; None: now.

    Raises:
        ProtocolError: if it is no channel, or ``position`` no position on it.
    """
    if not is_channel(channel) and not is_tree(channel):
        raise ProtocolError(UNKNOWN_CHANNEL, f"{channel[:ECHO_LIMIT]!r} is no channel: kind/path, or kind/*")
    if not position:
        return None
    if is_tree(channel):
        raise ProtocolError(BAD_REQUEST, f"{channel} is many channels and has no position to begin from")
    return position_of(position, "from")


def position_of(text: str, name: str) -> Position:
    """The position that ``text``, the member ``name``, is.

    Raises:
        ProtocolError: if it is none.
    """
    try:
        return Position.parse(text)
    except ValueError as error:
        raise ProtocolError(BAD_REQUEST, f"{name}: {error}") from None


def check_count(what: str, count: int, limit: int) -> None:
    """Go on if ``count`` of ``what`` are not too many.

    Raises:
        ProtocolError: if they are.
    """
    if count > limit:
        raise ProtocolError(LIMIT_EXCEEDED, f"at most {limit} {what}")
