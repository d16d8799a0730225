"""What clients follow, in a file beside the journal: clients that do not ask again find it after a restart.

Rules of this file: blocking. The file is replaced whole, so that it is never half written; it may be lost without
anything else being lost, so whoever reads it goes on without.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from domain import Remembered
from storage.errors import StorageError

NAME = "subscriptions.json"

_Contents = dict[str, tuple[list[str], float]]


def load_memory(directory: Path) -> list[tuple[str, Remembered]]:
    """What was saved in ``directory``; nothing if nothing was.

    Raises:
        StorageError: if the file cannot be read or understood.
    """
    path = directory / NAME
    try:
        contents = msgspec.json.decode(path.read_bytes(), type=_Contents)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageError(path, "read", error.strerror or str(error)) from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise StorageError(path, "read", str(error), damaged=True) from error
    return [(client, Remembered(frozenset(names), at)) for client, (names, at) in contents.items()]


def save_memory(directory: Path, contents: Mapping[str, Remembered]) -> None:
    """Put ``contents`` in the place of what was saved in ``directory``.

    Raises:
        StorageError: if it cannot be written; what was there before is there still.
    """
    path = directory / NAME
    new = path.with_suffix(".new")
    body = msgspec.json.encode({client: (sorted(kept.names), kept.at) for client, kept in contents.items()})
    try:
        with new.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        raise StorageError(path, "write", error.strerror or str(error)) from error
