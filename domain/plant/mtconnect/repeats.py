"""Which observations say something new: adapters and their logs repeat the last known values, with their old stamps.

Rules of this file:

* What is compared is one *item*: a key, and for a condition its code too, since a condition has many alarms. White
  space within a text is not compared: logs were seen whose snapshots lose it.
* The same stamp with the same content is a repeat, and so is an older stamp with the content that holds now: that is
  what the snapshot at the start of a connection or of a daily file is made of.
* An older stamp with another content is late: true of the past, not of now. It is marked, never dropped in silence.
* Order is (era, stamp). The era advances when the source's clock was found to have stepped back, because from then
  on older stamps are newer news.
* Memory is bounded: a few contents an item, ``capacity`` items, the longest unheard item forgotten first.
* What has no stamp that can be read is always new: there is nothing to recognise it by.
"""

from __future__ import annotations

from enum import Enum

from domain.plant.mtconnect.observation import UNAVAILABLE, Observation, Role

CAPACITY = 8192
REMEMBERED = 8  # contents an item

Order = tuple[int, float]
_Content = tuple[str, str, str, str, str]
_NEVER: Order = (-1, 0.0)


class Novelty(Enum):
    """What an observation is to those before it."""

    NEW = "new"
    REPEAT = "repeat"
    LATE = "late"


class _Item:
    __slots__ = ("cleared", "newest", "now", "seen")

    def __init__(self) -> None:
        self.newest = _NEVER
        self.cleared = _NEVER
        self.now: _Content | None = None
        self.seen: dict[tuple[float, _Content], None] = {}


class Repeats:
    """Tells new observations from repeated and late ones. ``era`` is set by whoever watches the source's clock."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._items: dict[tuple[str, str], _Item] = {}
        self.era = 0

    def __len__(self) -> int:
        return len(self._items)

    def judge(self, observation: Observation) -> Novelty:
        """What ``observation`` is; a new one is remembered as the newest of its item."""
        if observation.at is None:
            return Novelty.NEW
        item, content = self._item(observation), _content(observation)
        if (observation.at, content) in item.seen:
            return Novelty.REPEAT
        order = (self.era, observation.at)
        if order < item.newest and content == item.now:
            return Novelty.REPEAT
        if order < item.newest or order < self._cleared(observation):
            return Novelty.LATE
        item.newest = order
        item.now = content
        if _clears(observation):
            item.cleared = order
        _remember(item, observation.at, content)
        return Novelty.NEW

    def remember(self, observation: Observation) -> None:
        """A late ``observation`` was told; the same once more is a repeat."""
        if observation.at is not None:
            _remember(self._item(observation), observation.at, _content(observation))

    def _item(self, observation: Observation) -> _Item:
        name = (observation.key, observation.code if observation.role is Role.CONDITION else "")
        item = self._items.pop(name, None) or _Item()
        self._items[name] = item
        if len(self._items) > self._capacity:
            del self._items[next(iter(self._items))]
        return item

    def _cleared(self, observation: Observation) -> Order:
        """When all codes of this condition were last cleared at once."""
        if observation.role is not Role.CONDITION or not observation.code:
            return _NEVER
        whole = self._items.get((observation.key, ""))
        return whole.cleared if whole is not None else _NEVER


def _clears(observation: Observation) -> bool:
    return observation.role is Role.CONDITION and not observation.code and observation.value in ("NORMAL", UNAVAILABLE)


def _remember(item: _Item, at: float, content: _Content) -> None:
    item.seen[at, content] = None
    if len(item.seen) > REMEMBERED:
        del item.seen[next(iter(item.seen))]


def _content(observation: Observation) -> _Content:
    """What ``observation`` says, without when."""
    text = "".join(observation.text.split()) if observation.text else ""
    return (observation.value, observation.code, observation.severity, observation.qualifier, text)
