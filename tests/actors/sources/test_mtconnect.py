"""The mtconnect source against adapters in memory and on real sockets; long because all of it needs one rig."""

import random
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
import trio
import trio.testing

from actors.messages import EventTaken
from actors.ranks import Ranks
from actors.runtime import ActorRef, ActorSystem, ChildSpec, Supervisor, TrioActor, survey
from actors.sources import Roll, Vigil
from actors.sources.backoff import LONGEST_DELAY, SHORTEST_DELAY, Backoff
from actors.sources.mtconnect import MtconnectSource
from config import MtconnectSource as MtconnectSettings
from config import PolicySettings, RuleSettings
from domain import Event, JsonValue, Priority

NOW = 1_800_000_000.0
STAMP = "2027-01-15T08:00:%02d.000Z"
LINE = b"2027-01-15T08:00:00.000Z|execution|ACTIVE\n"


MemoryStream = trio.StapledStream[trio.testing.MemorySendStream, trio.testing.MemoryReceiveStream]


class Desk(TrioActor):
    """Keeps the events that it is told."""

    mailbox_limit = 20

    def __init__(self, told: list[Event], gate: trio.Event) -> None:
        super().__init__()
        self._told = told
        self._gate = gate

    async def on_receive(self, message: object) -> None:
        await self._gate.wait()
        assert type(message) is EventTaken
        self._told.append(message.event)


class Rig:
    """A source in its tree, and what its desk was told."""

    def __init__(self, root: ActorRef, told: list[Event], gate: trio.Event) -> None:
        self.root = root
        self.told = told
        self.gate = gate

    def kinds(self, prefix: str = "") -> list[str]:
        return [event.type for event in self.told if event.type.startswith(prefix)]

    def values(self) -> list[JsonValue]:
        return [
            event.data["value"]
            for event in self.told
            if event.type == "equipment.reading" and isinstance(event.data, dict)
        ]

    async def describe(self) -> dict[str, JsonValue]:
        status = await survey(self.root)
        (source,) = [child for child in status.children if child.id == "press3"]
        return dict(source.description)

    async def machine(self) -> dict[str, JsonValue]:
        machine = (await self.describe())["machine"]
        assert isinstance(machine, dict)
        return machine


async def until(happened: Callable[[], bool]) -> None:
    """Let others run, and the time pass, until ``happened``."""
    with trio.fail_after(600):
        while not happened():  # noqa: ASYNC110
            await trio.sleep(0.05)


@asynccontextmanager
async def running(
    address: str = "127.0.0.1:7878",
    connect: Callable[[str, int], Awaitable[trio.abc.Stream]] | None = None,
    *,
    is_open: bool = True,
    ranks: Ranks | None = None,
    **settings: float | bool | dict[str, str],
) -> AsyncIterator[Rig]:
    told: list[Event] = []
    gate = trio.Event()
    if is_open:
        gate.set()
    known = MtconnectSettings(address=address, equipment="acme/plant1/line3/press3", **settings)  # type: ignore[arg-type]
    clock, roll = (lambda: NOW + trio.current_time()), Roll()
    more = {"clock": clock, "chance": random.Random(1), "connect": connect}
    more |= {"freshness": roll.freshness("press3", known), "ranks": ranks}
    specs = [
        ChildSpec("desks", Supervisor, ([ChildSpec("floor", Desk, (told, gate))],)),
        ChildSpec("press3", MtconnectSource, ("press3", known), more),
        ChildSpec("vigil", Vigil, (lambda: {"press3": known}, roll, clock)),
    ]
    async with ActorSystem.open() as system:
        rig = Rig(system.start(Supervisor, "gateway", specs), told, gate)
        yield rig
        gate.set()


