"""Desks: the actors that decide what an event means, and publish it."""

from actors.desks.floor import FloorDesk
from actors.desks.portal import PortalDesk, ReadPortal
from actors.desks.routing import Desks

__all__ = ["Desks", "FloorDesk", "PortalDesk", "ReadPortal"]
