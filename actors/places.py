"""Where the lasting actors are in the tree, and how to speak to one by its place.

Rules of this file: an actor that lasts is spoken to by its place, not by a ref that was handed around. So the
order in which the tree starts is nobody's business but the supervisors', and a part of it can begin anew.
"""

from __future__ import annotations

from typing import Protocol

from actors.runtime import ActorDead, ActorRef, Environment

GATEWAY = "gateway"
AUDIT = f"{GATEWAY}/audit"
AUDITOR = f"{AUDIT}/auditor"
RECORDER = f"{GATEWAY}/recorder"
CHANNELS = f"{GATEWAY}/channels"
DESKS = f"{GATEWAY}/desks"
FLOOR_DESK = f"{DESKS}/floor"
PORTAL_DESK = f"{DESKS}/portal"
SERIES = f"{DESKS}/series"
VALIDATORS_DESK = f"{DESKS}/validators"
CALLS_DESK = f"{DESKS}/calls"
ALARMS_DESK = f"{DESKS}/alarms"
PRODUCTION_DESK = f"{DESKS}/production"
JOBS_DESK = f"{DESKS}/jobs"
NOTIFIER = f"{GATEWAY}/notifier"
SOURCES = f"{GATEWAY}/sources"
LISTENERS = f"{GATEWAY}/listeners"
CONNECTIONS = f"{LISTENERS}/connections"
LISTENER = f"{LISTENERS}/listener"
PULSE = f"{GATEWAY}/pulse"
HOOKS = f"{GATEWAY}/hooks"
WATCHES = f"{GATEWAY}/watches"
ACCOUNTS = f"{WATCHES}/accounts"
VIGIL = f"{WATCHES}/vigil"
RECEIPTS = f"{WATCHES}/receipts"
CANARY = f"{WATCHES}/canary"
KEYS = f"{WATCHES}/keys"
PAGE = f"{WATCHES}/page"


class Receiver(Protocol):
    """Whoever takes messages: an address, or a ref."""

    def tell(self, message: object) -> None:
        """Send ``message`` without an answer."""


class Address:
    """The actor at ``path``, whoever that is at the moment."""

    __slots__ = ("_environment", "path")

    def __init__(self, environment: Environment, path: str) -> None:
        self._environment = environment
        self.path = path

    @property
    def ref(self) -> ActorRef:
        """The ref of the actor that lives there.

        Raises:
            ActorDead: if nobody does.
        """
        ref = self._environment.registry.get(self.path)
        if ref is None:
            raise ActorDead(f"{self.path}: nobody is there")
        return ref

    def tell(self, message: object) -> None:
        """Send ``message`` without an answer.

        Raises:
            ActorDead: if nobody is there.
            MailboxFull: if it is CRITICAL or HIGH and there is no room for it.
        """
        self.ref.tell(message)
