"""The journal after kill -9 and after a power cut.

A small library notes every call that changes the journal's files. From its notes the files are made as a disk could
hold them when the power goes at any moment: all that was synced, and of the rest any part, down to single sectors.
"""

import os
import random
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from domain import Priority
from storage import Journal, Keep, verify

HERE = Path(__file__).parent
KEEP = {priority: Keep(1e9, 1 << 30) for priority in Priority}
SECTOR = 512
CUTS = 150
KILLS = 10
HEAD = struct.Struct("<cIQQ")


@dataclass
class File:
    """What the disk has of a file for sure, and what was written since."""

    synced: bytearray = field(default_factory=bytearray)
    waiting: list[tuple[bytes, int, bytes]] = field(default_factory=list)

    def sync(self) -> None:
        for what, offset, data in self.waiting:
            change(self.synced, what, offset, data)
        self.waiting.clear()

    def as_cut(self, chance: random.Random) -> bytes:
        """The file after the power went: each thing that waited is there, is not, or is there in part."""
        content = bytearray(self.synced)
        fate = chance.random()
        for what, offset, data in self.waiting:
            if what == b"T":
                if chance.random() < fate:
                    change(content, what, offset, data)
                continue
            is_torn = chance.random() < 0.3
            is_there = chance.random() < fate
            for start in range(0, len(data), SECTOR):
                if chance.random() < 0.5 if is_torn else is_there:
                    change(content, what, offset + start, data[start : start + SECTOR])
        return bytes(content)


def change(content: bytearray, what: bytes, offset: int, data: bytes) -> None:
    if what == b"T":
        del content[offset:]
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


