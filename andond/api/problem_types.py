"""The body of every answer that says no.

Rules of this file: the type is what the document shows and what tests hold answers to.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

Anything = Annotated[object, msgspec.Meta(description="Any JSON value", extra_json_schema={})]
"""Any JSON value: what a publisher or another part of the gateway gives it as."""


class Problem(msgspec.Struct, kw_only=True):
    """A problem (RFC 9457); `error`, `message` and `details` say the same in the words of the floor's clients."""

    type: str
    title: str
    status: int
    detail: str
    error: str | None = None
    message: str | None = None
    details: dict[str, Anything] | None = None
    code: int | None = None
    temporary: bool | None = None
    action: str | None = None
    retry_after: float | None = None
