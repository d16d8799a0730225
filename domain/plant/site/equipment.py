"""Where everything is in a plant: the equipment hierarchy of ISA-95 (IEC 62264-1), by path and by alias.

Rules of this file:

* A path is the names from the enterprise down: ``acme/plant1/area1/line3/st4``. A level may be missing in it; what a
  place is says its level, not the length of its path.
* A level stands only below one that is higher. The line is ISA-95's work center, cell and unit are its work units.
* An alias is another system's name for one place, looked up both ways. A name means one place or none.
* What events name and the model does not know is taken as it is, and marked: ``is_modelled`` is false.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from domain.json import JsonValue


class Level(StrEnum):
    """A level of the hierarchy, the highest first."""

    ENTERPRISE = "enterprise"
    SITE = "site"
    AREA = "area"
    LINE = "line"
    CELL = "cell"
    UNIT = "unit"

    @property
    def depth(self) -> int:
        """How far down it is, 0 for the enterprise."""
        return _DEPTHS[self]


_DEPTHS = {level: depth for depth, level in enumerate(Level)}

ELEMENTS: Mapping[str, int] = {
    "Enterprise": 0,
    "Site": 1,
    "Area": 2,
    "ProcessCell": 3,
    "Unit": 4,
    "ProductionLine": 5,
    "WorkCell": 6,
    "ProductionUnit": 7,
    "StorageZone": 8,
}
"""What a place is in the words and numbers of OPC UA's ``ISA95EquipmentElementLevelEnum``."""

_ELEMENT_OF = {
    Level.ENTERPRISE: "Enterprise",
    Level.SITE: "Site",
    Level.AREA: "Area",
    Level.LINE: "ProductionLine",
    Level.CELL: "WorkCell",
    Level.UNIT: "Unit",
}


class EquipmentFault(ValueError):
    """The model contradicts itself; the message says where."""


class Node(msgspec.Struct, frozen=True):
    """A place as it is described: its name below its parent's path, its aliases, what is below it.

    ``element`` is one of ``ELEMENTS`` where the level alone does not say it; ``shifts`` those that it works, all if
    there are none.
    """

    name: str
    level: Level
    title: str = ""
    aliases: tuple[str, ...] = ()
    element: str = ""
    shifts: tuple[str, ...] = ()
    below: tuple[Node, ...] = ()


class Equipment(msgspec.Struct, frozen=True):
    """A place in the plant. One that the model does not know has a path and nothing else."""

    path: str
    level: Level | None = None
    title: str = ""
    aliases: tuple[str, ...] = ()
    element: str = ""
    shifts: tuple[str, ...] = ()
    parent: str | None = None
    below: tuple[str, ...] = msgspec.field(default=())
    is_modelled: bool = False

    @property
    def name(self) -> str:
        """The last name of its path."""
        return self.path.rpartition("/")[2]

    @property
    def code(self) -> str:
        """What other systems call it: its first alias, its path if it has none."""
        return self.aliases[0] if self.aliases else self.path

    def members(self) -> dict[str, JsonValue]:
        """The place as JSON."""
        return {
            "path": self.path,
            "name": self.name,
            "title": self.title or None,
            "level": self.level.value if self.level else None,
            "element": self.element or None,
            "aliases": list(self.aliases),
            "parent": self.parent,
            "below": list(self.below),
            "shifts": list(self.shifts),
            "modelled": self.is_modelled,
        }