class Adapter:
    """The far end, in memory: each attempt takes the next of ``script``; then there is a stream for it."""

    def __init__(self, *script: Exception | None) -> None:
        self._script = list(script)
        self.attempts: list[float] = []
        self.streams: list[MemoryStream] = []

    async def connect(self, _host: str, _port: int) -> trio.abc.Stream:
        self.attempts.append(trio.current_time())
        await trio.lowlevel.checkpoint()
        outcome = self._script.pop(0) if self._script else None
        if outcome is not None:
            raise outcome
        near, far = trio.testing.memory_stream_pair()
        self.streams.append(far)
        return near

    @property
    def stream(self) -> MemoryStream:
        return self.streams[-1]

    async def say(self, *lines: str) -> None:
        await until(lambda: bool(self.streams))
        await self.stream.send_all("".join(f"{line}\n" for line in lines).encode())


@pytest.fixture
def clock() -> trio.testing.MockClock:
    """Virtual time that leaves real sockets a moment before it leaps."""
    return trio.testing.MockClock(autojump_threshold=0.02)


def test_delays_are_random_between_half_a_second_and_twenty_and_grow() -> None:
    backoff = Backoff(random.Random(3))
    delays = [backoff.next() for _ in range(300)]
    assert all(SHORTEST_DELAY <= delay <= LONGEST_DELAY for delay in delays)
    assert delays[0] <= 1.0
    assert max(delays) > 15
    assert min(delays[20:]) < 3
    backoff.reset()
    assert backoff.next() <= 1.0


async def test_what_a_machine_says_reaches_the_desk_as_events(autojump_clock: trio.testing.MockClock) -> None:
    adapter = Adapter()
    async with running(connect=adapter.connect) as rig:
        await adapter.say(STAMP % 0 + "|execution|ACTIVE", STAMP % 1 + "|system|Fault|B6|||External emergency stop")
        await until(lambda: "alarm.raised" in rig.kinds())
        await until(lambda: len(rig.told) == 4)
        assert set(rig.kinds()) == {"source.connected", "equipment.state.changed", "equipment.reading", "alarm.raised"}
        assert {event.source for event in rig.told} == {"/acme/plant1/line3/press3"}
        described, machine = await rig.describe(), await rig.machine()
    assert (described["state"], described["connected"], described["lines"]) == ("fresh", True, 2)
    assert (machine["state"], machine["execution"], machine["activeAlarms"]) == ("executing", "ACTIVE", 1)


async def test_what_a_machine_says_is_ranked_by_the_policy_and_the_budget_of_its_source(
    autojump_clock: trio.testing.MockClock,
) -> None:
    rule = RuleSettings(name="state", type="equipment.state", priority="low")
    settings = PolicySettings(rules=(rule,), critical_rate=0.1, critical_burst=2)
    adapter = Adapter()
    async with running(connect=adapter.connect, ranks=Ranks("press3", lambda: settings)) as rig:
        faults = [STAMP % second + f"|system|Fault|B{second}|||Stop" for second in range(1, 6)]
        await adapter.say(STAMP % 0 + "|execution|ACTIVE", *faults)
        await until(lambda: rig.kinds("alarm") == ["alarm.raised"] * 5)
        alarms = [event for event in rig.told if event.type == "alarm.raised"]
        assert sorted(event.priority for event in alarms) == [Priority.CRITICAL] * 2 + [Priority.HIGH] * 3
        assert sum(event.extensions.get("demotedfrom") == "critical" for event in alarms) == 3
        assert {event.priority for event in rig.told if event.type.startswith("equipment.state")} == {Priority.LOW}


async def test_a_ping_goes_out_first_and_the_heartbeat_that_is_agreed_is_kept(
    autojump_clock: trio.testing.MockClock,
) -> None:
    adapter = Adapter()
    async with running(connect=adapter.connect):
        await until(lambda: bool(adapter.streams))
        pings = []
        for _ in range(4):
            assert await adapter.stream.receive_some() == b"* PING\r\n"
            pings.append(trio.current_time())
            await adapter.say("* PONG 2000")
    gaps = [after - before for before, after in pairwise(pings)]
    assert gaps == pytest.approx([2.0] * 3, abs=0.1)


