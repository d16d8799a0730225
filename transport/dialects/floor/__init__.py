"""The floor dashboard's dialect: its doors, its frames, what its clients follow and say.

``FloorSession`` is one connection, ``Script`` knows what each event is told as, ``Roster`` who is connected.
"""

from transport.dialects.floor.following import Following
from transport.dialects.floor.health import Traffic
from transport.dialects.floor.kinds import ALIASES, KINDS, TOLD, Kind
from transport.dialects.floor.places import Places
from transport.dialects.floor.questions import Deed, Done, Row, Seen, Snapshot
from transport.dialects.floor.roster import Roster, Visit
from transport.dialects.floor.script import Script
from transport.dialects.floor.session import COMMANDS, FloorSession, Surroundings, Visitor
from transport.dialects.floor.topics import TARGETED, TOPICS
from transport.dialects.floor.welcome import ANONYMOUS, DOORS, USER_LIMIT, Entry, EntryFault, enter

__all__ = [
    "ALIASES",
    "ANONYMOUS",
    "COMMANDS",
    "DOORS",
    "KINDS",
    "TARGETED",
    "TOLD",
    "TOPICS",
    "USER_LIMIT",
    "Deed",
    "Done",
    "Entry",
    "EntryFault",
    "FloorSession",
    "Following",
    "Kind",
    "Places",
    "Roster",
    "Row",
    "Script",
    "Seen",
    "Snapshot",
    "Surroundings",
    "Traffic",
    "Visit",
    "Visitor",
    "enter",
]
