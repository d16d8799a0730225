import sqlite3
from contextlib import closing

import pytest

from domain import Priority, Row
from storage import KeptState, StorageError
from storage.opening import NAME

HIGH = Priority.HIGH


def put(key: str, value: object = 1, kind: str = "call") -> Row:
    return Row(kind, key, {"value": value})


def kept(journal, kind: str = "call") -> dict[str, object]:
    return {key: value["value"] for key, value in journal.state(kind).values}


def test_what_was_kept_is_there_after_a_restart_each_thing_as_it_was_last(opened, entry):
    journal = opened()
    journal.append([entry()], [put("b"), put("a", "Grüße"), put("b", [2, None, {"x": 3.5}]), put("other", kind="job")])
    journal.append([], [put("a", "Tschüß")])
    journal.close()
    assert kept(opened()) == {"a": "Tschüß", "b": [2, None, {"x": 3.5}]}


def test_rows_are_read_by_their_kind_in_the_order_of_their_keys(opened):
    journal = opened()
    journal.append([], [put("c"), put("a"), put("b"), put("a", kind="job")])
    assert [key for key, _ in journal.state("call").values] == ["a", "b", "c"]
    assert journal.state("job") == KeptState((("a", {"value": 1}),))
    assert journal.state("none of it") == KeptState(())


def test_a_row_without_a_value_is_no_more(opened):
    journal = opened()
    journal.append([], [put("a"), put("b")])
    journal.append([], [Row("call", "a", None), Row("call", "never there", None)])
    journal.append([], [put("c"), Row("call", "c", None)])
    journal.append([], [Row("call", "b", None), put("b", 2)])
    assert kept(journal) == {"b": 2}


def test_an_event_that_cannot_be_written_takes_its_rows_with_it(opened, entry):
    journal = opened()
    journal.append([], [put("a", "before")])
    with pytest.raises(ValueError, match="surrogate"):
        journal.append([entry(), entry(id="\ud800")], [put("a", "after")])
    with pytest.raises(TypeError):
        journal.append([entry()], [put("a", object())])
    with pytest.raises(ValueError, match="surrogate"):
        journal.append([entry()], [put("\ud800")])
    assert kept(journal) == {"a": "before"}
    assert journal.critical == 0


def test_rows_are_kept_beside_events_that_are_not(opened, entry, keep):
    del keep[HIGH]
    journal = opened(keep=keep)
    (recorded,) = journal.append([entry(HIGH)], [put("a")])
    assert not recorded.is_kept
    assert kept(journal) == {"a": 1}


@pytest.mark.parametrize(
    ("of_what", "is_synced"),
    [("a row", True), ("a critical event", True), ("an event that must be", True), ("another event", False)],
)
def test_it_is_said_what_waits_for_the_disk(opened, entry, monkeypatch, of_what, is_synced):
    journal, modes = opened(), []
    transaction = type(journal._database).transaction

    def watched(self, operation, *, is_synced):
        modes.append(is_synced)
        return transaction(self, operation, is_synced=is_synced)

    monkeypatch.setattr(type(journal._database), "transaction", watched)
    event = entry(Priority.CRITICAL if of_what == "a critical event" else HIGH)
    journal.append([event], [put("a")] if of_what == "a row" else [], is_synced=of_what == "an event that must be")
    assert modes == [is_synced]


def test_a_row_that_the_disk_has_changed_is_left_out_and_counted(opened, tmp_path):
    journal = opened()
    journal.append([], [put("a"), put("b"), put("c")])
    journal.close()
    with closing(sqlite3.connect(tmp_path / "data" / NAME)) as connection, connection:
        connection.execute("UPDATE state SET value = CAST(x'7b22ff' AS TEXT) WHERE key = 'a'")
        connection.execute("UPDATE state SET value = '[1]' WHERE key = 'b'")
    found = opened().state("call")
    assert (found.values, found.unreadable) == ((("c", {"value": 1}),), 2)


def test_open_calls_outlive_a_journal_that_is_put_aside(opened, tmp_path, entry):
    journal = opened()
    for number in range(300):
        journal.append([entry()], [put(f"{number:03}", "x" * 100)])
    journal.close()
    path = tmp_path / "data" / NAME
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'records_by_channel'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    (path.parent / "journal.state").unlink()
    again = opened()
    assert again.begun is not None
    assert again.begun.reason == "damaged"
    assert len(kept(again)) == 300
    assert again.critical == 0


def test_of_a_file_that_is_no_database_any_more_nothing_is_taken_along(opened, tmp_path):
    journal = opened()
    journal.append([], [put("a")])
    journal.close()
    (tmp_path / "data" / NAME).write_bytes(b"not a database" * 1000)
    assert kept(opened()) == {}


def test_a_disk_that_fails_says_so(opened, monkeypatch):
    journal = opened()

    def fail(self, database):
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("storage.rows.Written.write", fail)
    with pytest.raises(StorageError, match="cannot append"):
        journal.append([], [put("a")])
    assert kept(journal) == {}
