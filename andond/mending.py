"""What mends a gateway that must not start, in lines that can be copied as they are.

Rules of this file: a line is for the start that was refused: the program as it was called, with its configuration and
its data, and a setting where it was set. Whoever reads it should have nothing left to find out.
"""

from __future__ import annotations

import shlex
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from andond.standing import unguarded
from config import DEFAULT, Loaded, Settings, is_loopback, split_address
from domain.access import EVERY_TENANT
from storage import PasswordsMissing, StorageError, can_hash_passwords, has_users
from transport import has_libraries

INSTALL = "-m pip install 'andond[auth]'"
"""What Python is asked for where the libraries of users and tokens are missing."""

NEW_DATA = "data"

_PROGRAM = "andond"


def program() -> str:
    """How this program was called, for a shell."""
    if Path(sys.argv[0]).name == _PROGRAM:
        return shlex.quote(sys.argv[0])
    return f"{shlex.quote(sys.executable)} -m {_PROGRAM}"


def refusal(
    loaded: Loaded, options: Namespace, reached: Sequence[str] | None = None, *, is_handed: bool = False
) -> str:
    """Why the gateway that ``options`` ask for must not start, and both ways to mend it; empty if it may.

    Without ``reached`` it is judged by where it is to listen; ``is_handed`` says that another opened its sockets.
    """
    why = unguarded(loaded.settings, reached)
    if not why:
        return ""
    more = "" if loaded.settings.storage.path else f", and start with --data-dir {NEW_DATA}"
    lines = [
        why,
        f"Add a first user, whose password is shown once{more} (or name an issuer of tokens, [access.issuers.NAME]):",
        f"  {_adding(loaded, options)}",
        "or let this machine alone reach it:",
    ]
    return "\n".join([*lines, *(f"  {line}" for line in _closing(loaded, options, reached or (), is_handed=is_handed))])


def _adding(loaded: Loaded, options: Namespace) -> str:
    """The commands after which there is a user."""
    steps, data = [], _data(loaded, options)
    if not (can_hash_passwords() and has_libraries()):
        steps.append(f"{shlex.quote(sys.executable)} {INSTALL}")
    if not loaded.settings.storage.path:
        steps.append(f"mkdir -p -m 700 {NEW_DATA}")
        data = f" --data-dir {NEW_DATA}"
    tenant = f" --tenant '{EVERY_TENANT}'" if loaded.settings.access.tenants else ""
    steps.append(f"{program()} user add admin --role admin --generate{tenant}{_file(options)}{data}")
    return " && ".join(steps)


def _closing(loaded: Loaded, options: Namespace, reached: Sequence[str], *, is_handed: bool) -> Iterator[str]:
    """What keeps other machines out: each line is needed."""
    server = loaded.settings.server
    _, port = split_address(server.listen)
    if is_handed and reached:
        yield f"ListenStream=127.0.0.1:{split_address(reached[0])[1]}    (in the unit of the socket)"
    elif reached or not is_loopback(server.listen):
        yield _setting(loaded, options, "server.listen", f"127.0.0.1:{port}")
    if server.trusted_proxies:
        yield _setting(loaded, options, "server.trusted_proxies", None)


def _setting(loaded: Loaded, options: Namespace, key: str, value: str | None) -> str:
    """``key`` set to ``value`` (None: to nothing), there where it is set now."""
    origin = loaded.origins.get(key, DEFAULT)
    if origin.startswith("$"):
        return f"unset {origin[1:]}" if value is None else f"export {origin[1:]}={value}"
    if origin.startswith("--"):
        data = _data(loaded, options)
        return f"{program()} run{_file(options)}{data} {origin} {value or ''}".rstrip()
    table, _, name = key.partition(".")
    shown = "[]" if value is None else f'"{value}"'
    if _line(origin).startswith(key):
        return f"{key} = {shown}    # in place of {origin}"
    return f"{name} = {shown}    # in the table [{table}], in place of {origin}"


def _line(origin: str) -> str:
    """The line of a file that ``origin`` names; empty if it names none."""
    path, _, number = origin.rpartition(":")
    if not path or not number.isdecimal():
        return ""
    lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    return lines[int(number) - 1].strip() if int(number) <= len(lines) else ""


def _file(options: Namespace) -> str:
    path = getattr(options, "config", None)
    return f" -c {shlex.quote(str(path))}" if path else ""


def _data(loaded: Loaded, options: Namespace) -> str:
    """The flag that names the data; empty where the configuration does, or nothing."""
    path, origin = loaded.settings.storage.path, loaded.origins.get("storage.path", DEFAULT)
    config = getattr(options, "config", None)
    is_in_file = config is not None and origin.startswith(f"{config}:")
    return f" --data-dir {shlex.quote(path)}" if path and not is_in_file else ""


def users_fault(settings: Settings) -> str:
    """Why nobody of the users that there are could log in, with what mends it; empty if they can."""
    try:
        there_are = has_users(settings.storage.directory)
    except StorageError as error:
        return f"users: {error}"
    return "" if not there_are or can_hash_passwords() else f"users: {PasswordsMissing()}"