class Disk:
    """The files of one directory, as far as the calls so far have brought them."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self.files: dict[str, File] = {}
        self._names: dict[str, File] = {}

    def apply(self, what: bytes, name: str, offset: int, data: bytes) -> None:
        if name == self._directory:
            self._names = dict(self.files)
        elif what == b"S":
            self.files[name].sync()
        elif what == b"U":
            self.files.pop(name, None)
        elif what == b"R":
            self.files[data.decode()] = self.files.pop(name)
        elif what == b"C":
            self.files[name] = File()
        else:
            self.files[name].waiting.append((what, offset, data))

    def as_cut(self, chance: random.Random) -> dict[str, bytes]:
        """Every file that is still there; one whose name was made or taken away lately may be or not."""
        names = self._names if chance.random() < 0.5 else self.files
        return {name: file.as_cut(chance) for name, file in names.items()}


def notes(log: bytes) -> Iterator[tuple[bytes, str, int, bytes]]:
    position = 0
    while position < len(log):
        what, name_size, offset, size = HEAD.unpack_from(log, position)
        position += HEAD.size
        name = log[position : position + name_size].decode()
        position += name_size
        yield what, name, offset, log[position : position + size]
        position += size


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler (cc) to build the library with that notes what is written")
    built = tmp_path_factory.mktemp("library") / "disklog.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-Wall", "-o", built, HERE / "disklog.c"], check=True)
    return built


@dataclass
class Run:
    """What a program did to the journal in ``directory``, whose file can be made again as the same file."""

    directory: Path
    anchor: Path
    log: list[tuple[bytes, str, int, bytes]]

    def put_back(self, files: dict[str, bytes]) -> None:
        for path in self.directory.iterdir():
            path.unlink()
        for name, content in files.items():
            if name.endswith("/journal.sqlite3"):
                os.link(self.anchor, name)
            # In place: a file that is made anew is another file, and the journal would say so.
            with Path(name).open("r+b" if Path(name).exists() else "xb") as file:
                file.truncate(0)
                file.write(content)


@pytest.fixture(scope="module")
def run(library, tmp_path_factory) -> Run:
    place = tmp_path_factory.mktemp("power")
    directory, log, anchor = place / "data", place / "log", place / "anchor"
    directory.mkdir()
    (directory / "journal.sqlite3").touch(0o600)
    os.link(directory / "journal.sqlite3", anchor)
    environment = os.environ | {
        "LD_PRELOAD": str(library),
        "ANDOND_LOGGED_DIRECTORY": str(directory),
        "ANDOND_DISK_LOG": str(log),
    }
    command = [sys.executable, HERE / "appender.py", directory, "7", "300", directory / "answers"]
    subprocess.run(command, env=environment, check=True, timeout=50)
    noted = [one for one in notes(log.read_bytes()) if not one[1].endswith("-shm")]
    return Run(directory, anchor, noted)


class Answers:
    """What the program had answered for when the power went."""

    def __init__(self) -> None:
        self.epoch: str | None = None
        self.kept: dict[int, str] = {}

    def read(self, line: str) -> None:
        word, *rest = line.split()
        if word == "epoch":
            self.epoch = rest[0]
        else:
            self.kept[int(rest[0])] = rest[1]


def cuts(run: Run, count: int, seed: int, deaf_to: str = "") -> Iterator[tuple[Answers, dict[str, bytes]]]:
    """The disk after ``count`` power cuts, anywhere in the run; syncs of ``deaf_to`` are not carried out."""
    chance = random.Random(seed)
    points = sorted(chance.sample(range(len(run.log)), count))
    disk, answers = Disk(str(run.directory)), Answers()
    disk.apply(b"C", str(run.directory / "journal.sqlite3"), 0, b"")
    disk.apply(b"S", str(run.directory), 0, b"")
    for number, (what, name, offset, data) in enumerate(run.log):
        if points and number == points[0]:
            points.pop(0)
            yield answers, disk.as_cut(chance)
        if name.endswith("/answers"):
            for line in data.decode().splitlines():
                answers.read(line)
        elif not (what == b"S" and deaf_to and name.endswith(deaf_to)):
            disk.apply(what, name, offset, data)


def found_in(directory: Path) -> tuple[Journal, dict[int, str]]:
    journal = Journal.open(directory, KEEP, reserve=0, at=1_795_240_800.0)
    found = {kept.critical: kept.event.id for kept in journal.critical_since(0, 1_000_000)}
    assert list(found) == list(range(1, len(found) + 1))
    assert verify(directory).findings == ()
    return journal, found


def test_a_power_cut_at_any_moment_loses_nothing_that_was_answered_for(run):
    answered = 0
    for answers, files in cuts(run, CUTS, seed=1):
        run.put_back(files)
        journal, found = found_in(run.directory)
        assert answers.kept.items() <= found.items()
        if answers.epoch is not None:
            assert (journal.epoch, journal.begun) == (answers.epoch, None)
        journal.close()
        answered = len(answers.kept)
    assert answered > CUTS


def test_what_is_noted_is_what_sqlite_does(run):
    syncs = {Path(name).name for what, name, _, _ in run.log if what == b"S"}
    assert {"journal.sqlite3", "journal.sqlite3-wal", "journal.state", "data"} <= syncs
    moved = [name for what, name, _, _ in run.log if what == b"W" and name.endswith("/journal.sqlite3")]
    assert len(moved) > CUTS


def test_a_disk_that_loses_what_it_has_synced_is_found_out_by_the_note_beside_the_journal(run):
    lost = 0
    for answers, files in cuts(run, CUTS // 3, seed=2, deaf_to="-wal"):
        run.put_back(files)
        journal = Journal.open(run.directory, KEEP, reserve=0, at=1_795_240_800.0)
        found = {kept.critical: kept.event.id for kept in journal.critical_since(0, 1_000_000)}
        state = files.get(str(run.directory / "journal.state"), b"")
        told = int(state.split()[2]) if state.startswith(b"andond-journal") else 0
        if len(found) < told:
            lost += 1
            assert journal.begun is not None
            assert journal.epoch != answers.epoch
        journal.close()
    assert lost > 0


def test_kill_9_at_any_moment_loses_nothing_that_was_answered_for(tmp_path):
    chance = random.Random(3)
    told, epochs = Answers(), set()
    for life in range(KILLS):
        command = [sys.executable, HERE / "appender.py", tmp_path / "data", str(life), "100000", "/dev/stdout"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as program:
            said = program.stdout.read(chance.randint(20, 6_000))
            program.kill()
            said += program.stdout.read()
        for line in said.decode().splitlines():
            told.read(line)
            epochs.add(told.epoch)
        journal, found = found_in(tmp_path / "data")
        assert told.kept.items() <= found.items()
        assert epochs == {journal.epoch}
        journal.close()
    assert len(told.kept) > KILLS
