"""What a state rests on: who said what, of which height, by which method, and when.

Rules of this file: plain facts that can be kept and read again. What was kept and cannot be read is ``Unreadable``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import msgspec
from msgspec.structs import replace

from domain.chain.observations import Provenance, Reason
from domain.chain.validators.states import JAILING, Kind, Status
from domain.json import JsonObject, JsonValue
from domain.kept import (
    Unreadable,
    integer,
    maybe_integer,
    maybe_number,
    number,
    text,
    word,
)
from domain.moment import rfc3339

EVIDENCE_LIMIT = 8

SET_DELAY = 2
"""Blocks after which a change of the validator set is in force (CometBFT)."""

REASONS: tuple[Reason, ...] = get_args(Reason)


class Evidence(msgspec.Struct, frozen=True):
    """``source`` said ``kind`` of ``height`` by ``method``; ``at`` is the chain's time, ``observed`` ours."""

    kind: Kind
    source: str
    method: str
    height: int
    observed: float
    at: float | None = None
    is_history: bool = False

    @property
    def about(self) -> int:
        """The height whose end it describes: who is in the set at one was so two blocks before."""
        return self.height - SET_DELAY if self.kind is Kind.READ_IN_SET else self.height

    @classmethod
    def of(cls, kind: Kind, provenance: Provenance, height: int) -> Evidence:
        """What a fact with this ``provenance`` says."""
        is_history = provenance.is_history
        return cls(kind, provenance.source, provenance.method, height, provenance.observed, provenance.at, is_history)

    def document(self) -> JsonObject:
        """For people and programs."""
        return {
            "kind": self.kind.value,
            "source": self.source,
            "method": self.method,
            "height": self.height,
            "observedAt": rfc3339(self.observed),
        }

    def kept(self) -> JsonObject:
        """For the disk."""
        return {
            "kind": self.kind.value,
            "source": self.source,
            "method": self.method,
            "height": self.height,
            "observed": self.observed,
            "at": self.at,
        }


def evidence_of(value: JsonValue) -> Evidence:
    """The evidence that was kept as ``value``.

    Raises:
        Unreadable: if it is none.
    """
    return Evidence(
        word(value, "kind", Kind),
        text(value, "source"),
        text(value, "method"),
        integer(value, "height"),
        number(value, "observed"),
        maybe_number(value, "at"),
    )


class Standing(msgspec.Struct, frozen=True):
    """A state of a validator and what it rests on.

    ``since`` is the height where it began as far as that is known, ``since_at`` the chain's time of it. ``free`` is the
    last height before a jailing at which the validator was known not to be jailed. ``is_standing``: it was so already
    when we looked first. ``is_final``: the chain cannot take it back.
    """

    status: Status
    since: int | None = None
    since_at: float | None = None
    reason: Reason | None = None
    until: float | None = None
    free: int | None = None
    is_confirmed: bool = False
    is_standing: bool = False
    is_final: bool = True
    evidence: tuple[Evidence, ...] = ()

    @property
    def is_jailing(self) -> bool:
        """Whether it is jailed, for a time or for ever."""
        return self.status in JAILING

    @property
    def sources(self) -> list[str]:
        """Who said so, each once."""
        return list(dict.fromkeys(each.source for each in self.evidence))

    def with_evidence(self, evidence: Evidence) -> Standing:
        """As it is, resting on ``evidence`` too: the first of each source and kind."""
        if any((each.source, each.kind) == (evidence.source, evidence.kind) for each in self.evidence):
            return self
        return replace(self, evidence=(*self.evidence, evidence)[:EVIDENCE_LIMIT])

    def kept(self) -> JsonObject:
        """For the disk."""
        return {
            "status": self.status.value,
            "since": self.since,
            "since_at": self.since_at,
            "reason": self.reason,
            "until": self.until,
            "free": self.free,
            "confirmed": self.is_confirmed,
            "standing": self.is_standing,
            "final": self.is_final,
            "evidence": [each.kept() for each in self.evidence],
        }


NOTHING_KNOWN = Standing(Status.UNKNOWN)


def standing_of(value: JsonValue) -> Standing:
    """The state that was kept as ``value``.

    Raises:
        Unreadable: if it is none.
    """
    if not isinstance(value, Mapping):
        raise Unreadable("a state")
    evidence = value.get("evidence")
    return Standing(
        word(value, "status", Status),
        maybe_integer(value, "since"),
        maybe_number(value, "since_at"),
        next((reason for reason in REASONS if reason == value.get("reason")), None),
        maybe_number(value, "until"),
        maybe_integer(value, "free"),
        value.get("confirmed") is True,
        value.get("standing") is True,
        value.get("final") is True,
        tuple(evidence_of(each) for each in evidence) if isinstance(evidence, list) else (),
    )
