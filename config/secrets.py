"""Values that must not be seen: where they come from, and that they are never printed.

Rules of this file: a secret is read from a file or from a credential of the service manager; its text leaves a
``Secret`` only by ``reveal``, so it cannot reach a log, a dump, an error or a traceback by accident.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

HIDDEN = "(hidden)"
SIZE_LIMIT = 65_536
"""Largest secret file in bytes: what is larger is not a secret but a mistake."""


class Secret:
    """A text that shows itself only to who asks for it; ``path`` is the file it came from, if it was one."""

    __slots__ = ("_text", "path")

    def __init__(self, text: str, path: Path | None = None) -> None:
        self._text = text
        self.path = path

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret is not to be copied out of the process")


def read_secret(path: Path) -> Secret:
    """Read the secret in ``path`` without the line's end an editor leaves.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is empty, too large or no text.
    """
    with path.open("rb") as file:
        content = file.read(SIZE_LIMIT + 1)
    if len(content) > SIZE_LIMIT:
        raise ValueError(f"a file of at most {SIZE_LIMIT} bytes")
    text = content.decode().rstrip("\r\n")
    if not text:
        raise ValueError("a file that is not empty")
    return Secret(text, path)


def without_user(text: str) -> str:
    """``text`` as it may be shown: who logs in at an address in it, and with which password, is hidden."""
    before, at, after = text.rpartition("@")
    scheme, slashes, _ = before.partition("//")
    if not at or ":" not in before:
        return text
    # Of several addresses in one text all is hidden from the first to the last: a password may hold any sign.
    return f"{scheme}{slashes}{HIDDEN}@{after}" if slashes else f"{HIDDEN}@{after}"


def credentials(environ: Mapping[str, str]) -> dict[str, Path]:
    """Return the credentials the service manager gave us (``LoadCredential=``), by name.

    Raises:
        OSError: if the directory it names cannot be read.
    """
    directory = environ.get("CREDENTIALS_DIRECTORY")
    if not directory:
        return {}
    return {path.name: path for path in sorted(Path(directory).iterdir()) if path.is_file()}
