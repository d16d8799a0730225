"""The settings of what is made: products and their ideal cycles, counters, jobs, changeovers, quality.

Rules of this file: an ideal cycle is seconds a piece, of the product, at a place or anywhere. What is not set is not
known, and no figure is made from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from config.meta import means
from config.rules import equipment, named_equipment

_DAY = 86_400

RuleName = Literal[
    "nelson-1", "nelson-2", "nelson-3", "nelson-4", "nelson-5", "nelson-6", "nelson-7", "nelson-8",
    "western-electric-1", "western-electric-2", "western-electric-3", "western-electric-4",
]  # fmt: skip

NELSON: tuple[RuleName, ...] = (
    "nelson-1", "nelson-2", "nelson-3", "nelson-4", "nelson-5", "nelson-6", "nelson-7", "nelson-8",
)  # fmt: skip


def _cycles(value: object) -> str | None:
    is_right = isinstance(value, Mapping) and all(
        named_equipment(path) is None and isinstance(cycle, int | float) and 0 < cycle <= _DAY
        for path, cycle in value.items()
    )
    return None if is_right else 'a table of paths and seconds a piece, such as { "acme/plant1/line3/st4" = 1.5 }'


def _outputs(value: object) -> str | None:
    is_right = isinstance(value, Mapping) and all(
        named_equipment(line) is None and named_equipment(place) is None and str(place).startswith(f"{line}/")
        for line, place in value.items()
    )
    return None if is_right else 'a table of lines and places below them, such as { "acme/line3" = "acme/line3/st4" }'


def _codes(value: object) -> str | None:
    is_right = isinstance(value, Mapping) and all(
        str(code).strip() and str(each).strip() for code, each in value.items()
    )
    return None if is_right else 'a table of codes and what they mean, such as { SCR = "scratch" }'


def _positive(value: object) -> str | None:
    return None if value is None or (isinstance(value, int | float) and value > 0) else "a number above 0"


class ProductSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A product: how long a piece takes at best. Its name is what jobs and counts call it."""

    title: Annotated[str, means("What people call it", reload=True)] = ""
    ideal_cycle: Annotated[
        float | None,
        means(
            "Planned run time of a piece (PRI), where `ideal_cycles` does not say",
            unit="seconds",
            reload=True,
            rule=_positive,
        ),
    ] = None
    ideal_cycles: Annotated[
        Mapping[str, float], means("The same for single places", unit="paths and seconds", reload=True, rule=_cycles)
    ] = msgspec.field(default_factory=dict)


class CounterSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A counter of a machine: a reading that only goes up, and what it counts."""

    equipment: Annotated[
        str, means("The place that it counts at", unit="ISA-95 path", reload=True, rule=named_equipment)
    ]
    reading: Annotated[str, means("The key of the reading", reload=True)]
    counts: Annotated[Literal["produced", "good", "scrap", "rework"], means("What it counts", reload=True)] = "produced"
    modulus: Annotated[
        int | None,
        means("One more than its highest value, if it begins at 0 again", unit="pieces", reload=True, rule=_positive),
    ] = None
    step: Annotated[
        int | None,
        means(
            "Most pieces from one reading to a lower one, else it was set back; none: half of `modulus`",
            unit="pieces",
            reload=True,
            rule=_positive,
        ),
    ] = None


class JobSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Jobs and what is made for them."""

    outputs: Annotated[
        Mapping[str, str],
        means(
            "Which place counts what a line makes, where several of its places count",
            unit="paths",
            reload=True,
            rule=_outputs,
        ),
    ] = msgspec.field(default_factory=dict)
    late: Annotated[
        float,
        means(
            "How late a count may come; older ones are kept by the minute",
            unit="seconds",
            within=(3600, 30 * _DAY),
            reload=True,
        ),
    ] = 2 * _DAY
    kept: Annotated[
        float, means("How long counts are kept by the minute", unit="seconds", within=(_DAY, 400 * _DAY), reload=True)
    ] = 35 * _DAY


class TargetSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long a changeover may take; the first row that fits holds."""

    target: Annotated[float, means("Longest time", unit="seconds", within=(1, _DAY), reload=True)]
    before: Annotated[str, means("What was made before; empty: anything", unit="product", reload=True)] = ""
    after: Annotated[str, means("What is made next; empty: anything", unit="product", reload=True)] = ""
    equipment: Annotated[
        str, means("Where, with what is below it; empty: anywhere", unit="ISA-95 path", reload=True, rule=equipment)
    ] = ""


class ChangeoverSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Changeovers, from the last good piece of a product to the first good piece of the next."""

    ramp: Annotated[
        bool, means("Whether the time behind the first good piece is watched until somebody ends the changeover")
    ] = False
    targets: Annotated[tuple[TargetSettings, ...], means("How long they may take", reload=True)] = ()


class CharacteristicSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is measured at a place, and the control chart of it. Its name is what checks call it."""

    equipment: Annotated[str, means("Where it is measured", unit="ISA-95 path", rule=named_equipment)]
    product: Annotated[str, means("What it is measured of; empty: anything")] = ""
    unit: Annotated[str, means("The unit of its values")] = ""
    lower: Annotated[float | None, means("Lower limit of its specification", unit="its unit")] = None
    upper: Annotated[float | None, means("Upper limit of its specification", unit="its unit")] = None
    size: Annotated[int, means("Values in a subgroup", unit="values", within=(1, 10))] = 1
    mean: Annotated[float | None, means("The baseline's mean; with `sigma`. None: learned", unit="its unit")] = None
    sigma: Annotated[
        float | None, means("The baseline's standard deviation of single values", unit="its unit", rule=_positive)
    ] = None
    learning: Annotated[
        int, means("Subgroups that make the baseline where it is not stated", unit="subgroups", within=(2, 200))
    ] = 25
    rules: Annotated[tuple[RuleName, ...], means("Which rules are sources of alarms")] = NELSON


class QualitySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Checks, defects and control charts."""

    defects: Annotated[
        Mapping[str, str], means("The codes of defects and what they mean; none: any code is taken", rule=_codes)
    ] = msgspec.field(default_factory=dict)
    characteristics: Annotated[Mapping[str, CharacteristicSettings], means("What is measured")] = msgspec.field(
        default_factory=dict
    )
