"""HTTP/1.1 on one stream: heads, bodies and answers, each within its limit.

Rules of this file:

* h11 parses and writes; nobody else imports it. A head is given to h11 only when it is complete, so an upgrade can be
  recognised, and made to wait its turn, before anything is spent on it.
* Bytes that were read and belong to nothing yet stay in ``_buffer``: pipelined requests, or frames behind an upgrade.
* A fault of the client is a ``ProtocolError`` that proposes the answer; after it the connection is not kept, because
  nobody knows where the next request would begin.
* Time is kept with one cancel scope for the whole connection, whose deadline moves: a head has until a deadline, a
  body as long again and a second more for each KiB that has come, each piece of an answer the idle time-out. Whoever
  entered the scope asks ``overdue`` afterwards what the client is to be told.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from email.utils import formatdate

import h11
import msgspec
import trio

from domain import Allowance
from transport.addresses import Origin
from transport.codes import ProtocolError, UsageError, phrase
from transport.messages import Request, Response, Target, json_response, parse_target, problem, problem_of

__all__ = [
    "Head",
    "HttpConnection",
    "HttpLimits",
    "Request",
    "Response",
    "json_response",
    "problem",
    "problem_of",
]

_RECEIVE_SIZE = 8 * 1024
_SEND_SIZE = 64 * 1024
_SLOWEST = 1024  # bytes a second that a body must make
_LINGER = 2.0  # seconds in which a client can read why its connection ends
_LINGER_SIZE = 4 * 1024 * 1024
_DETAIL_SIZE = 200

_END_OF_HEAD = re.compile(rb"\n\r?\n")
_UPGRADE = re.compile(rb"\nupgrade[ \t]*:[ \t]*websocket[ \t]*\r?\n", re.IGNORECASE)
_FOLD = re.compile(rb"\n[ \t]")
_TOKEN_START = frozenset(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz\r\n")
_TLS_RECORD = 0x16
_BODILESS = frozenset({204, 304})


class HttpLimits(msgspec.Struct, frozen=True):
    """Sizes in bytes, times in seconds."""

    head_size: int = 16 * 1024
    body_size: int = 1024 * 1024
    head_timeout: float = 10.0
    idle_timeout: float = 60.0


class Head(msgspec.Struct, frozen=True):
    """The head of a request, parsed. ``body_size`` is -1 for a chunked body."""

    method: str
    target: Target
    headers: Mapping[str, str]
    version: str
    body_size: int


class HttpConnection:
    """One stream that carries requests, one after the other; all of it happens inside ``timer``."""

    __slots__ = ("_buffer", "_end", "_headers_only", "_late", "_limits", "_parser", "_stream", "timer")

    def __init__(self, stream: trio.abc.Stream, limits: HttpLimits, timer: trio.CancelScope) -> None:
        self._stream = stream
        self._limits = limits
        self.timer = timer
        self._late = ""
        self._buffer = b""
        self._end = 0
        self._headers_only = False
        self._parser = h11.Connection(h11.SERVER)

    @property
    def overdue(self) -> ProtocolError | None:
        """What the client is to be told when the time is over: 408 if it owes us something, else nothing."""
        if not self._late:
            return None
        return ProtocolError(408, self._late)

    @property
    def has_begun(self) -> bool:
        """Whether some of the next request has come."""
        return bool(self._buffer)

    # -- heads ------------------------------------------------------------------------------------------------

    async def wait_head(self, deadline: float | None = None) -> bool:
        """Wait until a whole head has come, by ``deadline`` (trio clock) if it is the first of its connection.

        A later one may stay away for the idle time-out, and has the head time-out from its first byte. False when the
        client has gone.

        Raises:
            ProtocolError: 431, or 400 for what cannot be a request.
        """
        self._parser = h11.Connection(h11.SERVER)
        self._end = 0
        self._headers_only = False
        if deadline is None:
            self._late = ""
            self.timer.deadline = trio.current_time() + self._limits.idle_timeout
            while not self._buffer:
                if not await self._receive_more():
                    return False
            deadline = trio.current_time() + self._limits.head_timeout
            if self._has_head(0):
                return True
        self._late = f"the request head did not arrive within {self._limits.head_timeout:g} s"
        self.timer.deadline = deadline
        return await self._receive_head()

    @property
    def is_upgrade(self) -> bool:
        """Whether the head that has come asks for a WebSocket, judged without parsing it."""
        return _UPGRADE.search(self._buffer, 0, self._end) is not None

    def read_head(self) -> Head:
        """Parse the head that has come.

        Raises:
            ProtocolError: 400, 413, 417, 501 or 505.
        """
        data, self._buffer = self._buffer[: self._end], self._buffer[self._end :]
        if _FOLD.search(data):
            # A proxy that does not unfold would see other fields than we do (RFC 9112, section 5.2).
            raise ProtocolError(400, "a header field goes on in the next line; write each in one")
        self._parser.receive_data(data)
        try:
            event = self._parser.next_event()
        except h11.RemoteProtocolError as error:
            raise _fault(error.with_traceback(None)) from None
        if not isinstance(event, h11.Request):
            raise ProtocolError(400, "this is not the head of a request")
        self._headers_only = event.method == b"HEAD"
        head = _head(event)
        _check(head)
        if head.body_size > self._limits.body_size:
            raise self._too_large()
        return head

    def take_rest(self) -> bytes:
        """What came behind the head; it no longer belongs to this connection."""
        rest, self._buffer = self._buffer, b""
        return rest

    async def _receive_head(self) -> bool:
        searched = 0
        while not self._has_head(searched):
            searched = max(0, len(self._buffer) - 2)
            if not await self._receive_more():
                return False
        return True

    def _has_head(self, searched: int) -> bool:
        """Whether a whole head has come; its end is looked for behind what was ``searched``."""
        if self._buffer and self._buffer[0] not in _TOKEN_START:
            raise _no_request(self._buffer)
        found = _END_OF_HEAD.search(self._buffer, searched)
        if found is not None and found.end() <= self._limits.head_size:
            self._end = found.end()
            self._late = ""
            self.timer.deadline = math.inf
            return True
        if len(self._buffer) > self._limits.head_size:
            limit = self._limits.head_size
            detail = f"the request head is larger than {limit} bytes; send fewer or shorter header fields"
            raise ProtocolError(431, detail, members={"limit": limit})
        return False

    async def _receive_more(self) -> bool:
        """Read on; False at the end. RFC 9112, section 2.2: an empty line before a request is to be ignored."""
        data = await self._stream.receive_some(_RECEIVE_SIZE)
        self._buffer = self._buffer + data if self._buffer else bytes(data).lstrip(b"\r\n")
        return bool(data)

    # -- bodies -----------------------------------------------------------------------------------------------

    async def read_request(
        self, head: Head, origin: Origin, allowance: Allowance | None = None, certificate: str = ""
    ) -> Request:
        """Read the body that belongs to ``head``, no faster than ``allowance`` allows.

        Raises:
            ProtocolError: 400 or 413.
        """
        if head.body_size:
            body = await self._receive_body(allowance)
        else:
            body = b""
            self._parser.next_event()
        target = head.target
        return Request(
            head.method,
            target.path,
            target.query,
            head.headers,
            body,
            origin.client,
            origin.secure,
            target.raw,
            allowance=allowance,
            certificate=certificate,
        )

    async def _receive_body(self, allowance: Allowance | None) -> bytes:
        self._late = f"the request body came more slowly than {_SLOWEST} bytes a second"
        self.timer.deadline = trio.current_time() + self._limits.head_timeout
        if self._parser.they_are_waiting_for_100_continue and not self._buffer:
            interim = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
            await self._send(self._written([interim]))
        if self._buffer:
            # To h11 no bytes are the end of the stream.
            self._parser.receive_data(self._buffer)
            self._buffer = b""
        parts: list[bytes] = []
        size = 0
        while True:
            try:
                event = self._parser.next_event()
            except h11.RemoteProtocolError as error:
                raise _fault(error.with_traceback(None)) from None
            if isinstance(event, h11.Data):
                parts.append(bytes(event.data))
                size += len(event.data)
                if size > self._limits.body_size:
                    raise self._too_large()
            elif isinstance(event, h11.EndOfMessage):
                self._buffer = self._parser.trailing_data[0]
                self._late = ""
                self.timer.deadline = math.inf
                return b"".join(parts)
            else:
                data = bytes(await self._stream.receive_some(_RECEIVE_SIZE))
                self.timer.deadline += len(data) / _SLOWEST
                if allowance is not None:
                    await self._hold(allowance.read(len(data), trio.current_time()))
                self._parser.receive_data(data)

    async def _hold(self, seconds: float) -> None:
        """Read nothing for so long; it is not the client's time."""
        if seconds:
            self.timer.deadline += seconds
            await trio.sleep(seconds)

    def _too_large(self) -> ProtocolError:
        limit = self._limits.body_size
        detail = f"the request body is larger than {limit} bytes; send less at a time"
        return ProtocolError(413, detail, members={"limit": limit})

    # -- answers ----------------------------------------------------------------------------------------------

    async def respond(self, response: Response, *, close: bool = False) -> bool:
        """Send ``response``; False when the connection cannot carry another request.

        Raises:
            UsageError: if ``response`` is none that can be sent; ``give_up()`` still works.
            trio.BrokenResourceError: if the client has gone.
        """
        self._late = ""
        head = [("date", http_date()), *response.headers.items()]
        if response.status not in _BODILESS:
            head.append(("content-length", str(len(response.body))))
        if close:
            head.append(("connection", "close"))
        reason = phrase(response.status).encode()
        try:
            events: list[h11.Event] = [h11.Response(status_code=response.status, headers=head, reason=reason)]
            if response.body and response.status not in _BODILESS and not self._headers_only:
                events.append(h11.Data(data=response.body))
            events.append(h11.EndOfMessage())
            data = self._written(events)
        except (h11.LocalProtocolError, UnicodeEncodeError) as error:
            raise UsageError(f"an answer that cannot be sent: {error}") from None
        await self._send(data)
        return self._parser.our_state is h11.DONE and self._parser.their_state is h11.DONE

    async def give_up(self, response: Response) -> None:
        """Send ``response`` past the parser, as the last one of this connection."""
        await self._send(plain_answer(response))

    def _written(self, events: Sequence[h11.Event]) -> bytes:
        return b"".join([self._parser.send(event) or b"" for event in events])

    async def _send(self, data: bytes) -> None:
        for start in range(0, len(data), _SEND_SIZE):
            if not self._late:
                self.timer.deadline = trio.current_time() + self._limits.idle_timeout
            await self._stream.send_all(data[start : start + _SEND_SIZE])

    async def linger(self, half_close: Callable[[], None]) -> None:
        """Say that nothing more will come and let the client read it, for a bounded time.

        A socket closed while bytes from the client wait in it would take our last answer with it.
        """
        left = _LINGER_SIZE
        with trio.move_on_after(_LINGER):
            try:
                half_close()
                while left > 0 and (data := await self._stream.receive_some(_RECEIVE_SIZE)):
                    left -= len(data)
            except (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
                return


def plain_answer(response: Response) -> bytes:
    """The bytes of ``response`` for who is not listened to at all, the connection's last."""
    parser = h11.Connection(h11.SERVER)
    head = [*response.headers.items(), ("content-length", str(len(response.body))), ("connection", "close")]
    events: tuple[h11.Event, ...] = (
        h11.Response(status_code=response.status, headers=head, reason=phrase(response.status).encode()),
        h11.Data(data=response.body),
        h11.EndOfMessage(),
    )
    return b"".join([parser.send(event) or b"" for event in events])


def http_date() -> str:
    """The time of now as HTTP writes it, made once a second."""
    global _date_at, _date
    now = int(time.time())
    if now != _date_at:
        _date_at, _date = now, formatdate(now, usegmt=True)
    return _date


_date_at = 0
_date = ""


def _head(event: h11.Request) -> Head:
    headers: dict[str, str] = {}
    for raw_name, raw_value in event.headers:
        name, value = raw_name.decode("ascii"), raw_value.decode("latin-1")
        if name in headers:
            value = headers[name] + ("; " if name == "cookie" else ", ") + value
        headers[name] = value
    size = -1 if "transfer-encoding" in headers else int(headers.get("content-length", "0"))
    target = event.target.decode("ascii")
    if event.method == b"CONNECT":
        raise ProtocolError(501, "this is no proxy: it does not CONNECT")
    return Head(event.method.decode("ascii"), parse_target(target), headers, event.http_version.decode("ascii"), size)


def _check(head: Head) -> None:
    if not head.version.startswith("1."):
        raise ProtocolError(505, f"HTTP/{head.version} is not spoken here; use HTTP/1.1")
    if head.body_size < 0 and "content-length" in head.headers:
        raise ProtocolError(400, "a body has a Content-Length or a Transfer-Encoding, not both")
    expect = head.headers.get("expect")
    if expect is not None and expect.lower() != "100-continue":
        raise ProtocolError(417, "the only expectation that can be met is 100-continue")
    if head.target.raw == "*" and head.method != "OPTIONS":
        raise ProtocolError(400, "the target * goes with OPTIONS only")


def _fault(error: h11.RemoteProtocolError) -> ProtocolError:
    """h11's words, without the line of the client's that they quote: a token may be in it, and they are logged."""
    number = 501 if error.error_status_hint == 501 else 400  # noqa: PLR2004 - the status h11 proposes
    words, _, _ = str(error).partition(": bytearray(")
    return ProtocolError(number, words[:_DETAIL_SIZE])


def _no_request(data: bytes) -> ProtocolError:
    if data[0] == _TLS_RECORD:
        return ProtocolError(400, "this looks like TLS, but the port speaks plain HTTP; use http:// or ws://")
    return ProtocolError(400, "this is not the head of a request")
