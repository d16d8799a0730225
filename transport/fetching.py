"""Asking a node over HTTP: JSON by GET, JSON-RPC by POST, and a stream of events.

Rules of this file:

* httpcore does it, on trio: it keeps connections, h11 in it reads what comes. It is imported when the first ``Fetcher``
  is entered: a box without a chain pays nothing. What is sent is made in ``transport/asking.py``.
* Everything has its end: a request its deadline, a body its limit in bytes, a stream the time that it may be silent.
* A redirect is an answer like any other, and proxies of the environment are not asked: what was to go to one place does
  not go to another one. No compression is asked for, so a body's limit is what it costs.
* A node's cookies are its own and go back to it, as long as the ``Fetcher`` is open.
* What went wrong is said without path and query of the address, and the library, which logs it, is told not to.
* A connection is not kept idle for as long as nodes keep one: a request that crosses the node's close of it would look
  like a fault of the node.
* The library's iterators warn when they are left halfway. So ``_Body`` ends the connection first, and then them.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlencode

import msgspec
import trio

from domain import JsonValue
from transport.asking import USUAL, Address, Content, Cookies, Query, decoded, encoded
from transport.codec import CodecError, decode_json, encode_json
from transport.codes import UsageError
from transport.refusals import WORDS_LIMIT, Refused, Trouble, Unfetched, refusal, tls_hint, unreached, words_of

if TYPE_CHECKING:
    import httpcore

DEADLINE = 10.0
BODY_LIMIT = 64 * 1024 * 1024
CONNECTIONS = 8
IDLE = 2.0
"""Seconds that a connection is kept unused: Node.js ends it after 5, CometBFT after its read time-out of 10."""

EVENT_STREAM = "text/event-stream"

_ENDING, _OK, _SUCCESS = 2.0, 200, range(200, 300)
_POSTED = {"content-type": "application/json"}
_FORM = {"content-type": "application/x-www-form-urlencoded"}
_CUT_WORDS = ("disconnected", "closed connection")


class Fetched(msgspec.Struct, frozen=True):
    """An answer: ``headers`` with lower-case names, ``value`` (None for no body), ``round_trip`` in seconds."""

    status: int
    headers: Mapping[str, str]
    value: JsonValue
    round_trip: float


class FetcherStatistics(msgspec.Struct):
    """Counted since the beginning: ``asked`` of which ``waiting`` have no answer yet; ``received`` is in bytes."""

    asked: int = 0
    waiting: int = 0
    refused: int = 0
    failed: int = 0
    received: int = 0


class _Asked(msgspec.Struct, frozen=True):
    method: str
    path: str
    query: Query = ()
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    content: bytes | None = None


class Fetcher:
    """Asks one node; use it with ``async with``. Any number of tasks may ask, ``connections`` of them at a time.

    ``base`` is the node's address, which paths are added to; ``deadline`` is in seconds; ``headers`` go with every
    request and may be secret; ``context`` says which certificates are trusted, by default those of the system.

    Raises:
        ValueError: if ``base`` is no http or https address.
    """

    def __init__(
        self,
        base: str,
        *,
        deadline: float = DEADLINE,
        body_limit: int = BODY_LIMIT,
        headers: Mapping[str, str] | None = None,
        context: ssl.SSLContext | None = None,
        connections: int = CONNECTIONS,
    ) -> None:
        self._address = Address.of(base)
        self.place = self._address.place
        self.statistics = FetcherStatistics()
        self._deadline = deadline
        self._body_limit = body_limit
        self._headers = dict(headers or {})
        self._context = context
        self._connections = connections
        self._pool: httpcore.AsyncConnectionPool | None = None
        self._usual: Mapping[bytes, bytes] = {}
        self._cookies = Cookies()
        self._calls = 0

    async def __aenter__(self) -> Self:
        if self._pool is not None:
            raise UsageError("a Fetcher is entered once")
        self._usual = encoded(USUAL) | encoded(self._headers)
        self._cookies = Cookies()
        self._pool = _pool(self._context or ssl.create_default_context(), self._connections)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + _ENDING):
                await pool.aclose()

    async def get(self, path: str, query: Query | None = None, *, deadline: float | None = None) -> JsonValue:
        """The JSON that the node has at ``path``; None for no body.

        Raises:
            Unfetched: if there was no answer that can be used.
            Refused: if the node answered with another status than a success.
        """
        return (await self.fetch(path, query, deadline=deadline)).value

    async def fetch(
        self,
        path: str,
        query: Query | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        deadline: float | None = None,
    ) -> Fetched:
        """As ``get``, with the answer's status and headers, and how long it took.

        Raises:
            Unfetched: if there was no answer that can be used.
            Refused: if the node answered with another status than a success.
        """
        return await self._fetch(_Asked("GET", path, query or (), headers or {}), deadline)

    async def post(self, path: str, value: JsonValue, *, deadline: float | None = None) -> JsonValue:
        """What the node answers to ``value`` posted to ``path``; None for no body.

        Raises:
            Unfetched: if there was no answer that can be used.
            Refused: if the node answered with another status than a success.
        """
        asked = _Asked("POST", path, headers=_POSTED, content=encode_json(value))
        return (await self._fetch(asked, deadline)).value

    async def submit(self, path: str, fields: Mapping[str, str], headers: Mapping[str, str]) -> JsonValue:
        """As ``post``, with ``fields`` in the way of a form; ``headers`` may be secret."""
        asked = _Asked("POST", path, headers={**headers, **_FORM}, content=urlencode(fields).encode())
        return (await self._fetch(asked, None)).value

    async def call(
        self,
        method: str,
        params: Mapping[str, JsonValue] | Sequence[JsonValue] = (),
        *,
        deadline: float | None = None,
    ) -> JsonValue:
        """The result of a call of JSON-RPC 2.0, posted to the base address.

        Raises:
            Unfetched: if there was no answer that can be used.
            Refused: if the node answered with an error.
        """
        self._calls += 1
        number = self._calls
        given: JsonValue = dict(params) if isinstance(params, Mapping) else list(params)
        content = encode_json({"jsonrpc": "2.0", "id": number, "method": method, "params": given})
        asked = _Asked("POST", "", headers=_POSTED, content=content)
        body, content, _ = await self._ask(asked, deadline)
        if body.status not in _SUCCESS:
            raise self._refused(body, content)
        answer = self._value(content)
        if isinstance(answer, Mapping) and answer.get("error") is not None:
            raise self._refused(body, content)
        if not isinstance(answer, Mapping) or "result" not in answer:
            raise self._failed("garbled", "what answers a JSON-RPC call has neither result nor error")
        if str(answer.get("id")) != str(number):
            raise self._failed("garbled", "the answer belongs to another JSON-RPC call")
        return answer["result"]

    @asynccontextmanager
    async def stream(
        self, path: str, query: Query | None = None, *, silence: float, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The bytes of a stream of server-sent events at ``path``, as they come: ``async with``, then ``async for``.

        Each piece must come within ``silence`` seconds of the one before; so must its head, or within the deadline if
        that is later: some nodes send it with the first event. The loop ends where the node ends the stream.

        Raises:
            Unfetched: if there is no such stream, or it is silent or cut; from the loop as well.
            Refused: if the node answered with another status than 200.
        """
        asked = _Asked("GET", path, query or (), {"accept": EVENT_STREAM, **(headers or {})})
        body = await self._begin(asked, max(self._deadline, silence))
        try:
            if body.status != _OK:
                raise self._refused(body, await self._rest(body, self._deadline))
            kind = body.headers.get("content-type", "of no type")
            if kind.partition(";")[0].strip().lower() != EVENT_STREAM:
                raise self._failed("garbled", f"the answer is no stream of events but {kind[:WORDS_LIMIT]}")
            yield _Pieces(self._piece, body, silence)
        finally:
            await body.end()

    async def _fetch(self, asked: _Asked, deadline: float | None) -> Fetched:
        body, content, took = await self._ask(asked, deadline)
        if body.status not in _SUCCESS:
            raise self._refused(body, content)
        return Fetched(body.status, body.headers, self._value(content) if content.strip() else None, took)

    async def _ask(self, asked: _Asked, deadline: float | None) -> tuple[_Body, bytes, float]:
        """The answer to ``asked``, its content, and the seconds that it took."""
        began = trio.current_time()
        limit = self._deadline if deadline is None else deadline
        self.statistics.waiting += 1
        try:
            body = await self._begin(asked, limit)
            try:
                content = await self._rest(body, limit, began)
            finally:
                await body.end()
        finally:
            self.statistics.waiting -= 1
        return body, content, trio.current_time() - began

    async def _begin(self, asked: _Asked, limit: float | None = None) -> _Body:
        """Send ``asked`` and wait ``limit`` seconds for the head of what answers it."""
        import httpcore  # noqa: PLC0415 - a rule of this file

        if self._pool is None:
            raise UsageError("a Fetcher asks between its entry and its exit")
        self.statistics.asked += 1
        request = self._request(asked)
        limit = self._deadline if limit is None else limit
        try:
            with trio.fail_after(limit):
                response = await self._pool.handle_async_request(request)
        except trio.TooSlowError:
            raise self._failed("silent", f"no answer within {limit:g} s") from None
        except httpcore.ConnectError as error:
            self.statistics.failed += 1
            raise unreached(self.place, error) from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise self._broken(error) from error
        self._cookies.take(self._address, request.url.target, response.headers)
        body = _Body(response)
        encoding = body.headers.get("content-encoding", "identity")
        if encoding != "identity":
            await body.end()
            raise self._failed("garbled", f"the answer is in {encoding[:WORDS_LIMIT]}, which was not asked for")
        return body

    def _request(self, asked: _Asked) -> httpcore.Request:
        import httpcore  # noqa: PLC0415 - as above

        at = self._address
        target = at.target(asked.path, asked.query)
        url = httpcore.URL(scheme=at.scheme, host=at.host, port=at.port, target=target)
        length = {} if asked.content is None else {b"content-length": b"%d" % len(asked.content)}
        usual = {b"host": at.named, **self._cookies.given(at, target), **self._usual}
        headers = {**usual, **encoded(asked.headers), **length, **at.credentials}
        return httpcore.Request(asked.method, url, headers=list(headers.items()), content=Content(asked.content))

    async def _rest(self, body: _Body, limit: float, began: float | None = None) -> bytes:
        """All of ``body``, within ``limit`` seconds from ``began``, by default now."""
        content = bytearray()
        until = (trio.current_time() if began is None else began) + limit
        try:
            with trio.fail_at(until):
                while piece := await self._piece(body):
                    content += piece
                    if len(content) > self._body_limit:
                        raise self._failed("oversized", f"an answer of more than {self._body_limit} bytes")
        except trio.TooSlowError:
            raise self._failed("silent", f"the answer was not whole within {limit:g} s") from None
        return bytes(content)

    async def _piece(self, body: _Body, limit: float | None = None) -> bytes:
        """The next bytes of ``body``, within ``limit`` seconds; none at its end."""
        import httpcore  # noqa: PLC0415 - as above

        try:
            with trio.CancelScope() if limit is None else trio.fail_after(limit):
                piece = await body.next()
        except trio.TooSlowError:
            if limit is None:
                raise
            raise self._failed("silent", f"the stream was silent for {limit:g} s") from None
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise self._broken(error) from error
        self.statistics.received += len(piece)
        return piece

    def _value(self, content: bytes) -> JsonValue:
        try:
            return decode_json(content, limit=None)
        except CodecError as error:
            raise self._failed("garbled", f"the answer is {error}") from None

    def _broken(self, error: httpcore.NetworkError | httpcore.ProtocolError) -> Unfetched:
        import httpcore  # noqa: PLC0415 - as above

        words = words_of(error)[:WORDS_LIMIT]
        words += tls_hint(self.place, words)
        is_cut = isinstance(error, httpcore.NetworkError) or any(word in str(error) for word in _CUT_WORDS)
        return self._failed("cut", words) if is_cut else self._failed("garbled", f"no HTTP: {words}")

    def _failed(self, trouble: Trouble, detail: str) -> Unfetched:
        self.statistics.failed += 1
        return Unfetched(self.place, trouble, detail)

    def _refused(self, body: _Body, content: bytes) -> Refused:
        self.statistics.refused += 1
        return refusal(self.place, body.status, body.headers, content)


