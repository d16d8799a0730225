import gzip
import io
import lzma
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from andond.recording import Pacing, Recorded, RecordingError, check, lines_of
from domain.plant.mtconnect import LINE_LIMIT

FIRST = b"2016-11-07T09:00:00Z|x|1\n2016-11-07T09:00:10Z|x|2\n"
SECOND = b"2016-11-07T10:00:00Z|x|3"


def archive(path: Path, mode: str, **members: bytes) -> Path:
    with tarfile.open(path, mode) as packed:  # type: ignore[call-overload]
        folder = tarfile.TarInfo("logs")
        folder.type = tarfile.DIRTYPE
        packed.addfile(folder)
        for name, content in members.items():
            info = tarfile.TarInfo(f"logs/{name}.txt")
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    return path


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_logs_of_every_packing_are_read_in_order(tmp_path: Path) -> None:
    logs = [
        write(tmp_path / "a.txt", FIRST),
        write(tmp_path / "b.txt.gz", gzip.compress(SECOND)),
        write(tmp_path / "c.txt.xz", lzma.compress(FIRST)),
        archive(tmp_path / "d.tar.xz", "w:xz", one=FIRST, two=SECOND),
        archive(tmp_path / "e.tgz", "w:gz", three=SECOND),
    ]
    whole = SECOND + b"\n"
    assert b"".join(line.raw for line in lines_of(logs)) == FIRST + whole + FIRST + FIRST + whole + whole
    assert [line.opens_log for line in lines_of(logs)] == [True, False, True, True, False, True, False, True, True]
    check(logs)


def test_a_line_without_end_is_cut_into_pieces(tmp_path: Path) -> None:
    log = write(tmp_path / "a.txt", FIRST + b"x" * (3 * LINE_LIMIT))
    assert max(len(line.raw) for line in lines_of([log])) == LINE_LIMIT


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", None, "no such file"),
        ("a.txt", b"", "holds no line"),
        ("a.txt", b"\n\r\n  \n", "holds no line"),
        ("a.txt", b"root:x:0:0:root:/root:/bin/bash\n", "not an SHDR log: it begins 'root:x:0"),
        ("a.txt", b"a|b|c\n" * 300, "not an SHDR log"),
        ("a.txt.gz", b"not packed", "cannot be unpacked|Not a gzipped file"),
        ("a.txt.xz", b"not packed", "cannot be unpacked"),
        ("a.tar.xz", b"not packed", "cannot be unpacked"),
        ("a.txt.gz", gzip.compress(FIRST, mtime=0)[:20], "cannot be unpacked"),
    ],
)
def test_what_cannot_be_served_is_named_with_the_reason(
    tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    log = tmp_path / name
    if content is not None:
        log.write_bytes(content)
    with pytest.raises(RecordingError, match=reason) as caught:
        check([log])
    assert caught.value.path == log


def test_a_directory_is_named_as_one(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="is a directory"):
        check([tmp_path])


def test_a_log_may_begin_with_commands_and_a_byte_order_mark(tmp_path: Path) -> None:
    check([write(tmp_path / "a.txt", b"\xef\xbb\xbf* adapterVersion: 1\r\n" + FIRST)])
    check([write(tmp_path / "b.txt", b"\xef\xbb\xbf" + FIRST)])
    check([write(tmp_path / "c.txt", b"|x|1\n")])


def pace(lines: list[bytes], speed: float = 1.0, longest: float = 1e9, opens: tuple[int, ...] = (0,)) -> list[float]:
    pacing = Pacing(speed, longest)
    return [pacing.take(Recorded(line, number in opens)) for number, line in enumerate(lines)]


def at(second: int, key: bytes = b"x") -> bytes:
    return b"2016-11-07T09:%02d:%02dZ|%s|1\n" % (second // 60, second % 60, key)


def test_a_line_waits_for_the_difference_of_the_stamps_by_the_speed() -> None:
    assert pace([at(0), at(0), at(10), at(30)], speed=10) == [0, 0, 1, 3]


def test_no_wait_is_longer_than_the_longest() -> None:
    assert pace([at(0), at(0), at(600), at(601)], longest=5) == [0, 0, 5, 6]


def test_backward_steps_go_out_at_once_and_do_not_count_twice() -> None:
    assert pace([at(0), at(0), at(10), at(4), at(8), at(12)]) == [0, 0, 10, 10, 10, 12]


def test_last_known_values_at_the_head_of_each_log_go_out_at_once() -> None:
    head = [b"2016-01-01T00:00:00Z|a|1\n", b"2016-03-01T00:00:00Z|b|1\n", b"2016-02-01T00:00:00Z|c|Fault|1|||t\n"]
    day = [*head, b"2016-02-01T00:00:00Z|c|Fault|2|||t\n", at(0), at(1), at(2)]
    assert pace([*day, *head, at(3), at(3), at(9)], opens=(0, 7)) == [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 8]


def test_what_has_no_stamp_goes_with_what_was_before_it() -> None:
    assert pace([at(0), at(0), at(5), b"* PONG 1\n", b"</asset>\n", b"|x|1\n", b"yesterday|x|1\n", at(6)]) == [
        0, 0, 5, 5, 5, 5, 5, 6
    ]  # fmt: skip


def test_speed_nought_waits_for_nothing() -> None:
    assert pace([at(0), at(0), at(600)], speed=0) == [0, 0, 0]


@given(st.lists(st.binary(max_size=40) | st.integers(0, 3599).map(at)))
def test_lines_are_due_in_their_order_whatever_is_in_them(lines: list[bytes]) -> None:
    due = pace(lines)
    assert due == sorted(due)
    assert not due or due[-1] <= 3600
