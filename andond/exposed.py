"""What others can see of what they should not: passwords and tokens on their way, files that hold a secret.

Rules of this file: nothing is refused for it, since a box may have reasons; it is told by ``andond check``. What the
service manager hands over as credentials is as it makes it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from andond.standing import is_told
from config import Secret, Settings, is_loopback

CREDENTIALS = "/run/credentials"

IN_CLEAR = (
    "passwords and tokens come in clear text: set server.certificate and server.key, or put a proxy with TLS before it"
)

_OTHERS = stat.S_IRWXO | stat.S_IWGRP


def comes_in_clear(settings: Settings, reached: Sequence[str]) -> bool:
    """Whether what other machines show of themselves, at addresses where they reach it, can be read on its way."""
    return bool(reached) and not settings.server.certificate and is_told(settings)


def exposures(settings: Settings) -> Iterator[str]:
    """One line for each: its key, and what is to be done."""
    listen = settings.server.listen
    if comes_in_clear(settings, () if is_loopback(listen) else (listen,)):
        yield f"server.listen: {IN_CLEAR}"
    files = [(f"{key}_file", secret.path) for key, secret in _secrets("", settings)]
    if settings.server.key:
        files.append(("server.key", Path(settings.server.key)))
    for key, path in files:
        if path is not None and not _is_credential(path) and _is_open(path):
            yield f"{key}: others than its owner and its group can use {path}: chmod o= {path}"


def _secrets(prefix: str, value: object) -> Iterator[tuple[str, Secret]]:
    """Every secret in ``value``, with its key."""
    if isinstance(value, Secret):
        yield prefix, value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _secrets(f"{prefix}.{name}".lstrip("."), getattr(value, name))
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from _secrets(f"{prefix}.{name}", each)
    elif isinstance(value, tuple):
        for number, each in enumerate(value, 1):
            yield from _secrets(f"{prefix}[{number}]", each)


def _is_credential(path: Path) -> bool:
    given = os.environ.get("CREDENTIALS_DIRECTORY")
    return any(path.is_relative_to(each) for each in (CREDENTIALS, given) if each)


def _is_open(path: Path) -> bool:
    with suppress(OSError):
        return bool(path.stat().st_mode & _OTHERS)
    return False
