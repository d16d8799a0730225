"""What somebody can do to the files of an audit, and whether ``verify`` finds it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from domain.audit import Chain, Entry, Head, Outcome
from storage import AuditLog, StorageError, verify_audit
from storage.audit_files import HeadFile, lines_of, name_of, read_head

AT = 1_800_000_000.0
DOCUMENT = Path(__file__).parents[2] / "docs" / "audit.md"
DAY = 86_400


class Kept:
    """An audit of three files with four entries each, and what somebody does to it."""

    def __init__(self, directory) -> None:
        self.directory = directory
        log = AuditLog(directory)
        for day in range(3):
            count = 3 if day == 0 else 4
            log.append([note(f"entry of day {day}", AT + day * DAY) for _ in range(count)], AT)
        self.head = log.known()

    def path(self, number):
        return sorted((self.directory / "audit").glob("*.jsonl"))[number]

    def lines(self, number):
        return list(lines_of(self.path(number)))

    def write(self, number, lines):
        self.path(number).write_bytes(b"".join(lines))

    def change(self, file, line, old, new):
        lines = self.lines(file)
        assert old in lines[line]
        lines[line] = lines[line].replace(old, new)
        self.write(file, lines)

    def forge(self, text, count=12):
        """Another chain, from the genesis on, that holds in itself, with a head of its own."""
        for path in (self.directory / "audit").glob("*.jsonl"):
            path.unlink()
        chain = Chain()
        lines = [chain.write(note(text)) + b"\n" for _ in range(count)]
        (self.directory / "audit" / name_of(1)).write_bytes(b"".join(lines))
        file = HeadFile(self.directory / "audit")
        with file.locked() as held:
            file.write(held, chain.head)


def note(text="", at=AT):
    return Entry(at, "x.done", Outcome.DONE, why=text)


@pytest.fixture
def kept(tmp_path):
    return Kept(tmp_path)


def test_what_nobody_touched_holds(kept, tmp_path):
    report = verify_audit(tmp_path)
    assert report.is_intact
    assert (report.first, report.count, report.head, report.doubts) == (1, 12, kept.head, [])


def change_first(kept):
    kept.change(0, 1, b"day 0", b"day 9")


def change_last(kept):
    kept.change(2, 3, b"day 2", b"day 9")


def change_a_space(kept):
    kept.change(1, 1, b'"why":', b'"why": ')


def cut_in_a_line(kept):
    lines = kept.lines(1)
    kept.write(1, [*lines[:2], lines[2][:50], b"\n", lines[3]])


def delete_a_line(kept):
    lines = kept.lines(1)
    kept.write(1, [*lines[:1], *lines[2:]])


def delete_the_first(kept):
    kept.write(0, kept.lines(0)[1:])


def insert_a_line(kept):
    chain = Chain(None)
    chain.follow(kept.lines(1)[1].rstrip())
    forged = chain.write(note("nothing happened")) + b"\n"
    lines = kept.lines(1)
    kept.write(1, [*lines[:2], forged, *lines[2:]])


def insert_a_blank_line(kept):
    lines = kept.lines(0)
    kept.write(0, [*lines[:2], b"\n", *lines[2:]])


def swap_two(kept):
    lines = kept.lines(2)
    kept.write(2, [lines[1], lines[0], *lines[2:]])


def repeat_a_line(kept):
    lines = kept.lines(2)
    kept.write(2, [*lines, lines[-1]])


def delete_the_first_file(kept):
    kept.path(0).unlink()


def delete_the_middle_file(kept):
    kept.path(1).unlink()


def delete_the_last_file(kept):
    kept.path(2).unlink()


def truncate_the_tail(kept):
    kept.write(2, kept.lines(2)[:2])


def truncate_in_the_last_line(kept):
    kept.path(2).write_bytes(kept.path(2).read_bytes()[:-20])


def take_the_last_line_feed(kept):
    kept.path(2).write_bytes(kept.path(2).read_bytes()[:-1])


def take_a_line_feed_between_files(kept):
    kept.path(1).write_bytes(kept.path(1).read_bytes()[:-1])


def swap_two_files(kept):
    first, second = kept.path(0).read_bytes(), kept.path(1).read_bytes()
    kept.path(0).write_bytes(second)
    kept.path(1).write_bytes(first)


def rename_a_file(kept):
    kept.path(0).rename(kept.path(0).with_name(name_of(2)))


def put_an_older_copy_back(kept):
    kept.write(2, kept.lines(2)[:1])
    kept.write(1, kept.lines(1)[:1])
    kept.path(2).unlink()


def replace_the_last_file(kept):
    chain = Chain(None)
    for line in kept.lines(1):
        chain.follow(line.rstrip())
    kept.write(2, [chain.write(note("nothing happened")) + b"\n" for _ in range(4)])


def replace_all_but_the_head(kept):
    head = (kept.directory / "audit" / "head").read_bytes()
    kept.forge("nothing happened")
    (kept.directory / "audit" / "head").write_bytes(head)


def claim_that_it_was_deleted_in_order(kept):
    kept.path(0).unlink()
    kept.change(1, 0, b'"what":"x.done"', b'"what":"audit.retired"')


FOUND = {
    change_first: 3,
    change_last: 12,
    change_a_space: 7,
    cut_in_a_line: 7,
    delete_a_line: 6,
    delete_the_first: 2,
    insert_a_line: 8,
    insert_a_blank_line: 3,
    swap_two: 9,
    repeat_a_line: 13,
    delete_the_first_file: 1,
    delete_the_middle_file: 5,
    delete_the_last_file: 9,
    truncate_the_tail: 11,
    truncate_in_the_last_line: 12,
    take_the_last_line_feed: 12,
    take_a_line_feed_between_files: 8,
    swap_two_files: 5,
    rename_a_file: 1,
    put_an_older_copy_back: 6,
    replace_the_last_file: 12,
    replace_all_but_the_head: 12,
    claim_that_it_was_deleted_in_order: 10,
}
"""What is done, and the first entry that does not hold then."""


@pytest.mark.parametrize("harm", FOUND, ids=lambda harm: harm.__name__)
def test_what_is_done_to_the_files_is_found_and_its_place_said(kept, tmp_path, harm):
    harm(kept)
    report = verify_audit(tmp_path)
    assert not report.is_intact
    assert report.broken == FOUND[harm], report.why
    assert report.why


def without_its_head(kept):
    kept.write(2, kept.lines(2)[:2])
    (kept.directory / "audit" / "head").unlink()


def forged_as_a_whole(kept):
    kept.forge("nothing happened")


def forged_and_longer(kept):
    kept.forge("nothing happened", 20)


@pytest.mark.parametrize("harm", [without_its_head, forged_as_a_whole, forged_and_longer])
def test_what_cannot_be_told_from_the_files_is_told_by_a_head_from_elsewhere(kept, tmp_path, harm):
    harm(kept)
    assert verify_audit(tmp_path).is_intact, "nothing in the files is secret: whoever writes them can write others"
    report = verify_audit(tmp_path, noted=kept.head)
    assert report.broken in (11, 12)
    assert "the head that was given" in report.why


def test_a_head_that_is_not_there_is_a_doubt(kept, tmp_path):
    (kept.directory / "audit" / "head").unlink()
    (doubt,) = verify_audit(tmp_path).doubts
    assert "cannot be told" in doubt


def test_an_older_head_from_elsewhere_holds_too(kept, tmp_path):
    chain = Chain()
    for line in kept.lines(0):
        chain.follow(line.rstrip())
    assert verify_audit(tmp_path, noted=chain.head).is_intact
    assert verify_audit(tmp_path, noted=Head(4, "0" * 64)).broken == 4


def test_a_line_that_is_being_written_is_a_doubt_and_no_fault(kept, tmp_path):
    with kept.path(2).open("ab") as file:
        file.write(b'{"after":')
    report = verify_audit(tmp_path)
    assert report.is_intact
    assert "not a whole line (yet)" in report.doubts[0]


def test_what_was_broken_is_left_behind_by_beginning_later(kept, tmp_path):
    change_first(kept)
    report = verify_audit(tmp_path, 4)
    assert report.is_intact
    assert (report.first, report.count) == (4, 9)
    assert verify_audit(tmp_path, 3).broken is None
    assert verify_audit(tmp_path, 2).broken == 3


def test_where_there_is_nothing_that_is_said(tmp_path, kept):
    with pytest.raises(StorageError, match="there is no audit"):
        verify_audit(tmp_path / "elsewhere")
    with pytest.raises(StorageError, match="there is no entry 99"):
        verify_audit(tmp_path, 99)
    shutil.rmtree(tmp_path / "audit")
    (tmp_path / "audit").write_text("")
    with pytest.raises(StorageError):
        verify_audit(tmp_path)


def test_a_chain_that_names_something_before_its_first_entry_is_broken(kept, tmp_path):
    kept.forge("x", 1)
    chain = Chain(Head(0, "1" * 64))
    kept.write(0, [chain.write(note()) + b"\n"])
    (tmp_path / "audit" / "head").unlink()
    assert verify_audit(tmp_path).broken == 1


def test_the_ten_lines_of_the_documents_say_the_same(kept, tmp_path):
    lines = re.search(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)[1]

    def run():
        return subprocess.run([sys.executable, "-c", lines], cwd=tmp_path, check=False, capture_output=True, text=True)

    assert run().stdout.strip() == str(kept.head)
    change_first(kept)
    assert "AssertionError" in run().stderr


def test_what_reads_the_head_reads_what_was_written(kept, tmp_path):
    assert read_head(tmp_path / "audit") == kept.head
    assert read_head(tmp_path) is None
