"""The keeper of the audit: it writes soon, is never overrun, and says what it could not write."""

from __future__ import annotations

import errno
import json
from contextlib import asynccontextmanager

import pytest
import trio

from actors.audit import auditor as module
from actors.audit.auditor import ANCHOR_INTERVAL, DELAY, RETAIN_INTERVAL, Auditor, Backlog
from actors.audit.words import AuditTrail, Noted, ReadAudit
from actors.places import AUDITOR
from actors.recorder.disk import at_once
from actors.runtime import ChildSpec, Policy, Supervisor, ask
from config import AuditSettings
from domain.access import Identity, Proof
from domain.audit import Entry, Outcome, Whence, Who
from storage import AuditLog, StorageError, read_audit, verify_audit
from telemetry import counters, gauges

AT = 1_800_000_000.0
DAY = 86_400


def note(text="", at=AT, together=""):
    return Entry(at, "x.done", Outcome.DONE, whence=Whence("10.0.0.7"), why=text, together=together)


class Rig:
    def __init__(self, tree, directory, backlog) -> None:
        self.tree = tree
        self.directory = directory
        self.backlog = backlog

    def tell(self, *entries):
        for entry in entries:
            self.tree.ref(AUDITOR).tell(Noted(entry))

    async def whys(self):
        await trio.sleep(2 * DELAY)
        return [entry["why"] for entry in read_audit(self.directory) if entry["what"] != "audit.begun"]

    async def says(self):
        return (await self.tree.status(AUDITOR)).description

    async def read(self, wanted=lambda _entry: True, limit=100):
        return await ask(self.tree.ref(AUDITOR), ReadAudit(wanted, limit), 20)


@pytest.fixture
def auditor(grow, tmp_path):
    @asynccontextmanager
    async def running(directory=tmp_path, disk=at_once, settings=AuditSettings):
        backlog = Backlog()
        began = trio.current_time()

        def clock():
            return AT + trio.current_time() - began

        specs = [ChildSpec("auditor", Auditor, (directory, settings, backlog, clock, disk))]
        async with grow([ChildSpec("audit", Supervisor, (specs, Policy(backoff=0.05)))]) as tree:
            yield Rig(tree, directory, backlog)

    return running


@pytest.fixture
def full(monkeypatch):
    """Whether the disk is full."""
    state = [False]
    append = AuditLog.append

    def failing(self, entries, at):
        if state[0]:
            raise StorageError(None, "write", "No space left on device", full=True)
        return append(self, entries, at)

    monkeypatch.setattr(AuditLog, "append", failing)
    return state


async def test_what_is_told_is_written_within_a_second_in_its_order(autojump_clock, auditor, tmp_path):
    async with auditor() as rig:
        rig.tell(*(note(str(number)) for number in range(50)))
        await trio.sleep(1)
        assert await rig.whys() == [str(number) for number in range(50)]
        report = verify_audit(tmp_path)
        assert report.is_intact
        says = await rig.says()
        assert (says["number"], says["hash"], says["fault"]) == (report.head.number, report.head.hash, None)


async def test_what_is_told_in_the_last_moment_is_written(autojump_clock, auditor, tmp_path):
    async with auditor() as rig:
        rig.tell(*(note("last", together="word") for _ in range(3)))
        await rig.tree.settle()
    assert [entry["count"] for entry in read_audit(tmp_path)][1:] == [1, 2]


async def test_a_flood_writes_two_entries_a_minute(autojump_clock, auditor, tmp_path):
    async with auditor() as rig:
        for second in range(59):
            rig.tell(*(note("no", AT + second, "no") for _ in range(100)))
            await trio.sleep(1)
        await trio.sleep(3)
        counts = [entry["count"] for entry in read_audit(tmp_path)][1:]
        assert counts == [1, 5899]


