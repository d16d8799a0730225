import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked

from domain import Priority
from transport.frames import CLOSE, PONG, Batch, Frame, frame_bytes, text_frame
from transport.outbox import PIECE_SIZE as FLUSH_SIZE

CRITICAL, HIGH, NORMAL, LOW = Priority
BLOCKED = 0
GOODBYE = frame_bytes(CLOSE, (1000).to_bytes(2, "big"))


def text(name: str, priority: Priority = NORMAL, key: object = None, size: int = 20) -> Frame:
    return text_frame(name.encode().ljust(size, b"."), priority, key)


# -- many writers ------------------------------------------------------------------------------------------


async def test_a_frame_is_on_the_wire_before_offer_returns(wired):
    async with wired() as wire:
        wire.stream.offer(text("a"))
        assert wire.client.recv(100) == text("a").data


@pytest.mark.parametrize("count", range(22))
async def test_a_frame_that_is_cut_anywhere_goes_on_first(wired, count):
    async with wired(count, BLOCKED) as wire:
        wire.stream.offer(text("a"))
        wire.stream.offer(text("b", CRITICAL))
        # What the socket took nothing of is no longer the newest: it is first because TLS could not do otherwise.
        assert await wire.texts() == ["a", "b"]


async def test_what_waits_goes_critical_first_and_each_priority_in_its_order(wired):
    async with wired(BLOCKED) as wire:
        wire.stream.offer(text("first"))
        for turn in "12":
            for priority in reversed(Priority):
                wire.stream.offer(text(f"{priority.wire}{turn}", priority))
        texts = await wire.texts()
        assert texts[:3] == ["first", "critical1", "critical2"]
        assert sorted(texts[3:]) == ["high1", "high2", "low1", "low2", "normal1", "normal2"]
        for priority in Priority:
            assert texts.index(f"{priority.wire}1") < texts.index(f"{priority.wire}2")


async def test_what_waits_is_conflated_and_counted_also_after_it_has_gone(wired):
    async with wired(BLOCKED) as wire:
        wire.stream.offer(text("first"))
        for turn in range(5):
            wire.stream.offer(text(f"value{turn}", key="press3"))
        assert wire.stream.statistics().depth == (0, 0, 1, 0)
        assert await wire.texts() == ["first", "value4"]
        assert wire.stream.statistics().conflated == 4


async def test_what_waits_is_bounded_and_what_is_dropped_is_counted_also_after_the_rest_has_gone(wired):
    async with wired(BLOCKED, outbox_size=5 * len(text("x").data)) as wire:
        wire.stream.offer(text("first"))
        for turn in range(8):
            wire.stream.offer(text(f"n{turn}"))
        assert await wire.texts() == ["first", "n3", "n4", "n5", "n6", "n7"]
        assert wire.stream.statistics().dropped == 3
        assert wire.stream.statistics().depth == (0, 0, 0, 0)


async def test_a_critical_frame_waits_for_one_piece_at_most(wired):
    async with wired(BLOCKED) as wire:
        frames = [text(f"n{turn}", size=1000) for turn in range(60)]
        for frame in frames:
            wire.stream.offer(frame)
        # The first frame leaves, then a piece is cut: that is as far as routine frames can be ahead.
        wire.sock.takes = [10**6, 10, *[BLOCKED] * 5]
        while len(wire.sock.takes) > 3:
            await trio.lowlevel.checkpoint()
        wire.stream.offer(text("critical", CRITICAL))
        texts = await wire.texts()
        assert texts.index("critical") <= 1 + FLUSH_SIZE // len(frames[0].data) + 1
        assert max(wire.sock.pieces) < FLUSH_SIZE + 2 * 1004


