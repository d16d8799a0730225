"""Values written as TOML; reading is the standard library's.

Rules of this file: what is written here is read back by ``tomllib`` as the same value, but for what is hidden.
"""

from __future__ import annotations

import json

import msgspec

from config.secrets import Secret, without_user


def toml_value(value: object, *, hides_users: bool = False) -> str:
    """Return ``value`` as it is written in TOML; ``hides_users``: without the users and passwords of addresses."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | Secret):
        # What JSON escapes TOML escapes the same way, but for the last control character; half a pair it cannot say.
        text = str(value).encode("utf-8", "replace").decode()
        text = without_user(text) if hides_users else text
        return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, tuple | list):
        return f"[{', '.join(toml_value(item, hides_users=hides_users) for item in value)}]"
    if isinstance(value, msgspec.Struct):
        # What is not there has its default again when it is read.
        fields = {field.name: (getattr(value, field.name), field) for field in msgspec.structs.fields(value)}
        given = {name: one for name, (one, field) in fields.items() if field.required or one}
        return toml_value(given, hides_users=hides_users)
    if isinstance(value, dict):
        pairs = ", ".join(
            f"{toml_value(key)} = {toml_value(item, hides_users=hides_users)}" for key, item in value.items()
        )
        return f"{{ {pairs} }}" if pairs else "{}"
    return str(value)
