"""Bytes as they come from an adapter, cut into lines and read.

Rules of this file:

* Memory is bounded whatever arrives: a line longer than ``limit`` is thrown away up to its end and said once; so is a
  document of several lines that never ends.
* Lines end with LF or CR LF. A byte order mark is dropped. Bytes that are no UTF-8 become U+FFFD, and are counted.
* What a lost link left of a line is no line: ``reset`` forgets and counts it, since half a number is a wrong number.
"""

from __future__ import annotations

from collections.abc import Iterator

from domain.plant.mtconnect.shdr import EXCERPT_SIZE, Grammar, Line, LineFault

LINE_LIMIT = 65_536
DOCUMENT_LIMIT = 10_000  # lines

_BOM = b"\xef\xbb\xbf"
_REPLACED = "\ufffd"


class Reader:
    """Reads one adapter's stream; counts ``lines``, ``faults``, ``replaced`` characters and ``cut`` lines."""

    def __init__(self, grammar: Grammar, limit: int = LINE_LIMIT) -> None:
        self._grammar = grammar
        self._limit = limit
        self._rest = bytearray()
        self._overlong = False
        self._mark = ""
        self._document = 0
        self.lines = 0
        self.faults = 0
        self.replaced = 0
        self.cut = 0

    def feed(self, received: bytes) -> Iterator[Line]:
        """What the lines say that ``received`` completes; lines that say nothing are left out."""
        start = 0
        while (end := received.find(b"\n", start)) >= 0:
            self._keep(received[start:end])
            start = end + 1
            line = self._finish()
            if line is not None:
                self.faults += line.fault is not None
                yield line
        self._keep(received[start:])

    def reset(self) -> None:
        """The link is gone: forget what was not finished."""
        self.cut += bool(self._rest) or self._overlong
        self._rest.clear()
        self._overlong = False
        self._mark = ""

    def _keep(self, piece: bytes) -> None:
        if len(self._rest) + len(piece) > self._limit:
            self._overlong = True
            self._rest += piece[: max(EXCERPT_SIZE - len(self._rest), 0)]
            del self._rest[EXCERPT_SIZE:]
        elif not self._overlong:
            self._rest += piece

    def _finish(self) -> Line | None:
        text = self._decoded()
        self.lines += 1
        self._rest.clear()
        if self._overlong:
            self._overlong = False
            return Line(fault=LineFault(0, f"a line longer than {self._limit} bytes", text))
        if self._mark:
            return self._in_document(text)
        line = self._grammar.read(text)
        self._mark, self._document = line.opens, 0
        return line if line.observations or line.command or line.fault else None

    def _decoded(self) -> str:
        raw = bytes(self._rest).removeprefix(_BOM).rstrip(b"\r")
        try:
            return raw.decode()
        except UnicodeDecodeError:
            text = raw.decode(errors="replace")
            self.replaced += text.count(_REPLACED)
            return text

    def _in_document(self, text: str) -> Line | None:
        self._document += 1
        if text == self._mark:
            self._mark = ""
        elif self._document > DOCUMENT_LIMIT:
            mark, self._mark = self._mark, ""
            return Line(fault=LineFault(0, f"no end of a document within {DOCUMENT_LIMIT} lines", mark[:EXCERPT_SIZE]))
        return None
