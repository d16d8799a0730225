"""The keeper of the chain's history, with real files."""

from __future__ import annotations

import threading
from contextlib import asynccontextmanager

import pytest
import trio

from actors.desks import AddSeries, ReadSeries, SeriesKeeper, SeriesKept
from actors.desks.portal_series import PENDING_LIMIT, RETAIN_INTERVAL, Retain
from actors.runtime import ActorSystem, ChildSpec, Supervisor, ask
from config import HistorySettings
from domain.chain import DAY, HOUR, MINUTE, Cell
from storage import Series, StorageError
from telemetry import events

AT = 1_800_000_000
BEGIN = AT - AT % DAY


def cell(live: int = 1) -> Cell:
    return Cell(transactions=live, live=live, covered_ms=60_000, peak=float(live))


@pytest.fixture
def said(monkeypatch) -> list:
    heard: list = []
    monkeypatch.setattr(events, "series_failed", lambda **fields: heard.append(fields))
    monkeypatch.setattr(events, "series_begun", lambda **fields: heard.append(fields))
    return heard


@pytest.fixture
def run():
    @asynccontextmanager
    async def running(directory, **settings):
        spec = ChildSpec("series", SeriesKeeper, (directory, lambda: HistorySettings(**settings), lambda: BEGIN + DAY))
        async with ActorSystem.open() as system:
            root = system.start(Supervisor, "gateway", [spec])
            await system.settled(root)
            yield system.environment.registry.get("gateway/series")

    return running


async def lives(ref, span: int = MINUTE, limit: int = 10_000) -> dict[int, int]:
    kept = await ask(ref, ReadSeries(span, 0, 2 * AT, limit), 5.0)
    assert isinstance(kept, SeriesKept)
    return {at - BEGIN: cell.live for at, cell in kept.cells.items()}


@pytest.mark.parametrize("is_lasting", [True, False])
async def test_what_is_added_is_read_and_kept_where_there_is_a_directory(run, tmp_path, is_lasting):
    directory = tmp_path if is_lasting else None
    async with run(directory) as ref:
        assert await ask(ref, AddSeries({BEGIN: cell(1), BEGIN + MINUTE: cell(2)}, 5.0), 5.0) is True
        assert await lives(ref) == {0: 1, MINUTE: 2}
        assert await lives(ref, DAY) == {0: 3}
    async with run(directory) as ref:
        assert await lives(ref) == ({0: 1, MINUTE: 2} if is_lasting else {})


async def test_an_answer_says_when_its_newest_minutes_were_handed_over_and_that_there_are_more(run):
    async with run(None) as ref:
        await ask(ref, AddSeries({BEGIN + number * MINUTE: cell(number) for number in range(5)}, 7.5), 5.0)
        kept = await ask(ref, ReadSeries(MINUTE, BEGIN, BEGIN + HOUR, 2), 5.0)
        assert (kept.at, kept.has_more, list(kept.cells)) == (7.5, True, [BEGIN + 180, BEGIN + 240])


async def test_minutes_that_cannot_be_written_wait_and_are_written_when_the_disk_is_back(
    run, tmp_path, monkeypatch, said
):
    add = Series.add

    def broken(_self, _minutes):
        raise StorageError(tmp_path, "add", "planted", full=True)

    async with run(tmp_path) as ref:
        monkeypatch.setattr(Series, "add", broken)
        for number in range(3):
            assert await ask(ref, AddSeries({BEGIN + number * HOUR: cell(number + 1)}, 1.0), 5.0) is False
        # What waits is read as if it were written.
        assert await lives(ref, DAY) == {0: 6}
        assert [fields["reason"] for fields in said] == ["planted"]
        monkeypatch.setattr(Series, "add", add)
        assert await ask(ref, AddSeries({BEGIN: cell(10)}, 2.0), 5.0) is True
    async with run(tmp_path) as ref:
        assert await lives(ref, DAY) == {0: 16}


async def test_no_more_minutes_wait_than_the_limit(run, tmp_path, monkeypatch, said):
    def broken(_self, _minutes):
        raise StorageError(tmp_path, "add", "planted")

    async with run(tmp_path) as ref:
        monkeypatch.setattr(Series, "add", broken)
        many = {BEGIN + number * MINUTE: cell() for number in range(PENDING_LIMIT + 5)}
        await ask(ref, AddSeries(many, 1.0), 5.0)
        assert min(await lives(ref)) == 5 * MINUTE
        monkeypatch.undo()


async def test_a_history_that_cannot_be_opened_is_none_and_is_tried_again(run, tmp_path, said):
    directory = tmp_path / "data"
    directory.write_text("a file")
    async with run(directory) as ref:
        assert await ask(ref, ReadSeries(MINUTE, 0, AT, 5), 5.0) is None
        directory.unlink()
        assert await lives(ref) == {}
    assert len(said) == 1


async def test_a_damaged_history_is_said_and_a_new_one_begins(run, tmp_path, said):
    async with run(tmp_path) as ref:
        await ask(ref, AddSeries({BEGIN: cell()}, 1.0), 5.0)
    (tmp_path / "series.sqlite3").write_bytes(b"SQLite format 3\x00" + b"\xff" * 8192)
    async with run(tmp_path) as ref:
        assert await lives(ref) == {}
    assert "damaged" in said[0]["aside"]


async def test_what_is_too_old_goes_by_the_settings_and_in_memory_after_a_day(run, tmp_path):
    minutes = {BEGIN - number * DAY: cell() for number in range(4)}
    for directory, left in ((tmp_path, 2), (None, 1)):
        async with run(directory, minutes=2.5 * DAY) as ref:
            await ask(ref, AddSeries(minutes, 1.0), 5.0)
            ref.tell(Retain())
            assert len(await lives(ref)) in (left, 4)
            for _ in range(50):
                if len(await lives(ref)) == left:
                    break
                await trio.sleep(0.01)
            assert len(await lives(ref)) == left


async def test_it_looks_by_itself_each_hour(run, autojump_clock):
    async with run(None) as ref:
        await ask(ref, AddSeries({BEGIN - 3 * DAY: cell()}, 1.0), 5.0)
        await trio.sleep(RETAIN_INTERVAL + 1)
        assert await lives(ref) == {}


async def test_the_status_says_where_it_is_and_what_waits(run, tmp_path):
    async with run(tmp_path) as ref:
        await ask(ref, AddSeries({BEGIN: cell()}, float(AT)), 5.0)
        (told,) = [await ask(ref, _report(), 5.0)]
        assert told == {
            "path": str(tmp_path),
            "fault": None,
            "waiting": 0,
            "added": "2027-01-15T08:00:00.000Z",
            "unreadable": 0,
        }


def _report():
    from actors.runtime.actor import Report  # noqa: PLC0415 - the runtime's own question

    return Report()


async def test_nobody_waits_for_the_disk_of_the_history(run, tmp_path, monkeypatch):
    """The loop turns while the file works, so what is critical goes its own way."""
    disk = threading.Event()

    async with run(tmp_path) as ref:
        monkeypatch.setattr(Series, "add", lambda _self, _minutes: disk.wait(20.0))
        answers: list[object] = []
        async with trio.open_nursery() as nursery:

            async def add() -> None:
                answers.append(await ask(ref, AddSeries({BEGIN: cell()}, 1.0), 20.0))

            nursery.start_soon(add)
            for _ in range(100):
                await trio.sleep(0.001)
            assert answers == []
            disk.set()
        assert answers == [True]
