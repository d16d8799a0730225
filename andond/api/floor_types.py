"""What all of the floor's REST has in common: who acts, and a part of a list.

Rules of this file: types alone, as the document shows them; tests hold every answer to them.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class ActBody(msgspec.Struct, kw_only=True):
    """Who acts, when by their device's clock, where; with a key it is done once."""

    by: str | None = None
    at: str | None = None
    key: str | None = None
    station: str | None = None
    comment: str | None = None


class Page(msgspec.Struct, Generic[T], kw_only=True):
    """A part of a list of `total`."""

    items: list[T]
    total: int
    limit: int
    offset: int
