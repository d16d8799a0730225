"""A list that a node gives in pages, put together.

Rules of this file: no I/O. ``wanted`` says what to ask next, ``take`` takes what was answered, and at the end there is
one ``ValidatorsRead``. Pages that do not end, go round or tell of different sets are a fault, and one begins anew.

The pages of the active set are all asked for at the height that the first one named. It is the set of the block to
come; it is told as of the block before, the newest there is, as all other records are. The pages of staking and
slashing are in the order of their keys, which a change of the chain between two of them does not disturb; what they
say is told as of the lowest height that any of them was read at.

A list is complete if who is not in it is not in the active set: that of staking and the set itself, not what slashing
keeps of those who ever were in it.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from domain.chain.cosmos import requests
from domain.chain.cosmos.fault import CosmosFault
from domain.chain.cosmos.known import ACTIVE_SET
from domain.chain.cosmos.member import ROWS_LIMIT
from domain.chain.cosmos.records import Page, read_active_set, read_signing_infos, read_staking
from domain.chain.cosmos.told import Told, placed
from domain.chain.observations import Provenance, ValidatorRow, ValidatorsRead
from domain.json import JsonValue

PAGES_LIMIT = 250

_FIRST = "1"


class _List(msgspec.Struct, frozen=True):
    """One of the lists: how to ask for the page at a place, and how to read it.

    ``is_of_all`` says whether who is not in it is not in the active set, ``ahead`` by how many blocks the height that
    its pages name is past the newest block.
    """

    method: str
    ask: Callable[[str | None, int | None], requests.Request]
    read: Callable[[JsonValue, str | None], Page]
    is_of_all: bool
    ahead: int = 0


_ACTIVE_SET = _List(
    method=ACTIVE_SET,
    ask=lambda place, height: requests.active_set(int(place or _FIRST), height),
    read=lambda value, place: read_active_set(value, int(place or _FIRST), requests.SET_PAGE_SIZE),
    is_of_all=True,
    ahead=1,
)
_STAKING = _List(
    method="staking/validators",
    ask=lambda place, _: requests.staking(place),
    read=lambda value, _: read_staking(value),
    is_of_all=True,
)
_SIGNING = _List(
    method="slashing/signing_infos",
    ask=lambda place, _: requests.signing_infos(place),
    read=lambda value, _: read_signing_infos(value),
    is_of_all=False,
)


class Paging:
    """One reading of one list, from its first page to its last."""

    def __init__(self, wanted: _List) -> None:
        self._list = wanted
        self._place: str | None = None
        self._places: set[str | None] = {None}
        self._height: int | None = None
        self._rows: list[ValidatorRow] = []
        self._faults: list[CosmosFault] = []
        self._is_done = False

    @classmethod
    def of_active_set(cls) -> Paging:
        """The validators that sign blocks now, with their power."""
        return cls(_ACTIVE_SET)

    @classmethod
    def of_staking(cls) -> Paging:
        """All validators, and which of them are jailed."""
        return cls(_STAKING)

    @classmethod
    def of_signing_infos(cls) -> Paging:
        """What each validator that ever was bonded missed, and until when it is jailed."""
        return cls(_SIGNING)

    @property
    def wanted(self) -> requests.Request | None:
        """What to ask the node next; None when the last page was taken."""
        if self._is_done:
            return None
        pinned = self._height if self._list is _ACTIVE_SET else None
        return self._list.ask(self._place, pinned)

    def take(self, value: JsonValue, origin: Provenance) -> Told:
        """Take the page that was ``wanted``; ``origin.height`` is the height of a REST answer, where its header says.

        The list is told with its last page, and nothing before that.

        Raises:
            NodeRefused: if the node says that it cannot answer.
            CosmosFault: if it is no such page, or one that does not follow.
        """
        page = self._list.read(value, self._place)
        self._note_height(page.height, origin.height)
        self._rows += page.rows
        self._faults += page.faults
        if len(self._rows) + len(self._faults) > ROWS_LIMIT:
            raise CosmosFault(f"more than {ROWS_LIMIT} validators")
        if page.next is not None:
            self._go_to(page.next)
            return Told()
        self._check_total(page.total)
        self._is_done = True
        complete = self._list.is_of_all and not self._faults
        height = None if self._height is None else max(0, self._height - self._list.ahead)
        place = placed(origin, self._list.method, height)
        return Told((ValidatorsRead(place, tuple(self._rows), complete),), tuple(self._faults))

    def _note_height(self, named: int | None, asked: int | None) -> None:
        if named is not None and self._height not in (None, named):
            raise CosmosFault(f"a page of the height {named} among those of {self._height}")
        heights = [height for height in (named, asked, self._height) if height is not None]
        self._height = named if named is not None else min(heights, default=None)

    def _check_total(self, total: int | None) -> None:
        found = len(self._rows) + len(self._faults)
        # A node that puts fewer rows on a page than it was asked for would leave holes between the pages.
        if total is not None and found != total:
            raise CosmosFault(f"the pages have {found} validators, and not the {total} that the node names")

    def _go_to(self, place: str) -> None:
        if place in self._places:
            raise CosmosFault("the pages go round")
        if len(self._places) >= PAGES_LIMIT:
            raise CosmosFault(f"more than {PAGES_LIMIT} pages")
        self._places.add(place)
        self._place = place
