"""What the daemon itself and the command line have written down in the audit: starts, ends, settings, users.

Rules of this file: a secret is told by its name alone. Who works at the command line is whom the
operating system runs the process as; a variable of the environment is a claim, and told as one. What cannot be written
keeps nobody from starting, ending or mending anything: it is said.
"""

from __future__ import annotations

import os
import pwd
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from contextlib import contextmanager
from pathlib import Path

import msgspec

from actors import AuditTrail
from andond.version import VERSION
from config import HIDDEN, SECTIONS, Secret, Settings
from domain import JsonObject, JsonValue
from domain.audit import Entry, Outcome, Target, Whence, Who, hash_of
from storage import AuditLog, StorageError
from telemetry import events

CONSOLE = Whence(door="command line")


def append(directory: Path | None, entry: Entry) -> str:
    """Write ``entry`` down in the data ``directory``, beside a daemon or without one; why not, if it cannot be."""
    if directory is None:
        return ""
    try:
        AuditLog(directory).append([entry], time.time())
    except StorageError as error:
        return str(error)
    return ""


def from_console(directory: Path, what: str, target: str, before: JsonValue = None, after: JsonValue = None) -> None:
    """Note what somebody did at the command line to ``target``; standard error says if that cannot be."""
    entry = Entry(time.time(), what, Outcome.DONE, operator(), CONSOLE, Target(id=target), before=before, after=after)
    fault = append(directory, entry)
    if fault:
        print(f"warning: it is done, and not in the audit: {fault}", file=sys.stderr)


def life(settings: Settings, what: str, why: str = "") -> None:
    """Note that the daemon began or ended, with these ``settings``."""
    after: JsonObject = {"version": VERSION, "settings": fingerprint(settings), **standing(settings)}
    fault = append(settings.storage.directory, Entry(time.time(), what, Outcome.DONE, why=why, after=after))
    if fault:
        events.audit_failed(path=settings.storage.path, operation="write", reason=fault, waiting=1)


@contextmanager
def lifetime(present: Callable[[], Settings]) -> Iterator[None]:
    """Note the beginning and the end of the daemon whose settings ``present`` returns."""
    life(present(), "daemon.start")
    try:
        yield
    except BaseException as error:
        life(present(), "daemon.stop", f"it failed: {type(error).__name__}")
        raise
    life(present(), "daemon.stop")


def reloaded(trail: AuditTrail, path: str, before: JsonValue, after: JsonValue) -> None:
    """Note that the settings in ``path`` were read again, and what of them is in force now that was another."""
    trail.gateway("settings.reload", path, before=before, after=after)


def refused(trail: AuditTrail, path: str, faults: Sized) -> None:
    """Note that the settings in ``path`` were read again and are not in force for their ``faults``."""
    # A fault may quote what was written: the log says them, to who may read that.
    found = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    trail.gateway("settings.reload", f"{path}: {found}, see the log", Outcome.REFUSED)


def operator() -> Who:
    """Whom this process runs as, and beside it whom ``SUDO_USER`` claims to be behind it."""
    number = os.getuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = str(number)
    claimed = os.environ.get("SUDO_USER")
    return Who(f"uid {number}", f"{name} (SUDO_USER claims {claimed})" if claimed else name, proof="console")


def standing(settings: Settings) -> JsonObject:
    """What clients are let in that do not say who they are."""
    told = settings.access.anonymous
    return {"anonymous": list(told.channels) if told.enabled else None, "required": settings.access.required}


def fingerprint(settings: Settings) -> str:
    """A short hash of ``settings``: the same for the same ones, whatever their secrets are."""
    return hash_of(plain(settings))


def changes(old: Settings, new: Settings, keys: Iterable[str]) -> tuple[JsonObject, JsonObject]:
    """What the settings with these ``keys`` (``section.key``, ``sources.NAME``) were, and are."""
    before: dict[str, JsonValue] = {}
    after: dict[str, JsonValue] = {}
    for key in keys:
        before[key], after[key] = _parted(plain(_at(old, key)), plain(_at(new, key)))
    return before, after


def plain(value: object) -> JsonValue:
    """A setting as JSON, with what is secret hidden."""
    match value:
        case Secret():
            return HIDDEN
        case msgspec.Struct():
            return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
        case Mapping():
            return {str(name): plain(each) for name, each in value.items()}
        case None | bool() | int() | float() | str():
            return value
        case tuple() | list() | set() | frozenset():
            return [plain(each) for each in value]
    return str(value)


def _at(settings: Settings, key: str) -> object:
    section, _, name = key.partition(".")
    if section in SECTIONS:
        return getattr(getattr(settings, section), name)
    return settings.sources.get(name)


def _parted(old: JsonValue, new: JsonValue) -> tuple[JsonValue, JsonValue]:
    """Of two tables what differs; all of what is no table."""
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        return (old, "(another secret)") if old == new else (old, new)
    before: dict[str, JsonValue] = {}
    after: dict[str, JsonValue] = {}
    for name in {**old, **new}:
        if old.get(name) != new.get(name):
            before[name], after[name] = _parted(old.get(name), new.get(name))
    return (before, after) if before else (HIDDEN, "(another secret)")
