"""The audit on a real disk: what is added stays, what a power cut leaves is found, what is deleted is told."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
import subprocess
import sys

import pytest

from domain.audit import Entry, Head, Outcome
from storage import AuditLog, StorageError, audit, audit_files, read_audit, verify_audit
from storage.audit_files import name_of

AT = 1_800_000_000.0
DAY = 86_400


def note(text="", at=AT, after=None):
    return Entry(at, "x.done", Outcome.DONE, why=text, after=after)


def files(directory):
    return sorted((directory / "audit").glob("*.jsonl"))


def whats(directory):
    return [entry["what"] for entry in read_audit(directory)]


@pytest.fixture
def log(tmp_path):
    return AuditLog(tmp_path)


def test_what_is_added_is_there_and_holds(log, tmp_path):
    head = log.append([note("first"), note("second")], AT)
    assert whats(tmp_path) == ["audit.begun", "x.done", "x.done"]
    report = verify_audit(tmp_path)
    assert report.is_intact
    assert (report.head, report.count, report.doubts) == (head, 3, [])
    assert log.known() == log.head == head


def test_it_is_for_its_owner_alone(log, tmp_path):
    log.append([note()], AT)
    assert stat.S_IMODE((tmp_path / "audit").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "audit").iterdir()} == {0o600}


def test_nothing_to_add_adds_nothing(log, tmp_path):
    log.append([note()], AT)
    before = files(tmp_path)[0].read_bytes()
    log.append([], AT)
    assert files(tmp_path)[0].read_bytes() == before


def test_the_chain_goes_on_across_days_and_sizes(tmp_path):
    log = AuditLog(tmp_path, 1500)
    for number in range(12):
        log.append([note(str(number), AT + number * 10_000)], AT)
    assert len(files(tmp_path)) > 3
    assert files(tmp_path)[0].name == name_of(1)
    assert verify_audit(tmp_path).is_intact


def test_two_writers_take_turns_in_one_chain(tmp_path):
    first, second = AuditLog(tmp_path), AuditLog(tmp_path)
    for number in range(5):
        first.append([note(f"first {number}")], AT)
        second.append([note(f"second {number}")], AT)
    assert verify_audit(tmp_path).is_intact
    assert whats(tmp_path).count("x.done") == 10


def test_processes_take_turns_in_one_chain(tmp_path):
    code = (
        "import sys, pathlib\nfrom storage import AuditLog\nfrom domain.audit import Entry, Outcome\n"
        "log = AuditLog(pathlib.Path(sys.argv[1]))\n"
        "for number in range(20): log.append([Entry(1.8e9, 'x.done', Outcome.DONE)], 1.8e9)\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(3)]
    assert [each.wait(60) for each in running] == [0, 0, 0]
    assert verify_audit(tmp_path).is_intact
    assert whats(tmp_path).count("x.done") == 60


def test_a_writer_that_does_not_let_go_is_said(log, tmp_path, monkeypatch):
    log.append([note()], AT)
    monkeypatch.setattr(audit_files, "LOCK_PATIENCE", 0.0)
    with (tmp_path / "audit" / "head").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(StorageError, match="another writer"):
            log.append([note()], AT)
    log.append([note()], AT)
    assert verify_audit(tmp_path).is_intact


@pytest.mark.parametrize("torn", [b"{", b'{"after":null,"at":"2027', b"\0" * 4096, b"no json\n", b"\n\n"])
def test_what_a_power_cut_left_is_moved_away_and_told(log, tmp_path, torn):
    log.append([note("whole")], AT)
    with files(tmp_path)[0].open("ab") as file:
        file.write(torn)
    again = AuditLog(tmp_path)
    again.append([note("later")], AT + 1)
    assert whats(tmp_path) == ["audit.begun", "x.done", "audit.torn", "x.done"]
    (aside,) = (tmp_path / "audit").glob("*.torn-*")
    assert aside.read_bytes() == torn
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600
    told = list(read_audit(tmp_path))[2]
    assert told["after"]["size"] == len(torn)
    assert told["target"]["id"] == aside.name
    assert verify_audit(tmp_path).is_intact


def test_entries_that_were_written_and_not_told_to_the_head_are_kept(log, tmp_path):
    log.append([note("first")], AT)
    head = (tmp_path / "audit" / "head").read_bytes()
    log.append([note("second")], AT)
    (tmp_path / "audit" / "head").write_bytes(head)
    AuditLog(tmp_path).append([note("third")], AT)
    assert [entry["why"] for entry in read_audit(tmp_path)][1:] == ["first", "second", "third"]
    assert verify_audit(tmp_path).is_intact


def test_a_file_that_was_only_begun_is_begun_again(log, tmp_path):
    head = log.append([note("first")], AT)
    (tmp_path / "audit" / name_of(head.number + 1)).write_bytes(b'{"af')
    AuditLog(tmp_path).append([note("second")], AT)
    assert whats(tmp_path) == ["audit.begun", "x.done", "audit.torn", "x.done"]
    assert verify_audit(tmp_path).is_intact


def test_entries_that_are_gone_are_told_and_the_chain_goes_on_from_the_head(log, tmp_path):
    log.append([note(str(number)) for number in range(5)], AT)
    path = files(tmp_path)[0]
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))
    AuditLog(tmp_path).append([note("later")], AT)
    assert whats(tmp_path)[-2:] == ["audit.damaged", "x.done"]
    report = verify_audit(tmp_path)
    assert (report.broken, report.place) == (4, f"{name_of(7)}:1")
    assert verify_audit(tmp_path, 7).is_intact


@pytest.mark.parametrize("which", [0, 3, 5])
def test_what_was_changed_before_the_head_stays_for_who_looks_into_it(log, tmp_path, which):
    log.append([note(f"text {number}") for number in range(5)], AT)
    path = files(tmp_path)[0]
    lines = path.read_bytes().splitlines(keepends=True)
    lines[which] = lines[which].replace(b"2027", b"2026", 1)
    path.write_bytes(b"".join(lines))
    AuditLog(tmp_path).append([note("later")], AT)
    assert path.read_bytes() == b"".join(lines)
    assert whats(tmp_path)[-2:] == ["audit.damaged", "x.done"]
    assert verify_audit(tmp_path).broken is not None


def test_a_file_whose_first_line_was_changed_is_not_taken_for_torn(log, tmp_path):
    log.append([note("first")], AT)
    path = files(tmp_path)[0]
    path.write_bytes(b"x" + path.read_bytes()[1:])
    AuditLog(tmp_path).append([note("later")], AT)
    assert path.exists()
    assert whats(tmp_path)[-2:] == ["audit.damaged", "x.done"]


def test_all_files_gone_is_told(log, tmp_path):
    head = log.append([note("first")], AT)
    files(tmp_path)[0].unlink()
    AuditLog(tmp_path).append([note("later")], AT)
    assert whats(tmp_path) == ["audit.damaged", "x.done"]
    assert files(tmp_path)[0].name == name_of(head.number + 1)
    assert verify_audit(tmp_path).broken == 1


@pytest.mark.parametrize("head", [b"", b"andond-audit 1 00 12345678", b"\xff" * 256])
def test_a_head_that_is_lost_is_told(log, tmp_path, head):
    log.append([note("first")], AT)
    (tmp_path / "audit" / "head").write_bytes(head)
    assert verify_audit(tmp_path).doubts != []
    log.append([note("later")], AT)
    assert whats(tmp_path)[-2:] == ["audit.head_lost", "x.done"]
    assert verify_audit(tmp_path).doubts == []


def test_a_batch_that_does_not_fit_is_not_there_at_all(log, tmp_path, monkeypatch):
    log.append([note("first")], AT)
    before = files(tmp_path)[0].read_bytes()
    real, calls = os.write, []

    def full(descriptor, block):
        if calls:
            raise OSError(errno.ENOSPC, "No space left on device")
        calls.append(1)
        return real(descriptor, block[:100])

    monkeypatch.setattr(audit.os, "write", full)
    with pytest.raises(StorageError, match="No space left") as caught:
        log.append([note("second")], AT)
    monkeypatch.undo()
    assert caught.value.full
    assert files(tmp_path)[0].read_bytes() == before
    log.append([note("third")], AT)
    assert whats(tmp_path) == ["audit.begun", "x.done", "x.done"]
    assert verify_audit(tmp_path).is_intact


def test_nowhere_to_write_is_said(tmp_path):
    with pytest.raises(StorageError, match="cannot open"):
        AuditLog(tmp_path / "missing" / "more").append([note()], AT)
    (tmp_path / "audit").write_bytes(b"")
    with pytest.raises(StorageError):
        AuditLog(tmp_path).append([note()], AT)


# -- what is kept -------------------------------------------------------------------------------------------


def filled(tmp_path, days=10):
    log = AuditLog(tmp_path)
    for day in range(days):
        log.append([note(f"day {day}", AT + day * DAY), note("more", AT + day * DAY)], AT)
    return log


def test_old_files_are_deleted_and_the_rest_still_holds(tmp_path):
    log = filled(tmp_path)
    assert log.retain(4 * DAY, 1 << 30, AT + 9.5 * DAY) == 11
    assert len(files(tmp_path)) == 5
    report = verify_audit(tmp_path)
    assert report.is_intact
    assert report.first == 12
    assert whats(tmp_path)[-1] == "audit.retired"
    assert log.retain(4 * DAY, 1 << 30, AT + 9.5 * DAY) == 0


def test_the_oldest_go_for_their_size_and_never_the_newest(tmp_path):
    log = filled(tmp_path)
    assert log.retain(1000 * DAY, 1, AT) > 0
    assert len(files(tmp_path)) == 1
    assert verify_audit(tmp_path).is_intact
    assert "audit.size" in str(list(read_audit(tmp_path))[-1]["why"])


def test_what_is_deleted_twice_holds_too(tmp_path):
    log = filled(tmp_path)
    log.retain(6 * DAY, 1 << 30, AT + 9.5 * DAY)
    log.append([note("later", AT + 10 * DAY)], AT)
    log.retain(3 * DAY, 1 << 30, AT + 10.5 * DAY)
    assert verify_audit(tmp_path).is_intact


def test_a_crash_between_the_word_and_the_deletion_does_no_harm(tmp_path, monkeypatch):
    log = filled(tmp_path)

    def killed(*_args, **_options):
        raise OSError(errno.EIO, "gone")

    with monkeypatch.context() as patch:
        patch.setattr(audit.Path, "unlink", killed)
        with pytest.raises(StorageError):
            log.retain(4 * DAY, 1 << 30, AT + 9.5 * DAY)
    assert verify_audit(tmp_path).is_intact
    assert log.retain(4 * DAY, 1 << 30, AT + 9.5 * DAY) == 11
    assert verify_audit(tmp_path).is_intact


def test_a_crash_in_the_middle_of_the_deletion_does_no_harm(tmp_path, monkeypatch):
    log, left = filled(tmp_path), [2]
    real = audit.Path.unlink

    def killed(path, **options):
        if not left[0]:
            raise OSError(errno.EIO, "gone")
        left[0] -= 1
        real(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(audit.Path, "unlink", killed)
        with pytest.raises(StorageError):
            log.retain(4 * DAY, 1 << 30, AT + 9.5 * DAY)
    report = verify_audit(tmp_path)
    assert (report.is_intact, report.first) == (True, 6)
    files(tmp_path)[-1].unlink()
    assert not verify_audit(tmp_path).is_intact


def test_what_was_changed_is_not_deleted(tmp_path):
    log = filled(tmp_path)
    path = files(tmp_path)[5]
    path.write_bytes(b"x" + path.read_bytes()[1:])
    log.retain(4 * DAY, 1 << 30, AT + 9.5 * DAY)
    assert path.exists()


def test_what_was_torn_goes_with_its_time(tmp_path):
    log = filled(tmp_path)
    torn = tmp_path / "audit" / "audit-000000000001.jsonl.torn-abc"
    torn.write_bytes(b"x")
    os.utime(torn, (AT, AT))
    log.retain(4 * DAY, 1 << 30, AT + 9.5 * DAY)
    assert not torn.exists()


def test_an_empty_audit_has_nothing_to_delete(log):
    assert log.retain(DAY, 1, AT) == 0
    assert log.known() == Head()


def test_what_is_made_by_the_administrator_belongs_to_whom_the_directory_belongs_to(log, tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(audit_files.os, "geteuid", lambda: 0)
    monkeypatch.setattr(audit_files.os, "fchown", lambda _descriptor, *owner: given.append(owner))
    log.append([note()], AT)
    owner = tmp_path.stat()
    assert given == [(owner.st_uid, owner.st_gid)] * 3


def test_newest_first_is_the_same_the_other_way_round(tmp_path):
    filled(tmp_path, 3)
    numbers = [entry["number"] for entry in read_audit(tmp_path, is_newest_first=True)]
    assert numbers == list(range(7, 0, -1))
    with files(tmp_path)[-1].open("ab") as file:
        file.write(b"{")
    assert len(list(read_audit(tmp_path))) == 7
    assert json.dumps(next(read_audit(tmp_path)))