class EquipmentModel:
    """Every place of the plant below the ``roots``, which are enterprises as a rule."""

    def __init__(self, *roots: Node) -> None:
        """Take the places in.

        Raises:
            EquipmentFault: if a name means two places, or a level is not below a higher one.
        """
        self._places: dict[str, Equipment] = {}
        self._aliases: dict[str, str] = {}
        for root in roots:
            self._take(root, None)
        for alias, path in self._aliases.items():
            if alias in self._places and alias != path:
                raise EquipmentFault(f"{alias!r} is the path of one place and an alias of {path}")

    def __iter__(self) -> Iterator[Equipment]:
        return iter(self._places.values())

    def __len__(self) -> int:
        return len(self._places)

    def find(self, name: str) -> Equipment:
        """The place that ``name`` means: a path, with a slash before it or not, or an alias.

        A place that the model does not know has ``name`` as its path; what is above it is known all the same.
        """
        path = name.strip("/")
        path = self._aliases.get(name, self._aliases.get(path, path))
        found = self._places.get(path)
        return found or Equipment(path, parent=path.rpartition("/")[0] or None)

    def path_of(self, name: str) -> str:
        """The path of the place that ``name`` means."""
        return self.find(name).path

    def code_of(self, name: str) -> str:
        """What other systems call the place that ``name`` means: its first alias, its path if it has none."""
        return self.find(name).code

    def above(self, name: str) -> Iterator[Equipment]:
        """The places above the one that ``name`` means, the nearest first; those that the model knows."""
        path = self.path_of(name)
        while "/" in path:
            path = path.rpartition("/")[0]
            if path in self._places:
                yield self._places[path]

    def nearest(self, name: str, level: Level) -> Equipment | None:
        """The place of ``level`` that ``name`` means or is in; None if there is none."""
        here = self.find(name)
        return here if here.level is level else next((up for up in self.above(name) if up.level is level), None)

    def line_of(self, name: str) -> Equipment | None:
        """The line that ``name`` means or is in; None if there is none."""
        return self.nearest(name, Level.LINE)

    def at_level(self, level: Level) -> list[Equipment]:
        """Every place of ``level``, in the order in which they are described."""
        return [place for place in self if place.level is level]

    def within(self, name: str) -> list[Equipment]:
        """Every place that the model knows below the one that ``name`` means, and itself if the model knows it."""
        path = self.path_of(name)
        return [place for place in self if place.path == path or place.path.startswith(f"{path}/")]

    def work_units(self, name: str = "") -> list[Equipment]:
        """The work units (ISO 22400-2: OEE is of these) in the place that ``name`` means, or in the plant.

        They are the lowest places: units, cells without units, lines without either.
        """
        places = self.within(name) if name else list(self)
        return [place for place in places if place.level and place.level.depth >= Level.LINE.depth and not place.below]

    def shifts_of(self, name: str) -> tuple[str, ...]:
        """The shifts that a place works: its own, or those of the nearest place above that has some; else none."""
        here = self.find(name)
        return here.shifts or next((up.shifts for up in self.above(name) if up.shifts), ())

    def seen(self, sees: Callable[[str], bool]) -> EquipmentModel:
        """The same model of those places alone whose path ``sees``: what is not seen has no name and no alias.

        A place works the shifts of the whole model, also where the place that has them is not seen.
        """
        model = EquipmentModel()
        for path, place in self._places.items():
            if sees(path):
                below = tuple(each for each in place.below if sees(each))
                model._places[path] = replace(place, below=below, shifts=self.shifts_of(path))
        model._aliases = {alias: path for alias, path in self._aliases.items() if path in model._places}
        return model

    def _take(self, node: Node, parent: Equipment | None) -> str:
        path = f"{parent.path}/{node.name}" if parent else node.name
        if parent and parent.level and node.level.depth <= parent.level.depth:
            raise EquipmentFault(f"{path}: a {node.level} is not below a {parent.level}")
        if path in self._places:
            raise EquipmentFault(f"{path} is there twice")
        for alias in node.aliases:
            if self._aliases.setdefault(alias, path) != path:
                raise EquipmentFault(f"{alias!r} is an alias of {self._aliases[alias]} and of {path}")
        place = Equipment(
            path=path,
            level=node.level,
            title=node.title,
            aliases=node.aliases,
            element=node.element or _ELEMENT_OF[node.level],
            shifts=node.shifts,
            parent=parent.path if parent else None,
            below=tuple(f"{path}/{child.name}" for child in node.below),
            is_modelled=True,
        )
        self._places[path] = place
        for child in node.below:
            self._take(child, place)
        return path


def is_within(path: str, place: str) -> bool:
    """Whether ``path`` is ``place`` or below it; everything is within the plant, which is ""."""
    return not place or path == place or path.startswith(f"{place}/")
