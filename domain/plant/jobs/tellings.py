"""How a count is told, and how it is kept: pieces that were made since, or what a counter shows.

Rules of this file: what is told is taken as it is or refused; nothing is guessed. Pieces are whole numbers; fewer than
none takes back what was counted wrongly, and needs a word why.

Two forms: ``{"good": 5, "scrap": 1}`` are pieces more than before; ``{"counter": "parts", "kind": "good", "value":
1234}`` is what a counter shows, with ``modulus`` where it rolls over and ``reset`` where it was set back. Both may name
``job`` and ``product``; the first form may name the count that it ``corrects``.
"""

from __future__ import annotations

from collections.abc import Mapping

from domain.arguments import COUNT_LIMIT, Arguments
from domain.decision import Refused
from domain.event import Event, Fault
from domain.json import JsonObject, JsonValue
from domain.plant.jobs.counters import Nature
from domain.plant.jobs.counts import Made, Shown
from domain.plant.jobs.quantities import Kind, Quantities, is_whole, quantities_of

COUNTED = "production.counted"
NAME_LIMIT = 128


def telling_of(id_: str, at: int, members: JsonObject, *, may_take_back: bool = False) -> Made | Shown:
    """What ``members`` tell, at ``at`` (microseconds).

    Raises:
        Refused: if it is neither form, with every fault.
    """
    given = Arguments(members)
    told = _shown(id_, at, given) if "value" in given else _made(id_, at, members, given, may_take_back=may_take_back)
    given.check()
    return told


def faults_of(event: Event) -> list[Fault]:
    """What is wrong with an event that tells a count, by JSON pointer; nothing for other events."""
    if event.type != COUNTED:
        return []
    if not isinstance(event.data, Mapping):
        return [Fault("/data", "must be an object that tells a count")]
    try:
        telling_of(event.id, 0, event.data)
    except Refused as refused:
        faults = refused.details.get("faults")
        named = [each for each in faults if isinstance(each, Mapping)] if isinstance(faults, list) else []
        return [Fault(f"/data{each.get('pointer')}", str(each.get("message"))) for each in named]
    return []


def _shown(id_: str, at: int, given: Arguments) -> Shown:
    kind = Kind(given.choice("kind", Kind) or Kind.PRODUCED)
    value = given.count("value") or 0
    modulus = given.count("modulus", least=2)
    if modulus is not None and value >= modulus:
        given.fault("value", f"must be less than modulus, {modulus}")
    return Shown(
        id=id_,
        at=at,
        name=given.optional_text("counter", NAME_LIMIT) or kind.value,
        kind=kind,
        value=value,
        nature=Nature(modulus, given.count("step", least=1)),
        is_reset=given.flag("reset") or False,
        job=given.optional_text("job", NAME_LIMIT),
        product=given.optional_text("product", NAME_LIMIT),
    )


def _made(id_: str, at: int, members: JsonObject, given: Arguments, *, may_take_back: bool) -> Made:
    least = -COUNT_LIMIT if may_take_back else 0
    pieces = Quantities(*(given.count(kind.value, least) for kind in Kind))
    if not pieces.told and not given.faults:
        given.fault("good", "one of produced, good, scrap, rework and value is required")
    if pieces.is_contradictory:
        given.fault("produced", "must be at least what good, scrap and rework add up to")
    if any(value < 0 for value in pieces.values() if value is not None) and not members.get("comment"):
        given.fault("comment", "is required where pieces are taken back")
    return Made(
        id=id_,
        at=at,
        pieces=pieces,
        job=given.optional_text("job", NAME_LIMIT),
        product=given.optional_text("product", NAME_LIMIT),
        corrects=given.optional_text("corrects"),
    )


def to_row(telling: Made | Shown, number: int) -> dict[str, JsonValue]:
    """``telling`` as it is kept; ``number`` says in which order they came."""
    row: dict[str, JsonValue] = {"n": number, "at": telling.at, "job": telling.job, "product": telling.product}
    if isinstance(telling, Made):
        return {**row, **telling.pieces.to_members(), "corrects": telling.corrects}
    return {
        **row,
        "counter": telling.name,
        "kind": telling.kind.value,
        "value": telling.value,
        "modulus": telling.nature.modulus,
        "step": telling.nature.step,
        "reset": telling.is_reset,
    }


def of_row(id_: str, row: JsonObject) -> Made | Shown:
    """What was kept as ``row``.

    Raises:
        Refused: if it is none of ours.
    """
    at = row.get("at")
    moment = at if is_whole(at) else 0
    if "value" in row:
        return telling_of(id_, moment, row)
    job, product, corrects = (row.get(name) for name in ("job", "product", "corrects"))
    return Made(
        id=id_,
        at=moment,
        pieces=quantities_of(row),
        job=job if isinstance(job, str) else None,
        product=product if isinstance(product, str) else None,
        corrects=corrects if isinstance(corrects, str) else None,
    )