async def test_a_link_whose_heartbeat_is_missed_is_dropped_and_made_anew(
    autojump_clock: trio.testing.MockClock,
) -> None:
    adapter = Adapter()
    async with running(connect=adapter.connect) as rig:
        await adapter.say("* PONG 1000")
        answered = trio.current_time()
        await until(lambda: len(adapter.streams) == 2)
        assert trio.current_time() - answered < 2.0 + LONGEST_DELAY
        (lost,) = [event for event in rig.told if event.type == "source.lost"]
        assert lost.data == {"name": "press3", "reason": "no heartbeat", "required": False}


async def test_an_adapter_that_never_answers_pings_is_kept_and_its_silence_is_told(
    autojump_clock: trio.testing.MockClock,
) -> None:
    adapter = Adapter()
    async with running(connect=adapter.connect, cadence=10.0, required=True) as rig:
        await adapter.say(LINE.decode().strip())
        await until(lambda: "source.silent" in rig.kinds())
        assert len(adapter.streams) == 1
        assert (await rig.describe())["state"] == "stale"
        (silent,) = [event for event in rig.told if event.type == "source.silent"]
        assert isinstance(silent.data, dict)
        assert (silent.data["source"], silent.data["required"]) == ("press3", True)
        assert silent.data["silence"] == pytest.approx(20.0, abs=0.5)
        await adapter.say(STAMP % 50 + "|execution|READY")
        await until(lambda: "source.returned" in rig.kinds())
        assert (await rig.describe())["state"] == "fresh"


async def test_a_source_that_is_not_reached_is_silent(autojump_clock: trio.testing.MockClock) -> None:
    adapter = Adapter(*[OSError("no route") for _ in range(50)])
    async with running(connect=adapter.connect, cadence=10.0) as rig:
        await until(lambda: "source.silent" in rig.kinds())
        described = await rig.describe()
    assert (described["state"], described["reason"]) == ("lost", "no route")
    assert rig.kinds() == ["source.silent"]


async def test_a_connection_that_is_not_made_in_time_is_given_up(autojump_clock: trio.testing.MockClock) -> None:
    attempts = []

    async def connect(_host: str, _port: int) -> trio.abc.Stream:
        attempts.append(trio.current_time())
        await trio.sleep_forever()

    async with running(connect=connect, connect_timeout=3.0) as rig:
        await until(lambda: len(attempts) == 2)
        assert 3.5 <= attempts[1] - attempts[0] <= 4.0
        assert (await rig.describe())["reason"] == "no connection within 3 s"


async def test_attempts_come_slower_and_slower_until_a_line_came(autojump_clock: trio.testing.MockClock) -> None:
    adapter = Adapter(*[OSError("refused") for _ in range(30)])
    async with running(connect=adapter.connect):
        await adapter.say(LINE.decode().strip())
        gaps = [after - before for before, after in pairwise(adapter.attempts)]
        assert max(gaps[:2]) <= 2.0
        assert max(gaps) > 8
        await until(lambda: bool(adapter.stream))
        await trio.testing.wait_all_tasks_blocked()
        lost = trio.current_time()
        await adapter.stream.aclose()
        await until(lambda: len(adapter.streams) == 2)
        assert trio.current_time() - lost <= 1.1


async def test_an_adapter_that_accepts_and_hangs_up_is_not_hammered(autojump_clock: trio.testing.MockClock) -> None:
    adapter = Adapter()
    async with running(connect=adapter.connect):
        for count in range(1, 12):
            await until(lambda count=count: len(adapter.streams) == count)  # type: ignore[misc]
            await adapter.stream.aclose()
        gaps = [after - before for before, after in pairwise(adapter.attempts)]
        assert max(gaps[5:]) > 5


