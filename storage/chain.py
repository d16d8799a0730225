"""The hash chain: each record's hash covers the one before it, so that nothing can change or vanish unseen.

Rules of this file: no I/O. Every priority has a chain of its own, because records are deleted oldest first within a
priority and never in its middle: so a chain loses links at its front only, and its ``Lane`` remembers where it begins
now. Whoever may write the file could make a whole new chain; this finds faults of disks, copies and hands, not forgery.
"""

from __future__ import annotations

import struct
from hashlib import sha256

import msgspec

from domain import Priority
from storage.records import Record

START = bytes(32)
"""What the first record of a chain takes for the hash before it."""

_FIELDS = struct.Struct(">qqqddqIIII")
_LANE = struct.Struct(">qqqqq")


def digest(previous: bytes, record: Record) -> bytes:
    """The hash of ``record`` (its own ``hash`` apart) behind the hash ``previous``.

    Raises:
        struct.error: if a field is not of its type or range, as in a file that was changed.
        TypeError: as above.
    """
    channel, source, id_, event = record.channel, record.source, record.id, record.event
    lengths = (len(channel), len(source), len(id_), len(event))
    fields = _FIELDS.pack(
        record.number, record.priority, record.place, record.at, record.recorded, record.size, *lengths
    )
    return sha256(b"".join((previous, fields, channel, source, id_, event))).digest()


class Lane(msgspec.Struct, frozen=True):
    """The journal's account of one priority: where its chain begins and ends, and what it takes.

    ``deleted`` is the place of the newest record that was deleted and ``deleted_hash`` its hash, the same with
    ``newest``; what is kept lies between. ``number`` is the number of the newest record, ``size`` the
    bytes of all that is kept.
    """

    priority: Priority
    deleted: int = 0
    deleted_hash: bytes = START
    newest: int = 0
    newest_hash: bytes = START
    number: int = 0
    size: int = 0

    @property
    def records(self) -> int:
        """How many records are kept."""
        return self.newest - self.deleted

    def seal(self, epoch: str) -> bytes:
        """The hash over this account, kept beside it: a changed account must not make good records look bad.

        Raises:
            struct.error: if a field is not of its type or range, as in a file that was changed.
            TypeError: as above.
        """
        fields = _LANE.pack(self.priority, self.deleted, self.newest, self.number, self.size)
        return sha256(b"".join((fields, self.deleted_hash, self.newest_hash, epoch.encode()))).digest()

    def is_sealed(self, epoch: str, seal: object) -> bool:
        """Whether ``seal`` is the one over this account; no account that has lost a field has any."""
        try:
            return self.seal(epoch) == seal
        except (struct.error, TypeError):
            return False
