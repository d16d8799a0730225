from __future__ import annotations

import pytest

from actors.desks.around import ERROR_WINDOW, Around
from domain.chain import Surroundings, Unknown
from telemetry import counters, gauges

BEGIN = 1_000_000.0
HOST = {
    "cpuPercent": 12.5,
    "memoryUsedBytes": 2_048_400_000,
    "memoryTotalBytes": 8_000_000_000,
    "networkReceivedBytesPerSecond": 1_234_567,
    "networkSentBytesPerSecond": 0,
    "disks": {
        "/": {"usedBytes": 10_000_000_000, "totalBytes": 100_000_000_000, "percent": 10.0, "reason": None},
        "/data": {"usedBytes": 90_500_000_000, "totalBytes": 100_000_000_000, "percent": 90.5, "reason": None},
        "/lost": {"usedBytes": None, "totalBytes": None, "percent": None, "reason": "did not answer within 2 s"},
    },
}
OF_THE_HOST = (
    "cpu_percent", "memory_mb", "memory_total_mb", "disk_used_gb", "disk_total_gb", "received_mb_per_second",
    "sent_mb_per_second",
)  # fmt: skip


@pytest.fixture
def around() -> Around:
    return Around(stale_after=30.0, started=BEGIN)


def test_a_host_reading_is_told_in_the_portals_units(around):
    around.take(HOST, BEGIN)
    now = around.present(BEGIN + 5)
    assert (now.cpu_percent, now.memory_mb, now.memory_total_mb) == (12.5, 2048, 8000)
    assert (now.received_mb_per_second, now.sent_mb_per_second) == (1.235, 0.0)
    assert now.uptime == 5.0


def test_of_several_disks_the_fullest_is_told(around):
    around.take(HOST, BEGIN)
    now = around.present(BEGIN)
    assert (now.disk_used_gb, now.disk_total_gb) == (90.5, 100.0)


@pytest.mark.parametrize("disks", [None, {}, {"/": {"percent": None}}, {"/": "full"}, "full", 7])
def test_without_a_disk_that_is_known_the_disk_is_null(around, disks):
    around.take({**HOST, "disks": disks}, BEGIN)
    now = around.present(BEGIN)
    assert (now.disk_used_gb, now.disk_total_gb) == (None, None)
    assert isinstance(now.known("disk_used_gb"), Unknown)


def test_before_the_first_host_reading_every_value_of_it_is_null_with_the_reason(around):
    now = around.present(BEGIN)
    for name in OF_THE_HOST:
        assert now.known(name) == Unknown("no host reading received yet")


def test_a_host_that_has_gone_quiet_is_null_with_its_age(around):
    around.take(HOST, BEGIN)
    assert around.present(BEGIN + 30).cpu_percent == 12.5
    now = around.present(BEGIN + 31)
    for name in OF_THE_HOST:
        assert now.known(name) == Unknown("the newest host reading is 31 s old")


def test_a_value_that_the_reading_did_not_have_is_null(around):
    around.take({"cpuPercent": 5, "memoryUsedBytes": None, "memoryTotalBytes": "8"}, BEGIN)
    now = around.present(BEGIN)
    assert (now.cpu_percent, now.memory_mb, now.memory_total_mb) == (5.0, None, None)


def test_what_nobody_measures_says_so(around):
    around.take(HOST, BEGIN)
    now = around.present(BEGIN)
    for name in ("disk_read_mb_per_second", "disk_write_mb_per_second", "threads"):
        assert now.known(name) == Unknown("not measured by the host source")


def test_connections_are_those_of_all_doors(around):
    assert around.present(BEGIN).connections is None
    gauges.feed("connections", lambda: {"live": 3.0, "metrics": 2.0})
    try:
        assert around.present(BEGIN).connections == 5
    finally:
        gauges.forget("connections")


# -- the share of errors ----------------------------------------------------------------------------------


def answer(count: int, failed: int = 0) -> None:
    counters.requests_answered.add("200", count - failed)
    counters.requests_answered.add("500", failed)
    counters.requests_failed += failed


def test_without_a_request_there_is_no_error_rate(around):
    assert around.present(BEGIN).known("error_rate") == Unknown("no request or client message in the last 60 s")


def test_what_was_counted_before_the_desk_began_is_not_its_business():
    answer(100, 50)
    around = Around(30.0, BEGIN)
    answer(10, 1)
    assert around.present(BEGIN + 1).error_rate == pytest.approx(0.1)


def test_the_error_rate_is_that_of_the_last_minute(around):
    answer(10, 10)
    assert around.present(BEGIN + 1).error_rate == 1.0
    for second in range(2, 61):
        answer(1)
        around.present(BEGIN + second)
    assert around.present(BEGIN + 60).error_rate == pytest.approx(10 / 69)
    answer(1)
    assert around.present(BEGIN + 61).error_rate == pytest.approx(0.0)
    assert around.present(BEGIN + 62 + ERROR_WINDOW).error_rate is None


def test_messages_count_as_requests_do(around):
    counters.frames_received += 3
    counters.frames_rejected.add("json")
    assert around.present(BEGIN + 1).error_rate == pytest.approx(0.25)


def test_the_error_rate_is_never_more_than_one(around):
    counters.frames_rejected.add("utf8", 5)
    assert around.present(BEGIN + 1).error_rate == 1.0


def test_a_chain_that_stands_still_and_a_watched_validator_in_jail_are_troubles(around):
    gauges.feed("chain_halted", lambda: {"hub-1": 1.0, "other-1": 0.0})
    gauges.feed("chain_watched_jailed", lambda: {"hub-1\top1bob": 1.0, "hub-1\top1ann": 0.0})
    try:
        assert around.present(BEGIN + 1).troubles == ("hub-1 is halted", "op1bob of hub-1 is in jail")
    finally:
        gauges.forget("chain_halted")
        gauges.forget("chain_watched_jailed")
    assert around.present(BEGIN + 1).troubles == ()


def test_a_clock_that_is_set_back_changes_nothing_for_the_worse(around):
    answer(10, 5)
    for at in (BEGIN + 1, BEGIN - 3600, BEGIN + 2):
        assert isinstance(around.present(at), Surroundings)
        assert around.present(at).error_rate == pytest.approx(0.5)
