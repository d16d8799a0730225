"""Server-sent events as they come from a node, in pieces cut anywhere.

Rules of this file:

* Lines end with LF, CR LF or CR; a CR ends its line at once, and an LF that follows in the next piece belongs to it.
  A byte order mark is dropped at the beginning of the stream and nowhere else.
* A line that starts with a colon is a comment: it says that the link lives, and nothing more.
* Memory is bounded whatever arrives: an event with a line or with data beyond the limit is thrown away whole, up to
  the empty line that ends it, and counted. Half a document is a wrong document.
* Bytes that are no UTF-8 become U+FFFD, and are counted. What a lost link left unfinished is no event.

Source: HTML Living Standard, section 9.2.6, "Interpreting an event stream".
"""

from __future__ import annotations

import re

import msgspec

LINE_LIMIT = 1_048_576
"""Bytes of one line."""

EVENT_LIMIT = 4_194_304
"""Bytes of all lines of one event together."""

RETRY_LIMIT = 3_600_000
"""Milliseconds that a server may ask its clients to stay away."""

# What an event without a name is called by the standard.
_UNNAMED = "message"
_BOM = b"\xef\xbb\xbf"
_REPLACED = "\ufffd"
_END = re.compile(rb"\r\n|\n|\r")
_DIGITS = re.compile(r"[0-9]{1,9}")


class ServerSentEvent(msgspec.Struct, frozen=True):
    """One event: its name, its data lines joined with LF, and the last ``id`` that the stream has said."""

    name: str
    data: str
    id: str = ""


class EventStream:
    """Reads one stream; counts ``comments``, ``cut`` events and ``replaced`` characters.

    ``retry`` is how long the server asks to wait before the next connection, in milliseconds; None if it said nothing.
    """

    def __init__(self, line_limit: int = LINE_LIMIT, event_limit: int = EVENT_LIMIT) -> None:
        self._line_limit = line_limit
        self._event_limit = event_limit
        self._id = ""
        self.retry: int | None = None
        self.comments = 0
        self.cut = 0
        self.replaced = 0
        self._after_return = False
        self._begin()

    def feed(self, received: bytes) -> list[ServerSentEvent]:
        """The events that ``received`` completes."""
        events: list[ServerSentEvent] = []
        start = 1 if self._after_return and received.startswith(b"\n") else 0
        if received:
            self._after_return = False
        for end in _END.finditer(received, start):
            self._keep(received[start : end.start()])
            start = end.end()
            event = self._finish_line()
            if event is not None:
                events.append(event)
            self._after_return = end[0] == b"\r" and start == len(received)
        self._keep(received[start:])
        return events

    def reset(self) -> None:
        """The link is gone: forget what was not finished. The last ``id`` stays, to resume from."""
        self.cut += bool(self._line) or bool(self._data) or self._overlong
        self._begin()

    def _begin(self) -> None:
        self._line = bytearray()
        self._size = 0
        self._name = ""
        self._data: list[str] = []
        self._overlong = False
        self._after_return = False
        self._is_first = True

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if len(self._line) + len(piece) > self._line_limit or self._size > self._event_limit:
            self._overlong = True
            # One byte stays to tell the rest of a line from the empty line that ends the event.
            self._line = bytearray(b":") if self._line or piece else self._line
            self._data.clear()
        else:
            self._line += piece

    def _finish_line(self) -> ServerSentEvent | None:
        line = bytes(self._line)
        self._line.clear()
        if self._is_first:
            self._is_first = False
            line = line.removeprefix(_BOM)
        if not line:
            return self._dispatch()
        if line.startswith(b":"):
            self.comments += not self._overlong
            if not self._overlong:
                # A stream of comments is no event that grows.
                self._size -= len(line)
        elif not self._overlong:
            self._take_field(self._decoded(line))
        return None

    def _dispatch(self) -> ServerSentEvent | None:
        name, data, overlong = self._name, self._data, self._overlong
        self._name, self._data, self._overlong, self._size = "", [], False, 0
        self.cut += overlong
        # The standard says nothing for an event without data, whatever its name.
        if overlong or not data:
            return None
        return ServerSentEvent(name or _UNNAMED, "\n".join(data), self._id)

    def _take_field(self, line: str) -> None:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            self._name = value
        elif field == "data":
            self._data.append(value)
        elif field == "id" and "\0" not in value:
            self._id = value
        elif field == "retry" and _DIGITS.fullmatch(value):
            self.retry = min(int(value), RETRY_LIMIT)

    def _decoded(self, line: bytes) -> str:
        try:
            return line.decode()
        except UnicodeDecodeError:
            text = line.decode(errors="replace")
            self.replaced += text.count(_REPLACED)
            return text
