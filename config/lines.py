"""On which line of a TOML file a key stands, so that a fault can say it.

Rules of this file: it reads only what ``tomllib`` has accepted, and only for messages. Text inside a string of several
lines that looks like a key may be taken for one; the first place counts.
"""

from __future__ import annotations

import re

_WORD = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_PATH = rf"{_WORD}(?:[ \t]*\.[ \t]*{_WORD})*"
_HEADER = re.compile(rf"[ \t]*\[\[?[ \t]*({_PATH})[ \t]*\]")
_KEY = re.compile(rf"[ \t]*({_PATH})[ \t]*=")
_WORDS = re.compile(_WORD)

KeyPath = tuple[str, ...]


def key_lines(text: str) -> dict[KeyPath, int]:
    """Return the line of every table and key, counted from 1."""
    found: dict[KeyPath, int] = {}
    table: KeyPath = ()
    for number, line in enumerate(text.split("\n"), start=1):
        if header := _HEADER.match(line):
            table = _words(header[1])
            _note(found, table, number)
        elif key := _KEY.match(line):
            _note(found, table + _words(key[1]), number)
    return found


def line_of(lines: dict[KeyPath, int], path: KeyPath) -> int | None:
    """Return the line of ``path``, or of the nearest table around it."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def _words(text: str) -> KeyPath:
    return tuple(word.strip("\"'") for word in _WORDS.findall(text))


def _note(found: dict[KeyPath, int], path: KeyPath, number: int) -> None:
    for length in range(1, len(path) + 1):
        found.setdefault(path[:length], number)
