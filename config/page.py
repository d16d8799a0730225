"""Signing in on the page: where the page is, and how long somebody stays signed in there.

Rules of this file: an address is shown by ``andond config``. What is wrong between it and a provider is told by
``config.issuer_relations``.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from config.meta import means

HOUR = 3_600
DAY = 24 * HOUR

_EXPECTED = "the address that people open, such as https://andon.example or http://192.0.2.7:9003, or nothing"


def page_address(value: object) -> str | None:
    """Expect where the page is, without a query, or nothing."""
    text = str(value)
    if not text:
        return None
    try:
        parts = urlsplit(text)
        is_right = bool(parts.hostname) and parts.port != 0 and parts.scheme in ("https", "http")
    except ValueError:
        return _EXPECTED
    is_bare = not (parts.query or parts.fragment or "@" in parts.netloc or {"?", "#", "\\", ";"} & set(text))
    is_text = text.isascii() and text.isprintable() and " " not in text
    return None if is_right and is_bare and is_text else _EXPECTED


class PageSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Signing in on the page."""

    address: Annotated[
        str,
        means(
            "Where people open the page; a provider sends them back to `address`/auth/callback, letter by letter",
            unit="URL",
            reload=True,
            rule=page_address,
        ),
    ] = ""
    life: Annotated[
        float, means("How long a sign-in lasts in all", unit="seconds", within=(60, 366 * DAY), reload=True)
    ] = 12.0 * HOUR
    outage: Annotated[
        float,
        means("How long it lasts on while its provider cannot be asked", unit="seconds", within=(0, DAY), reload=True),
    ] = float(HOUR)
