"""An event: something that happened, as CloudEvents 1.0 describes it.

Rules of this file: no I/O, no clock. What a stranger sent becomes an ``Event`` or an ``EventFault``
that names every fault at once, each by its JSON pointer (RFC 6901), so that the sender can mend it.

Source of the rules: CloudEvents specification 1.0.2, sections "Required attributes", "Optional
attributes", "Extension context attributes" and "Type system".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from domain.json import JsonObject, JsonValue
from domain.moment import parse_rfc3339, rfc3339
from domain.priority import Priority, priority_of

QUALITIES = frozenset({"good", "uncertain", "bad", "synthetic"})
TEXT_LIMIT = 1024
EXTENSION_LIMIT = 32

_KNOWN = frozenset(
    {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "data", "data_base64"}
)
# What the gateway itself says of an event; a publisher's word for these would be a lie.
_OURS = frozenset({"channel", "offset", "criticaloffset", "recordedtime", "priority", "quality"})
_TYPE = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)+", re.ASCII)
_EXTENSION = re.compile(r"[a-z0-9]+", re.ASCII)
_URI_REFERENCE = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+", re.ASCII)
_JSON_TYPE = re.compile(r"application/([a-z0-9.+-]+\+)?json\s*(;.*)?", re.ASCII | re.IGNORECASE)
_INT32 = 2**31

NO_EXTENSIONS: Mapping[str, str | int | bool] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with what was sent: where (a JSON pointer) and what was expected."""

    pointer: str
    message: str


class EventFault(Exception):
    """What was sent is no event that andond can take; ``faults`` names every reason."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer or '/'}: {fault.message}" for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Event:
    """A CloudEvent 1.0 as andond keeps it.

    ``time`` is the source's clock (RFC 3339, or None if it gave none), ``recorded`` ours (Unix seconds).
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
    extensions: Mapping[str, str | int | bool] = field(default=NO_EXTENSIONS)

    def to_members(self, channel: str | None = None, offset: str | None = None) -> dict[str, JsonValue]:
        """The event in the JSON event format, with the channel and the position where it was published."""
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
        members["priority"] = self.priority.wire
        members["quality"] = self.quality
        members.update(self.extensions)
        members["data"] = self.data
        return members


def parse_event(members: JsonValue, recorded: float) -> Event:
    """The event that ``members`` (one object of the JSON event format) describes, received at ``recorded``.

    Raises:
        EventFault: with every fault that was found.
    """
    if not isinstance(members, Mapping):
        raise EventFault([Fault("", "an event is a JSON object")])
    faults = [*_attribute_faults(members), *_extension_faults(members), *_data_faults(members)]
    if faults:
        raise EventFault(faults)
    type_, data, quality = str(members["type"]), members.get("data"), members.get("quality")
    return Event(
        id=str(members["id"]),
        source=str(members["source"]),
        type=type_,
        data=data,
        recorded=recorded,
        priority=priority_of(type_, data, _asked(members)),
        subject=_text(members, "subject"),
        time=_text(members, "time"),
        quality=quality if isinstance(quality, str) else "good",
        extensions=_extensions(members),
    )


def _text(members: JsonObject, name: str) -> str | None:
    value = members.get(name)
    return value if isinstance(value, str) else None


def _asked(members: JsonObject) -> Priority | None:
    return Priority.from_wire(str(members.get("priority", "")))


def _extensions(members: JsonObject) -> Mapping[str, str | int | bool]:
    extra = {
        name: value
        for name, value in members.items()
        if name not in _KNOWN and name not in _OURS and isinstance(value, str | int | bool)
    }
    return extra or NO_EXTENSIONS


def _attribute_faults(members: JsonObject) -> list[Fault]:
    faults = []
    if members.get("specversion") != "1.0":
        faults.append(Fault("/specversion", 'must be "1.0"'))
    for name in ("id", "source", "type"):
        faults += _text_faults(members, name, required=True)
    for name in ("subject", "time", "dataschema", "datacontenttype"):
        faults += _text_faults(members, name, required=False)
    if faults:
        return faults
    if not _TYPE.fullmatch(str(members["type"])):
        faults.append(Fault("/type", "must be dotted, lower case, noun first: equipment.state.changed"))
    if not _URI_REFERENCE.fullmatch(str(members["source"])):
        faults.append(Fault("/source", "must be a URI reference (RFC 3986): /acme/plant1/line3"))
    return [*faults, *_time_faults(members)]


def _text_faults(members: JsonObject, name: str, *, required: bool) -> list[Fault]:
    value = members.get(name)
    if value is None:
        return [Fault(f"/{name}", "is required")] if required else []
    if not isinstance(value, str) or not value:
        return [Fault(f"/{name}", "must be a string that is not empty")]
    if len(value) > TEXT_LIMIT:
        return [Fault(f"/{name}", f"must have at most {TEXT_LIMIT} characters")]
    if any(ord(letter) < 0x20 or 0x7F <= ord(letter) <= 0x9F or 0xD800 <= ord(letter) <= 0xDFFF for letter in value):  # noqa: PLR2004
        return [Fault(f"/{name}", "must not hold control characters or lone surrogates")]
    return []


def _time_faults(members: JsonObject) -> list[Fault]:
    time = members.get("time")
    if isinstance(time, str):
        try:
            parse_rfc3339(time)
        except ValueError:
            return [Fault("/time", "must be an RFC 3339 moment: 2026-11-21T06:00:00.000Z")]
    return []


def _extension_faults(members: JsonObject) -> list[Fault]:
    faults = []
    extensions = [name for name in members if name not in _KNOWN]
    if len(extensions) > EXTENSION_LIMIT:
        faults.append(Fault("", f"must have at most {EXTENSION_LIMIT} extension attributes"))
    for name in extensions[:EXTENSION_LIMIT]:
        faults += _one_extension_faults(name, members[name])
    if members.get("quality") is not None and members["quality"] not in QUALITIES:
        faults.append(Fault("/quality", f"must be one of {', '.join(sorted(QUALITIES))}"))
    if members.get("priority") is not None and _asked(members) is None:
        faults.append(Fault("/priority", "must be one of critical, high, normal, low"))
    return faults


def _one_extension_faults(name: str, value: JsonValue) -> list[Fault]:
    pointer = "/" + name.replace("~", "~0").replace("/", "~1")
    if not _EXTENSION.fullmatch(name):
        return [Fault(pointer, "the name of an extension attribute holds lower-case letters and digits only")]
    if value is None or isinstance(value, bool):
        return []
    if isinstance(value, int):
        return [] if -_INT32 <= value < _INT32 else [Fault(pointer, "an integer has 32 bits")]
    if not isinstance(value, str) or len(value) > TEXT_LIMIT:
        return [Fault(pointer, f"must be a boolean, an integer or a string of at most {TEXT_LIMIT} characters")]
    return []


def _data_faults(members: JsonObject) -> list[Fault]:
    if members.get("data_base64") is not None:
        return [Fault("/data_base64", "binary data is not taken here; send JSON in data")]
    content = members.get("datacontenttype")
    if isinstance(content, str) and not _JSON_TYPE.fullmatch(content):
        return [Fault("/datacontenttype", "must be a JSON media type")]
    return []
