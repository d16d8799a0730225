"""An event: something that happened, as CloudEvents 1.0 describes it.

Rules of this file: no I/O, no clock. What a stranger sent becomes an ``Event`` or an ``EventFault``
that names every fault at once, each by its JSON pointer (RFC 6901), so that the sender can mend it.

Source of the rules: CloudEvents specification 1.0.2, sections "Required attributes", "Optional
attributes", "Extension context attributes" and "Type system".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from domain.json import JsonObject, JsonValue
from domain.moment import parse_rfc3339, rfc3339
from domain.policy import BUILT_IN, Policy
from domain.priority import Priority

QUALITIES = ("good", "uncertain", "bad", "synthetic")
TEXT_LIMIT = 1024
EXTENSION_LIMIT = 32

DEMOTED_FROM = "demotedfrom"
"""The extension attribute of an event that is less urgent than its rule says: the priority it would have had."""

MADE_BY = "hook"
"""The extension attribute of an event that a plant's own rule made: which rule."""

# What the gateway itself says of an event; a publisher's word for these would be a lie.
_OURS = frozenset(
    {
        "channel",
        "criticaloffset",
        "offset",
        "priority",
        "quality",
        "recordedtime",
        "sampledrate",
        DEMOTED_FROM,
        MADE_BY,
    }
)
# Not kept as they came: they have a field of their own, or are the same for every event.
_FIELDS = frozenset({"specversion", "id", "source", "type", "subject", "time", "data", "data_base64"})

_TYPE = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)+", re.ASCII)
_EXTENSION = re.compile(r"[a-z0-9]{1,64}", re.ASCII)
_URI_REST = r"([\w.~:/?\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*(#([\w.~:/?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?"
_URI_REFERENCE = re.compile(_URI_REST, re.ASCII)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:" + _URI_REST, re.ASCII)
_JSON_TYPE = re.compile(r"[\w!#$&^.+-]+/([\w!#$&^.-]+\+)?json\s*(;.*)?", re.ASCII | re.IGNORECASE)
# Section "Type system": control characters, surrogates and what Unicode calls noncharacters are in no string.
_PLANE_ENDS = "".join(chr(plane << 16 | end) for plane in range(17) for end in (0xFFFE, 0xFFFF))
_FORBIDDEN = re.compile(f"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef{_PLANE_ENDS}]")
_INT32 = 2**31
_WORDS = {"quality": QUALITIES, "priority": tuple(priority.wire for priority in Priority)}

NO_EXTENSIONS: Mapping[str, str | int | bool] = MappingProxyType({})


class Fault(msgspec.Struct, frozen=True):
    """One thing wrong with what was sent: where (a JSON pointer) and what was expected."""

    pointer: str
    message: str


