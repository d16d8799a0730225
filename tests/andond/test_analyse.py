"""``andond analyse``: real machines, and logs as bad as they come."""

import csv
import gzip
import io
import json
import lzma
import os
import random
import tarfile
from pathlib import Path

import pytest

from andond.cli import main

SHARED = Path(os.environ.get("ANDOND_SHARED", Path(__file__).parents[3] / "shared"))
NIST = SHARED / "data" / "nist"
MINUTE_US = 60_000_000

needs_nist = pytest.mark.skipif(not NIST.is_dir(), reason=f"no NIST logs in {NIST}; ANDOND_SHARED says where they are")

MORNING = """\
2026-11-21T06:00:00.000000Z|avail|AVAILABLE|execution|READY
2026-11-21T06:00:10.000000Z|execution|ACTIVE
2026-11-21T06:01:10.000000Z|execution|INTERRUPTED
2026-11-21T06:01:10.003000Z|execution|ACTIVE
2026-11-21T06:01:20.000000Z|system|FAULT|110|1|HIGH|DOOR OPEN
2026-11-21T06:01:30.000000Z|system|NORMAL||||
2026-11-21T06:02:00.000000Z|execution|STOPPED
"""


def figures(capsys: pytest.CaptureFixture[str], *paths: Path, options: tuple[str, ...] = ()) -> dict[str, dict]:
    assert main(["analyse", "--json", *options, *map(str, paths)]) == 0
    found: dict[str, dict] = json.loads(capsys.readouterr().out)
    return found


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def shuffled_within(minutes: int, rows: list[list[str]]) -> list[list[str]]:
    seeded = random.Random(4)
    from domain.plant.ledger import parse_us  # noqa: PLC0415

    return sorted(rows, key=lambda row: parse_us(row[0]) + seeded.randrange(minutes * MINUTE_US))


