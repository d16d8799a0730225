"""The notifier: one actor a channel, under a supervisor, each with a receipt for what it sent."""

from actors.notifier.couriers import Couriers
from actors.notifier.readings import read_clocks
from actors.notifier.rulebook import PresentRulebook, chain_faults, channels_told, rulebook_of
from actors.notifier.tree import NOTIFIER_POLICY, notification_channels
from actors.notifier.words import Deliver, NotificationFailed, NotificationSent

__all__ = [
    "NOTIFIER_POLICY",
    "Couriers",
    "Deliver",
    "NotificationFailed",
    "NotificationSent",
    "PresentRulebook",
    "chain_faults",
    "channels_told",
    "notification_channels",
    "read_clocks",
    "rulebook_of",
]
