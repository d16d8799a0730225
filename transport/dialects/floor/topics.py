"""What a floor client follows: the ten subscription types, the forms of their targets, and the one filter for all.

Rules of this file:

* No I/O. A subscription is a set of keys; an event has addresses; it is delivered where all keys of a subscription are
  among them. So an event that fits several subscriptions of a client is delivered to it once.
* A target is ``all``, ``line:L``, ``equipment:E``, a bare id, or an object that names a line and an equipment;
  for escalations also ``escalation:ID``, ``priority:P`` and an object of these two.
* ``filters`` are applied: a member of the frame's ``data`` has to equal the value.

Source of the types and forms: the floor's contract, section 3.6; ``all`` of downtime received nothing there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType

import msgspec

from domain import JsonObject, JsonValue
from transport.dialects.floor.places import text_of

ALL = "all"
EVENT = "event"
EVERYBODY = "everybody"
"""The address of what every client is told."""

TARGET_LIMIT = 256
FILTERS_LIMIT = 16

PRIORITIES = ("low", "medium", "high", "critical")

TARGETED: frozenset[str] = frozenset({"line", "equipment", "job"})
"""Types that must name a target."""

TOPICS = (
    "line", "equipment", "downtime", "escalation", "job", "production", "oee", "andon", "quality", "changeover",
)  # fmt: skip
"""The ten subscription types."""

DEFAULT_TYPES = ("production", "oee", "andon", "downtime")
"""What is followed at the production door by who asks for nothing."""

# Between the keys of one topic; no target has it.
_BETWEEN = "\t"

# Which word of a target's object, or prefix before its colon, names what.
_PLACE_WORDS: Mapping[str, str] = MappingProxyType({"line": "line_id", "equipment": "equipment_code"})
_ESCALATION_WORDS: Mapping[str, str] = MappingProxyType({"escalation": "escalation_id", "priority": "priority"})
_NO_FILTERS: Mapping[str, JsonValue] = MappingProxyType({})


class TopicFault(Exception):
    """What was asked for cannot be followed: the contract's ``code``, and words for the client."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Topic(msgspec.Struct, frozen=True):
    """One subscription: its type, the target as the client wrote it, the keys that an event must have."""

    type: str
    target: JsonValue
    keys: frozenset[str]
    filters: Mapping[str, JsonValue] = _NO_FILTERS

    @property
    def name(self) -> str:
        """The topic as one word: what is remembered of it, and listed."""
        return _BETWEEN.join(sorted(self.keys))

    def takes(self, addresses: AbstractSet[str], data: JsonObject) -> bool:
        """Whether an event with these ``addresses`` and ``data`` is for who follows this."""
        return self.keys <= addresses and all(data.get(name) == value for name, value in self.filters.items())

    def members(self) -> dict[str, JsonValue]:
        """The topic as clients know it; target and id are the same thing under two names."""
        members: dict[str, JsonValue] = {
            "subscription_type": self.type,
            "target": self.target,
            "target_id": self.target,
            "filters": dict(self.filters),
        }
        return {**members, "event_type": self.target, "event": self.target} if self.type == EVENT else members


def topic_of(type_: str, target: JsonValue = None, filters: JsonValue = None) -> Topic:
    """The subscription of ``type_`` to ``target``; None follows all of it, where that may be.

    Raises:
        TopicFault: if there is no such type, or the target is none.
    """
    if type_ == EVENT:
        word = _word(target)
        if word is None:
            raise TopicFault("MISSING_TARGET_ID", "event_type is the name of an event")
        return Topic(EVENT, word, frozenset({f"{EVENT}:{word}"}), _filters(filters))
    if type_ not in TOPICS:
        raise TopicFault("UNKNOWN_SUBSCRIPTION_TYPE", f"Unknown subscription type: {type_[:TARGET_LIMIT]}")
    if target is None and type_ in TARGETED:
        raise TopicFault("MISSING_TARGET_ID", f"target_id is required for subscription type {type_}")
    shown = ALL if target is None else target
    return Topic(type_, shown, _keys(type_, shown), _filters(filters))


