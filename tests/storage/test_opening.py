import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing, suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import Priority
from storage import StorageError, verify
from storage.chain import START, Lane
from storage.database import Database, migrations
from storage.opening import doubt, make_private
from storage.state import Known, read_known
from tests.storage.harm import lose_number

CRITICAL, HIGH, NORMAL, LOW = Priority
AT = 1_795_240_800.0


@pytest.fixture
def left(opened, entry, tmp_path):
    """A journal with two critical records that was closed; its directory and its epoch."""
    journal = opened()
    journal.append([entry(), entry(HIGH), entry()])
    journal.close()
    return tmp_path / "data", journal.epoch


def test_the_file_alone_put_elsewhere_is_another_life_of_the_log_that_goes_on_counting(left, opened, entry, tmp_path):
    directory, epoch = left
    (tmp_path / "copy").mkdir()
    shutil.copy(directory / "journal.sqlite3", tmp_path / "copy")
    journal = opened(tmp_path / "copy")
    assert (journal.begun.reason, journal.critical) == ("copied", 2)
    assert journal.epoch != epoch
    assert journal.append([entry()])[0].critical == 3
    assert verify(tmp_path / "copy").is_intact
    assert opened(directory).epoch == epoch


def test_a_copy_of_the_whole_directory_is_another_life_of_the_log(left, opened, tmp_path):
    directory, epoch = left
    shutil.copytree(directory, tmp_path / "copy")
    journal = opened(tmp_path / "copy")
    assert (journal.begun.reason, journal.critical) == ("copied", 2)
    assert journal.epoch != epoch


def test_an_older_file_that_was_put_back_in_place_has_lost_its_newest_records(left, opened, entry):
    directory, epoch = left
    older = (directory / "journal.sqlite3").read_bytes()
    journal = opened()
    journal.append([entry()])
    journal.close()
    (directory / "journal.sqlite3").write_bytes(older)
    journal = opened()
    assert (journal.begun.reason, journal.critical) == ("lost", 2)
    assert journal.epoch != epoch


def test_another_history_with_the_same_numbers_is_another_life_of_the_log(left, opened, entry):
    directory, epoch = left
    file, state = directory / "journal.sqlite3", directory / "journal.state"
    before = (file.read_bytes(), state.read_bytes())
    histories = []
    for _ in range(2):
        file.write_bytes(before[0])
        state.write_bytes(before[1])
        journal = opened()
        journal.append([entry()])
        journal.close()
        histories.append(file.read_bytes())
    file.write_bytes(histories[0])
    journal = opened()
    assert (journal.begun.reason, journal.critical) == ("copied", 3)
    assert journal.epoch != epoch


def test_a_journal_without_the_note_beside_it_is_not_provably_the_same(left, opened):
    directory, epoch = left
    (directory / "journal.state").unlink()
    journal = opened()
    assert (journal.begun.reason, journal.critical) == ("copied", 2)
    assert journal.epoch != epoch


def test_where_the_file_is_gone_a_new_one_begins_and_it_is_said(left, opened, entry):
    directory, epoch = left
    (directory / "journal.sqlite3").unlink()
    journal = opened()
    assert (journal.begun.reason, journal.critical) == ("lost", 0)
    assert journal.epoch != epoch
    assert journal.append([entry()])[0].critical == 1


def broken_page(raw: bytearray) -> None:
    raw[4096 * 3 : 4096 * 4] = os.urandom(4096)


def broken_head(raw: bytearray) -> None:
    raw[:100] = b"x" * 100


def cut_off(raw: bytearray) -> None:
    del raw[4096 * 3 + 77 :]


def lost_number(raw: bytearray) -> None:
    lose_number(raw, 3)