class _Body:
    """An answer whose head has come."""

    def __init__(self, response: httpcore.Response) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = decoded(response.headers)
        self._response = response
        self._pieces = response.aiter_stream()

    async def next(self) -> bytes:
        """The next bytes; none at the end."""
        while True:
            try:
                piece = await anext(self._pieces)
            except StopAsyncIteration:
                await self._response.aclose()
                return b""
            if piece:
                return piece

    async def end(self) -> None:
        """Let go of the connection; it is used again if all of the answer was read."""
        import httpcore  # noqa: PLC0415 - as above

        with trio.CancelScope(shield=True, deadline=trio.current_time() + _ENDING):
            await self._response.aclose()
            try:
                while await self.next():
                    pass
            except (httpcore.NetworkError, httpcore.ProtocolError):
                return


class _Pieces:
    """What comes in of a stream."""

    def __init__(self, read: Callable[[_Body, float], Awaitable[bytes]], body: _Body, silence: float) -> None:
        self._read = read
        self._body = body
        self._silence = silence

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        piece = await self._read(self._body, self._silence)
        if not piece:
            raise StopAsyncIteration
        return piece


def _pool(context: ssl.SSLContext, connections: int) -> httpcore.AsyncConnectionPool:
    import httpcore  # noqa: PLC0415 - as above

    logging.getLogger("httpcore").setLevel(logging.WARNING)
    return httpcore.AsyncConnectionPool(
        ssl_context=context,
        max_connections=connections,
        max_keepalive_connections=connections,
        keepalive_expiry=IDLE,
        network_backend=httpcore.TrioBackend(),
    )
