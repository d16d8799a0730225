"""The chain's history on disk, with a real file and a real process that is killed."""

from __future__ import annotations

import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.chain import DAY, HOUR, MINUTE, Cell, whole_of
from storage import Series, StorageError
from storage.series import NAME

AT = 1_800_000_000
BEGIN = AT - AT % DAY
ALL = (0, 2 * AT, 10_000)


def cell(live: int = 1, latency: float = 10.0) -> Cell:
    made = Cell(transactions=live, live=live, covered_ms=60_000, peak=float(live))
    made.latency.add(latency)
    return made


@pytest.fixture
def open_(tmp_path):
    made = []

    def opened(directory=tmp_path / "data", at=float(AT)) -> Series:
        series = Series.open(directory, at)
        made.append(series)
        return series

    yield opened
    for series in made:
        series._database.abandon()


def lives(series: Series, span: int, *, begin: float = 0, end: float = 2 * AT, limit: int = 10_000) -> dict[int, int]:
    return {at - BEGIN: cell.live for at, cell in series.read(span, begin, end, limit).cells.items()}


def test_minutes_are_in_their_hours_and_days_at_once(open_):
    series = open_()
    series.add({BEGIN: cell(1), BEGIN + MINUTE: cell(2), BEGIN + HOUR: cell(4), BEGIN + DAY: cell(8)})
    assert lives(series, MINUTE) == {0: 1, MINUTE: 2, HOUR: 4, DAY: 8}
    assert lives(series, HOUR) == {0: 3, HOUR: 4, DAY: 8}
    assert lives(series, DAY) == {0: 7, DAY: 8}


def test_what_comes_later_of_a_minute_is_added_to_it(open_):
    series = open_()
    for latency in (10, 20):
        series.add({BEGIN: cell(1, latency)})
    read = series.read(HOUR, *ALL).cells[BEGIN]
    assert (read.live, read.latency.count, read.latency.mean) == (2, 2, 15)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 3 * DAY), st.integers(0, 1000)), max_size=20), st.integers(1, 5))
def test_however_it_is_told_the_days_are_the_sum_of_the_minutes(told, parts):
    with closing(Series.open(None, AT)) as series:
        for number in range(parts):
            minutes: dict[int, Cell] = {}
            for at, live in told[number::parts]:
                minutes.setdefault(BEGIN + at - at % MINUTE, Cell()).merge(cell(live, live))
            series.add(minutes)
        read = [whole_of(series.read(span, *ALL).cells.values()) for span in (MINUTE, HOUR, DAY)]
        assert read[0] == read[1] == read[2] == whole_of(cell(live, live) for _, live in told)


def test_the_newest_rows_of_a_time_are_read_in_their_order_and_it_is_said_that_there_are_more(open_):
    series = open_()
    series.add({BEGIN + number * MINUTE: cell(number) for number in range(10)})
    read = series.read(MINUTE, BEGIN + MINUTE, BEGIN + 5 * MINUTE, 3)
    assert [one.live for one in read.cells.values()] == [2, 3, 4]
    assert read.has_more
    assert not series.read(MINUTE, BEGIN + MINUTE, BEGIN + 5 * MINUTE, 4).has_more


def test_what_was_added_is_there_after_a_restart_and_is_nobody_else_s_business(open_, tmp_path):
    series = open_()
    series.add({BEGIN: cell(5)})
    series.close()
    assert lives(open_(), DAY) == {0: 5}
    assert stat.S_IMODE((tmp_path / "data" / NAME).stat().st_mode) == 0o600


def test_what_is_too_old_is_deleted_by_its_span(open_):
    series = open_()
    series.add({BEGIN - number * DAY: cell() for number in range(5)})
    kept = {MINUTE: 1.5 * DAY, HOUR: 2.5 * DAY, DAY: 100.0 * DAY}
    assert not series.retain(kept, BEGIN)
    assert [len(series.read(span, *ALL).cells) for span in kept] == [2, 3, 5]


def test_a_long_retention_is_done_in_steps(open_, monkeypatch):
    monkeypatch.setattr("storage.series.STEP", 2)
    series = open_()
    series.add({BEGIN + number * MINUTE: cell() for number in range(5)})
    kept = {MINUTE: float(DAY)}
    assert [series.retain(kept, BEGIN + 10 * DAY) for _ in range(3)] == [True, True, False]
    assert lives(series, MINUTE) == {}


def test_a_row_that_the_disk_has_changed_is_left_out_and_counted(open_, tmp_path):
    series = open_()
    series.add({BEGIN: cell(1), BEGIN + MINUTE: cell(2)})
    series.close()
    with closing(sqlite3.connect(tmp_path / "data" / NAME)) as connection:
        connection.execute("UPDATE series SET cell = 'x' || substr(cell, 2) WHERE at = ? AND span = 60", (BEGIN,))
        connection.commit()
    series = open_()
    assert lives(series, MINUTE) == {MINUTE: 2}
    assert series.unreadable == 1
    series.add({BEGIN: cell(7)})
    assert lives(series, MINUTE) == {0: 7, MINUTE: 2}


def test_a_damaged_file_is_put_aside_and_what_can_be_read_is_taken_along(open_, tmp_path):
    series = open_()
    series.add({BEGIN + number * MINUTE: cell(1) for number in range(600)})
    series.close()
    path = tmp_path / "data" / NAME
    with path.open("r+b") as file:
        file.seek(-2 * 4096, 2)
        file.write(b"\xff" * 4096)
    series = open_()
    assert series.aside is not None
    assert series.aside.exists()
    assert series.aside.name == f"{NAME}.damaged-20270115T080000Z"
    assert 0 < len(lives(series, MINUTE)) <= 600
    series.add({BEGIN + DAY: cell(9)})
    assert lives(series, DAY)[DAY] == 9


def test_the_file_of_another_program_is_left_alone(open_, tmp_path):
    (tmp_path / "data").mkdir()
    with closing(sqlite3.connect(tmp_path / "data" / NAME)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
        connection.commit()
    with pytest.raises(StorageError, match="another program"):
        open_()


def test_a_directory_that_cannot_be_made_is_said(open_, tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(StorageError):
        open_()


def test_it_says_what_it_takes_on_the_disk(open_):
    assert open_().size() > 0


KILLED = """
import sys
from pathlib import Path
from domain.chain import Cell
from storage import Series

series = Series.open(Path(sys.argv[1]), 0.0)
for number in range(100_000):
    series.add({1_800_000_000 + number * 60: Cell(transactions=1, live=1)})
    print(number, flush=True)
"""


def test_what_was_added_survives_a_kill_at_any_moment_and_is_in_all_spans_alike(open_, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "data")], stdout=subprocess.PIPE, text=True
    )
    with process:
        told = -1
        while told < 25:
            told = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        told = max([told, *(int(line) for line in process.stdout if line.endswith("\n"))])
    series = open_()
    sums = [whole_of(series.read(span, 0, 2 * AT, 200_000).cells.values()).live for span in (MINUTE, HOUR, DAY)]
    assert sums[0] == sums[1] == sums[2] >= told + 1
