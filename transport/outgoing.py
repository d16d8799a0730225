"""HTTP that we begin ourselves: one POST, its answer, and nothing is kept.

Rules of this file: h11 says what the bytes mean, trio moves them. A redirect is an answer like any other: what was to
go to one place does not go to another one. The answer's body is read as far as ``BODY_LIMIT``, for people to see.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

import h11
import msgspec
import trio

BODY_LIMIT = 1024
READ_SIZE = 16 * 1024
HEAD_LIMIT = 64 * 1024


class Unanswered(Exception):
    """There was no answer to a request; the message says why."""


class Answer(msgspec.Struct, frozen=True):
    """What the other side answered: status, its reason, and the beginning of the body."""

    status: int
    reason: str
    body: str

    @property
    def is_taken(self) -> bool:
        """Whether it took what was posted (2xx)."""
        return 200 <= self.status < 300  # noqa: PLR2004


async def post(
    url: str, headers: Mapping[str, str], body: bytes, patience: float, context: ssl.SSLContext | None = None
) -> Answer:
    """Post ``body`` to ``url`` (http or https) and return the answer; all of it within ``patience`` seconds.

    ``context`` says which certificates are trusted; by default those of the system.

    Raises:
        Unanswered: if there was no answer.
    """
    try:
        with trio.fail_after(patience):
            return await _post(url, headers, body, context)
    except trio.TooSlowError:
        raise Unanswered(f"no answer within {patience:g} s") from None
    except (OSError, ssl.SSLError, ssl.CertificateError) as error:
        raise Unanswered(_words(error)) from error
    except trio.BrokenResourceError as error:
        raise Unanswered(_words(error.__cause__ or error)) from error
    except h11.ProtocolError as error:
        raise Unanswered(f"no HTTP: {error}") from error


async def _post(url: str, headers: Mapping[str, str], body: bytes, context: ssl.SSLContext | None) -> Answer:
    parts = urlsplit(url)
    host = parts.hostname or ""
    is_secret = parts.scheme == "https"
    stream: trio.abc.Stream = await trio.open_tcp_stream(host, parts.port or (443 if is_secret else 80))
    async with stream:
        if is_secret:
            stream = trio.SSLStream(
                stream, context or ssl.create_default_context(), server_hostname=host, https_compatible=True
            )
        connection = h11.Connection(our_role=h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        # A name and a password in the address are for a proxy's eyes as well; they are not sent.
        given = {"Host": parts.netloc.rpartition("@")[2], "Content-Length": str(len(body)), "Connection": "close"}
        request = h11.Request(method="POST", target=target, headers=list({**given, **headers}.items()))
        sent = connection.send(request) or b""
        sent += connection.send(h11.Data(data=body)) or b""
        sent += connection.send(h11.EndOfMessage()) or b""
        await stream.send_all(sent)
        return await _answer(connection, stream)


async def _answer(connection: h11.Connection, stream: trio.abc.Stream) -> Answer:
    head: h11.Response | None = None
    body = b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(bytes(await stream.receive_some(READ_SIZE)))
        elif isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif not isinstance(event, h11.InformationalResponse):
            # The end, or the end of what there was.
            break
        if head is not None and len(body) >= BODY_LIMIT:
            break
    if head is None:
        raise Unanswered("closed without an answer")
    text = body[:BODY_LIMIT].decode(errors="replace")
    return Answer(head.status_code, head.reason.decode(errors="replace"), text)


def _words(error: BaseException) -> str:
    if isinstance(error, ExceptionGroup):
        return "; ".join(dict.fromkeys(_words(each) for each in error.exceptions))
    if isinstance(error, OSError) and error.__cause__ is not None and error.errno is None:
        # What trio says of several addresses is less than what was said of each.
        return f"{error}: {_words(error.__cause__)}"
    return str(error) or type(error).__name__
