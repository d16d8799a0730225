"""What an epoch asks of the watched validators, and who makes its blocks.

Rules of this file:

* An epoch's duties are asked for when its first head is heard of, and with each poll until the node says them; those of
  the epoch before stay, since its last blocks may be told late.
* Who was at work is asked of the epoch before (liveness), or, where the node does not have that, of the one before it
  (rewards): these are settled only when the next epoch has ended.
"""

from __future__ import annotations

from domain.chain.beacon import queries
from domain.chain.beacon.answers import read_liveness, read_proposers, read_rewards
from domain.chain.beacon.attendance import Attendance
from domain.chain.beacon.queries import Query
from domain.json import JsonValue

_LIVENESS_DELAY, _REWARDS_DELAY = 1, 2
_NOBODY = (None, None)


class Duties:
    """The duties of the newest epochs at one node."""

    def __init__(self) -> None:
        self._attendance = Attendance()
        self._epoch = -1
        self._proposers: dict[int, tuple[str, str]] = {}

    @property
    def counted(self) -> int:
        """How many of the newest epochs it is known of who was at work in them."""
        return self._attendance.counted

    def begin(self) -> None:
        """A new connection: what was asked for may never have come."""
        self._epoch = -1

    def enter(self, epoch: int) -> bool:
        """A head in ``epoch`` was heard of: whether it is the first."""
        is_first = epoch > self._epoch
        self._epoch = max(epoch, self._epoch)
        return is_first

    def attendance(self, indices: tuple[str, ...], *, is_live: bool) -> Query | None:
        """How to ask who was at work; ``is_live`` if the node may have liveness. None if there is nothing to ask."""
        epoch = self._epoch - (_LIVENESS_DELAY if is_live else _REWARDS_DELAY)
        if epoch < 0 or not indices or self._attendance.is_told(epoch):
            return None
        return (queries.liveness if is_live else queries.rewards)(epoch, indices)

    def take_attendance(self, query: Query, body: JsonValue) -> dict[str, int]:
        """Count an answer: how many epochs each of the validators asked for has missed, by index.

        Raises:
            AnswerFault: if it is none.
        """
        read = read_liveness if query.name == "liveness" else read_rewards
        return self._attendance.note(int(query.about), read(body, query.body or ()))

    def take_proposers(self, body: JsonValue, epoch_size: int) -> None:
        """Remember who makes the blocks of an epoch.

        Raises:
            AnswerFault: if it is no such answer.
        """
        told = read_proposers(body, epoch_size)
        self._proposers = dict(list(self._proposers.items())[-epoch_size:]) | told

    def has_proposers(self, first: int, last: int) -> bool:
        """Whether it is known who makes a block of the slots from ``first`` to ``last``."""
        return any(first <= slot <= last for slot in self._proposers)

    def proposer(self, slot: int, index: str | None = None) -> str | None:
        """The public key of who makes the block at ``slot``; with ``index``, only if it is that validator."""
        on_duty, key = self._proposers.get(slot, _NOBODY)
        return key if index is None or index == on_duty else None
