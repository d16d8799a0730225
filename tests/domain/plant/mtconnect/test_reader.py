from hypothesis import given
from hypothesis import strategies as st

from domain.plant.mtconnect import Grammar, Line, Reader
from domain.plant.mtconnect.reader import DOCUMENT_LIMIT

STAMP = b"2016-11-07T09:12:22.881Z"
LINE = STAMP + b"|power|ON\n"


def reader(limit: int = 200) -> Reader:
    return Reader(Grammar(), limit)


def values(lines: list[Line]) -> list[str]:
    return [found.value for line in lines for found in line.observations]


@given(st.lists(st.integers(1, 40), max_size=20))
def test_lines_are_the_same_however_the_bytes_are_cut(cuts: list[int]) -> None:
    stream = b"\xef\xbb\xbf" + LINE + STAMP + b"|line|1\r\n\r\n" + STAMP + b"|line|2\n* PONG 5\r\n"
    reading, start = reader(), 0
    found: list[Line] = []
    for cut in cuts:
        found += reading.feed(stream[start : start + cut])
        start += cut
    found += reading.feed(stream[start:])
    assert values(found) == ["ON", "1", "2"]
    assert found[-1].command is not None
    assert (reading.lines, reading.faults, reading.replaced) == (5, 0, 0)


def test_a_line_too_long_is_thrown_away_up_to_its_end_and_said_once() -> None:
    reading = reader(limit=100)
    found = [line for _ in range(50) for line in reading.feed(b"x" * 99)]
    found += reading.feed(b"\n" + LINE)
    assert [line.fault is not None for line in found] == [True, False]
    assert found[0].fault is not None
    assert "longer than 100 bytes" in found[0].fault.reason
    assert values(found) == ["ON"]


def test_bytes_that_are_no_utf8_are_replaced_and_counted() -> None:
    reading = reader()
    (line,) = reading.feed(STAMP + b"|text|T\xfcr offen \xff\n")
    assert line.observations[0].value == "T\ufffdr offen \ufffd"
    assert reading.replaced == 2


def test_half_a_line_of_a_lost_link_is_no_line() -> None:
    reading = reader()
    list(reading.feed(STAMP + b"|Xpos|123"))
    reading.reset()
    assert values(list(reading.feed(b"456\n" + LINE))) == ["ON"]
    assert reading.cut == 1


def test_a_reset_between_lines_loses_nothing() -> None:
    reading = reader()
    list(reading.feed(LINE))
    reading.reset()
    assert reading.cut == 0


def test_a_document_of_several_lines_is_passed_over() -> None:
    reading = reader()
    asset = STAMP + b"|@ASSET@|1|CuttingTool|--multiline--AB\r\n<a>\r\n" + LINE + b"</a>\r\n--multiline--AB\r\n"
    assert values(list(reading.feed(asset + LINE))) == ["ON"]
    assert reading.faults == 0


def test_a_document_that_never_ends_is_given_up() -> None:
    reading = reader()
    list(reading.feed(STAMP + b"|@ASSET@|1|CuttingTool|--multiline--AB\n"))
    found = list(reading.feed(b"<a>\n" * (DOCUMENT_LIMIT + 1) + LINE))
    assert [line.fault is not None for line in found] == [True, False]
    assert values(found) == ["ON"]


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_no_bytes_raise_and_memory_stays_bounded(pieces: list[bytes]) -> None:
    reading = reader(limit=64)
    for piece in pieces:
        list(reading.feed(piece))
        assert len(reading._rest) <= 120
