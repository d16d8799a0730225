"""Where what the portal tells comes from: the same members beside every message.

Rules of this file:

* No clock: the moment of telling is an argument (Unix seconds).
* ``source``, ``height``, ``method``, ``observedAt``, ``ageMs`` and ``confirmedBy`` are always there, ``chain`` where it
  is known. An event carries them in its data, flat or together under ``provenance``; what it does not carry is taken
  from the event itself where it stands there, and is null with its reason where it does not.
* ``ageMs`` is the age when it is told. An age that the event carried was taken when the event was made, and grows.
* What is made from several events has the provenance of the newest of them, and ``derivedFrom`` names their types. A
  node that was asked later, and told the same, is newer still.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from domain.chain.observations import Provenance
from domain.chain.relay import provenance_members
from domain.chain.unknown import Document, Known, Unknown, carried, document
from domain.chain.view import ChainView
from domain.event import Event
from domain.json import JsonObject, JsonValue
from domain.moment import parse_rfc3339, rfc3339

PROVENANCE = "provenance"
"""The member that it stands under."""

_APART = frozenset({PROVENANCE, "ageMs"})


def provenance(event: Event, at: float) -> Document:
    """Where what ``event`` tells comes from, told at ``at`` (Unix seconds)."""
    told = _told(event.data)
    height = told.get("height")
    values: dict[str, Known] = {
        "source": told.get("source") or event.source,
        "height": carried(told, "blockHeight") if height is None else height,
        "method": carried(told, "method"),
        "observedAt": told.get("observedAt") or rfc3339(event.recorded),
        "ageMs": _age(told, event, at),
        "confirmedBy": carried(told, "confirmedBy"),
    }
    if told.get("chain") is not None:
        values["chain"] = told["chain"]
    return document(values)


def behind(view: ChainView, at: float, types: Sequence[str]) -> Document:
    """Where a value that is made from events of ``types`` comes from: the newest of them, or what nodes told since."""
    told: list[tuple[float, Document]] = []
    names: list[JsonValue] = []
    for type_ in types:
        event, read = view.newest.get(type_), view.watch.read_last(type_)
        if event is not None:
            told.append((event.recorded, provenance(event, at)))
        if read is not None:
            told.append((read.observed, _read(read, at)))
        if event is not None or read is not None:
            names.append(type_)
    if told:
        return {**max(told, key=lambda dated: dated[0])[1], "derivedFrom": names}
    never = Unknown(f"no {' or '.join(types)} event received yet")
    values: dict[str, Known] = dict.fromkeys(
        ("source", "height", "method", "observedAt", "ageMs", "confirmedBy"), never
    )
    return document({**values, "derivedFrom": []})


def without_provenance(fields: JsonObject) -> JsonObject:
    """``fields`` but for their provenance, and for an age, which was that of the event when it was made."""
    return {name: value for name, value in fields.items() if name not in _APART} if _APART & fields.keys() else fields


def _read(told: Provenance, at: float) -> Document:
    members = provenance_members(told, at)
    return document(members if told.height is not None else {**members, "height": Unknown("it is of no height")})


def _told(data: JsonValue) -> JsonObject:
    if not isinstance(data, Mapping):
        return {}
    together = data.get(PROVENANCE)
    return {**data, **together} if isinstance(together, Mapping) else data


def _age(told: JsonObject, event: Event, at: float) -> int:
    age = told.get("ageMs")
    if isinstance(age, int | float):
        return max(0, round(age + (at - event.recorded) * 1000))
    moment = event.recorded if event.time is None else parse_rfc3339(event.time)
    return max(0, round((at - moment) * 1000))
