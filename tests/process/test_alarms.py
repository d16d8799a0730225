"""Alarms of the real daemon, killed between any two steps of an alarm's life."""

from __future__ import annotations

import json
import signal
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Daemon, wait_for

CONFIG = """
[[floor.alarms.classes]]
name = "default"
max_time_shelved = 7200

[sources.http]
kind = "http"
"""
ALARM = {"key": "servo", "code": "7", "level": "FAULT", "text": "Servo overload"}
STEPS = ["shelve", "unshelve", "suppress", "unsuppress", "acknowledge", "remove", "restore"]
LETTERS = ["E", "C", "F", "B", "C", "G", "B"]
ARGUMENTS = {
    "shelve": {"duration": 3600, "reason": "tuning"},
    "suppress": {"reason": "the line is empty"},
    "remove": {"permit": "P-17", "reason": "repair"},
}


def ask(daemon: Daemon, path: str, body: object = None) -> dict[str, object]:
    data = None if body is None else json.dumps(body).encode()
    kind = "application/cloudevents+json" if path.endswith("/events") else "application/json"
    request = urllib.request.Request(f"{daemon.url}api/v1{path}", data, {"Content-Type": kind})  # noqa: S310 - of ours
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - of ours
        return json.loads(answer.read() or b"{}")


def listed(daemon: Daemon) -> list[dict[str, object]]:
    return ask(daemon, "/alarms?list=all")["items"]


def killed(daemon: Daemon, start: Callable[..., Daemon], where: dict[str, str]) -> Daemon:
    """What comes up after a ``kill -9``."""
    daemon.process.send_signal(signal.SIGKILL)
    daemon.process.wait(10)
    return start(0, CONFIG, **where)


@pytest.mark.timeout(180)
def test_an_alarm_is_in_the_same_state_after_each_kill_and_its_shelving_ends_by_itself(
    start_daemon: Callable[..., Daemon], tmp_path: Path
) -> None:
    where = {"ANDOND__STORAGE__PATH": str(tmp_path)}
    daemon = start_daemon(0, CONFIG, **where)
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": "/acme/plant1/line3/press3",
        "type": "alarm.raised",
        "subject": "servo/7",
        "data": ALARM,
    }
    ask(daemon, "/events", event)
    (alarm,) = wait_for(lambda: listed(daemon), "the alarm")
    assert alarm["letter"] == "B"
    for word, letter in zip(STEPS, LETTERS, strict=True):
        before = ask(daemon, f"/alarms/{alarm['id']}/{word}", {"by": "ann", **ARGUMENTS.get(word, {})})
        daemon = killed(daemon, start_daemon, where)
        (found,) = wait_for(lambda: listed(daemon), "the alarm")  # noqa: B023 - asked at once
        assert (word, found["letter"]) == (word, letter)
        assert (found["shelving"], found["since"]) == (before["shelving"], before["since"])
    ask(daemon, f"/alarms/{alarm['id']}/shelve", {"by": "ann", "duration": 3, "reason": "tuning"})
    daemon = killed(daemon, start_daemon, where)
    (back,) = wait_for(lambda: [each for each in listed(daemon) if each["letter"] != "E"], "the end of the shelving")
    assert (back["letter"], back["acked_state"], back["occurrences"]) == ("B", False, 1)