def remembered(name: str) -> Topic | None:
    """The topic that once had ``name``; None if it has no meaning any more."""
    keys = frozenset(name.split(_BETWEEN))
    type_, _, rest = min(keys).partition(":")
    if type_ == EVENT:
        return Topic(EVENT, rest, keys)
    if type_ not in TOPICS or any(each.partition(":")[0] != type_ for each in keys):
        return None
    values = dict(each.partition(":")[2].partition("=")[::2] for each in keys)
    if len(values) == 1:
        ((word, value),) = values.items()
        target: JsonValue = ALL if word == ALL else value if word in ("", "id") else f"{word}:{value}"
    else:
        words = {**_PLACE_WORDS, **_ESCALATION_WORDS, "id": f"{type_}_id"}
        target = {words.get(word, word): value for word, value in sorted(values.items())}
    return Topic(type_, target, keys)


def key(type_: str, word: str = ALL, value: str = "") -> str:
    """The key of ``type_`` for what ``word`` (``line``, ``equipment``, ``id``, ``priority``) names by ``value``."""
    return f"{type_}:{word}={value}" if value else f"{type_}:{word}"


def place_addresses(topics: Collection[str], names: Collection[str]) -> set[str]:
    """The addresses of an event at a place with ``names``, delivered to ``topics``."""
    found: set[str] = set()
    for type_ in topics:
        found.add(key(type_))
        if type_ in ("line", "equipment"):
            found.update(key(type_, "id", name) for name in names)
        elif type_ not in ("job", "escalation"):
            found.update(key(type_, word, name) for word in ("id", "line", "equipment") for name in names)
    return found


def _keys(type_: str, target: JsonValue) -> frozenset[str]:
    words = _ESCALATION_WORDS if type_ == "escalation" else _PLACE_WORDS
    if isinstance(target, Mapping):
        return _keys_of_object(type_, target, words)
    text = _word(target)
    if text is None:
        expected = "all, line:L, equipment:E, an id, or an object with line_id or equipment_code"
        if type_ == "escalation":
            expected = "all, escalation:ID, priority:P, an id, a priority, or an object of the two"
        raise TopicFault("MISSING_TARGET_ID", f"target_id of {type_} is {expected}")
    if text == ALL:
        return frozenset({key(type_)})
    prefix, colon, rest = text.partition(":")
    if colon and rest and (prefix in words or prefix == type_):
        return frozenset({_key(type_, prefix, rest.strip())})
    if type_ == "escalation" and text.lower() in PRIORITIES:
        return frozenset({key(type_, "priority", text.lower())})
    return frozenset({key(type_, "id", text)})


def _keys_of_object(type_: str, target: JsonObject, words: Mapping[str, str]) -> frozenset[str]:
    found = set()
    for prefix, member in words.items():
        value = _word(target.get(member))
        if value is not None and value != ALL:
            found.add(_key(type_, prefix, value))
    if type_ in _PLACE_WORDS and len(found) > 1:
        # One place is enough to name one; the other member says what is known.
        found = {_key(type_, type_, text_of(target[_PLACE_WORDS[type_]]) or "")}
    own = _word(target.get("id"))
    if not found and own is not None:
        found.add(_key(type_, type_, own))
    if not found and type_ in TARGETED:
        raise TopicFault("MISSING_TARGET_ID", f"target_id is required for subscription type {type_}")
    return frozenset(found or {key(type_)})


def _key(type_: str, prefix: str, value: str) -> str:
    """The key of a named thing; a line at ``line``, an escalation at ``escalation`` is the thing itself."""
    if prefix == "priority":
        return key(type_, "priority", value.lower())
    # Of a line and of an equipment the bare id means the place; so does the name of the type itself.
    is_own = prefix == type_ or type_ in ("line", "equipment")
    return key(type_, "id" if is_own else prefix, value)


def _word(value: JsonValue) -> str | None:
    text = text_of(value)
    return text if text is not None and len(text) <= TARGET_LIMIT and text.isprintable() else None


def _filters(value: JsonValue) -> Mapping[str, JsonValue]:
    if value is None:
        return _NO_FILTERS
    if not isinstance(value, Mapping):
        raise TopicFault("INVALID_FILTERS", "filters is an object: a member of data, and the value it must have")
    if len(value) > FILTERS_LIMIT:
        raise TopicFault("INVALID_FILTERS", f"at most {FILTERS_LIMIT} filters")
    if any(isinstance(each, Mapping | list) for each in value.values()):
        raise TopicFault("INVALID_FILTERS", "a filter is a single value: text, number, true, false or null")
    return MappingProxyType(dict(value))
