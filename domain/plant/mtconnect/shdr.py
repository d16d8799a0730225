"""One line of the adapter line protocol (SHDR), and what it says.

Rules of this file:

* Nothing that arrives raises. A line says what it says, and what is wrong with it is a ``LineFault`` with the number
  of the field; whatever came before the fault on the same line is kept.
* A line is ``stamp|key|value|key|value...``; in UTC where the stamp has no zone, and the receiver's time where it is
  empty. A stamp that cannot be read costs its observations their source time, not their lives.
* A line that starts with ``*`` is a command: ``* PONG 10000``, ``* manufacturer: XXX``.
* A ``|`` inside a value is escaped with a backslash and the whole value is quoted; a backslash elsewhere is itself.

The grammar is ambiguous without the device's description: a condition takes five fields after its key (level, code,
severity, qualifier, text), a message two, a time series three, anything else one, and the line does not say which.
Decided here, first rule that fits:

1. A key with a role in the settings, or known by habit, is read by its role.
2. A level word with at least four more fields behind it is a condition if the field for the qualifier is empty, HIGH
   or LOW: pairs would need a key there, and no key is empty.
3. WARNING or FAULT that ends its line is a condition without a code: no controlled vocabulary of an event has them.
4. A key that was a condition once stays one, so that a lone ``system|UNAVAILABLE`` is understood.
5. Anything else is a pair.

Free text may hold pipes that nobody escaped: what follows a condition's or message's text belongs to it unless it
starts with a key that this stream has used before.

Source: MTConnect standard part 2, and the adapter guide of the reference agent ("Adapter Agent Protocol", 1.4 to
2.x).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from domain.plant.mtconnect.observation import KEY_LIMIT, LEVELS, UNAVAILABLE, Observation, Role, Roles
from domain.plant.mtconnect.stamp import parse_stamp

KEY_SIZE = 256
EXCERPT_SIZE = 120
MULTILINE = "--multiline--"
ASSET = "@ASSET@"

_QUALIFIERS = frozenset({"", "HIGH", "LOW"})
_QUALIFIER = 3  # fields behind the level
_CONDITION_SIZE = 5
_SERIES_SIZE = 3
# A counter says with its value why it was set back: 0:DAY
_RESET = re.compile(r"(-?\d+(?:\.\d+)?):([A-Z_]+)", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class LineFault(NamedTuple):
    """What is wrong with a line: the number of the field (1 is the stamp, 0 the whole line), why, and how it begins."""

    field: int
    reason: str
    excerpt: str


class Command(NamedTuple):
    """A line about the link or the device: ``* PONG 10000``."""

    name: str
    value: str


class Line(NamedTuple):
    """All that one line says. ``opens`` is the mark that ends the lines that follow and belong to it."""

    observations: Sequence[Observation] = ()
    command: Command | None = None
    fault: LineFault | None = None
    opens: str = ""


NOTHING = Line()


class Grammar:
    """Reads lines; remembers which keys the stream has used, and which of them are conditions."""

    def __init__(self, roles: Mapping[str, Role] | None = None) -> None:
        self._roles = Roles(roles)
        self._used: set[str] = set()
        self._conditions: set[str] = set()

    def read(self, text: str) -> Line:
        """What ``text`` (one line, without its end) says."""
        if not text or text.isspace():
            return NOTHING
        if text[0] == "*":
            return _command(text)
        fields = _split(text)
        if len(fields) == 1:
            return Line(fault=LineFault(0, "no '|' in it, so it has no key", _excerpt(text)))
        return _Reading(self, text, fields).line()

    def role_of(self, key: str) -> Role | None:
        """The role of ``key``, by settings or habit, or because it was a condition before."""
        role = self._roles.of(key)
        return Role.CONDITION if role is None and key in self._conditions else role

    def has_used(self, key: str) -> bool:
        """Whether this stream has used ``key`` before."""
        return key in self._used

    def note(self, key: str, role: Role) -> None:
        """Remember that ``key`` was used as ``role``."""
        if len(self._used) < KEY_LIMIT:
            self._used.add(key)
            if role is Role.CONDITION:
                self._conditions.add(key)


class _Reading:
    """One line while it is read: where we are, what was found."""

    __slots__ = ("_at", "_duration", "_fault", "_fields", "_found", "_grammar", "_next", "_stamp", "_text")

    def __init__(self, grammar: Grammar, text: str, fields: list[str]) -> None:
        self._grammar = grammar
        self._text = text
        self._fields = fields
        self._found: list[Observation] = []
        self._fault: LineFault | None = None
        self._next = 1
        self._at: float | None = None
        self._duration: float | None = None
        self._stamp = ""

    def line(self) -> Line:
        self._read_stamp(self._fields[0].strip())
        if self._fields[1].startswith("@"):
            return self._asset_line()
        while self._next < len(self._fields) and self._read_item():
            pass
        return Line(self._found, None, self._fault)

    def _read_stamp(self, field: str) -> None:
        self._stamp, _, duration = field.partition("@")
        if not field:
            return
        try:
            self._at = parse_stamp(self._stamp)
            self._duration = float(duration) if duration else None
        except ValueError as wrong:
            self._say(1, f"the stamp cannot be read: {wrong}")

    def _say(self, field: int, reason: str) -> None:
        self._fault = self._fault or LineFault(field, reason, _excerpt(self._text))

    def _read_item(self) -> bool:
        """Read the item at the current field; False when the line has nothing more to give."""
        fields, here = self._fields, self._next
        key = fields[here].strip()
        if not key and not any(fields[here:]):
            return False
        reason = _key_fault(key) or ("" if here + 1 < len(fields) else f"{_excerpt(key)!r} has no value")
        if reason:
            self._say(here + 1, reason)
            return False
        role = self._role(key)
        if role is Role.CONDITION:
            self._condition(key)
        elif role is Role.MESSAGE:
            self._message(key)
        elif role is Role.SERIES:
            return self._series(key)
        else:
            self._value(key, role or Role.VALUE)
        return True

    def _role(self, key: str) -> Role | None:
        role = self._grammar.role_of(key)
        return Role.CONDITION if role is None and self._looks_like_condition() else role

    def _looks_like_condition(self) -> bool:
        behind = self._fields[self._next + 1 :]
        level = behind[0].strip().upper()
        if level not in LEVELS:
            return False
        if len(behind) >= _CONDITION_SIZE:
            return behind[_QUALIFIER].strip().upper() in _QUALIFIERS
        return len(behind) == 1 and level in ("WARNING", "FAULT")

    def _condition(self, key: str) -> None:
        level = self._fields[self._next + 1].strip().upper()
        code, severity, qualifier = (self._field(self._next + offset).strip() for offset in (2, 3, 4))
        if level not in LEVELS:
            self._say(self._next + 2, f"{_excerpt(level)!r} is not NORMAL, WARNING, FAULT or UNAVAILABLE")
            self._next = len(self._fields)
            return
        if self._is_key(self._next + 2):
            # A lone level in a line of pairs: the next field is a key, no code.
            code = severity = qualifier = text = ""
            self._next += 2
        else:
            text = self._free_text(self._next + 5)
        self._add(
            Observation(key, Role.CONDITION, level, self._at, self._stamp, code, severity, qualifier.upper(), text)
        )

    def _message(self, key: str) -> None:
        here = self._next
        alone = here + 2 == len(self._fields) or self._is_key(here + 2)
        code = "" if alone else self._field(here + 1).strip()
        text = self._free_text(here + (1 if alone else 2))
        value = text if text.upper() != UNAVAILABLE else UNAVAILABLE
        self._add(Observation(key, Role.MESSAGE, value, self._at, self._stamp, code=code))

    def _series(self, key: str) -> bool:
        """The newest of the samples; the stamp of a series is the time of that one."""
        here = self._next
        samples = self._field(here + _SERIES_SIZE).split()
        value = self._field(here + 1).strip()
        if value.upper() == UNAVAILABLE:
            self._value(key, Role.SERIES)
            return True
        if not value.isdecimal() or int(value[:9]) != len(samples) or not samples:
            self._say(here + 2, f"a series of {_excerpt(value)!r} samples that has {len(samples)}")
            return False
        self._next += 1 + _SERIES_SIZE
        self._add(Observation(key, Role.SERIES, samples[-1], self._at, self._stamp, duration=self._duration))
        return True

    def _value(self, key: str, role: Role) -> None:
        value = self._fields[self._next + 1].strip()
        self._next += 2
        reset = _RESET.fullmatch(value)
        if reset is not None:
            value = reset[1]
        word = reset[2] if reset is not None else ""
        self._add(Observation(key, role, value, self._at, self._stamp, duration=self._duration, reset=word))

    def _add(self, observation: Observation) -> None:
        self._grammar.note(observation.key, observation.role)
        if observation.role is not Role.IGNORED:
            self._found.append(observation)

    def _field(self, index: int) -> str:
        return self._fields[index] if index < len(self._fields) else ""

    def _is_key(self, index: int) -> bool:
        """Whether the field at ``index`` starts another item: a key that was used before, with a value behind it."""
        return index + 1 < len(self._fields) and self._grammar.has_used(self._fields[index].strip())

    def _free_text(self, start: int) -> str:
        """The text that starts at the field ``start``, with the pipes that belong to it."""
        end = start + 1
        while end < len(self._fields) and not self._is_key(end):
            end += 1
        self._next = end
        return "|".join(self._fields[start:end]).strip()

    def _asset_line(self) -> Line:
        """An asset is announced, changed or removed; its document is not for a gateway, so only its mark is kept."""
        body = self._field(4)
        opens = body if self._fields[1] == ASSET and body.startswith(MULTILINE) else ""
        return Line((), None, self._fault, opens)


def _command(text: str) -> Line:
    name, colon, value = text[1:].partition(":")
    if not colon:
        name, _, value = text[1:].strip().partition(" ")
    return Line(command=Command(name.strip(), value.strip()))


def _split(text: str) -> list[str]:
    if '"' not in text:
        return text.split("|")
    fields: list[str] = []
    pieces = text.split("|")
    here = 0
    while here < len(pieces):
        taken, field = _quoted(pieces, here)
        fields.append(field)
        here += taken
    return fields


def _quoted(pieces: list[str], start: int) -> tuple[int, str]:
    """The field that starts at ``start``, and how many pieces it takes: several if it is quoted and escapes a pipe."""
    if not pieces[start].startswith('"'):
        return 1, pieces[start]
    end = start
    while end + 1 < len(pieces) and pieces[end].endswith("\\"):
        end += 1
    last = pieces[end]
    if not last.endswith('"') or (end == start and len(last) == 1):
        return 1, pieces[start]
    joined = "|".join([piece[:-1] for piece in pieces[start:end]] + [last])
    return end - start + 1, joined[1:-1]


def _key_fault(key: str) -> str:
    if not key:
        return "a key is missing"
    if len(key) > KEY_SIZE:
        return f"a key longer than {KEY_SIZE} characters"
    if _CONTROL.search(key):
        return "a key with control characters"
    return ""


def _excerpt(text: str) -> str:
    return text if len(text) <= EXCERPT_SIZE else text[: EXCERPT_SIZE - 1] + "\u2026"
