"""Sources: the actors that bring events in, one file per kind."""

from actors.sources.host import HostSource
from actors.sources.http import HttpSource
from actors.sources.mtconnect import MtconnectSource
from actors.sources.silence import Roll, Vigil
from actors.sources.sources import ApplySources, Sources, find_source

__all__ = ["ApplySources", "HostSource", "HttpSource", "MtconnectSource", "Roll", "Sources", "Vigil", "find_source"]