class EventFault(Exception):
    """What was sent is no event that andond can take; ``faults`` names every reason."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer or '/'}: {fault.message}" for fault in faults))
        self.faults = faults


class Event(msgspec.Struct, frozen=True):
    """A CloudEvent 1.0 as andond keeps it.

    ``time`` is the source's clock (RFC 3339, or None if it gave none), ``recorded`` ours (Unix seconds).
    ``extensions`` holds every further attribute as it came, ``dataschema`` and ``datacontenttype`` among them.
    """

    id: str
    source: str
    type: str
    data: JsonValue
    recorded: float
    priority: Priority
    subject: str | None = None
    time: str | None = None
    quality: str = "good"
    extensions: Mapping[str, str | int | bool] = NO_EXTENSIONS

    def to_members(
        self, channel: str | None = None, offset: str | None = None, critical_offset: str | None = None
    ) -> dict[str, JsonValue]:
        """The event in the JSON event format, with the channel and the positions where it was published."""
        members: dict[str, JsonValue] = {"specversion": "1.0", "id": self.id, "source": self.source, "type": self.type}
        if self.subject is not None:
            members["subject"] = self.subject
        if self.time is not None:
            members["time"] = self.time
        members["recordedtime"] = rfc3339(self.recorded)
        if channel is not None:
            members["channel"] = channel
        if offset is not None:
            members["offset"] = offset
        if critical_offset is not None:
            members["criticaloffset"] = critical_offset
        members["priority"] = self.priority.wire
        members["quality"] = self.quality
        members.update(self.extensions)
        members["data"] = self.data
        return members


def parse_event(members: JsonValue, recorded: float, policy: Policy = BUILT_IN) -> Event:
    """The event that ``members`` (one object of the JSON event format) describes, received at ``recorded``.

    ``policy`` gives it its priority.

    Raises:
        EventFault: with every fault that was found.
    """
    if not isinstance(members, Mapping):
        raise EventFault([Fault("", "an event is a JSON object")])
    faults = [*_attribute_faults(members), *_extension_faults(members), *_data_faults(members)]
    if faults:
        raise EventFault(faults)
    type_, source, data = str(members["type"]), str(members["source"]), members.get("data")
    quality = members.get("quality")
    return Event(
        id=str(members["id"]),
        source=source,
        type=type_,
        data=data,
        recorded=recorded,
        priority=policy.priority_of(type_, data, source, asked_of(members)),
        subject=_text(members, "subject"),
        time=_text(members, "time"),
        quality=quality if isinstance(quality, str) else "good",
        extensions=_extensions(members),
    )


def _text(members: JsonObject, name: str) -> str | None:
    value = members.get(name)
    return value if isinstance(value, str) else None


def asked_of(members: JsonObject) -> Priority | None:
    """The priority that the publisher asks for, None if it leaves that to the gateway."""
    return Priority.from_wire(_text(members, "priority") or "")


def _extensions(members: JsonObject) -> Mapping[str, str | int | bool]:
    extra = {
        name: value
        for name, value in members.items()
        if name not in _FIELDS and name not in _OURS and isinstance(value, str | int | bool)
    }
    return extra or NO_EXTENSIONS


def _is_moment(text: str) -> bool:
    try:
        parse_rfc3339(text)
    except ValueError:
        return False
    return True


class _Attribute(msgspec.Struct, frozen=True):
    name: str
    required: bool
    fits: Callable[[str], object] = str
    expected: str = ""


_ATTRIBUTES = (
    _Attribute("id", required=True),
    _Attribute("source", True, _URI_REFERENCE.fullmatch, "must be a URI reference (RFC 3986): /acme/plant1/line3"),
    _Attribute("type", True, _TYPE.fullmatch, "must be dotted, lower case, noun first: equipment.state.changed"),
    _Attribute("subject", required=False),
    _Attribute("time", False, _is_moment, "must be an RFC 3339 moment: 2026-11-21T06:00:00.000Z"),
    _Attribute("datacontenttype", False, _JSON_TYPE.fullmatch, "must be a JSON media type"),
    _Attribute("dataschema", False, _URI.fullmatch, "must be a URI (RFC 3986): https://acme.example/press.json"),
)
_KNOWN = _FIELDS | {attribute.name for attribute in _ATTRIBUTES}


def _attribute_faults(members: JsonObject) -> list[Fault]:
    faults = [] if members.get("specversion") == "1.0" else [Fault("/specversion", 'must be "1.0"')]
    for attribute in _ATTRIBUTES:
        message = _attribute_fault(attribute, members.get(attribute.name))
        if message:
            faults.append(Fault(f"/{attribute.name}", message))
    return faults


def _attribute_fault(attribute: _Attribute, value: JsonValue) -> str:
    if value is None:
        return "is required" if attribute.required else ""
    if not isinstance(value, str) or not value:
        return "must be a string that is not empty"
    return _string_fault(value) or ("" if attribute.fits(value) else attribute.expected)


def _string_fault(text: str) -> str:
    if len(text) > TEXT_LIMIT:
        return f"must have at most {TEXT_LIMIT} characters"
    if _FORBIDDEN.search(text):
        return "must not hold control characters, lone surrogates or noncharacters"
    return ""


def _extension_faults(members: JsonObject) -> list[Fault]:
    faults = []
    extensions = [name for name in members if name not in _KNOWN]
    if len(extensions) - len(_OURS.intersection(extensions)) > EXTENSION_LIMIT:
        faults.append(Fault("", f"must have at most {EXTENSION_LIMIT} extension attributes"))
    for name in extensions[: EXTENSION_LIMIT + len(_OURS)]:
        message = _extension_fault(name, members[name])
        if message:
            faults.append(Fault("/" + name.replace("~", "~0").replace("/", "~1"), message))
    return faults


def _extension_fault(name: str, value: JsonValue) -> str:
    if not _EXTENSION.fullmatch(name):
        return "the name of an extension attribute has 1 to 64 lower-case letters and digits"
    if value is None:
        return ""
    if name in _WORDS:
        words = _WORDS[name]
        return "" if isinstance(value, str) and value in words else f"must be one of {', '.join(words)}"
    return _value_fault(value)


def _value_fault(value: JsonValue) -> str:
    if isinstance(value, bool):
        return ""
    if isinstance(value, int):
        return "" if -_INT32 <= value < _INT32 else "an integer has 32 bits"
    return _string_fault(value) if isinstance(value, str) else "must be a boolean, an integer or a string"


def _data_faults(members: JsonObject) -> list[Fault]:
    if members.get("data_base64") is not None:
        return [Fault("/data_base64", "binary data is not taken here; send JSON in data")]
    return []
