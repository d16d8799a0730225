"""Actors: what happens, when, and what survives a failure."""

from actors.channels import Channels
from actors.connection import Opening
from actors.listener import Apply, Drain, Front, Listener
from actors.messages import EventsTaken, EventTaken, Follow, Publish, Refusal, TakeEvents, Unfollow
from actors.pulse import Pulse

__all__ = [
    "Apply",
    "Channels",
    "Drain",
    "EventTaken",
    "EventsTaken",
    "Follow",
    "Front",
    "Listener",
    "Opening",
    "Publish",
    "Pulse",
    "Refusal",
    "TakeEvents",
    "Unfollow",
]
