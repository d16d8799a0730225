import json
import sqlite3
from contextlib import closing

import pytest

from andond.cli import main
from domain import Event, Priority
from storage import Entry, Journal, Keep

AT = 1_795_240_800.0
KEEP = {priority: Keep(1e9, 1 << 30) for priority in Priority}


@pytest.fixture
def directory(tmp_path):
    """Where a journal with three records lies."""
    with closing(Journal.open(tmp_path / "data", KEEP, reserve=0, at=AT)) as journal:
        priorities = (Priority.CRITICAL, Priority.NORMAL, Priority.CRITICAL)
        events = [Event(str(n), "/acme", "a.b", None, AT, priority) for n, priority in enumerate(priorities)]
        journal.append([Entry(event, "a/b", AT) for event in events])
    return tmp_path / "data"


def change(directory, statement: str) -> None:
    with closing(sqlite3.connect(directory / "journal.sqlite3")) as connection, connection:
        connection.execute(statement)


def test_an_intact_journal_is_told_in_a_line(directory, capsys):
    assert main(["journal", "verify", str(directory)]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"{directory}/journal.sqlite3: intact: 3 records, critical ones up to j")
    assert told.endswith(":2\n")


def test_the_configuration_says_where_the_journal_is(directory, tmp_path, capsys):
    file = tmp_path / "andond.toml"
    file.write_text(f'[storage]\npath = "{directory}"\n')
    assert main(["journal", "verify", "-c", str(file)]) == 0
    assert "intact" in capsys.readouterr().out


def test_it_reads_while_a_daemon_has_the_journal(directory, capsys):
    with closing(Journal.open(directory, KEEP, reserve=0, at=AT)) as journal:
        journal.append([Entry(Event("9", "/acme", "a.b", None, AT, Priority.CRITICAL), "a/b", AT)])
        assert main(["journal", "verify", str(directory)]) == 0
    assert "4 records" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (
            "UPDATE records SET id = 'x' WHERE number = 3",
            "first: critical record 2, number 3 of 2026-11-21T06:00:00.000Z is changed: it does not fit its hash",
        ),
        (
            "DELETE FROM records WHERE number = 3",
            "first: critical record 2 is missing, behind number 1 of 2026-11-21T06:00:00.000Z: it was deleted, or",
        ),
        ("DELETE FROM records WHERE number = 1", "first: critical record 1 is missing: "),
        ("UPDATE records SET at = 1e300 WHERE number = 2", "first: normal record 1, number 2 is changed: "),
        (
            "UPDATE lanes SET newest = 7 WHERE priority = 3",
            "first: changed (low): the journal's account of its records",
        ),
        ("UPDATE records SET priority = 9, id = 'x' WHERE number = 2", "first: "),
    ],
)
def test_the_first_bad_record_is_named(directory, capsys, statement, told):
    change(directory, statement)
    assert main(["journal", "verify", str(directory)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "NOT INTACT" in lines[0]
    assert lines[1].startswith(told)


def test_what_was_found_as_json(directory, capsys):
    change(directory, "UPDATE records SET at = 7 WHERE number = 3")
    assert main(["journal", "verify", "--json", str(directory)]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["intact"], told["records"], told["critical"]) == (False, 3, 2)
    assert told["findings"] == [
        {
            "what": "changed",
            "detail": "it does not fit its hash",
            "priority": "critical",
            "place": 2,
            "number": 3,
            "at": "1970-01-01T00:00:07.000Z",
        }
    ]


def test_a_file_that_is_broken_is_not_intact(directory, capsys):
    (directory / "journal.sqlite3").write_bytes(b"rubbish" * 1000)
    assert main(["journal", "verify", str(directory)]) == 1
    assert "file is not a database" in capsys.readouterr().err


def test_where_nothing_is_nothing_is_verified(tmp_path, capsys):
    assert main(["journal", "verify", str(tmp_path)]) == 66
    assert "there is no journal" in capsys.readouterr().err
    assert main(["journal", "verify"]) == 66
    assert "storage.path is not set" in capsys.readouterr().err
    (tmp_path / "bad.toml").write_text("[journal]\nlow_age = -1\n")
    assert main(["journal", "verify", "-c", str(tmp_path / "bad.toml")]) == 78
    assert "journal.low_age" in capsys.readouterr().err


@pytest.mark.parametrize("line", ["journal", "journal burn", "journal verify -c x.toml there"])
def test_what_is_no_command_is_usage(line, capsys):
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    assert ended.value.code == 2
    assert "usage: andond journal" in capsys.readouterr().err