async def test_while_the_disk_is_full_they_wait_and_it_is_said(autojump_clock, auditor, full, tmp_path):
    async with auditor() as rig:
        full[0] = True
        failed = counters.audit_failed
        rig.tell(note("first"), note("second"))
        await trio.sleep(5)
        says = await rig.says()
        assert "No space left" in says["fault"]
        assert says["waiting"] == 2
        assert counters.audit_failed > failed
        assert gauges.read("audit_writable") == 0.0
        full[0] = False
        await trio.sleep(31)
        assert await rig.whys() == ["first", "second"]
        assert (await rig.says())["fault"] is None
        assert gauges.read("audit_writable") == 1.0
    assert verify_audit(tmp_path).is_intact


async def test_what_there_was_no_room_for_is_counted_and_told(autojump_clock, auditor, full, monkeypatch):
    monkeypatch.setattr(module, "BACKLOG", 3)
    async with auditor() as rig:
        full[0] = True
        rig.tell(*(note(str(number)) for number in range(10)))
        await trio.sleep(5)
        assert (await rig.says())["waiting"] == 3
        full[0] = False
        await trio.sleep(31)
        kept, lost = (await rig.whys())[:3], list(read_audit(rig.directory))[-1]
        assert kept == ["0", "1", "2"]
        assert (lost["what"], lost["count"]) == ("audit.lost", 7)
        rig.tell(note("later"))
        assert (await rig.whys())[-1] == "later"


async def test_what_found_no_auditor_is_told_by_the_next_one(autojump_clock, auditor, tmp_path):
    async with auditor() as rig:
        trail = AuditTrail(rig.tree.system.environment, lambda: AT)
        counters.audit_lost += 2
        trail.gateway("x.done")
        await trio.sleep(1)
    assert [entry["what"] for entry in read_audit(tmp_path)] == ["audit.begun", "x.done", "audit.lost"]


async def test_what_waits_outlives_a_life(autojump_clock, auditor, full):
    async with auditor() as rig:
        full[0] = True
        rig.tell(note("first"))
        await trio.sleep(1)
        rig.tree.ref(AUDITOR).tell(Noted("no entry at all"))
        await trio.sleep(1)
        full[0] = False
        await trio.sleep(31)
        assert await rig.whys() == ["first"]
        assert (await rig.tree.status(AUDITOR)).restarts == 1


async def test_where_the_chain_ends_goes_to_the_log_and_the_metrics(
    autojump_clock, auditor, caplog, tmp_path, monkeypatch
):
    told = []
    monkeypatch.setattr(module.events, "audit_anchored", lambda **words: told.append(words))
    async with auditor() as rig:
        rig.tell(note())
        await trio.sleep(ANCHOR_INTERVAL + 1)
        head = verify_audit(tmp_path).head
        assert told == [{"number": head.number, "hash": head.hash}]
        await trio.sleep(10 * ANCHOR_INTERVAL)
        assert len(told) == 1
        assert gauges.read("audit_number") == head.number
        assert gauges.read("audit_fingerprint") == int(head.hash[:13], 16)


async def test_what_was_written_before_is_where_it_begins(autojump_clock, auditor, tmp_path):
    head = AuditLog(tmp_path).append([note("before")], AT)
    async with auditor() as rig:
        assert (await rig.says())["number"] == head.number


async def test_old_entries_are_deleted_once_an_hour(autojump_clock, auditor, tmp_path):
    log = AuditLog(tmp_path)
    for day in range(10):
        log.append([note("", AT + (day - 10) * DAY)], AT - 10 * DAY)
    settings = [AuditSettings()]
    async with auditor(settings=lambda: settings[0]):
        await trio.sleep(10)
        assert verify_audit(tmp_path).first == 1
        settings[0] = AuditSettings(age=3 * DAY)
        await trio.sleep(RETAIN_INTERVAL + 1)
        assert verify_audit(tmp_path).first > 1
        assert verify_audit(tmp_path).is_intact