async def test_what_was_said_twice_over_two_connections_is_told_once(autojump_clock: trio.testing.MockClock) -> None:
    adapter = Adapter()
    snapshot = (STAMP % 0 + "|execution|ACTIVE", STAMP % 1 + "|logic|Fault|A|||text")
    async with running(connect=adapter.connect) as rig:
        await adapter.say(*snapshot)
        await until(lambda: "alarm.raised" in rig.kinds())
        await adapter.stream.aclose()
        await until(lambda: len(adapter.streams) == 2)
        await adapter.say(*snapshot, STAMP % 30 + "|execution|READY")
        await until(lambda: rig.kinds("equipment.state").count("equipment.state.changed") == 2)
        assert rig.kinds("alarm") == ["alarm.raised"]
        assert (await rig.machine())["repeated"] == 2


async def test_half_a_line_of_a_lost_link_does_not_become_a_value(autojump_clock: trio.testing.MockClock) -> None:
    adapter = Adapter()
    async with running(connect=adapter.connect) as rig:
        await adapter.say(STAMP % 0 + "|Xpos|1")
        await adapter.stream.send_all((STAMP % 1 + "|Xpos|12").encode())
        await trio.testing.wait_all_tasks_blocked()
        await adapter.stream.aclose()
        await until(lambda: len(adapter.streams) == 2)
        await adapter.say(STAMP % 2 + "|Xpos|3")
        await until(lambda: 3 in rig.values())
        assert rig.values() == [1, 3]
        assert (await rig.describe())["cutLines"] == 1


async def test_a_trickle_without_a_line_end_is_bounded_and_counts_as_silence(
    autojump_clock: trio.testing.MockClock,
) -> None:
    adapter = Adapter()
    async with running(connect=adapter.connect, cadence=5.0) as rig:
        await until(lambda: bool(adapter.streams))
        for _ in range(30):
            await adapter.stream.send_all(b"x" * 9000)
            await trio.sleep(1)
        assert "source.silent" in rig.kinds()
        await adapter.stream.send_all(b"\n")
        await adapter.say(STAMP % 40 + "|Xpos|3")
        await until(lambda: 3 in rig.values())
        described = await rig.describe()
    assert (described["faults"], described["lines"]) == (1, 2)
    assert "longer than" in str(described["lastFault"])


async def test_malformed_lines_are_counted_and_the_others_are_taken(autojump_clock: trio.testing.MockClock) -> None:
    adapter = Adapter()
    async with running(connect=adapter.connect) as rig:
        await until(lambda: bool(adapter.streams))
        await adapter.stream.send_all(b"\xff\xfe\x00\n|\n" + b"garbage\n" + (STAMP % 0 + "|Xpos|1|Ypos\n").encode())
        await until(lambda: rig.values() == [1])
        described = await rig.describe()
    assert described["faults"] == 3
    assert described["replacedCharacters"] == 2
    assert described["lastFault"] == "field 4: 'Ypos' has no value"


async def test_a_clock_that_jumps_is_told_and_what_it_stamps_is_uncertain(
    autojump_clock: trio.testing.MockClock,
) -> None:
    adapter = Adapter()
    async with running(connect=adapter.connect) as rig:
        for second in range(30):
            await adapter.say(STAMP % second + f"|Xpos|{second}")
            await trio.sleep(1)
        await adapter.say("2002-01-01T00:00:00Z|execution|STOPPED")
        for second in range(1, 4):
            await adapter.say(f"2002-01-01T00:00:0{second}Z|Xpos|{second}")
            await trio.sleep(1)
        await until(lambda: "source.clock.jumped" in rig.kinds())
        described = await rig.machine()
        assert described["quarantined"] is True
        assert described["execution"] == "STOPPED"
        (changed,) = [event for event in rig.told if event.type == "equipment.state.changed"]
        assert (changed.quality, changed.time) == ("uncertain", "2002-01-01T00:00:00Z")
        await adapter.say(STAMP % 40 + "|Xpos|40")
        await until(lambda: "source.clock.settled" in rig.kinds())
        assert (await rig.machine())["quarantined"] is False


async def test_a_fast_machine_is_thinned_and_its_last_value_arrives(autojump_clock: trio.testing.MockClock) -> None:
    adapter = Adapter()
    async with running(connect=adapter.connect) as rig:
        for number in range(300):
            await adapter.say(f"|Xpos|{number}")
            await trio.sleep(0.01)
        await until(lambda: 299 in rig.values())
        assert len(rig.values()) < 30