@pytest.mark.parametrize("first", [HIGH, LOW])
@given(count=st.integers(0, 66))
@settings(max_examples=70, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_batch_that_is_cut_anywhere_loses_nothing(wired, first, count):
    frames = [text("a", first), text("b", LOW), text("c", HIGH)]
    async with wired(count, BLOCKED) as wire:
        wire.stream.offer_batch(Batch(frames))
        wire.stream.offer(text("critical", CRITICAL))
        texts = await wire.texts()
    gone = min(3, -(-count // 22))
    waiting = sorted([(one.priority, name) for one, name in zip(frames, "abc", strict=True)][gone:])
    assert texts == [*"abc"[:gone], "critical", *(name for _, name in waiting)]


async def test_a_batch_for_a_socket_that_is_full_waits_by_priority(wired):
    async with wired(BLOCKED) as wire:
        wire.stream.offer(text("first"))
        frames = [text("a", LOW), text("b"), text("c", HIGH)]
        wire.stream.offer_batch(Batch(frames))
        assert await wire.texts() == ["first", "c", "b", "a"]


# -- the connection's own writer ---------------------------------------------------------------------------


async def test_the_connections_own_bytes_go_ahead_of_the_frames_that_wait(wired):
    async with wired(5, *[BLOCKED] * 5) as wire:
        wire.stream.offer(text("cut"))
        wire.stream.offer(text("waits", CRITICAL))
        await wire.stream.send_all(frame_bytes(PONG, b""))
        assert await wire.texts() == ["cut", "pong", "waits"]


async def test_send_all_returns_when_the_socket_has_taken_everything(wired):
    async with wired() as wire:
        size = 8_000_000
        done = trio.Event()

        async def send():
            await wire.stream.send_all(bytearray(size))
            done.set()

        wire.nursery.start_soon(send)
        await wait_all_tasks_blocked()
        assert not done.is_set()
        while len(wire.heard) < size:
            await wire.read()
        await done.wait()


async def test_several_tasks_may_send_at_once_and_none_cuts_another(wired):
    async with wired(3, BLOCKED, 7, BLOCKED) as wire:
        async with trio.open_nursery() as nursery:
            for name in "abcd":
                nursery.start_soon(wire.stream.send_all, text(name).data)
        assert sorted(await wire.texts()) == list("abcd")


async def test_a_send_all_that_is_cancelled_cuts_no_frame(wired):
    async with wired(5, *[BLOCKED] * 1000) as wire:
        wire.stream.offer(text("a"))
        with trio.CancelScope() as scope:
            wire.nursery.start_soon(cancel_soon, scope)
            await wire.stream.send_all(text("b").data)
        assert scope.cancelled_caught
        wire.sock.takes[:] = [7, BLOCKED]
        wire.stream.offer(text("c"))
        assert await wire.texts() == ["a", "b", "c"]


async def cancel_soon(scope):
    for _ in range(3):
        await trio.lowlevel.checkpoint()
    scope.cancel()


async def test_sending_nothing_loses_nothing(wired):
    async with wired(*[BLOCKED] * 9) as wire:
        wire.stream.offer(text("a"))
        wire.stream.offer(text("b"))
        await wire.stream.send_all(b"")
        assert await wire.texts() == ["a", "b"]


async def test_a_close_goes_behind_what_waits_and_nothing_goes_behind_it(wired):
    async with wired(5, *[BLOCKED] * 1000) as wire:
        wire.stream.offer(text("a"))
        wire.stream.offer(text("b", LOW))
        done: list[bytes] = []

        async def send(data):
            await wire.stream.send_all(data)
            done.append(data)

        for data in (GOODBYE, frame_bytes(CLOSE, (1001).to_bytes(2, "big")), frame_bytes(PONG, b"")):
            wire.nursery.start_soon(send, data)
            for _ in range(3):
                await trio.lowlevel.checkpoint()
        wire.stream.offer(text("late", CRITICAL))
        wire.stream.offer_batch(Batch([text("late")]))
        assert done == []
        wire.sock.takes.clear()
        expected = text("a").data + text("b").data + GOODBYE
        assert await wire.read() == expected
        assert len(done) == 3
        wire.stream.offer(text("later", CRITICAL))
        wire.stream.offer_batch(Batch([text("later")]))
        with trio.fail_after(1):
            await wire.stream.send_all(GOODBYE)
        assert await wire.read() == expected


async def test_bytes_that_only_begin_like_a_close_are_no_close(wired):
    async with wired() as wire:
        body = b"\x88\x05 is how some picture begins"
        await wire.stream.send_all(body)
        await wire.stream.send_all(b"and this is the next answer")
        assert await wire.read() == body + b"and this is the next answer"


async def test_asking_whether_it_might_block_does_not_disturb_the_flusher(wired):
    async with wired() as wire:
        wire.nursery.start_soon(wire.stream.send_all, bytes(8_000_000))
        await wait_all_tasks_blocked()
        with trio.move_on_after(0.01) as scope:
            await wire.stream.wait_send_all_might_not_block()
        assert scope.cancelled_caught
        await wire.read()
        with trio.fail_after(1):
            await wire.stream.wait_send_all_might_not_block()
        assert not wire.losses


# -- everything at once ------------------------------------------------------------------------------------

OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["offer", "batch", "own", "turn"]), st.sampled_from(Priority), st.sampled_from("abc-"))
    | st.tuples(st.just("turn"), st.just(LOW), st.just("-")),
    max_size=40,
)


@given(OPERATIONS, st.lists(st.sampled_from([BLOCKED, BLOCKED, 1, 5, 22, 50]), max_size=40))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_is_written_is_delivered_dropped_or_conflated(wired, operations, takes):
    async with wired(*takes, outbox_size=150) as wire:
        offered: list[tuple[Priority, str, str]] = []

        def frame(priority, key):
            name = f"{len(offered)}"
            offered.append((priority, key, name))
            return text(name, priority, None if key == "-" else key)

        async def own(data):
            await wire.stream.send_all(data)

        for what, priority, key in operations:
            if what == "offer":
                wire.stream.offer(frame(priority, key))
            elif what == "batch":
                frames = [frame(priority or HIGH, key), frame(NORMAL, key), frame(LOW, "-")]
                wire.stream.offer_batch(Batch(frames))
            elif what == "own":
                wire.nursery.start_soon(own, frame_bytes(PONG, b""))
            else:
                await trio.lowlevel.checkpoint()
        texts = await wire.texts()
        assert wire.losses == []
        statistics = wire.stream.statistics()
        assert texts.count("pong") == sum(what == "own" for what, *_ in operations)
        delivered = [name for name in texts if name != "pong"]
        assert len(delivered) + statistics.dropped + statistics.conflated == len(offered)
        critical = [name for priority, _, name in offered if priority is CRITICAL]
        assert [name for name in delivered if name in critical] == critical
        for priority in Priority:
            for key in "abc-":
                lane = [name for one, other, name in offered if (one, other) == (priority, key)]
                kept = [name for name in delivered if name in lane]
                assert kept == sorted(kept, key=int)
                if kept and priority is NORMAL and key != "-" and not statistics.dropped:
                    assert kept[-1] == lane[-1]
