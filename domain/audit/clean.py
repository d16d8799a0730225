"""What may stand in the audit: texts that are not endless, documents that are not huge, and nothing that is secret.

Rules of this file: entries are made so that no secret is in them; this is the net below. A member whose name says that
it is a secret is hidden, and so is what looks like a token, wherever a person wrote it.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping

from domain.json import JsonValue

HIDDEN = "(hidden)"
TEXT = 200
"""Characters of a name, a path, an id."""

LONG_TEXT = 2_000
"""Characters of a text in a document."""

DOCUMENT = 32_768
"""Bytes of a document; of a larger one its size and its SHA-256 are kept."""

DEPTH = 12

_SECRET = re.compile(
    r"(passw(or)?d|passphrase|secret|token|authorization|cookie|credentials?|api_?key|private_?key)$", re.IGNORECASE
)
# RFC 7519, section 3: three parts in base64url; the first is a JSON object, which begins with {" or {space.
_TOKEN = re.compile(r"ey[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
# RFC 3986, section 3.2.1: who logs in, in front of a host.
_USERINFO = re.compile(r"(?<=://)[^/@\s]*:[^/@\s]*@")
_BEARER = re.compile(r"(?i)\bbearer\s+[A-Za-z0-9._~+/=-]{8,}")


def clean_text(text: str, most: int = TEXT) -> str:
    """``text`` without what looks like a token, and no longer than ``most`` characters."""
    # Cut with room to spare, so that a token at the end is still seen whole.
    shown = _BEARER.sub(HIDDEN, _TOKEN.sub(HIDDEN, text[: most + 8_192]))
    shown = _USERINFO.sub(f"{HIDDEN}@", shown)
    return shown if len(shown) <= most else f"{shown[: most - 3]}..."


def clean(value: JsonValue) -> JsonValue:
    """``value`` without secrets; only its size and hash if it is too large."""
    cleaned = _cleaned(value, 0)
    # What is checked for its size here is written once more by who writes the entry: documents are small.
    text = json.dumps(cleaned, separators=(",", ":"), sort_keys=True)
    if len(text) <= DOCUMENT:
        return cleaned
    return {"omitted": "too large", "size": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()}


def _cleaned(value: JsonValue, depth: int) -> JsonValue:
    if isinstance(value, str):
        return clean_text(value, LONG_TEXT)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth >= DEPTH:
        return "(too deep)"
    if isinstance(value, Mapping):
        return {clean_text(str(name)): _member(str(name), each, depth) for name, each in value.items()}
    return [_cleaned(each, depth + 1) for each in value]


def _member(name: str, value: JsonValue, depth: int) -> JsonValue:
    # A number or a truth under such a name is a limit or a switch: token_life, has_password.
    if _SECRET.search(name) and not isinstance(value, bool | int | float | None):
        return HIDDEN
    return _cleaned(value, depth + 1)
