"""Actors: what happens, when, and what survives a failure."""

from actors.acts import Act, Acted, Acts
from actors.canary import Canary
from actors.channels import Channels
from actors.checking import NO_TYPES, OWN_TYPES
from actors.connection import Answerer, Opening
from actors.listener import Apply, Drain, Front, Listener
from actors.memory import MemoryKeeper
from actors.messages import EventsTaken, EventTaken, Follow, Publish, ReadFault, Refusal, TakeEvents, Unfollow
from actors.pulse import Pulse
from actors.ranks import Ranks, policy_of
from actors.receipts import Acknowledged, Book, Introduced, Left, Receipts, Shown
from actors.recorder import Recorder
from actors.recorder_batch import Standing
from actors.site import SiteInForce

__all__ = [
    "NO_TYPES",
    "OWN_TYPES",
    "Acknowledged",
    "Act",
    "Acted",
    "Acts",
    "Answerer",
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
    "SiteInForce",
    "Standing",
    "TakeEvents",
    "Unfollow",
    "policy_of",
]