@pytest.mark.parametrize("harm", [broken_page, broken_head, cut_off, lost_number])
def test_a_damaged_journal_is_put_aside_and_a_new_one_begins(left, opened, entry, harm):
    directory, epoch = left
    raw = bytearray((directory / "journal.sqlite3").read_bytes())
    harm(raw)
    (directory / "journal.sqlite3").write_bytes(raw)
    # As after a power cut: what was closed in order is not looked at page by page.
    known = read_known(directory)
    (directory / "journal.state").write_bytes(Known(known.epoch, known.critical, known.hash, known.file).line())
    journal = opened()
    aside = directory / "journal.sqlite3.damaged-20261121T060000Z"
    assert (journal.begun.reason, journal.begun.aside) == ("damaged", aside)
    assert journal.begun.detail
    assert journal.epoch != epoch
    assert aside.read_bytes() == raw
    assert journal.append([entry()])[0].critical == 1
    journal.close()
    assert opened().begun is None


def test_a_second_damaged_journal_of_the_same_second_takes_nothings_place(left, opened):
    directory, _ = left
    for _ in range(2):
        (directory / "journal.sqlite3").write_bytes(b"rubbish" * 1000)
        opened().close()
    assert {path.name for path in directory.glob("*damaged*")} == {
        "journal.sqlite3.damaged-20261121T060000Z",
        "journal.sqlite3.damaged-20261121T060000Z-2",
    }


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM records WHERE number = 3",
        "UPDATE records SET hash = zeroblob(32) WHERE number = 3",
        "UPDATE lanes SET size = 7 WHERE priority = 1",
        "DELETE FROM lanes WHERE priority = 3",
        "INSERT INTO journal VALUES ('j2')",
    ],
)
def test_an_account_that_does_not_fit_the_records_is_damage(left, opened, statement):
    directory, _ = left
    with closing(sqlite3.connect(directory / "journal.sqlite3")) as connection, connection:
        connection.execute(statement)
    assert opened().begun.reason == "damaged"


def test_damage_that_shows_while_it_runs_is_looked_for_at_the_next_opening(left, opened, entry):
    directory, _ = left
    with closing(sqlite3.connect(directory / "journal.sqlite3")) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'records_by_channel'").fetchone()
    raw = bytearray((directory / "journal.sqlite3").read_bytes())
    raw[(page - 1) * 4096 : (page - 1) * 4096 + 60] = b"\xff" * 60
    (directory / "journal.sqlite3").write_bytes(raw)
    journal = opened()
    assert journal.begun is None
    with pytest.raises(StorageError, match="malformed") as failed:
        journal.append([entry()])
    assert failed.value.damaged
    assert journal.critical == 2
    journal.close()
    assert opened().begun.reason == "damaged"


def test_damage_that_no_check_finds_does_not_come_back_for_ever(left, opened, entry):
    directory, _ = left
    with closing(sqlite3.connect(directory / "journal.sqlite3")) as connection, connection:
        connection.execute("CREATE TRIGGER harm BEFORE INSERT ON records BEGIN SELECT RAISE(ABORT, 'no'); END")
    reasons = []
    for _ in range(4):
        journal = opened()
        reasons.append(journal.begun and journal.begun.reason)
        with suppress(StorageError):
            journal.append([entry()])
        journal.close()
    assert reasons == [None, None, "damaged", None]


def test_a_journal_of_a_newer_program_is_refused_in_words_and_left_alone(left, opened):
    directory, epoch = left
    with closing(sqlite3.connect(directory / "journal.sqlite3")) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = (directory / "journal.sqlite3").read_bytes()
    with pytest.raises(StorageError, match=r"a newer andond wrote it \(version 99, this one knows \d+\)") as refused:
        opened()
    assert refused.value.needs_operator
    assert (directory / "journal.sqlite3").read_bytes() == before
    with closing(sqlite3.connect(directory / "journal.sqlite3")) as connection:
        connection.execute(f"PRAGMA user_version = {len(migrations())}")
    assert opened().epoch == epoch


def test_a_database_of_another_program_is_refused_and_left_alone(opened, tmp_path):
    (tmp_path / "data").mkdir()
    with closing(sqlite3.connect(tmp_path / "data" / "journal.sqlite3")) as connection:
        connection.execute("CREATE TABLE other (x)")
    with pytest.raises(StorageError, match="a database of another program; move it away") as refused:
        opened()
    assert refused.value.needs_operator


