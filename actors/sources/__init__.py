"""Sources: the actors that bring events in, one file per kind."""

from actors.checking import OWN_TYPES
from actors.sources.host import HostSource
from actors.sources.http import HttpSource
from actors.sources.mtconnect import MtconnectSource
from actors.sources.silence import Roll, Vigil
from actors.sources.sources import ApplySources, Sources, find_source
from actors.sources.watched import watched_faults

__all__ = [
    "OWN_TYPES",
    "ApplySources",
    "HostSource",
    "HttpSource",
    "MtconnectSource",
    "Roll",
    "Sources",
    "Vigil",
    "find_source",
    "watched_faults",
]
