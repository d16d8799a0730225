"""A full disk: telemetry goes first, then events, calls never."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from domain import Priority
from storage import StorageError, verify
from storage.room import BALLAST

CRITICAL, HIGH, NORMAL, LOW = Priority
MIB = 1 << 20
HERE = Path(__file__).parent


@pytest.fixture
def disk(monkeypatch):
    """Says how many bytes are free."""
    free = SimpleNamespace(size=1 << 40)
    real = os.statvfs

    def statvfs(path):
        real(path)
        return SimpleNamespace(f_bavail=free.size // 4096, f_frsize=4096)

    monkeypatch.setattr("storage.room.os.statvfs", statvfs)
    return free


def test_below_the_reserve_telemetry_is_not_kept_and_below_half_of_it_only_calls_are(opened, entry, disk):
    journal = opened(reserve=10 * MIB)
    kept = []
    for size in (11 * MIB, 9 * MIB, 4 * MIB, 0):
        disk.size = size
        kept.append(
            {one.entry.event.priority for one in journal.append([entry(one) for one in Priority]) if one.is_kept}
        )
    assert kept == [set(Priority), {CRITICAL, HIGH}, {CRITICAL}, {CRITICAL}]
    assert journal.refused == {HIGH, NORMAL, LOW}
    disk.size = 11 * MIB
    assert journal.refused == frozenset()


def test_below_the_reserve_low_records_go_before_normal_ones_and_critical_ones_stay(opened, entry, disk):
    journal = opened(reserve=10 * MIB)
    journal.append([entry(one) for one in Priority for _ in range(3)])
    disk.size = 9 * MIB
    assert journal.retain(0.0, 4).deleted == {LOW: 3, NORMAL: 1}
    assert journal.retain(0.0).deleted == {NORMAL: 2}
    assert journal.retain(0.0).deleted == {}
    disk.size = 4 * MIB
    assert journal.retain(0.0).deleted == {HIGH: 3}
    assert journal.statistics().records == {CRITICAL: 3, HIGH: 0, NORMAL: 0, LOW: 0}


def test_what_deleted_records_leave_in_the_file_counts_as_room(opened, entry, disk):
    journal = opened(reserve=MIB)
    journal.append([entry(LOW, data="x" * 4000) for _ in range(500)])
    disk.size = MIB // 4
    assert journal.refused == {HIGH, NORMAL, LOW}
    assert journal.retain(0.0).deleted == {LOW: 500}
    assert journal.refused == frozenset()
    assert journal.statistics().free > MIB


def test_without_a_reserve_everything_is_kept_to_the_last_byte(opened, entry, disk, tmp_path):
    journal = opened(reserve=0)
    disk.size = 0
    assert all(one.is_kept for one in journal.append([entry(one) for one in Priority]))
    assert not (tmp_path / "data" / "journal.ballast").exists()


def test_what_is_set_aside_is_given_up_when_a_write_fails_and_comes_back_with_the_room(opened, entry, disk, tmp_path):
    journal = opened(reserve=10 * MIB)
    ballast = tmp_path / "data" / "journal.ballast"
    assert ballast.stat().st_blocks * 512 >= BALLAST
    journal.make_room(CRITICAL)
    assert not ballast.exists()
    disk.size = 12 * MIB
    journal.retain(0.0)
    assert not ballast.exists()
    disk.size = 30 * MIB
    journal.retain(0.0)
    assert ballast.stat().st_size == BALLAST


def test_a_file_that_may_not_grow_is_full_and_nothing_of_the_batch_is_kept(opened, entry, tmp_path):
    journal = opened()
    journal.append([entry(), entry(NORMAL, data="x" * 60_000), entry(LOW, data="x" * 60_000)])
    pages = journal._database.rows("limit", "PRAGMA page_count")[0][0]
    journal._database.rows("limit", f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageError, match="SQLITE_FULL") as failed:
        journal.append([entry(), entry(data="x" * 60_000)])
    assert failed.value.full
    assert not failed.value.needs_operator
    assert (journal.critical, journal.statistics().records[CRITICAL]) == (1, 1)
    assert journal.make_room(CRITICAL).deleted == {LOW: 1}
    assert [one.critical for one in journal.append([entry(), entry(data="x" * 30_000)])] == [2, 3]
    assert verify(tmp_path / "data").is_intact


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory):
    """Runs a program of ours with a file system of 40 MiB that nobody else sees; what it prints, as JSON."""
    place = tmp_path_factory.mktemp("small")
    unshare = shutil.which("unshare")
    options = ["--mount"] if os.geteuid() == 0 else ["--user", "--map-root-user", "--mount"]
    mount = f'mount -t tmpfs -o size=40m andond-test {place} && exec "$@"'
    command = [unshare or "", *options, "sh", "-c", mount, "sh"]
    if unshare is None or subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a small file system (unshare --mount, tmpfs)")

    def run(*arguments: str):
        program = [*command, sys.executable, str(HERE / "filler.py"), str(place), *arguments]
        done = subprocess.run(program, capture_output=True, text=True, check=False, timeout=50)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_on_a_disk_that_is_really_full_calls_are_kept_and_telemetry_makes_room(small_disk):
    told = small_disk("full")
    assert told["failures"] > 0
    # Room was made of what matters least, in this order.
    assert list(dict.fromkeys(told["deleted"])) == ["low", "normal", "high"]
    assert told["calls"] == told["answered"] == list(range(1, len(told["answered"]) + 1))
    assert told["calls_after_the_disk_was_full"] > 1000
    assert told["findings"] == 0


def test_a_journal_can_be_opened_on_a_disk_that_is_really_full(small_disk):
    told = small_disk("open")
    assert told["begun"] is None
    assert told["calls"] == [1, 2]
    assert told["findings"] == 0
