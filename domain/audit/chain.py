"""The chain of the audit: each entry is one line, and names the hash of the line before it.

Rules of this file:

* The hash of an entry is the SHA-256 of its line, without the line feed, in small hexadecimal digits. So a chain is
  checked with ``sha256sum`` and no knowledge of what an entry is: what was hashed is what stands there.
* The first entry has the number 1 and names ``GENESIS``. Numbers rise by one.
* A line is written in the canonical form of RFC 8785 as far as andond needs it: members by their names, no blanks; and
  all beyond ASCII escaped, which it does not ask for, so that no tool changes a byte of it and no terminal obeys it.
* Entries may be deleted from the beginning: a later entry, ``RETIRED``, then says where the rest begins.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import msgspec

from domain.audit.entry import Entry, Outcome, Target
from domain.json import JsonValue

GENESIS = "0" * 64
"""What the first entry names in place of a hash."""

RETIRED = "audit.retired"
"""What the entry is that tells that older ones were deleted."""


class Broken(Exception):
    """A line is not what follows the one before; ``number`` is that of the entry that should stand there."""

    def __init__(self, number: int, why: str) -> None:
        super().__init__(f"entry {number}: {why}")
        self.number = number
        self.why = why


class Head(msgspec.Struct, frozen=True):
    """The end of a chain: the number of its newest entry and its hash."""

    number: int = 0
    hash: str = GENESIS

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """The head that is written ``NUMBER:HASH``.

        Raises:
            ValueError: if it is not.
        """
        number, _, hashed = text.partition(":")
        if not number.isascii() or not number.isdigit() or not is_hash(hashed):
            raise ValueError(f"{text!r} is no head: NUMBER:HASH")
        return cls(int(number), hashed)


BEGINNING = Head()


def digest(line: bytes) -> str:
    """The hash of an entry by its ``line`` (without the line feed)."""
    return hashlib.sha256(line).hexdigest()


def is_hash(text: object) -> bool:
    """Whether ``text`` is a hash as it is written here."""
    return isinstance(text, str) and len(text) == len(GENESIS) and not set(text) - set("0123456789abcdef")


def hash_of(document: object) -> str:
    """A short hash of something that can be written as JSON: the first 16 digits."""
    return digest(json.dumps(document, sort_keys=True, default=str).encode())[:16]


class Chain:
    """A chain up to its ``head``; ``write`` and ``follow`` each take it one entry further.

    Without a head it begins with whatever the first line says that it follows: ``start`` is that then.
    """

    def __init__(self, head: Head | None = BEGINNING) -> None:
        self._head = head
        self.start = head

    @property
    def head(self) -> Head:
        """Where it ends now; before the first line of one that began without a head: nowhere."""
        return BEGINNING if self._head is None else self._head

    def write(self, entry: Entry) -> bytes:
        """The line of ``entry``, which is the newest now."""
        number = self.head.number + 1
        document = entry.document(number, self.head.hash)
        line = json.dumps(document, separators=(",", ":"), sort_keys=True, allow_nan=False).encode()
        self._head = Head(number, digest(line))
        return line

    def follow(self, line: bytes) -> Mapping[str, JsonValue]:
        """The entry in ``line``, which is the newest now.

        Raises:
            Broken: if it does not follow what was there; then nothing has changed.
        """
        wanted = self.head.number + 1
        document = _read(line, wanted)
        number, previous = document.get("number"), document.get("previous")
        if not isinstance(number, int) or isinstance(number, bool) or number < 1 or not is_hash(previous):
            raise Broken(wanted, "its number or the hash before it is not written as andond writes them")
        if self._head is None:
            self.start = Head(number - 1, str(previous))
        elif number != wanted:
            raise Broken(wanted, f"entry {number} stands in its place")
        elif previous != self._head.hash:
            before = "the beginning" if wanted == 1 else f"entry {wanted - 1}"
            raise Broken(wanted, f"it does not follow {before}: one of the two was changed")
        self._head = Head(number, digest(line))
        return document


def retirement(at: float, first: Head, oldest: int, why: str) -> Entry:
    """The entry that tells that the entries from ``oldest`` up to that of the head ``first`` are deleted."""
    after: dict[str, JsonValue] = {"first": first.number + 1, "previous": first.hash, "deleted_from": oldest}
    return Entry(at, RETIRED, Outcome.DONE, target=Target(id=f"{oldest}-{first.number}"), why=why, after=after)


def _read(line: bytes, number: int) -> Mapping[str, JsonValue]:
    try:
        document: object = json.loads(line.decode("ascii"))
    except (ValueError, RecursionError):
        raise Broken(number, "its line is no JSON, or not whole") from None
    if not isinstance(document, dict):
        raise Broken(number, "its line is no entry")
    return document
