"""Clients by what they speak: the native protocol, CloudEvents, the portal's streams, and nothing that anybody knows.

Rules of this file: the native client does what ``docs/protocol.md`` tells the authors of clients to do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import msgspec

from domain import below
from tests.simulation.accounts import Criticals, Following
from tests.simulation.clients import Client, Profile, World
from tests.simulation.frames import BINARY, CONTINUATION, TEXT, Frame, opening
from transport.codec import decode_msgpack, encode_msgpack

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
MSGPACK = "andond.v1.msgpack"


@dataclass(frozen=True)
class Native(Profile):
    """A client of the native protocol that follows ``channels``.

    ``credit`` it returns by itself, but for ``sulk`` seconds every ``sulk_every``. One that ``is_late`` resumes first
    and subscribes then. Who asks for ``max_hz`` or ``least`` does so as well.
    """

    channels: tuple[str, ...] = ()
    credit: int | None = None
    sulk_every: float = 0.0
    sulk: float = 60.0
    is_late: bool = False
    max_hz: float | None = None
    least: str = "low"
    shows: bool = False


class NativeClient(Client):
    """Follows its channels from visit to visit, without missing what is critical."""

    def __init__(self, world: World, profile: Native, number: int) -> None:
        super().__init__(world, profile, number)
        self.native = profile
        self.criticals = Criticals()
        self.following: dict[str, Following] = {}
        self.errors: list[object] = []
        self._is_packed = profile.subprotocol == MSGPACK
        self._asked: dict[int, tuple[str, str | None]] = {}
        self._since: dict[str, str | None] = {}
        self._id = 0
        self._processed = 0
        self._is_sulking = False
        self._subscribes = False
        self._acked: tuple[str, int] | None = None
        self._shown: list[str] = []

    # -- what it says -----------------------------------------------------------------------------------------

    def opened(self) -> None:
        self._processed, self._is_sulking, self._acked = 0, False, None
        profile, criticals = self.native, self.criticals
        self._since = {name: each.position for name, each in self.following.items()}
        position = criticals.position
        resume: dict[str, object] = {"critical": "" if position is None else f"{position[0]}:{position[1]}"}
        self._subscribes = profile.max_hz is not None or profile.least != "low" or (profile.is_late and bool(position))
        if not self._subscribes:
            resume["channels"] = {name: self._since.get(name) for name in profile.channels}
        connect = {"client": f"{profile.name}/1.0", "resume": resume}
        if profile.credit is not None:
            connect["credit"] = profile.credit
            if profile.sulk_every:
                self.after(self.chance.expovariate(1 / profile.sulk_every), self._sulk)
        self.command("connect", connect)

    def command(self, word: str, body: object) -> int:
        """Send a command with an id."""
        self._id += 1
        self._write({"id": self._id, word: body})
        return self._id

    def _write(self, message: Mapping[str, object]) -> None:
        if self._is_packed:
            self.say(BINARY, encode_msgpack(message))
        else:
            self.say(TEXT, _encode(message))

    def _subscribe(self) -> None:
        profile = self.native
        for name in profile.channels:
            since = self._since.get(name)
            body: dict[str, object] = {"channel": name, "min_priority": profile.least}
            body |= {"from": since} if since else {"latest": 0}
            if profile.max_hz is not None:
                body["max_hz"] = profile.max_hz
            self._asked[self.command("subscribe", body)] = name, since

    def _sulk(self) -> None:
        self._is_sulking = not self.world.is_calm
        self.after(self.native.sulk, self._cheer_up)

    def _cheer_up(self) -> None:
        self._is_sulking = False
        self.done()
        self.after(self.chance.expovariate(1 / self.native.sulk_every), self._sulk)

    # -- what it hears ----------------------------------------------------------------------------------------

    def heard(self, frame: Frame) -> None:
        message = decode_msgpack(frame.payload) if self._is_packed else _decode(frame.payload)
        push = message.get("push")
        if push == "event":
            if message["priority"] != "critical":
                self._processed += frame.size
            self._event(message["priority"], message["event"])
        elif push == "gap":
            self._processed += frame.size
            if message["channel"] in self.following:
                self.following[message["channel"]].missed(message)
        elif push == "subscribed":
            self._confirmed(message, self._since.get(message["channel"]))
        elif push == "disconnect":
            self.told_to_return(message["delay_ms"] / 1000 if message["delay_ms"] else self.chance.random())
        else:
            self._replied(message)

    def _replied(self, message: Mapping[str, object]) -> None:
        if "connect" in message:
            said = message["connect"]["critical"]
            self.criticals.connected(said["position"], said["missed"], is_recovered=said["recovered"])
            if self.criticals.must_return:
                self.after(self.chance.uniform(20.0, 40.0), partial(self.break_off, 1.0))
            if self._subscribes:
                self._subscribe()
        elif "subscribe" in message:
            _, since = self._asked.pop(message["id"])
            self._confirmed(message["subscribe"], since)
        elif "error" in message:
            self.errors.append(message["error"])

    def _confirmed(self, said: Mapping[str, object], since: str | None) -> None:
        name = said["channel"]
        if name.endswith("/*") or not said["epoch"]:
            return
        following = self.following.setdefault(name, Following(name, self.world.witness))
        following.confirmed(said["epoch"], said["offset"], said.get("gap"), since)

    def _event(self, priority: str, event: Mapping[str, object]) -> None:
        channel, offset = event["channel"], event.get("offset")
        if not any(below(channel, name) if name.endswith("/*") else name == channel for name in self.native.channels):
            return
        if priority == "critical":
            name = event["source"], event["id"]
            self.criticals.took(name, channel, event.get("criticaloffset"), is_live=offset is not None)
            if self.native.shows:
                self._shown.append(event["id"])
        if offset is not None and channel in self.following:
            self.following[channel].took(offset, event.get("sampledrate", 1))

    def done(self) -> None:
        credit, position = self.native.credit, self.criticals.position
        if credit is not None and not self._is_sulking and self._processed >= credit // 4:
            self._write({"credit": self._processed})
            self._processed = 0
        if position is not None and position != self._acked and self.is_open and self.criticals.got:
            self._acked = position
            self._write({"ack": {"critical": f"{position[0]}:{position[1]}"}})
        if self._shown:
            shown, self._shown = self._shown, []
            self.after(self.chance.uniform(1.0, 20.0), partial(self._show, shown))

    def _show(self, ids: list[str]) -> None:
        self._write({"shown": ids})


class CloudEventsClient(Client):
    """Takes what comes."""

    def __init__(self, world: World, profile: Profile, number: int) -> None:
        super().__init__(world, profile, number)
        self.events = 0

    def heard(self, frame: Frame) -> None:
        event = _decode(frame.payload)
        if event["specversion"] != "1.0":
            raise ValueError(f"no CloudEvent: {event}")
        self.events += 1


class PortalClient(Client):
    """Follows the live stream, now this and now that of it."""

    def __init__(self, world: World, profile: Profile, number: int) -> None:
        super().__init__(world, profile, number)
        self.updates = 0

    def opened(self) -> None:
        if self.profile.path.endswith("/live/stream"):
            self.after(self.chance.uniform(1.0, 60.0), self._change)

    def heard(self, frame: Frame) -> None:
        _decode(frame.payload)
        self.updates += 1

    def _change(self) -> None:
        verb = self.chance.choice(("subscribe", "unsubscribe", "ping", "sing"))
        name = self.chance.choice(("tps_updates", "block_updates", "network_status", "validator_metrics", "gossip"))
        self.say(TEXT, _encode({"type": verb, "channel": name}))
        self.after(self.chance.expovariate(1 / 600), self._change)


class Vandal(Client):
    """Says what nobody understands, or nothing, and is to be shown out for it within ``PATIENCE`` seconds."""

    PATIENCE = 60.0

    def __init__(self, world: World, profile: Profile, number: int) -> None:
        super().__init__(world, profile, number)
        self.suffered: list[str] = []
        self._manner = ""

    def greet(self) -> None:
        self._manner = self.chance.choice(sorted(self._manners))
        if self._manner == "half a head":
            self.say_bytes(opening("/stream", "", self.profile.name)[:40])
        elif self._manner == "no head":
            self.say_bytes(self.chance.randbytes(200))
        else:
            super().greet()
        self.after(self.PATIENCE, self._complain)

    def opened(self) -> None:
        act = self._manners[self._manner]
        if act is not None:
            act(self)

    def _complain(self) -> None:
        self.suffered.append(self._manner)
        self.break_off(60.0)

    def _give_up_opening(self) -> None:
        """It is in no hurry."""

    def _noise(self) -> None:
        self.say_bytes(self.chance.randbytes(300))

    def _nonsense(self) -> None:
        for _ in range(3):
            self.say(TEXT, b'{"sing":')

    def _binary(self) -> None:
        self.say(BINARY, b"\x81\xa1a")

    def _shout(self) -> None:
        self.say(TEXT, b'{"id":1,"connect":{"client":"' + b"a" * 70_000 + b'"}}')

    def _crumbs(self) -> None:
        self.say_bytes(b"\x01\x80\0\0\0\0" + b"\x00\x80\0\0\0\0" * 5000)

    def _hurry(self) -> None:
        self.say(TEXT, b'{"id":1,"connect":{}}')
        for number in range(2, 300):
            self.say(TEXT, b'{"id":%d,"ping":{}}' % number)

    def _unmasked(self) -> None:
        self.say_bytes(bytes((0x80 | TEXT, 2)) + b"{}")

    def _continue(self) -> None:
        self.say(CONTINUATION, b"{}")

    _manners: Mapping[str, Callable[[Vandal], None] | None] = {
        "half a head": None,
        "no head": None,
        "silence": None,
        "noise": _noise,
        "nonsense": _nonsense,
        "binary": _binary,
        "shout": _shout,
        "crumbs": _crumbs,
        "hurry": _hurry,
        "unmasked": _unmasked,
        "continuation": _continue,
    }
