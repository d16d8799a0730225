"""What somebody wants who raises a call, read from the arguments of the act.

Rules of this file: every fault is named at once. A place that the equipment model does not know is taken as it is; a
word that is no type of call is refused with those there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from msgspec.structs import replace

from domain.arguments import Arguments
from domain.json import JsonObject
from domain.names import is_channel
from domain.plant.calls.call import LINKS
from domain.plant.calls.kinds import KINDS, CallPriority

TEXT_SIZE = 2000
NAME_SIZE = 200


class Wish(msgspec.Struct, frozen=True):
    """A call of ``word`` at ``path``; ``id`` is set where the call's id follows from what raised it."""

    path: str
    word: str
    priority: str
    text: str = ""
    stops_line: bool = False
    assigned_to: str | None = None
    incident: str | None = None
    links: Mapping[str, str] = msgspec.field(default_factory=dict)
    id: str | None = None


def wish_of(given: JsonObject, path_of: Callable[[str], str]) -> Wish:
    """The wish that the arguments ``given`` describe; ``path_of`` finds the path of a place by a path or an alias.

    Raises:
        Refused: if something is missing or wrong.
    """
    arguments = Arguments(given)
    word = arguments.choice("type", KINDS)
    if "type" not in arguments:
        arguments.fault("type", "is required")
    equipment = arguments.text("equipment", NAME_SIZE)
    path = path_of(equipment).strip("/")
    if equipment and not is_channel(f"andon/{path}"):
        arguments.fault("equipment", "must be the path of a place, such as acme/plant1/line3/st4, or an alias of one")
    priority = arguments.choice("priority", CallPriority)
    text = arguments.optional_text("text", TEXT_SIZE)
    stops_line = arguments.flag("stops_line")
    assigned_to, incident = arguments.optional_text("assigned_to", NAME_SIZE), arguments.optional_text("incident", 200)
    links = {name: other for name in LINKS if (other := arguments.optional_text(name, NAME_SIZE))}
    arguments.check()
    kind = KINDS[word or ""]
    wish = Wish(path, kind.word, priority or kind.priority.value, text or "", kind.stops_line, assigned_to, incident)
    return replace(wish, links=links, stops_line=kind.stops_line if stops_line is None else stops_line)