async def test_a_disk_that_does_not_delete_is_said_and_nothing_ends(autojump_clock, auditor, monkeypatch):
    def failing(*_args):
        raise StorageError(None, "delete", "input/output error")

    monkeypatch.setattr(AuditLog, "retain", failing)
    failed = counters.audit_failed
    async with auditor() as rig:
        await trio.sleep(1)
        assert counters.audit_failed == failed + 1
        rig.tell(note("still"))
        assert await rig.whys() == ["still"]


async def test_a_disk_that_does_not_answer_at_the_start_is_said_and_written_to_as_soon_as_it_does(
    autojump_clock, auditor, tmp_path
):
    is_gone = True

    async def disk(function):
        if is_gone:
            raise StorageError(tmp_path, "use", "input/output error")
        return function()

    async with auditor(disk=disk) as rig:
        rig.tell(note("early"))
        await trio.sleep(60)
        assert (await rig.says())["waiting"] == 1
        is_gone = False
        await trio.sleep(60)
        assert await rig.whys() == ["early"]
        assert (await rig.says())["fault"] is None


async def test_the_newest_that_are_wanted_are_read_and_what_waits_with_them(autojump_clock, auditor):
    async with auditor() as rig:
        rig.tell(*(note(str(number)) for number in range(10)))
        found = await rig.read(lambda entry: entry["why"] in "13579", 3)
        assert [entry["why"] for entry in found] == ["9", "7", "5"]


async def test_what_cannot_be_read_is_answered_with_nothing(autojump_clock, auditor, monkeypatch):
    def failing(*_args, **_options):
        raise StorageError(None, "read", "input/output error")

    monkeypatch.setattr(module, "read_audit", failing)
    async with auditor() as rig:
        assert await rig.read() is None


async def test_without_a_directory_nothing_is_kept_and_that_is_said(autojump_clock, auditor, monkeypatch):
    told = []
    monkeypatch.setattr(module.events, "audit_volatile", lambda **words: told.append(words))
    async with auditor(None) as rig:
        rig.tell(note())
        assert await rig.read() == ()
        says = await rig.says()
        assert (says["kept"], says["waiting"]) == (False, 0)
    assert told == [{"setting": "storage.path"}]


async def test_who_tells_waits_for_nobody_and_fails_over_nothing(autojump_clock, auditor, grow):
    AuditTrail().gateway("nowhere")
    lost = counters.audit_lost
    async with grow([]) as tree:
        AuditTrail(tree.system.environment).gateway("nobody is there")
    assert counters.audit_lost == lost + 1


async def test_a_refusal_names_who_and_from_where(autojump_clock, auditor, tmp_path):
    anna = Identity("u1", "anna", frozenset({"operator"}), Proof.TOKEN, "acme")
    async with auditor() as rig:
        trail = AuditTrail(rig.tree.system.environment, lambda: AT)
        trail.refused("sight", "role operator does not see chain/blocks", "sight", Whence("10.0.0.7", "stream"), anna)
        trail.refused("token", "the token has expired", "expired", Whence("10.0.0.7"))
        await trio.sleep(1)
    _, sight, token = read_audit(tmp_path)
    assert (sight["outcome"], sight["who"]["name"], sight["from"]["door"]) == ("refused", "anna", "stream")
    assert token["who"] == Who().document()


async def test_an_error_of_the_file_system_is_said(autojump_clock, auditor, monkeypatch, tmp_path):
    real = module.AuditLog._add

    def to_full(self, end, block):
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(self, end, block)

    full = [True]
    monkeypatch.setattr(module.AuditLog, "_add", to_full)
    async with auditor() as rig:
        rig.tell(note("first"))
        await trio.sleep(1)
        assert "No space left" in (await rig.says())["fault"]
        full.clear()
        await trio.sleep(31)
        assert await rig.whys() == ["first"]
    assert json.dumps(list(read_audit(tmp_path)))
