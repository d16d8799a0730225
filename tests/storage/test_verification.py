"""Whatever one does to a journal's records behind its back is found, and the first bad record is named."""

# ruff: noqa: S608 - the names of columns are this file's own

import os
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from domain import Event, Priority
from storage import Entry, Journal, Keep, StorageError, verify
from tests.storage.harm import lose_number

CRITICAL, HIGH, NORMAL, LOW = Priority
COLUMNS = {
    "number": int, "priority": int, "place": int, "channel": str, "source": str, "id": str, "at": float,
    "recorded": float, "size": int, "event": str, "hash": bytes,
}  # fmt: skip
ACCOUNT = {
    "deleted": int, "deleted_hash": bytes, "newest": int, "newest_hash": bytes, "number": int, "size": int,
    "seal": bytes,
}  # fmt: skip
RECORDS = 40
AT = 1_795_240_800.0
PRIORITIES = [Priority((number * number + number // 3) % 4) for number in range(RECORDS)]


@pytest.fixture(scope="module")
def pristine(tmp_path_factory) -> Path:
    """A journal of forty records in four lanes, the first of each already deleted by retention; nobody has it open."""
    directory = tmp_path_factory.mktemp("pristine")
    keep = {priority: Keep(10.0, 1 << 30) for priority in Priority}
    with closing(Journal.open(directory, keep, reserve=0, at=AT)) as journal:
        events = [
            Event(str(number), "/acme/press3", "andon.call.raised", {"n": number}, AT, priority)
            for number, priority in enumerate(PRIORITIES)
        ]
        journal.append([Entry(event, "andon/acme/press3", AT - 20.0 * (n < 9)) for n, event in enumerate(events)])
        assert sum(journal.retain(AT).deleted.values()) == 9
    with closing(sqlite3.connect(directory / "journal.sqlite3")) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("DROP INDEX records_by_place")
    return directory / "journal.sqlite3"


class Copy:
    """A copy of the journal that can be changed."""

    def __init__(self, pristine: Path, path: Path) -> None:
        self.path = shutil.copyfile(pristine, path)
        with closing(sqlite3.connect(path)) as connection:
            rows = connection.execute("SELECT number, priority, place, at FROM records ORDER BY number").fetchall()
        self.rows = [(number, Priority(priority), place, at) for number, priority, place, at in rows]

    def change(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            changed = connection.execute(statement, values).rowcount
            assert changed == 1

    def first(self) -> tuple[str, Priority | None, int | None]:
        report = verify(self.path)
        assert not report.is_intact
        return (report.findings[0].what, report.findings[0].priority, report.findings[0].place)


@pytest.fixture
def copy(pristine, tmp_path):
    return lambda: Copy(pristine, tmp_path / "copy.sqlite3")


def flipped(value, kind, bit: int):
    """``value`` with one bit turned over; a text stays one."""
    if kind is int:
        return value ^ (1 << bit % 16)
    if kind is float:
        (turned,) = struct.unpack(
            "<d", (struct.unpack("<Q", struct.pack("<d", value))[0] ^ (1 << bit % 52)).to_bytes(8, "little")
        )
        return turned
    raw = bytearray(value if kind is bytes else value.encode())
    raw[bit // 8 % len(raw)] ^= 1 << bit % (8 if kind is bytes else 5)
    return bytes(raw) if kind is bytes else raw.decode("latin-1")


ONE_COPY = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_a_journal_that_nobody_touched_is_intact(copy):
    report = verify(copy().path)
    assert report.is_intact
    assert (report.records, report.critical) == (RECORDS - 9, PRIORITIES.count(CRITICAL))


@ONE_COPY
@given(st.integers(0, RECORDS - 10), st.sampled_from(list(COLUMNS)), st.integers(0, 511))
def test_a_flipped_bit_is_found_in_every_column_and_the_record_is_named(copy, which, column, bit):
    journal = copy()
    number, priority, place, _ = journal.rows[which]
    with closing(sqlite3.connect(journal.path)) as connection:
        value = connection.execute(f"SELECT {column} FROM records WHERE number = ?", (number,)).fetchone()[0]
    turned = flipped(value, COLUMNS[column], bit)
    if column == "number" and turned in {row[0] for row in journal.rows}:
        turned += 1 << 20
    journal.change(f"UPDATE records SET {column} = ? WHERE number = ?", turned, number)
    assert journal.first() == ("changed", priority, place)


@ONE_COPY
@given(st.integers(0, RECORDS - 10))
def test_a_deleted_record_is_named_as_missing(copy, which):
    journal = copy()
    number, priority, place, _ = journal.rows[which]
    journal.change("DELETE FROM records WHERE number = ?", number)
    assert journal.first() == ("missing", priority, place)


@pytest.mark.parametrize("swapped", ["place", "number", "event", "event, id, hash", "priority, place", "at"])
@ONE_COPY
@given(pair=st.lists(st.integers(0, RECORDS - 10), min_size=2, max_size=2, unique=True).map(sorted))
def test_two_records_that_changed_places_are_found_and_one_of_them_is_named(copy, swapped, pair):
    journal = copy()
    (first, *one), (second, *other) = journal.rows[pair[0]], journal.rows[pair[1]]
    if swapped == "at" and one[2] == other[2]:
        return
    if swapped == "place" and one[1] == other[1]:
        return
    columns = swapped.split(", ")
    with closing(sqlite3.connect(journal.path)) as connection, connection:
        read = f"SELECT {swapped} FROM records WHERE number = ?"
        a, b = (connection.execute(read, (number,)).fetchone() for number in (first, second))
        if swapped == "number":
            connection.execute("UPDATE records SET number = -1 WHERE number = ?", (first,))
            connection.execute("UPDATE records SET number = ? WHERE number = ?", (first, second))
            connection.execute("UPDATE records SET number = ? WHERE number = -1", (second,))
        else:
            write = f"UPDATE records SET {', '.join(f'{column} = ?' for column in columns)} WHERE number = ?"
            connection.execute(write, (*b, first))
            connection.execute(write, (*a, second))
    what, priority, place = journal.first()
    assert what == "changed"
    assert (priority, place) in {tuple(one[:2]), tuple(other[:2])}


@pytest.mark.parametrize("priority", Priority)
@pytest.mark.parametrize("count", [1, 3])
def test_a_lane_whose_end_was_cut_off_has_a_missing_record(copy, priority, count):
    journal = copy()
    ends = [row for row in journal.rows if row[1] is priority][-count:]
    for number, *_ in ends:
        journal.change("DELETE FROM records WHERE number = ?", number)
    assert journal.first() == ("missing", priority, ends[0][2])


@pytest.mark.parametrize("priority", Priority)
@pytest.mark.parametrize("column", ACCOUNT)
def test_a_changed_account_is_found_and_does_not_make_good_records_look_bad(copy, priority, column):
    journal = copy()
    with closing(sqlite3.connect(journal.path)) as connection:
        (value,) = connection.execute(f"SELECT {column} FROM lanes WHERE priority = ?", (int(priority),)).fetchone()
    turned = flipped(value, ACCOUNT[column], 3)
    journal.change(f"UPDATE lanes SET {column} = ? WHERE priority = ?", turned, int(priority))
    findings = verify(journal.path).findings
    assert [(one.what, one.priority, one.place) for one in findings] == [("changed", priority, None)]


@pytest.mark.parametrize("field", [1, 2, 3])
def test_a_number_of_the_account_that_the_file_no_longer_holds_is_found(copy, field):
    journal = copy()
    raw = bytearray(journal.path.read_bytes())
    lose_number(raw, field)
    journal.path.write_bytes(raw)
    assert "changed" in {one.what for one in verify(journal.path).findings}


def test_a_missing_account_and_another_epoch_are_found(copy):
    journal = copy()
    journal.change("DELETE FROM lanes WHERE priority = 2")
    assert [(one.what, one.priority) for one in verify(journal.path).findings] == [("missing", NORMAL)]
    journal = copy()
    journal.change("UPDATE journal SET epoch = 'j0'")
    assert {one.what for one in verify(journal.path).findings} == {"changed"}


def test_a_record_that_nobody_wrote_is_found(copy):
    journal = copy()
    number, priority, place, _ = journal.rows[-1]
    names = ", ".join(name for name in COLUMNS if name not in {"number", "place"})
    journal.change(
        f"INSERT INTO records (number, place, {names}) SELECT 1000, ?, {names} FROM records WHERE number = ?",
        place + 1,
        number,
    )
    assert journal.first() == ("changed", priority, place + 1)


def test_faults_of_two_priorities_are_both_told_and_the_first_one_first(copy):
    journal = copy()
    (later, earlier) = (
        next(row for row in journal.rows[start:] if row[1] is one) for start, one in ((20, HIGH), (3, LOW))
    )
    journal.change("UPDATE records SET id = 'x' WHERE number = ?", later[0])
    journal.change("UPDATE records SET id = 'x' WHERE number = ?", earlier[0])
    findings = verify(journal.path).findings
    assert [(one.what, one.priority, one.place, one.number, one.at) for one in findings] == [
        ("changed", LOW, earlier[2], earlier[0], AT),
        ("changed", HIGH, later[2], later[0], AT),
    ]


def contents(path: Path) -> list[list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        return [connection.execute(f"SELECT * FROM {name}").fetchall() for name in ("journal", "lanes", "records")]


@given(st.integers(0, 2**32), st.integers(0, 7))
@example(position=3676, bit=7).via("a name in the schema that is no text any more")
@ONE_COPY
def test_a_flipped_bit_in_the_file_is_found_wherever_it_matters(copy, pristine, position, bit):
    journal = copy()
    raw = bytearray(journal.path.read_bytes())
    position %= len(raw)
    raw[position] ^= 1 << bit
    journal.path.write_bytes(raw)
    try:
        report = verify(journal.path)
    except StorageError:
        return
    if report.is_intact:
        # The bit lies where nothing is written, or says nothing of a record.
        assert contents(journal.path) == contents(pristine)


def test_a_truncated_file_is_damaged(copy):
    journal = copy()
    raw = journal.path.read_bytes()
    journal.path.write_bytes(raw[: len(raw) // 2 // 4096 * 4096])
    with pytest.raises(StorageError, match="malformed") as failed:
        verify(journal.path)
    assert failed.value.damaged


def test_it_reads_while_the_journal_is_written_and_writes_nothing(opened, entry, tmp_path):
    journal = opened()
    journal.append([entry(one) for one in (CRITICAL, NORMAL, HIGH)])
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "data").iterdir() if "shm" not in path.name}
    report = verify(tmp_path / "data")
    assert (report.is_intact, report.records, report.epoch, report.critical) == (True, 3, journal.epoch, 1)
    assert before == {
        path.name: path.stat().st_mtime_ns for path in (tmp_path / "data").iterdir() if "shm" not in path.name
    }
    journal.append([entry()])
    assert verify(tmp_path / "data").critical == 2


def test_records_that_come_and_go_between_two_slices_are_no_fault(opened, entry, tmp_path):
    journal = opened(keep={NORMAL: Keep(100.0, 1 << 30), HIGH: Keep(1e9, 1 << 30)})
    journal.append([entry(one, at=5.0) for one in (NORMAL, CRITICAL, NORMAL, NORMAL, HIGH, NORMAL)])
    from storage.proof import Proof  # noqa: PLC0415 - to look over its shoulder

    taken = []
    take = Proof.take

    def interrupted(proof, record):
        take(proof, record)
        taken.append(record.number)
        if record.number == 2:
            assert journal.retain(1000.0).deleted == {NORMAL: 4}
            journal.append([entry(NORMAL, at=2000.0), entry()])

    with patch("storage.verification.SLICE", 2), patch.object(Proof, "take", interrupted):
        report = verify(tmp_path / "data")
    assert report.findings == ()
    assert taken == [1, 2, 5, 7, 8]


def test_newest_records_that_the_daemon_knew_of_and_the_file_does_not_are_missing(opened, entry, tmp_path):
    journal = opened()
    journal.append([entry(), entry()])
    journal.close()
    older = (tmp_path / "data" / "journal.sqlite3").read_bytes()
    journal = opened()
    journal.append([entry(), entry()])
    journal.close()
    (tmp_path / "data" / "journal.sqlite3").write_bytes(older)
    (finding,) = verify(tmp_path / "data").findings
    assert (finding.what, finding.priority, finding.place) == ("missing", CRITICAL, 3)
    assert "up to 4" in finding.detail


def test_where_no_journal_is_that_is_said(tmp_path):
    with pytest.raises(StorageError, match="there is no journal"):
        verify(tmp_path)
    (tmp_path / "journal.sqlite3").write_bytes(b"something else " * 1000)
    with pytest.raises(StorageError, match="not a database"):
        verify(tmp_path)
    (tmp_path / "journal.sqlite3").unlink()
    with closing(sqlite3.connect(tmp_path / "journal.sqlite3")) as connection:
        connection.execute("CREATE TABLE other (x)")
    with pytest.raises(StorageError, match="no journal of andond"):
        verify(tmp_path)


READER = """
import os, sys
from pathlib import Path
from storage import verify

verify(Path(sys.argv[1]) / "one")
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
print(verify(Path(sys.argv[1]) / "two").is_intact)
"""


def test_who_may_only_read_the_journal_can_verify_it(pristine):
    with tempfile.TemporaryDirectory() as name:
        for part in ("one", "two"):
            (Path(name) / part).mkdir()
            shutil.copyfile(pristine, Path(name) / part / "journal.sqlite3").chmod(0o444)
            (Path(name) / part).chmod(0o555)
        Path(name).chmod(0o755)
        told = subprocess.run([sys.executable, "-c", READER, name], capture_output=True, text=True, check=True)
        assert told.stdout == "True\n"
        (Path(name) / "one").chmod(0o755)
        (Path(name) / "two").chmod(0o755)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can verify the journal of somebody else")
def test_the_files_that_root_leaves_behind_belong_to_whom_the_journal_does(opened, entry, tmp_path):
    journal = opened()
    journal.append([entry()])
    journal.close()
    os.chown(tmp_path / "data" / "journal.sqlite3", 65534, 65534)
    assert verify(tmp_path / "data").is_intact
    assert {path.stat().st_uid for path in (tmp_path / "data").glob("journal.sqlite3*")} == {65534}