@needs_nist
@pytest.mark.parametrize("machine", ["GFAgie01", "Mazak03"])
@pytest.mark.parametrize("order", ["as it is", "shuffled", "doubled", "backwards"])
def test_a_real_machine_gives_the_figures_of_the_reference(
    machine: str, order: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with gzip.open(NIST / f"{machine}.events.csv.gz", "rt", encoding="utf-8") as log:
        header, *rows = csv.reader(log)
    if order == "shuffled":
        rows = shuffled_within(10, rows)
    elif order == "doubled":
        rows = shuffled_within(10, rows + rows)
    elif order == "backwards":
        rows.reverse()
    path = tmp_path / f"{machine}.csv"
    with path.open("w", newline="", encoding="utf-8") as log:
        csv.writer(log).writerows([header, *rows])
    reference = json.loads((NIST / "reference-events.json").read_text())[machine]
    found = figures(capsys, path)[machine]
    assert found == reference
    assert list(found) == list(reference)


@needs_nist
def test_the_raw_log_of_a_real_machine_gives_the_same_ledger_and_alarms(capsys: pytest.CaptureFixture[str]) -> None:
    reference = json.loads((NIST / "reference-events.json").read_text())["GFAgie01"]
    found = figures(capsys, NIST / "GFAgie01.tar.xz")["GFAgie01"]
    # The extract has fewer data items, and nothing else is different.
    assert found.pop("dedup_rows") > reference.pop("dedup_rows")
    assert found == reference


def test_a_small_log_is_counted_to_the_microsecond_and_both_of_a_double_transition_are_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = figures(capsys, write(tmp_path / "Mill01-20261121-20261122.txt", MORNING))["Mill01"]
    assert found["exec_seconds"] == {"ACTIVE": 109.997, "READY": 10.0, "INTERRUPTED": 0.003}
    assert found["exec_span"] == found["exec_sum"] == 120.0
    assert found["exec_transitions"] == 5
    assert found["stops_between_active_lt60_lt120_ge120"] == [1, 0, 0]
    assert (found["alarm_activations"], found["distinct"]) == (1, 1)


def test_the_table_has_state_span_coverage_stops_alarms_and_floods(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyse", str(write(tmp_path / "mill.log", MORNING))]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("mill: 8 rows\n")
    for words in (
        "from 2026-11-21T06:00:00Z to 2026-11-21T06:02:00Z: 0 d 00:02:00",
        "known 100.00% of it (coverage)",
        "ACTIVE       109.997000",
        "1 under 60 s, 0 under 120 s, 0 longer",
        "1 activations of 1 alarms",
        "by the clock: none",
        "(trailing): none",
        "1  system|110  DOOR OPEN",
    ):
        assert words in shown.out
    assert not shown.err


def test_carriage_returns_marks_and_compression_change_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = figures(capsys, write(tmp_path / "mill.txt", MORNING))["mill"]
    dirty = b"\xef\xbb\xbf" + MORNING.replace("\n", "\r\n").encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:xz") as archive:
        member = tarfile.TarInfo("logs/mill.txt")
        member.size = len(dirty)
        archive.addfile(member, io.BytesIO(dirty))
    for name, raw in (
        ("mill.log", dirty),
        ("mill.txt.gz", gzip.compress(dirty)),
        ("mill.txt.xz", lzma.compress(dirty)),
        ("mill.tar.xz", packed.getvalue()),
    ):
        assert figures(capsys, write(tmp_path / name, raw))["mill"] == expected


def test_daily_files_of_a_machine_are_one_log_however_they_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = figures(capsys, write(tmp_path / "Mill01.txt", MORNING))["Mill01"]
    lines = MORNING.splitlines(keepends=True)
    # Each daily file begins with the last known values, with the stamps they had.
    second = write(tmp_path / "Mill01-20261122-20261123.txt", "".join(lines[:2] + lines[3:]))
    first = write(tmp_path / "Mill01-20261121-20261122.txt", "".join(lines[:4]))
    assert figures(capsys, second, first) == {"Mill01": whole}


def test_machines_are_told_apart_by_their_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = write(tmp_path / "a.txt", MORNING), write(tmp_path / "b.txt", MORNING)
    found = figures(capsys, one, other)
    assert set(found) == {"a", "b"}
    assert found["a"] == found["b"]


JUMP = """\
2026-11-21T06:00:00.000Z|execution|READY
2026-11-21T06:00:10.000Z|execution|ACTIVE
2026-11-21T06:00:20.000Z|execution|READY
2026-11-21T06:00:30.000Z|execution|ACTIVE
2002-01-01T00:00:05.000Z|execution|INTERRUPTED
2002-01-01T00:00:09.000Z|execution|FEED_HOLD
2026-11-21T06:01:00.000Z|execution|ACTIVE
2026-11-21T06:01:10.000Z|execution|READY
"""


def test_rows_of_a_clock_that_jumped_to_2002_and_back_count_where_they_were_received(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyse", "--json", str(write(tmp_path / "mill.txt", JUMP))]) == 0
    shown = capsys.readouterr()
    found = json.loads(shown.out)["mill"]
    assert found["exec_span"] == 70.0
    assert found["exec_seconds"] == {"ACTIVE": 20.0, "READY": 20.0, "FEED_HOLD": 30.0, "INTERRUPTED": 0.0}
    assert "stamped 2002-01-01T00:00:05Z to 2002-01-01T00:00:09Z" in shown.err
    assert "set the machine's clock" in shown.err


def test_what_cannot_be_read_is_left_out_and_said_and_the_rest_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dirt = (
        b"no pipe in it\n"
        b"yesterday|execution|STOPPED\n"
        b"2026-13-45T06:00:00Z|execution|STOPPED\n"
        b"|execution|STOPPED\n"
        b"2026-11-21T06:00:01Z|strange\xff\xfekey|1\n"
        b"2026-11-21T06:00:02Z|\n"
        b"\n\n"
    )
    assert main(["analyse", "--json", str(write(tmp_path / "mill.txt", MORNING.encode() + dirt))]) == 0
    shown = capsys.readouterr()
    found = json.loads(shown.out)["mill"]
    assert found["exec_span"] == 120.0
    assert "3 moments that cannot be read" in shown.err
    assert "1 lines that are not as the protocol has them" in shown.err


def test_event_rows_with_missing_values_and_columns_are_read_as_far_as_they_go(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = (
        "key,ts,value\r\n"
        "execution,2026-11-21T06:00:00Z,ACTIVE\r\n"
        "execution,2026-11-21T06:00:10Z,\r\n"
        "execution,2026-11-21T06:00:30Z,Active\r\n"
        ",2026-11-21T06:00:31Z,ACTIVE\r\n"
        "execution\r\n"
        "execution,2026-11-21T06:00:40Z,READY\r\n"
    )
    assert main(["analyse", "--json", str(write(tmp_path / "mill.csv", rows))]) == 0
    shown = capsys.readouterr()
    found = json.loads(shown.out)["mill"]
    assert found["exec_seconds"] == {"ACTIVE": 20.0, "UNAVAILABLE": 20.0}
    assert "2 rows without a moment, a key and a value" in shown.err


def test_of_several_execution_keys_the_one_of_that_name_speaks_and_another_can_be_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = write(
        tmp_path / "mill.txt",
        "2026-11-21T06:00:00Z|execution|ACTIVE|execution2|READY\n"
        "2026-11-21T06:00:05Z|execution2|ACTIVE\n"
        "2026-11-21T06:00:07Z|execution2|READY\n"
        "2026-11-21T06:00:10Z|execution|READY\n",
    )
    assert figures(capsys, log)["mill"]["exec_seconds"] == {"ACTIVE": 10.0}
    named = figures(capsys, log, options=("--execution", "execution2"))["mill"]
    assert named["exec_seconds"] == {"READY": 5.0, "ACTIVE": 2.0}


def test_paths_without_a_speaker_make_the_machine_run_while_one_of_them_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = write(
        tmp_path / "mill.txt",
        "2026-11-21T06:00:00Z|p1execution|ACTIVE\n"
        "2026-11-21T06:00:00Z|p2execution|READY\n"
        "2026-11-21T06:00:05Z|p2execution|ACTIVE\n"
        "2026-11-21T06:00:07Z|p1execution|READY\n"
        "2026-11-21T06:00:10Z|p2execution|READY\n",
    )
    assert figures(capsys, log)["mill"]["exec_seconds"] == {"ACTIVE": 10.0}


def test_execution_items_of_several_prefixes_are_paths_of_one_machine_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = write(
        tmp_path / "mill.txt",
        "2026-11-21T06:00:00Z|path1:execution|READY\n"
        "2026-11-21T06:00:00Z|path2:execution|ACTIVE\n"
        "2026-11-21T06:00:10Z|path2:execution|READY\n",
    )
    assert main(["analyse", "--json", str(log)]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["mill"]["exec_seconds"] == {"ACTIVE": 10.0}
    assert "path1:execution, path2:execution are taken for paths of one machine" in shown.err


def test_any_data_item_can_be_named_to_say_what_the_machine_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = write(tmp_path / "mill.txt", "2026-11-21T06:00:00Z|RunStatus|ACTIVE\n2026-11-21T06:00:10Z|RunStatus|READY\n")
    assert figures(capsys, log)["mill"]["exec_seconds"] == {}
    assert figures(capsys, log, options=("--execution", "RunStatus"))["mill"]["exec_seconds"] == {"ACTIVE": 10.0}


def test_a_data_item_that_no_row_has_is_said_to_be_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = write(tmp_path / "mill.txt", "2026-11-21T06:00:00Z|execution|ACTIVE\n")
    assert main(["analyse", "--execution", "executoin", str(log)]) == 0
    assert "no row has the key executoin; execution could say" in capsys.readouterr().err


def test_a_truncated_archive_counts_as_far_as_it_goes_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        f"2026-11-21T{h:02}:{m:02}:00Z|execution|{'ACTIVE' if m % 2 else 'READY'}" for h in range(24) for m in range(60)
    ]
    noise = random.Random(1).randbytes(20_000).hex()
    packed = gzip.compress(("\n".join(lines) + f"\n2026-11-22T00:00:00Z|text|{noise}\n").encode())
    assert main(["analyse", "--json", str(write(tmp_path / "mill.txt.gz", packed[:-4000]))]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["mill"]["exec_transitions"] == 1440
    assert "what was read up to there counts" in shown.err


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("mill.txt", b"", "no line that says anything"),
        ("mill.txt", b"it was a dark and stormy night\n", "it begins 'it was a dark and stormy night'"),
        ("mill.txt.gz", b"no gzip at all", "cannot be unpacked"),
        ("mill.tar.xz", b"\xfd7zXZ\x00broken", "cannot be unpacked"),
    ],
)
def test_a_file_that_is_no_log_is_named_with_what_was_expected(
    name: str, content: bytes, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / name, content)
    assert main(["analyse", str(path)]) == 66
    shown = capsys.readouterr()
    assert not shown.out
    assert f"andond analyse: {path}: " in shown.err
    assert reason in shown.err


def test_a_file_that_is_not_there_and_a_directory_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyse", str(tmp_path / "gone.txt")]) == 66
    assert "no such file" in capsys.readouterr().err
    assert main(["analyse", str(tmp_path)]) == 66
    assert "is a directory; name the logs in it" in capsys.readouterr().err


def test_one_empty_day_does_not_spoil_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    day, empty = write(tmp_path / "mill.txt", MORNING), write(tmp_path / "empty.txt", b"")
    assert main(["analyse", "--json", str(empty), str(day)]) == 0
    shown = capsys.readouterr()
    assert set(json.loads(shown.out)) == {"mill"}
    assert "empty.txt: no log" in shown.err


def test_since_and_until_cut_what_is_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = write(tmp_path / "mill.txt", "2002-01-01T00:00:00Z|execution|READY\n" + MORNING)
    found = figures(capsys, log, options=("--since", "2026-11-21", "--until", "2026-11-21T06:01:10Z"))["mill"]
    assert found["exec_span"] == 10.0
    assert main(["analyse", "--since", "2027-01-01", str(log)]) == 66
    assert "nothing in it is between --since and --until" in capsys.readouterr().err
