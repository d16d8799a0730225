"""A planned restart of the real daemon under a thousand clients; the clients are a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from operator import sub
from pathlib import Path

import pytest

from domain import return_delays, return_window

ROOT = Path(__file__).parents[2]
CLIENTS = 1_000
RESTART_TIME = 2.0
# Of the machine: a thousand returns are made by one process, beside whatever else runs.
NOISE = 2.0


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What the clients and the posters saw of one restart."""
    log = tmp_path_factory.mktemp("restart") / "daemons.log"
    line = [sys.executable, "-m", "tests.bench.outages", "restart", "--clients", str(CLIENTS), "--log", str(log)]
    result = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, timeout=110)
    assert result.returncode == 0, result.stderr[-3000:]
    assert "Traceback" not in log.read_text()
    return json.loads(result.stdout)


def test_nobody_is_refused_and_everybody_returns_once(found):
    assert found["refused"] == 0
    assert found["returns"] == CLIENTS
    assert found["codes"] == [4201]


def test_nobody_misses_anything_critical(found):
    assert found["posted"] >= 24, "before, during and after"
    assert (found["lost"], found["unknown"], found["disordered"], found["unrecovered"]) == (0, 0, 0, 0)
    assert found["received"] == found["posted"] * CLIENTS


def test_each_is_told_one_delay_of_its_own_and_where_it_resumes(found):
    told = [delay for delays in found["told_ms"] for delay in delays]
    expected = [round(delay * 1000) for delay in return_delays(CLIENTS, RESTART_TIME)]
    assert sorted(told) == expected
    assert told != sorted(told)
    assert found["told_positions"] == CLIENTS


def test_no_second_has_more_than_one_and_a_half_times_the_mean_of_returns(found):
    told = sorted(delay for delays in found["told_ms"] for delay in delays)
    mean = CLIENTS / return_window(CLIENTS)
    assert all(apart >= 1000 for apart in map(sub, told[int(1.5 * mean) :], told))
    came = found["returned_after"]
    assert came[0] >= RESTART_TIME
    assert all(apart >= 1.0 for apart in map(sub, came[int(1.5 * NOISE * mean) :], came))


def test_the_daemon_leaves_in_time(found):
    assert found["exit"] == 0
    assert found["drain_seconds"] < 20.0
