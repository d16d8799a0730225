"""What one floor client follows: its topics, the names it wants events under, and the channels that takes.

Rules of this file:

* No I/O. Whoever opens a connection without asking for anything follows a default; the first subscription of its own
  takes the default's place.
* An event comes under its one name. Its other names come to who wants all of them, or follows one by that name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cache

from domain import Event, Priority, channel_of
from transport.dialects.floor.kinds import TOLD
from transport.dialects.floor.script import Told
from transport.dialects.floor.topics import EVENT, EVERYBODY, TOPICS, Topic, TopicFault, key, topic_of

LIMIT = 256
"""Subscriptions of one connection."""


class Following:
    """The topics of one connection, ``user`` being who it is; ``aliases`` are the other names it wants, or all."""

    __slots__ = ("_implicit", "_plain", "_special", "_topics", "_user", "aliases", "wants_all_names")

    def __init__(self, user: str = "", aliases: Collection[str] = (), *, wants_all_names: bool = False) -> None:
        self.aliases = frozenset(aliases)
        self.wants_all_names = wants_all_names
        self._user = user
        self._topics: dict[str, Topic] = {}
        self._implicit: frozenset[str] = frozenset()
        self._plain: frozenset[str] = frozenset()
        self._special: tuple[Topic, ...] = ()
        self._changed()

    def __len__(self) -> int:
        return len(self._topics)

    def __contains__(self, topic: Topic) -> bool:
        return topic.name in self._topics

    @property
    def topics(self) -> tuple[Topic, ...]:
        """What is followed, in the order in which it was asked for."""
        return tuple(self._topics.values())

    @property
    def names(self) -> frozenset[str]:
        """What is to be remembered of what the client asked for by itself."""
        return frozenset(self._topics) - self._implicit

    def begin(self, topics: Iterable[Topic], *, implicit: bool = False) -> None:
        """Follow ``topics`` from the start; ``implicit`` ones last until the client asks for something by itself."""
        chosen = {topic.name: topic for topic in topics}
        self._topics.update(chosen)
        if implicit:
            self._implicit = frozenset(chosen)
        self._changed()

    def settle(self) -> None:
        """What was followed without being asked for stays, whatever the client asks for."""
        self._implicit = frozenset()

    def follow(self, topic: Topic) -> bool:
        """Follow ``topic`` too; returns whether that is new.

        Raises:
            TopicFault: if it would be too many.
        """
        for name in self._implicit:
            self._topics.pop(name, None)
        is_new = topic.name not in self._topics
        if is_new and len(self._topics) >= LIMIT:
            raise TopicFault("SUBSCRIPTION_LIMIT", f"at most {LIMIT} subscriptions on one connection")
        self._implicit = frozenset()
        self._topics[topic.name] = topic
        self._changed()
        return is_new

    def leave(self, topic: Topic) -> bool:
        """Follow ``topic`` no more; returns whether it was followed."""
        was_followed = self._topics.pop(topic.name, None) is not None
        self._implicit -= {topic.name}
        self._changed()
        return was_followed

    def names_of(self, told: Told) -> tuple[str, ...]:
        """Under which names ``told`` comes to this client; none if it is not for it."""
        wanted: list[str] = []
        if not self._plain.isdisjoint(told.addresses) or self._takes(told):
            wanted.append(told.telling.kind.type)
            wanted += [name for name in told.telling.names[1:] if self.wants_all_names or name in self.aliases]
        for topic in self._special:
            if topic.type == EVENT and topic.takes(told.addresses, told.data if topic.filters else {}):
                name = str(topic.target)
                wanted.append(name if name in told.telling.names else told.telling.kind.type)
        return tuple(dict.fromkeys(wanted))

    def channels(self) -> frozenset[str]:
        """The trees of channels that hold all of it."""
        # Whoever is known by a name is told of its own jobs.
        found = set(_channels_of(EVERYBODY) | (_channels_of("job") if self._user else frozenset()))
        for topic in self._topics.values():
            found |= _channels_of(topic.type) if topic.type != EVENT else _channels_of_event(str(topic.target))
        return frozenset(found)

    def _takes(self, told: Told) -> bool:
        return any(
            topic.type != EVENT and topic.takes(told.addresses, told.data if topic.filters else {})
            for topic in self._special
        )

    def _changed(self) -> None:
        special = [
            topic for topic in self._topics.values() if topic.type == EVENT or topic.filters or len(topic.keys) > 1
        ]
        own = {EVERYBODY, key("user", "id", self._user)} if self._user else {EVERYBODY}
        plain = (topic for topic in self._topics.values() if topic not in special)
        self._plain = frozenset(own.union(*(topic.keys for topic in plain)))
        self._special = tuple(special)


def everything() -> tuple[Topic, ...]:
    """What is followed by who never asks for anything: all types that need no target, and no readings."""
    return tuple(
        topic_of(type_) for type_ in ("production", "oee", "andon", "downtime", "escalation", "quality", "changeover")
    )


@cache
def _channels_of(type_: str) -> frozenset[str]:
    """The trees that hold what is delivered to topics of ``type_``."""
    return frozenset(
        _tree(event)
        for event, told in TOLD.items()
        for each in told
        if type_ in each.kind.topics
        or (type_ == EVERYBODY and each.kind.is_for_everybody)
        # Who follows a priority is told of what is as urgent, wherever it comes from.
        or (type_ == "escalation" and each.kind.escalates)
    )


@cache
def _channels_of_event(name: str) -> frozenset[str]:
    return frozenset(_tree(event) for event, told in TOLD.items() for each in told if name in (*each.names, "all", "*"))


def _tree(type_: str) -> str:
    """Every channel on which events of ``type_``, or of a type below it, are told."""
    event = Event("0", "/a", type_, None, 0.0, Priority.NORMAL)
    return channel_of(event).partition("/")[0] + "/*"


def subscriptions_by_type(every: Iterable[Following]) -> Mapping[str, int]:
    """How many subscriptions there are of each type."""
    counts = dict.fromkeys((*TOPICS, EVENT), 0)
    for following in every:
        for topic in following.topics:
            counts[topic.type] += 1
    return counts