async def test_when_the_desk_is_behind_the_socket_is_not_read_and_nothing_is_lost(
    autojump_clock: trio.testing.MockClock,
) -> None:
    adapter = Adapter()
    async with running(connect=adapter.connect, is_open=False) as rig:
        await adapter.say(*(STAMP % (number % 60) + f"|logic{number}|Fault|A|||text" for number in range(200)))
        await trio.sleep(5)
        assert rig.told == []
        rig.gate.set()
        await until(lambda: len(rig.kinds("alarm")) == 200)


async def test_the_settings_say_which_key_is_what(autojump_clock: trio.testing.MockClock) -> None:
    adapter = Adapter()
    async with running(connect=adapter.connect, keys={"run": "execution"}) as rig:
        await adapter.say(STAMP % 0 + "|run|ACTIVE")
        await until(lambda: "equipment.state.changed" in rig.kinds())


async def test_a_refused_connection_is_tried_again_until_somebody_listens(clock: trio.testing.MockClock) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        async with running(f"127.0.0.1:{port}") as rig:
            await until(lambda: trio.current_time() > 3)
            assert (await rig.describe())["reason"] == "Connection refused"
            taken.listen()
            listener = trio.SocketListener(trio.socket.from_stdlib_socket(taken.dup()))
            async with listener, await listener.accept() as stream:
                await stream.send_all(LINE)
                await until(lambda: "equipment.state.changed" in rig.kinds())


async def test_an_adapter_that_resets_in_the_middle_of_a_line_and_restarts_is_read_on(
    clock: trio.testing.MockClock,
) -> None:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    async with listener, running(f"127.0.0.1:{port}") as rig:
        first = await listener.accept()
        await first.send_all(LINE + b"2027-01-15T08:00:01.000Z|execu")
        await until(lambda: "equipment.state.changed" in rig.kinds())
        first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        first.socket.close()
        second = await listener.accept()
        assert [event.data for event in rig.told if event.type == "source.lost"] == [
            {"name": "press3", "reason": "Connection reset by peer", "required": False}
        ]
        async with second:
            await second.send_all(b"2027-01-15T08:00:02.000Z|execution|READY\n")
            await until(lambda: rig.kinds("equipment.state") == ["equipment.state.changed"] * 2)


async def test_an_adapter_that_accepts_and_is_silent_is_told_of(clock: trio.testing.MockClock) -> None:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    async with listener, running(f"127.0.0.1:{port}", cadence=2.0) as rig, await listener.accept():
        await until(lambda: "source.silent" in rig.kinds())


async def test_the_kernel_is_asked_to_find_out_that_the_other_end_is_gone() -> None:
    seen: list[trio.SocketStream] = []

    async def connect(host: str, port: int) -> trio.abc.Stream:
        seen.append(await trio.open_tcp_stream(host, port))
        return seen[-1]

    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    async with listener, running(f"127.0.0.1:{port}", connect, heartbeat=6.0), await listener.accept() as far:
        assert await far.receive_some() == b"* PING\r\n"
        options = {
            socket.TCP_KEEPIDLE: 6,
            socket.TCP_KEEPINTVL: 2,
            socket.TCP_KEEPCNT: 3,
            socket.TCP_USER_TIMEOUT: 12_000,
        }
        assert seen[0].getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert {name: seen[0].getsockopt(socket.IPPROTO_TCP, name) for name in options} == options


async def test_an_actor_that_is_stopped_leaves_no_connection(autojump_clock: trio.testing.MockClock) -> None:
    adapter = Adapter()
    async with running(connect=adapter.connect):
        await adapter.say(LINE.decode().strip())
        await trio.testing.wait_all_tasks_blocked()
    assert await adapter.stream.receive_some() == b"* PING\r\n"
    assert await adapter.stream.receive_some() == b""
