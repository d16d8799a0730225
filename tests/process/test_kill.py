"""The real daemon is killed at random points under clients that resume; they are a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLIENTS, EVENTS, KILLS = 20, 500, 5


@pytest.mark.parametrize("seed", [1])
def test_nothing_that_was_answered_for_is_lost_however_often_the_daemon_is_killed(seed, tmp_path):
    log = tmp_path / "daemons.log"
    line = [sys.executable, "-m", "tests.bench.outages", "kills", "--log", str(log), "--seed", str(seed)]
    line += ["--clients", str(CLIENTS), "--events", str(EVENTS), "--kills", str(KILLS)]
    result = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, timeout=110)
    assert result.returncode == 0, result.stderr[-3000:]
    found = json.loads(result.stdout)
    assert (found["kills"], found["posted"]) == (KILLS, EVENTS)
    assert found["returns"] > 0
    assert (found["lost"], found["unknown"], found["disordered"], found["unrecovered"]) == (0, 0, 0, 0)
    assert found["received"] == EVENTS * CLIENTS
    assert found["refused"] == 0
    # A daemon may be killed before its first word.
    assert log.read_text().count("daemon.started") > 1
    assert "Traceback" not in log.read_text()
