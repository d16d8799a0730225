"""Where on the floor an event is, in the words of its clients: which line, which equipment, and what a target names.

Rules of this file:

* No I/O. What clients know a place by is its code: its first alias in the site's model, else its path.
* A target names a place by its path, its name or one of its aliases, and takes in whatever is at or below it.
* Where the model says nothing of a path, the last place on it is the equipment and the one above it the line.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from domain import JsonValue
from domain.plant.site import Equipment, EquipmentModel, Level

# What is longer is nobody's plant.
DEPTH_LIMIT = 16

REMEMBERED = 4096

_ABOVE_LINES = frozenset({Level.ENTERPRISE, Level.SITE, Level.AREA})
# Enterprise, line and equipment: with less there is no telling a line from a site.
_LEAST_DEPTH = 3


class Place(msgspec.Struct, frozen=True):
    """A place on the floor; ``names`` are all by which a target takes it in.

    ``line_id`` and ``equipment_code`` are None for what is at no line, or is no equipment; ``element`` is what kind of
    place it is in the words of OPC UA's ``ISA95EquipmentElementLevelEnum``, empty where the model does not know.
    """

    path: str
    line_id: str | None
    equipment_code: str | None
    names: frozenset[str]
    element: str = ""


class Places:
    """The places of the floor by the model that ``model`` returns; those that were asked for are remembered."""

    def __init__(self, model: Callable[[], EquipmentModel] = EquipmentModel) -> None:
        self._read = model
        self._model = model()
        self._known: dict[tuple[str, bool], Place] = {}

    def __call__(self, path: str, *, is_line: bool = False) -> Place:
        """The place at ``path``; ``is_line`` says that it is a line, where the model does not know."""
        model = self._read()
        if model is not self._model or len(self._known) >= REMEMBERED:
            self._model = model
            self._known.clear()
        asked = (path, is_line)
        if asked not in self._known:
            self._known[asked] = _place(model, path, is_line=is_line)
        return self._known[asked]


def _place(model: EquipmentModel, path: str, *, is_line: bool) -> Place:
    segments = [each for each in model.path_of(path).split("/") if each][:DEPTH_LIMIT]
    paths = ["/".join(segments[: end + 1]) for end in range(len(segments))]
    if not paths:
        return Place("", None, None, frozenset())
    above = [model.find(each) for each in paths]
    names = {name for each in above for name in (each.path, each.name, *each.aliases)}
    here = above[-1]
    line, code = _line_id(model, here, is_line=is_line), _code(here, is_line=is_line)
    return Place(here.path, line, code, frozenset(names), here.element)


def _line_id(model: EquipmentModel, here: Equipment, *, is_line: bool) -> str | None:
    line = model.line_of(here.path)
    if line is not None:
        return line.code
    if here.is_modelled:
        return None
    if is_line:
        return here.code
    parent = model.find(here.parent) if here.parent and here.path.count("/") + 1 >= _LEAST_DEPTH else None
    return None if parent is None or parent.level in _ABOVE_LINES else parent.code


def _code(here: Equipment, *, is_line: bool) -> str | None:
    return None if is_line or here.level in _ABOVE_LINES else here.code


def text_of(value: JsonValue) -> str | None:
    """An id as text; None for what is none. Clients and publishers write ids as text or as integers."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 2**63 else None
    return None
