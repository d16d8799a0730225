"""What the tables of products, counters and quality owe each other.

Rules of this file: as in ``relations``: valid values only, and every key that was looked at is named, the one to blame
first.
"""

from __future__ import annotations

from collections.abc import Iterator

from config.faults import one_of
from config.relation import Broken
from config.settings import Settings


def counters_are_apart(settings: Settings) -> Iterator[Broken]:
    """A reading is one counter."""
    known: dict[tuple[str, str], str] = {}
    for name, counter in settings.floor.counters.items():
        first = known.setdefault((counter.equipment, counter.reading), name)
        if first != name:
            key = f"floor.counters.{name}.reading"
            yield Broken((key,), f"a reading that is not floor.counters.{first}'s already")


def baselines_are_whole(settings: Settings) -> Iterator[Broken]:
    """A baseline has a mean and a sigma, a specification its limits in their order."""
    for name, one in settings.floor.quality.characteristics.items():
        key = f"floor.quality.characteristics.{name}"
        if (one.mean is None) != (one.sigma is None):
            there, missing = ("mean", "sigma") if one.sigma is None else ("sigma", "mean")
            yield Broken((f"{key}.{missing}",), f"a number, since {there} is set")
        if one.lower is not None and one.upper is not None and one.lower >= one.upper:
            yield Broken((f"{key}.lower",), f"less than upper, {one.upper}")


def changeovers_are_of_products(settings: Settings) -> Iterator[Broken]:
    """A changeover's products are products, where any are configured."""
    products = settings.floor.products
    for number, target in enumerate(settings.floor.changeovers.targets, 1):
        for word, product in (("before", target.before), ("after", target.after)):
            if products and product and product not in products:
                key = f"floor.changeovers.targets[{number}].{word}"
                yield Broken((key, "floor.products"), f"one of {', '.join(sorted(products))}")


def characteristics_are_of_products(settings: Settings) -> Iterator[Broken]:
    """What is measured of a product is measured of one that there is, where any are configured."""
    products = settings.floor.products
    for name, one in settings.floor.quality.characteristics.items():
        if products and one.product and one.product not in products:
            keys = (f"floor.quality.characteristics.{name}.product", "floor.products")
            yield Broken(keys, one_of(sorted(products), one.product))


PRODUCT_RELATIONS = (
    counters_are_apart,
    baselines_are_whole,
    changeovers_are_of_products,
    characteristics_are_of_products,
)
