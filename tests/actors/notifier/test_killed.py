"""Killed between any two steps: no notification twice without a mark, none lost.

Rules of this file: a life is a process of its own with a real journal; it kills itself (SIGKILL) at a step that the
seed says. What it sent goes through a pipe, which knows what a mailbox would know. Time is an argument, as everywhere.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from datetime import UTC
from pathlib import Path

import pytest

from domain import Decision, Priority, channel_of
from domain.plant.escalation import KINDS, CallFacts, Escalations, Outgoing, Rulebook, read_chain
from domain.plant.site import ShiftCalendar
from storage import Entry, Journal, Keep

NOW = 1_800_000_000.0
PATH = "acme/plant1/line3"
KILLS = 100
WAIT = 60
STEPS = [
    {"notify": ["anna", "ben"]},
    {"wait": WAIT},
    {"notify": "carl"},
    {"wait": WAIT},
    {"notify": "dora", "channels": ["mqtt", "webhook"]},
    {"wait": WAIT},
    {"repeat": 9},
]
CHAIN = {"name": "own", "acknowledge": WAIT, "resolve": WAIT, "unacknowledged": STEPS, "unresolved": []}


class Life:
    """One life of a desk: what is decided is on disk, then sent, then answered for."""

    def __init__(self, directory: Path, pipe: int, at: float, chance: random.Random, last: int) -> None:
        keep = {priority: Keep(400 * 86_400, 1 << 30) for priority in Priority}
        self._journal = Journal.open(directory, keep, 0, at)
        self._pipe = pipe
        self._at = at
        self._chance = chance
        self._left = last
        book = Rulebook((read_chain(CHAIN, ("websocket", "mail")),), patience=1e6)
        self._escalations = Escalations(lambda: book, lambda _: ShiftCalendar(UTC))
        kept = {kind: self._journal.state(kind).values for kind in KINDS}
        assert self._escalations.restore(kept) == []

    def live(self) -> None:
        """Go on where the life before was, until time runs out or this one is killed."""
        escalations = self._escalations
        self._do(escalations.resume(self._at))
        if escalations.view("c1") is None:
            self._do(escalations.raised(CallFacts("c1", PATH, "safety", "high", "", "anna", self._at), self._at))
        while (due := escalations.next_due()) is not None and due <= self._at:
            self._do(escalations.due(self._at))
        self._journal.close()

    def _do(self, decision: Decision[Outgoing]) -> None:
        self._step()
        entries = [Entry(event, channel_of(event), self._at) for event in decision.events]
        self._journal.append(entries, decision.rows, is_synced=True)
        self._step()
        answers = []
        for each in decision.answer.notifications:
            self._say({"sent": each.id, "repeated": each.repeated})
            self._step()
            answers.append(each.id)
        self._chance.shuffle(answers)
        for id_ in answers:
            if self._chance.random() < 0.6:
                self._do(self._escalations.sent(id_, "250 ok", self._at))
            else:
                self._do(self._escalations.failed(id_, "refused", self._at))

    def _step(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def _say(self, what: object) -> None:
        os.write(self._pipe, json.dumps(what).encode() + b"\n")


def _lived(directory: Path, at: float, seed: int, last: int) -> tuple[bool, list[dict[str, object]]]:
    """Whether a life was killed, and what it sent."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.close(reading)
            Life(directory, writing, at, random.Random(seed), last).live()
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        sent = [json.loads(line) for line in pipe]
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), "it died of something else"
    return status == signal.SIGKILL, sent


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.parametrize("seed", [1, 2])
def test_a_hundred_kills_send_nothing_twice_without_a_mark_and_lose_nothing(tmp_path, seed):
    chance = random.Random(seed)
    sent: list[dict[str, object]] = []
    killed, at = 0, NOW
    while killed < KILLS:
        was_killed, told = _lived(tmp_path, at, chance.randrange(1 << 30), chance.randrange(1, 9))
        killed += was_killed
        sent += told
        if not was_killed:
            at += WAIT / 2
        if at > NOW + 10 * WAIT * len(STEPS):
            break
    _, told = _lived(tmp_path, at, 0, 0)
    sent += told
    assert killed == KILLS
    fresh = Counter(each["sent"] for each in sent if not each["repeated"])
    assert max(fresh.values()) == 1
    assert any(each["repeated"] for each in sent)
    _check_the_journal(tmp_path, {each["sent"] for each in sent})


def _check_the_journal(directory: Path, sent: set[object]) -> None:
    journal = Journal.open(directory, {priority: Keep(400 * 86_400, 1 << 30) for priority in Priority}, 0, time.time())
    try:
        told = [one.event for one in journal.critical_since(0, 100_000)]
    finally:
        journal.close()
    ids = [event.id for event in told]
    assert len(ids) == len(set(ids)), "a step is in the journal twice"
    intended = {
        each["notification"]
        for event in told
        if event.type == "escalation.advanced"
        for each in event.data.get("told", [])
    }
    # By the first channel, and by the next one of those that failed.
    intended |= {
        f"{event.data['notification'].rpartition('-')[0]}-{event.data['next']}"
        for event in told
        if event.type == "escalation.step.failed" and event.data["next"]
    }
    assert intended == sent, "what was to be sent was sent, and nothing else"
    numbers = [int(event.id.rpartition(".")[2]) for event in told]
    assert numbers == list(range(1, len(numbers) + 1)), "a step is missing"
