"""``andond audit``, on real files."""

from __future__ import annotations

import csv
import io
import json

import pytest

from andond.cli import main
from domain.audit import Entry, Outcome, Target, Whence, Who
from storage import AuditLog, verify_audit

AT = 1_800_000_000.0
ANNA = Who("u1", "anna", "acme", "local", ("operator",))


def entry(what, who=ANNA, at=AT, why=""):
    return Entry(
        at, what, Outcome.DONE, who, Whence("10.0.0.7", "stream", "s1"), Target("acme/l1", "c1"), why, None, {"n": 1}
    )


@pytest.fixture
def data(tmp_path):
    log = AuditLog(tmp_path)
    log.append(
        [entry("andon.raise"), entry("andon.close", at=AT + 60), entry("login", Who("u2", "=cmd|' /C calc'!A0"))], AT
    )
    return tmp_path


@pytest.fixture
def audit(data, capsys):
    def run(*words):
        try:
            code = main(["audit", *words, "--data-dir", str(data)])
        except SystemExit as ended:
            code = ended.code
        out, err = capsys.readouterr()
        return code, out, err

    return run


def break_it(data):
    (path,) = (data / "audit").glob("*.jsonl")
    path.write_bytes(path.read_bytes().replace(b"anna", b"otto", 1))


def test_what_holds_is_said_with_its_head(audit, data):
    code, out, _ = audit("verify")
    assert code == 0
    assert "holds: 4 entries, 1 to 4" in out
    assert str(verify_audit(data).head) in out


def test_what_does_not_hold_is_said_with_its_first_entry(audit, data):
    break_it(data)
    code, out, _ = audit("verify")
    assert code == 65
    assert "BROKEN at entry 3 (audit-000000000001.jsonl:3): it does not follow entry 2" in out
    assert audit("verify", "--from", "4")[0] == 0


def test_a_report_can_be_read_by_a_program(audit, data):
    code, out, _ = audit("verify", "--json")
    report = json.loads(out)
    assert (code, report["holds"], report["entries"], report["broken"]) == (0, True, 4, None)
    break_it(data)
    code, out, _ = audit("verify", "--json")
    assert (code, json.loads(out)["broken"]) == (65, 3)


def test_a_head_that_was_noted_elsewhere_is_compared(audit, data):
    head = verify_audit(data).head
    assert audit("verify", "--head", str(head))[0] == 0
    code, out, _ = audit("verify", "--head", f"{head.number + 1}:{head.hash}")
    assert code == 65
    assert "the head that was given" in out


def test_what_cannot_be_told_is_a_note(audit, data):
    (data / "audit" / "head").unlink()
    code, out, _ = audit("verify")
    assert code == 0
    assert "note: the head file is not there" in out


@pytest.mark.parametrize("words", [("--from", "0"), ("--from", "x"), ("--head", "1"), ("--head", "x:y")])
def test_what_is_not_understood_is_usage(audit, words):
    assert audit("verify", *words)[0] == 2
    assert audit("export", "--since", "yesterday")[0] == 2


def test_where_there_is_no_audit_that_is_said(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert main(["audit", "verify", "--data-dir", str(tmp_path / "empty")]) == 66
    assert "there is no audit" in capsys.readouterr().err
    assert main(["audit", "verify"]) == 66
    assert "storage.path is not set" in capsys.readouterr().err
    assert main(["audit", "verify", "-c", str(tmp_path / "missing.toml")]) == 78


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ((), ["audit.begun", "andon.raise", "andon.close", "login"]),
        (("--what", "andon.*"), ["andon.raise", "andon.close"]),
        (("--what", "login"), ["login"]),
        (("--who", "anna"), ["andon.raise", "andon.close"]),
        (("--who", "u1", "--what", "andon.close"), ["andon.close"]),
        (("--since", "2027-01-15T08:00:30Z"), ["andon.close"]),
        (("--until", "2027-01-15T08:00:30Z", "--who", "anna"), ["andon.raise"]),
        (("--who", "nobody"), []),
    ],
)
def test_what_is_asked_for_is_written_out(audit, words, found):
    code, out, _ = audit("export", *words)
    assert code == 0
    assert [json.loads(line)["what"] for line in out.splitlines()] == found


def test_a_table_is_for_a_spreadsheet_and_does_nothing_there(audit):
    code, out, _ = audit("export", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert (rows[1]["name"], rows[1]["path"], rows[1]["after"], rows[1]["roles"]) == (
        "anna", "acme/l1", '{"n":1}', '["operator"]',
    )  # fmt: skip
    assert rows[3]["name"].startswith("'=")


def test_what_was_exported_is_the_line_of_the_file(audit, data):
    (path,) = (data / "audit").glob("*.jsonl")
    assert audit("export")[1] == path.read_text()
