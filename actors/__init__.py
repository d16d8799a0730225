"""Actors: what happens, when, and what survives a failure."""

from actors.canary import Canary
from actors.channels import Channels
from actors.connection import Opening
from actors.listener import Apply, Drain, Front, Listener
from actors.memory import MemoryKeeper
from actors.messages import EventsTaken, EventTaken, Follow, Publish, ReadFault, Refusal, TakeEvents, Unfollow
from actors.pulse import Pulse
from actors.ranks import Ranks, policy_of
from actors.receipts import Acknowledged, Book, Introduced, Left, Receipts, Shown
from actors.recorder import Recorder
from actors.recorder_batch import Standing

__all__ = [
    "Acknowledged",
    "Apply",
    "Book",
    "Canary",
    "Channels",
    "Drain",
    "EventTaken",
    "EventsTaken",
    "Follow",
    "Front",
    "Introduced",
    "Left",
    "Listener",
    "MemoryKeeper",
    "Opening",
    "Publish",
    "Pulse",
    "Ranks",
    "ReadFault",
    "Receipts",
    "Recorder",
    "Refusal",
    "Shown",
    "Standing",
    "TakeEvents",
    "Unfollow",
    "policy_of",
]