def test_a_directory_that_cannot_be_made_or_is_none_is_refused_in_words(opened, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot make: Not a directory") as refused:
        opened(tmp_path / "file" / "data")
    assert refused.value.needs_operator
    (tmp_path / "data" / "journal.sqlite3").mkdir(parents=True)
    with pytest.raises(StorageError, match="cannot open: Is a directory"):
        opened()
    shutil.rmtree(tmp_path / "data")
    (tmp_path / "data" / "journal.state").mkdir(parents=True)
    with pytest.raises(StorageError, match="cannot open: Is a directory"):
        opened()


KNOWN = Known("j1", 7, b"7" * 32, 42)
LANE = Lane(CRITICAL, deleted=5, deleted_hash=b"5" * 32, newest=9, newest_hash=b"9" * 32)


@pytest.mark.parametrize(
    ("known", "lane", "reason"),
    [
        (KNOWN, LANE, None),
        (None, LANE, "copied"),
        (Known("j2", 7, b"7" * 32, 42), LANE, "copied"),
        (Known("j1", 7, b"7" * 32, 43), LANE, "copied"),
        (Known("j1", 7, b"x" * 32, 42), LANE, "copied"),
        (Known("j1", 10, b"x" * 32, 42), LANE, "lost"),
        (Known("j1", 5, b"5" * 32, 42), LANE, None),
        (Known("j1", 5, b"x" * 32, 42), LANE, "copied"),
        (Known("j1", 4, b"x" * 32, 42), LANE, None),
        (Known("j1", 0, START, 42), Lane(CRITICAL), None),
    ],
)
def test_what_makes_a_log_another_one(known, lane, reason):
    hashes = {place: str(place).encode() * 32 for place in range(6, 10)}
    assert doubt(known, "j1", lane, 42, hashes.get) == reason


@pytest.mark.parametrize("known", [KNOWN, Known("j1", 0, START, 1, is_closed=True), Known("j1", 1, START, 1, doubts=2)])
def test_what_is_known_fits_a_sector_and_reads_back(known):
    line = known.line()
    assert len(line) == 512
    assert Known.parse(line) == known


@pytest.mark.parametrize(
    "line", [b"", bytes(512), KNOWN.line()[:90], KNOWN.line().replace(b" 7 ", b" 8 "), b"\xff" * 512]
)
def test_what_is_not_whole_is_not_known(line):
    assert Known.parse(line) is None


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 2**32), bit=st.integers(0, 7))
def test_whatever_bit_flips_the_journal_is_written_again_after_three_openings_at_most(
    left, opened, entry, position, bit
):
    directory, _ = left
    file, state = directory / "journal.sqlite3", directory / "journal.state"
    pristine, known = file.read_bytes(), state.read_bytes()
    raw = bytearray(pristine)
    raw[position % len(raw)] ^= 1 << bit
    file.write_bytes(raw)
    try:
        for is_last in (False, False, True):
            journal = None
            try:
                journal = opened()
                journal.append([entry()])
                journal.retain(AT)
                break
            except StorageError as error:
                if is_last or error.needs_operator:
                    assert error.needs_operator, error  # noqa: PT017 - one of several ends
                    break
                assert error.damaged, error  # noqa: PT017 - as above
            finally:
                if journal is not None:
                    with suppress(StorageError):
                        journal.close()
    finally:
        for path in directory.glob("journal.sqlite3?*"):
            path.unlink()
        file.write_bytes(pristine)
        state.write_bytes(known)


def test_who_makes_a_file_private_again_keeps_the_locks_that_sqlite_has_on_it(tmp_path):
    path = tmp_path / "access.db"
    make_private(path)
    with closing(Database.open(path)) as database, database.transaction("hold", is_synced=True):
        path.chmod(0o644)
        make_private(path)
        code = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('PRAGMA journal_mode = DELETE')"
        other = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
        assert "database is locked" in other.stderr
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
