"""What is told to the auditor and asked of it, and the way there for whoever has something to tell.

Rules of this file: who tells waits for nothing and fails over nothing. What finds no auditor, or no room at it, is
counted, and the audit says later how much that was.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar

import msgspec

from actors.places import AUDITOR, Address
from actors.runtime import ActorDead, Environment, MailboxFull
from domain import JsonObject, JsonValue, Priority
from domain.access import Identity
from domain.audit import GATEWAY, NOWHERE, Entry, Outcome, Target, Whence, Who
from telemetry import counters


class Noted(msgspec.Struct, frozen=True):
    """Something to be written down."""

    entry: Entry
    priority: ClassVar[Priority] = Priority.HIGH


class ReadAudit(msgspec.Struct, frozen=True):
    """Asks for the newest ``limit`` entries that are ``wanted``, newest first: answered with a tuple of documents.

    ``wanted`` is called in a thread and looks at nothing but the document. What has failed is answered with None.
    """

    wanted: Callable[[JsonObject], bool]
    limit: int
    priority: ClassVar[Priority] = Priority.LOW


class AuditTrail(msgspec.Struct, frozen=True):
    """The way to the auditor of a running tree, None where there is no tree; ``clock`` gives the Unix seconds."""

    environment: Environment | None = None
    clock: Callable[[], float] = time.time

    def note(self, entry: Entry) -> None:
        """Have ``entry`` written down."""
        if self.environment is None:
            return
        try:
            Address(self.environment, AUDITOR).tell(Noted(entry))
        except (ActorDead, MailboxFull):
            counters.audit_lost += 1

    def gateway(
        self,
        what: str,
        why: str = "",
        outcome: Outcome = Outcome.DONE,
        before: JsonValue = None,
        after: JsonValue = None,
    ) -> None:
        """Note what the gateway did itself."""
        self.note(Entry(self.clock(), what, outcome, GATEWAY, why=why, before=before, after=after))

    def refused(
        self,
        what: str,
        why: str,
        together: str,
        whence: Whence = NOWHERE,
        identity: Identity | None = None,
        path: str = "",
    ) -> None:
        """Note that somebody was refused ``what``; the same ``together`` from the same address is counted as one."""
        who = Who() if identity is None else Who.of(identity)
        word = f"{together} {who.subject}" if who.subject else together
        entry = Entry(self.clock(), what, Outcome.REFUSED, who, whence, Target(path), why, together=word)
        self.note(entry)
