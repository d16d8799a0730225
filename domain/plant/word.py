"""Who says something, when and where: what every event of a person's act carries, so that the journal is the audit.

Rules of this file: ``at`` is the source's clock, ``received`` ours; both are Unix seconds. An event's id follows from
what it tells of and its number there, so that a repeat is a duplicate.
"""

from __future__ import annotations

import msgspec

from domain.event import Event
from domain.json import JsonObject
from domain.moment import rfc3339
from domain.policy import BUILT_IN


class Word(msgspec.Struct, frozen=True):
    """``by`` says it at ``station``; ``key`` names the act, if whoever sent it gave it a name."""

    by: str
    at: float
    received: float
    station: str | None = None
    comment: str | None = None
    key: str | None = None

    def event(self, type_: str, path: str, subject: str, id_: str, data: JsonObject) -> Event:
        """The event of ``type_`` about ``subject``, at the equipment with the ISA-95 ``path``."""
        source = f"/{path}"
        members = {**data, "by": self.by, "station": self.station, "comment": self.comment}
        return Event(
            id=id_,
            source=source,
            type=type_,
            data=members,
            recorded=self.received,
            priority=BUILT_IN.priority_of(type_, members, source),
            subject=subject,
            time=rfc3339(self.at),
        )


def moment(at: float | None) -> str | None:
    """``at`` as it is told, null where there is none."""
    return None if at is None else rfc3339(at)
