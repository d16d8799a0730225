"""How long and how much is kept of each priority, and what goes first when there is too little room.

Rules of this file: no I/O, no clock. Records go oldest first within their priority. A critical one goes by its age and
by nothing else: neither its priority's size nor a full disk deletes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from config import JournalSettings
from domain import Priority

FIRST_TO_GO = (Priority.LOW, Priority.NORMAL, Priority.HIGH)


class Keep(msgspec.Struct, frozen=True):
    """Records of a priority are kept for ``age`` seconds (0: none is kept) and up to ``size`` bytes."""

    age: float
    size: int


class Retained(msgspec.Struct, frozen=True):
    """What a step of retention did: records deleted of each priority, and whether there is ``more`` to do at once.

    ``oversize`` is by how many bytes the critical records are past their size; they stay.
    """

    deleted: Mapping[Priority, int] = msgspec.field(default_factory=dict)
    more: bool = False
    oversize: int = 0


class Front(msgspec.Struct, frozen=True):
    """One of the oldest records of a priority."""

    place: int
    at: float
    size: int
    hash: bytes


def keep_of(settings: JournalSettings) -> dict[Priority, Keep]:
    """What the settings say is kept of each priority."""
    return {
        Priority.CRITICAL: Keep(settings.critical_age, settings.critical_size),
        Priority.HIGH: Keep(settings.high_age, settings.high_size),
        Priority.NORMAL: Keep(settings.normal_age, settings.normal_size),
        Priority.LOW: Keep(settings.low_age, settings.low_size),
    }


def leaving(
    front: Sequence[Front], keep: Keep, at: float, size: int, priority: Priority, *, is_pressed: bool
) -> list[Front]:
    """The records at the ``front`` of ``priority``, which takes ``size`` bytes, that must go at ``at``.

    ``is_pressed``: there is too little room, so all of them must, unless they are critical.
    """
    is_critical = priority is Priority.CRITICAL
    gone: list[Front] = []
    for record in front:
        is_crowded = not is_critical and (is_pressed or size > keep.size)
        if not is_crowded and at - record.at < keep.age:
            break
        size -= record.size
        gone.append(record)
    return gone
