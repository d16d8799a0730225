"""Cookies: what a browser shows, and what it is told to keep (RFC 6265bis).

Rules of this file: pure. A cookie that comes twice is none: one of the two was put there by somebody else. With TLS its
name begins with ``__Host-``, so that only this host can have set it, over TLS. Ports of one host share their cookies,
so a port that is not the scheme's own is in the name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

SameSite = Literal["Strict", "Lax"]

_DEFAULT_PORTS = {True: "443", False: "80"}
_PORT = re.compile(r":(\d{1,5})$")
_COUNT = 50


def cookie_name(word: str, headers: Mapping[str, str], *, secure: bool) -> str:
    """What the cookie ``word`` is called for who asked with these ``headers``, over TLS if ``secure``."""
    port = _PORT.search(headers.get("host", ""))
    suffix = "" if port is None or port[1] == _DEFAULT_PORTS[secure] else f"-{port[1]}"
    return f"{'__Host-' if secure else ''}{word}{suffix}"


def cookie_in(headers: Mapping[str, str], name: str) -> str:
    """The value of the cookie ``name``; empty if there is none, or more than one."""
    pairs = headers.get("cookie", "").split(";", _COUNT)[:_COUNT]
    found = [value.strip() for key, _, value in (pair.partition("=") for pair in pairs) if key.strip() == name]
    return found[0] if len(found) == 1 else ""


def set_cookie(name: str, value: str, *, secure: bool, life: float, same_site: SameSite) -> dict[str, str]:
    """The header that has a browser keep a cookie for ``life`` seconds; 0 has it forgotten. No script can read it."""
    words = [f"{name}={value}", "Path=/", f"Max-Age={int(life)}", "HttpOnly", f"SameSite={same_site}"]
    return {"set-cookie": "; ".join([*words, "Secure"] if secure else words)}
