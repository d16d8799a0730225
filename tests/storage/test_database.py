import sqlite3
from contextlib import closing

import pytest

from storage import StorageError
from storage.database import APPLICATION, Database, migrations


@pytest.fixture
def database(tmp_path):
    with closing(Database.open(tmp_path / "x.sqlite3")) as database:
        yield database


def pragma(database: Database, name: str) -> object:
    return database.rows("look", f"PRAGMA {name}")[0][0]


def test_every_migration_is_done_once_and_in_order(tmp_path, monkeypatch):
    def steps(count: int) -> tuple[str, ...]:
        return (*migrations(), *(f"CREATE TABLE step{number} (x);" for number in range(2, count + 1)))

    with closing(Database.open(tmp_path / "x.sqlite3")) as database:
        assert pragma(database, "user_version") == len(migrations())
        assert pragma(database, "application_id") == APPLICATION
    later = steps(4)
    monkeypatch.setattr("storage.database.migrations", lambda: later)
    for _ in range(2):
        with closing(Database.open(tmp_path / "x.sqlite3")) as database:
            assert pragma(database, "user_version") == len(later)
            assert database.rows("look", "SELECT * FROM step4") == []


def test_a_migration_that_fails_is_done_in_no_part(tmp_path, monkeypatch):
    good = migrations()
    monkeypatch.setattr("storage.database.migrations", lambda: (*good, "CREATE TABLE half (x); CREATE TABLE half (x);"))
    with pytest.raises(StorageError, match="half already exists"):
        Database.open(tmp_path / "x.sqlite3")
    monkeypatch.setattr("storage.database.migrations", lambda: good)
    with closing(Database.open(tmp_path / "x.sqlite3")) as database:
        assert pragma(database, "user_version") == len(good)
        with pytest.raises(StorageError, match="no such table"):
            database.rows("look", "SELECT * FROM half")


def test_the_names_of_migrations_are_numbered_without_a_hole():
    from importlib import resources  # noqa: PLC0415

    names = sorted(path.name for path in (resources.files("storage") / "migrations").iterdir())
    assert [name[:4] for name in names] == [f"{number:04}" for number in range(1, len(names) + 1)]


def test_a_transaction_is_synced_as_it_says(database):
    for is_synced in (False, True, True, False):
        with database.transaction("try", is_synced=is_synced):
            assert pragma(database, "synchronous") == (2 if is_synced else 1)
    assert pragma(database, "journal_mode") == "wal"


def test_a_transaction_that_fails_is_undone_whatever_failed(database):
    def write(table: str) -> None:
        with database.transaction("try", is_synced=False):
            database.write("INSERT INTO journal VALUES (?)", [("j1",)])
            if not table:
                raise ZeroDivisionError
            database.write(f"INSERT INTO {table} VALUES (?)", [("j1",)])  # noqa: S608 - our own name

    with pytest.raises(ZeroDivisionError):
        write("")
    with pytest.raises(StorageError, match="cannot try: ") as failed:
        write("nowhere")
    assert (failed.value.full, failed.value.operation) == (False, "try")
    assert database.rows("look", "SELECT * FROM journal") == []


def test_a_writer_who_does_not_let_go_is_told(database, tmp_path):
    with closing(sqlite3.connect(tmp_path / "x.sqlite3")) as other:
        other.execute("PRAGMA busy_timeout = 0")
        other.execute("BEGIN IMMEDIATE")
        database.rows("wait no longer", "PRAGMA busy_timeout = 1")
        with pytest.raises(StorageError, match="database is locked"), database.transaction("try", is_synced=True):
            pass
    with database.transaction("try", is_synced=True):
        pass


def test_the_log_is_moved_when_it_has_grown_and_not_before(database, tmp_path):
    log, file = tmp_path / "x.sqlite3-wal", tmp_path / "x.sqlite3"

    def write(count: int) -> int:
        before = file.stat().st_size
        with database.transaction("try", is_synced=False):
            database.write("INSERT INTO journal VALUES (?)", [("x" * 2000,)] * count)
        database.move_log(is_due=False)
        return file.stat().st_size - before

    database.move_log(is_due=True)
    assert write(100) == 0
    assert log.stat().st_size > 100 * 2000
    assert write(1000) > 1000 * 2000
    assert write(100) == 0


def test_the_faults_of_a_sound_file_are_none(database):
    assert database.faults(is_thorough=False) == database.faults(is_thorough=True) == []


def test_a_table_that_is_not_as_it_was_made_is_damage_and_one_that_was_added_is_not(tmp_path):
    Database.open(tmp_path / "x.sqlite3").close()
    with closing(sqlite3.connect(tmp_path / "x.sqlite3")) as connection, connection:
        connection.execute("CREATE VIEW calls AS SELECT event FROM records WHERE priority = 0")
    Database.open(tmp_path / "x.sqlite3").close()
    with closing(sqlite3.connect(tmp_path / "x.sqlite3")) as connection, connection:
        connection.execute("ALTER TABLE lanes RENAME COLUMN size TO sizf")
    with pytest.raises(StorageError, match="its schema was changed: lanes") as failed:
        Database.open(tmp_path / "x.sqlite3")
    assert failed.value.damaged
