"""What ``POST /api/v1/events`` takes and answers.

Rules of this file: types alone, as the document shows them; what an event must satisfy beyond is decided at its source.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from andond.api.problem_types import Anything


class CloudEvent(msgspec.Struct, kw_only=True):
    """A CloudEvent 1.0 in structured JSON; `source` and `id` together say which it is. Extensions stand beside."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    subject: str | None = None
    time: str | None = None
    datacontenttype: str | None = None
    data: Anything = None


class EventsAccepted(msgspec.Struct, kw_only=True):
    """How many events were taken, and how many were there before; what is urgent of them is on disk."""

    accepted: int
    duplicates: int
