"""Hooks: what a plant adds by packages of its own, each part called by an actor and guarded."""

from actors.hooks.guard import Guard, HookFault, InQuarantine
from actors.hooks.installed import Found, Installed
from actors.hooks.rules import HookRule, HookRules
from actors.hooks.taps import Seen, Taps
from actors.hooks.thread import HookThread, Overdue

__all__ = [
    "Found",
    "Guard",
    "HookFault",
    "HookRule",
    "HookRules",
    "HookThread",
    "InQuarantine",
    "Installed",
    "Overdue",
    "Seen",
    "Taps",
]
