"""From the settings of what is made to the rules that the jobs' desk asks.

Rules of this file: the settings are valid, and say nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet

from config import ChangeoverSettings, CharacteristicSettings, CounterSettings, FloorSettings, ProductSettings
from domain import Event, JsonObject
from domain.plant.quality import RULES, Baseline, Characteristic, Nature, Quality
from domain.plant.site import Site, is_within

Target = Callable[[str, str | None, str], float | None]
Counters = dict[tuple[str, str], tuple[str, CounterSettings]]
Readings = AbstractSet[tuple[str, str]]
"""Which readings are counters: by the path of the place and the key of the reading."""


def path_of(site: Site, name: str) -> str | None:
    """The path of the place that ``name`` means; a site that describes its equipment has no other."""
    place = site.equipment.find(name)
    return place.path or None if place.is_modelled or not len(site.equipment) else None


def target_of(settings: ChangeoverSettings) -> Target:
    """How long a changeover at a place may take from one product to another; None: nobody said."""

    def target(equipment: str, before: str | None, after: str) -> float | None:
        for row in settings.targets:
            is_there = is_within(equipment, row.equipment)
            if is_there and row.before in ("", before) and row.after in ("", after):
                return row.target
        return None

    return target


def counters_of(settings: FloorSettings) -> Counters:
    """The counters by their place and reading, each with its name."""
    return {(one.equipment, one.reading): (name, one) for name, one in settings.counters.items()}


class CountersInForce:
    """The counters by the settings in force, which ``present`` returns; they are found anew after a reload."""

    def __init__(self, present: Callable[[], FloorSettings]) -> None:
        self._present = present
        self._settings: FloorSettings | None = None
        self._counters: Readings = frozenset()

    def __call__(self) -> Readings:
        """The readings that are counters."""
        settings = self._present()
        if settings is not self._settings:
            self._settings, self._counters = settings, frozenset(counters_of(settings))
        return self._counters


def reading_of(event: Event) -> tuple[str, str]:
    """The place and the key of an event that is a reading."""
    key = event.data.get("key") if isinstance(event.data, Mapping) else None
    return event.source.strip("/"), str(key or event.subject)


def count_of(name: str, counter: CounterSettings, data: JsonObject) -> JsonObject:
    """What a reading of ``counter`` tells, in the words of a count."""
    return {
        "counter": name,
        "kind": counter.counts,
        "value": data.get("value"),
        "modulus": counter.modulus,
        "step": counter.step,
        "reset": bool(data.get("reset")) or None,
    }


def ideal_cycle(product: ProductSettings | None, equipment: str) -> float | None:
    """The planned run time (PRI) of a piece of ``product`` at ``equipment``, seconds; None: nobody said."""
    if product is None:
        return None
    path = equipment
    while path:
        if path in product.ideal_cycles:
            return product.ideal_cycles[path]
        path = path.rpartition("/")[0]
    return product.ideal_cycle


def quality_of(settings: FloorSettings) -> Quality:
    """The characteristics and the codes of defects."""
    characteristics = settings.quality.characteristics.items()
    return Quality([_characteristic(name, one) for name, one in characteristics], settings.quality.defects)


def _characteristic(name: str, one: CharacteristicSettings) -> Characteristic:
    baseline = None
    if one.mean is not None and one.sigma is not None:
        baseline = Baseline(one.mean, one.sigma, one.size)
    nature = Nature(
        name=name,
        unit=one.unit,
        lower=one.lower,
        upper=one.upper,
        size=one.size,
        baseline=baseline,
        learning=one.learning,
        rules=tuple(RULES[rule] for rule in one.rules),
    )
    return Characteristic(nature, one.equipment, one.product or None)
