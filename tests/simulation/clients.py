"""A client of the gateway: comes, goes, sleeps, is cut off, and comes back as the protocol's rules say.

Rules of this file: a client is plain calls on the agenda. What it wants beyond the WebSocket itself is its dialect's
business. It never asks the gateway's objects for anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.simulation.agenda import Agenda
from tests.simulation.frames import CLOSE, PING, PONG, Frame, Reader, opening, written
from tests.simulation.nature import Nature
from tests.simulation.network import Line, Network, Socket
from tests.simulation.trace import Trace
from tests.simulation.witness import Witness
from transport.addresses import ClientAddress

NO_CODE = 1006
STOPS = range(4000, 4100)
BACKS_OFF = range(4100, 4200)
USUAL_LINE = Line()
PATIENCE = 30.0
"""Seconds that a client waits for an opening, or for the end that it asked for."""


@dataclass(frozen=True)
class Profile:
    """What a client is like; times are means, in seconds, and 0 is never.

    It stays for ``stay`` and is away for ``away``; every ``freeze_every`` it freezes for ``freeze``.
    """

    name: str
    path: str = "/stream"
    subprotocol: str = ""
    line: Line = USUAL_LINE
    stay: float = 0.0
    away: float = 60.0
    freeze_every: float = 0.0
    freeze: float = 60.0


@dataclass
class World:
    """What all clients share; ``is_calm`` while nobody is to come or go by himself."""

    nature: Nature
    agenda: Agenda
    network: Network
    trace: Trace
    witness: Witness
    is_calm: bool = False


class Client:
    """One client, visit after visit."""

    def __init__(self, world: World, profile: Profile, number: int) -> None:
        self.world = world
        self.profile = profile
        self.chance = world.nature.chance("client", profile.name)
        self.sock: Socket | None = None
        self.visits = 0
        self.codes: Counter[int] = Counter()
        self.is_open = False
        self._address = ClientAddress(f"10.0.0.{number}", 40_000)
        self._reader = Reader()
        self._head = b""
        self._code = NO_CODE
        self._delay: float | None = None
        self._failures = 0

    # -- what a dialect adds ----------------------------------------------------------------------------------

    def opened(self) -> None:
        """The WebSocket is open."""

    def heard(self, frame: Frame) -> None:
        """A message came."""

    def done(self) -> None:
        """All that came in one piece was heard."""

    # -- coming -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Come for the first time, soon."""
        self.world.agenda.later(self.chance.uniform(0.0, 20.0), self.connect)

    def connect(self) -> None:
        """Come, unless it is here."""
        if self.sock is not None:
            return
        world, profile = self.world, self.profile
        self.visits += 1
        self._reader, self._head, self.is_open = Reader(), b"", False
        self._code, self._delay = NO_CODE, None
        self.sock = world.network.connect(profile.line, self, self._address)
        if self.sock is None:
            self._return(self._back_off())
            return
        self.greet()
        self.after(PATIENCE, self._give_up_opening)

    def greet(self) -> None:
        """Ask for the WebSocket."""
        self.say_bytes(opening(self.profile.path, self.profile.subprotocol, self.profile.name))

    def after(self, delay: float, act: Callable[[], object]) -> None:
        """Do ``act`` later, if this visit is not over by then."""
        self.world.agenda.later(delay, partial(self._if_still, self.visits, act))

    def _if_still(self, visit: int, act: Callable[[], object]) -> None:
        if self.sock is not None and self.visits == visit:
            act()

    def _give_up_opening(self) -> None:
        if not self.is_open:
            self.break_off(self._back_off())

    def _begin_visit(self) -> None:
        self.is_open = True
        self._failures = 0
        profile = self.profile
        if profile.stay:
            self.after(self.chance.expovariate(1 / profile.stay), self._leave)
        if profile.freeze_every:
            self.after(self.chance.expovariate(1 / profile.freeze_every), self._freeze)
        self.opened()

    # -- what comes -------------------------------------------------------------------------------------------

    def came(self, data: bytes) -> None:
        """``data`` came from the gateway."""
        self.world.trace.received(self.profile.name, data)
        if not self.is_open:
            self._head += data
            head, end, data = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 101 "):
                self.world.trace.note("refused", self.profile.name, head[:20])
                self.break_off(self._back_off())
                return
            self._begin_visit()
        for frame in self._reader.read(data):
            if frame.opcode == PING:
                self.say(PONG, frame.payload)
            elif frame.opcode == CLOSE:
                self._code = int.from_bytes(frame.payload[:2], "big") or NO_CODE
                self.say(CLOSE, frame.payload[:2])
            elif frame.opcode != PONG:
                self.heard(frame)
        self.done()

    def ended(self) -> None:
        """The gateway has closed."""
        self.codes[self._code] += 1
        self._over(self._delay_for(self._code))

    def say(self, opcode: int, payload: bytes) -> None:
        """Send one frame."""
        self.say_bytes(written(opcode, payload))

    def say_bytes(self, data: bytes) -> None:
        """Send anything."""
        if self.sock is not None:
            self.sock.say(data)

    def told_to_return(self, delay: float) -> None:
        """The gateway has said when to come back."""
        self._delay = delay

    # -- going ------------------------------------------------------------------------------------------------

    def _leave(self) -> None:
        if self.world.is_calm:
            self.after(self.profile.stay, self._leave)
            return
        away = self.chance.expovariate(1 / self.profile.away)
        manner = self.chance.choice(("close", "reset", "vanish"))
        if manner == "close":
            self._delay = away
            self.say(CLOSE, (1000).to_bytes(2, "big"))
            self.after(PATIENCE, partial(self.break_off, away))
        else:
            self.break_off(away, is_silent=manner == "vanish")

    def break_off(self, away: float, *, is_silent: bool = False) -> None:
        """End the visit from this side, and come back after ``away`` seconds."""
        sock = self.sock
        if sock is not None:
            if is_silent:
                sock.vanish()
            else:
                sock.reset()
            self._over(away)

    def lose(self, notice: float) -> None:
        """The network is gone; the client notices after ``notice`` seconds."""
        if self.sock is not None:
            self.sock.vanish()
            self._over(notice + self._back_off())

    def _freeze(self) -> None:
        sock = self.sock
        if sock is None or self.world.is_calm:
            return
        sock.freeze(is_frozen=True)
        length = min(2 * self.profile.freeze, self.chance.expovariate(1 / self.profile.freeze))
        self.after(length, self._thaw)

    def _thaw(self) -> None:
        if self.sock is not None:
            self.sock.freeze(is_frozen=False)
            self.after(self.chance.expovariate(1 / self.profile.freeze_every), self._freeze)

    def _over(self, delay: float) -> None:
        self.sock, self.is_open = None, False
        self._return(delay)

    def _return(self, delay: float) -> None:
        self.world.agenda.later(delay, self.connect)

    def _delay_for(self, code: int) -> float:
        if self._delay is not None:
            return self._delay
        if code in STOPS or code in (1002, 1003, 1007, 1008, 1009):
            return self.chance.expovariate(1 / self.profile.away)
        if code in BACKS_OFF or code in (NO_CODE, 1011, 1013):
            return self._back_off()
        return self.chance.uniform(0.0, 1.0)

    def _back_off(self) -> float:
        self._failures = min(self._failures + 1, 6)
        return self.chance.uniform(0.0, min(20.0, 0.5 * 2.0**self._failures))
