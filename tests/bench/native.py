"""A light client of the native protocol: follows andon calls, loses its link, returns and resumes.

Rules of this file: plain sockets and as little work for a frame as it takes, so that a thousand fit into one process.
What is received is kept as it came; whoever compares takes out what came twice.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field

import trio

CHANNEL = "andon/plant/*"
ANSWER_LIMIT = 30.0
READ_SIZE = 64 * 1024
AGAIN = 0.2

_TEXT, _CLOSE, _PING, _PONG = 0x81, 0x88, 0x89, 0x8A
_OPENED = b"HTTP/1.1 101 "


class LinkEnded(Exception):
    """The link is gone, or was never made."""


@dataclass(slots=True)
class Seen:
    """What one client has seen; times are those of trio's clock in this process."""

    events: list[tuple[str, str]] = field(default_factory=list)
    """Channel and id of each critical event, in the order of arrival."""

    ids: set[str] = field(default_factory=set)
    told: list[int] = field(default_factory=list)
    """Each delay, in milliseconds."""

    told_positions: int = 0
    codes: list[int] = field(default_factory=list)
    returned_at: list[float] = field(default_factory=list)
    refused: int = 0
    unrecovered: int = 0

    def without_repeats(self, channel: str) -> list[str]:
        """The ids of ``channel``, each where it came first."""
        return list(dict.fromkeys(id_ for name, id_ in self.events if name == channel))


class Client:
    """Stays connected to ``port`` of this machine until it is cancelled."""

    def __init__(self, name: str, port: int, chance: random.Random) -> None:
        self.seen = Seen()
        self.is_connected = False
        self._name = name
        self._port = port
        self._chance = chance
        self._position: str | None = None
        self._told_at = 0.0
        self._waiting = b""

    async def run(self) -> None:
        """Connect, follow, return whenever the link is lost, not sooner than was told."""
        delay = 0.0
        while True:
            await trio.sleep(delay)
            told = len(self.seen.told)
            if self._position is not None:
                self.seen.returned_at.append(trio.current_time())
            try:
                await self._visit()
            except (LinkEnded, OSError, trio.BrokenResourceError, trio.TooSlowError) as error:
                self.seen.refused += isinstance(error, ConnectionRefusedError)
            self.is_connected = False
            delay = self._chance.random() * AGAIN
            if len(self.seen.told) > told:
                # From when it was told, not from when the link had ended.
                delay = max(0.0, self._told_at + self.seen.told[-1] / 1000 - trio.current_time())

    async def _visit(self) -> None:
        self._waiting = b""
        stream = await trio.open_tcp_stream("127.0.0.1", self._port)
        async with stream:
            with trio.fail_after(ANSWER_LIMIT):
                await self._open(stream)
                await self._connect(stream)
            self.is_connected = True
            while True:
                self._take(await self._message(stream))

    async def _open(self, stream: trio.SocketStream) -> None:
        await stream.send_all(
            b"GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Sec-WebSocket-Protocol: andond.v1.json\r\n\r\n"
        )
        while b"\r\n\r\n" not in self._waiting:
            await self._read(stream)
        head, _, self._waiting = self._waiting.partition(b"\r\n\r\n")
        if not head.startswith(_OPENED):
            self.seen.refused += 1
            raise LinkEnded(head[:60].decode())

    async def _connect(self, stream: trio.SocketStream) -> None:
        resume = {"critical": self._position, "channels": {CHANNEL: None}}
        await self._send(stream, {"id": 1, "connect": {"client": self._name, "resume": resume}})
        while True:
            message = await self._message(stream)
            self._take(message)
            if message.get("id") == 1:
                state = message["connect"]["critical"]
                self.seen.unrecovered += self._position is not None and not state["recovered"]
                self._position = self._position or state["position"]
            if message.get("push") == "subscribed":
                return

    def _take(self, message: dict) -> None:
        kind = message.get("push")
        if kind == "event":
            event = message["event"]
            self._position = event.get("criticaloffset", self._position)
            self.seen.events.append((event["channel"], event["id"]))
            self.seen.ids.add(event["id"])
        elif kind == "disconnect":
            self._told_at = trio.current_time()
            self.seen.told.append(message["delay_ms"])
            self.seen.codes.append(message["code"])
            if message["resume"] is not None:
                self.seen.told_positions += 1
                self._position = message["resume"]

    # -- the wire ---------------------------------------------------------------------------------------------

    async def _message(self, stream: trio.SocketStream) -> dict:
        """The next text message, decoded; what is between messages is answered."""
        while True:
            opcode, payload = await self._frame(stream)
            if opcode == _TEXT:
                return json.loads(payload)
            if opcode == _PING:
                await self._frame_out(stream, _PONG, payload)
            elif opcode == _CLOSE:
                await self._frame_out(stream, _CLOSE, payload)
                raise LinkEnded("closed")

    async def _frame(self, stream: trio.SocketStream) -> tuple[int, bytes]:
        while (size := _size(self._waiting)) > len(self._waiting):
            await self._read(stream)
        frame, self._waiting = self._waiting[:size], self._waiting[size:]
        return frame[0], frame[{126: 4, 127: 10}.get(frame[1], 2) :]

    async def _read(self, stream: trio.SocketStream) -> None:
        data = await stream.receive_some(READ_SIZE)
        if not data:
            raise LinkEnded("gone")
        self._waiting += data

    async def _send(self, stream: trio.SocketStream, message: dict) -> None:
        await self._frame_out(stream, _TEXT, json.dumps(message).encode())

    async def _frame_out(self, stream: trio.SocketStream, opcode: int, payload: bytes) -> None:
        size = len(payload)
        head = bytes((opcode, 0x80 | size)) if size < 126 else bytes((opcode, 0xFE)) + size.to_bytes(2, "big")
        # A mask of zeros leaves the payload as it is.
        await stream.send_all(head + bytes(4) + payload)


def _size(data: bytes) -> int:
    """The size of the frame that ``data`` begins with; more than there is, where that is not known yet."""
    if len(data) < 2:
        return 2
    if data[1] < 126:
        return 2 + data[1]
    end = 4 if data[1] == 126 else 10
    return end + int.from_bytes(data[2:end], "big") if len(data) >= end else end


class Poster:
    """Posts andon calls of one line, each again until it is answered for, so that their order is known."""

    def __init__(self, line: int, port: int) -> None:
        self.channel = f"andon/plant/line{line}"
        self.posted: list[str] = []
        self.repeats = 0
        self._line = line
        self._port = port
        self._made = 0

    async def post(self) -> None:
        """Post the next call and return when the gateway answers for it."""
        self._made += 1
        id_ = f"{self._line}-{self._made}"
        body = json.dumps(
            {
                "specversion": "1.0",
                "id": id_,
                "source": f"/plant/line{self._line}",
                "type": "andon.call.raised",
                "data": {"number": self._made, "priority": "high"},
            }
        ).encode()
        while not await self._is_answered_for(body):
            self.repeats += 1
            await trio.sleep(AGAIN / 10)
        self.posted.append(id_)

    async def _is_answered_for(self, body: bytes) -> bool:
        head = (
            "POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
            f"Content-Type: application/cloudevents+json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        answer = b""
        try:
            with trio.fail_after(ANSWER_LIMIT):
                stream = await trio.open_tcp_stream("127.0.0.1", self._port)
                async with stream:
                    await stream.send_all(head.encode() + body)
                    while b"\r\n" not in answer:
                        more = await stream.receive_some(READ_SIZE)
                        if not more:
                            return False
                        answer += more
        except (OSError, trio.BrokenResourceError, trio.TooSlowError):
            return False
        return answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 202"))
