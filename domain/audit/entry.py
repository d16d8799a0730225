"""One entry of the audit: who did what to what, from where, what came of it and why.

Rules of this file: an entry is made from an identity and from documents, never from a request: what proves who somebody
is, a token or a password, is nowhere near. Every text in it has a greatest length.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from domain.access.identity import Identity
from domain.audit.clean import clean, clean_text
from domain.json import JsonValue
from domain.moment import rfc3339

WHY = 400
"""Characters of a reason."""

_ROLES = 32


class Outcome(StrEnum):
    """What came of it."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    """Nobody can say whether it is done, or something broke."""


class Who(msgspec.Struct, frozen=True):
    """Somebody: ``subject`` and ``name`` as the proof has them; ``proof`` is how that is known, in one word."""

    subject: str = ""
    name: str = ""
    tenant: str = ""
    proof: str = ""
    roles: tuple[str, ...] = ()

    @classmethod
    def of(cls, identity: Identity, said: str = "") -> Who:
        """Whom ``identity`` names; where that is not proved, the name that it ``said`` of itself."""
        name = identity.name if identity.is_proved else said or identity.name
        return cls(identity.subject, name, identity.tenant, identity.proof.value, tuple(sorted(identity.roles)))

    def document(self) -> dict[str, JsonValue]:
        """As it is written."""
        return {
            "name": clean_text(self.name),
            "proof": clean_text(self.proof),
            "roles": [clean_text(role) for role in self.roles[:_ROLES]],
            "subject": clean_text(self.subject),
            "tenant": clean_text(self.tenant),
        }


GATEWAY = Who("andond", "the gateway", proof="itself")
"""The gateway itself."""


class Whence(msgspec.Struct, frozen=True):
    """From where: the ``address`` of the client, the ``door`` that it came through, the login that it is of."""

    address: str = ""
    door: str = ""
    session: str = ""

    def document(self) -> dict[str, JsonValue]:
        """As it is written."""
        return {
            "address": clean_text(self.address),
            "door": clean_text(self.door),
            "session": clean_text(self.session),
        }


NOWHERE = Whence()


class Target(msgspec.Struct, frozen=True):
    """What it was done to: the ISA-95 ``path`` of its place and its ``id``, each empty where there is none."""

    path: str = ""
    id: str = ""

    def document(self) -> dict[str, JsonValue]:
        """As it is written."""
        return {"id": clean_text(self.id), "path": clean_text(self.path)}


class Entry(msgspec.Struct, frozen=True):
    """``who`` did ``what`` (``andon.acknowledge``, ``login``, ``token``, ...) ``at`` (Unix seconds), from ``whence``.

    ``before`` and ``after`` are documents of the target. ``together`` is a word of few, by which entries that anybody
    can cause in mass are counted together; without one each is written. ``count`` stands for so many of them, the first
    of which was ``since``.
    """

    at: float
    what: str
    outcome: Outcome
    who: Who = GATEWAY
    whence: Whence = NOWHERE
    target: Target = Target()
    why: str = ""
    before: JsonValue = None
    after: JsonValue = None
    together: str = ""
    count: int = 1
    since: float | None = None

    def document(self, number: int, previous: str) -> Mapping[str, JsonValue]:
        """The entry as it is written: the ``number``-th, behind the one with the hash ``previous``."""
        return {
            "after": clean(self.after),
            "at": rfc3339(self.at),
            "before": clean(self.before),
            "count": self.count,
            "from": self.whence.document(),
            "number": number,
            "outcome": self.outcome.value,
            "previous": previous,
            "since": None if self.since is None else rfc3339(self.since),
            "target": self.target.document(),
            "what": clean_text(self.what),
            "who": self.who.document(),
            "why": clean_text(self.why, WHY),
        }
