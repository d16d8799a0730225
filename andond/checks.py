"""The verbs ``andond check`` and ``andond config``: what is wrong with the settings, and what was understood.

Rules of this file: it starts nothing and changes nothing. Every fault is one line on standard error and all of them are
told at once, as far as one does not hide another; what is probably a mistake is a warning there, and no fault. A secret
is never shown.
"""

from __future__ import annotations

import os
import resource
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from config import (
    DEFAULT,
    DEFAULTS_PATH,
    HIDDEN,
    SECTIONS,
    Fault,
    HookSource,
    Loaded,
    Relation,
    Setting,
    Settings,
    SettingsError,
    load,
    table,
    toml_value,
)

EX_CONFIG = 78
"""Exit code for settings that are wrong (sysexits.h); the service manager does not restart on it."""

SPARE_DESCRIPTORS = 100
"""Open files the daemon needs beside its connections."""

_FLAGS = {"listen": "server.listen", "data_dir": "storage.path"}


def check(args: Namespace) -> int:
    """Tell every fault of the settings, or in short what they say; the exit code is 78 or 0."""
    # Here, because the other verbs pay for no actor.
    from actors import access_faults  # noqa: PLC0415
    from actors.notifier import chain_faults  # noqa: PLC0415
    from actors.sources import watched_faults  # noqa: PLC0415
    from andond.doubts import doubts  # noqa: PLC0415
    from andond.exposed import exposures  # noqa: PLC0415
    from andond.mending import refusal, users_fault  # noqa: PLC0415

    loaded = _loaded(args, chain_faults, access_faults, watched_faults)
    if loaded is None:
        return EX_CONFIG
    fault = refusal(loaded, args) or users_fault(loaded.settings)
    if fault:
        print(fault, file=sys.stderr)
        return EX_CONFIG
    found = [*doubts(loaded.settings), *exposures(loaded.settings)]
    for doubt in found:
        print(f"warning: {' '.join(doubt.split())}", file=sys.stderr)
    said = "" if not found else f", {len(found)} warning{'s' if len(found) > 1 else ''}"
    print(f"{_path(args) or 'default configuration'}: ok{said}")
    for line in _summary(loaded):
        print(f"  {line}")
    return 0


def show(args: Namespace) -> int:
    """Print the settings in force and the origin of each as TOML, or with ``--defaults`` the commented default file."""
    if getattr(args, "defaults", False):
        sys.stdout.write(DEFAULTS_PATH.read_text(encoding="utf-8"))
        return 0
    loaded = _loaded(args)
    if loaded is None:
        return EX_CONFIG
    print("\n".join(_effective(loaded)))
    return 0


def flags(args: Namespace) -> dict[str, object]:
    """Return what the command line sets, by setting."""
    return {key: getattr(args, name, None) for name, key in _FLAGS.items()}


def settings_of(args: Namespace, *relations: Relation) -> Settings | None:
    """Return the settings in force, or None after telling every fault of them; ``relations`` are asked besides."""
    loaded = _loaded(args, *relations)
    return None if loaded is None else loaded.settings


def directory_of(settings: Settings) -> Path | None:
    """Return where the data is, or None after telling that nothing says where."""
    directory = settings.storage.directory
    if directory is None:
        print("andond: storage.path is not set: name the data directory with --data-dir DIR", file=sys.stderr)
    return directory


def report(faults: list[Fault]) -> None:
    """Write one line a fault to standard error."""
    for fault in faults:
        print(" ".join(str(fault).split()), file=sys.stderr)


def _path(args: Namespace) -> Path | None:
    path = getattr(args, "config", None)
    return Path(path) if path else None


def _loaded(args: Namespace, *relations: Relation) -> Loaded | None:
    try:
        return load(_path(args), os.environ, flags(args), relations)
    except SettingsError as error:
        report(error.faults)
        return None


def _summary(loaded: Loaded) -> Iterator[str]:
    settings = loaded.settings
    tls = "TLS" if settings.server.certificate else "no TLS"
    yield f"listen on {settings.server.listen} ({tls}), at most {settings.server.connections} connections"
    yield f"data in {settings.storage.path}" if settings.storage.path else "no data directory"
    for name, source in settings.sources.items():
        address = getattr(source, "address", "")
        required = ", required" if source.required else ""
        yield f"source {name}: {source.__struct_config__.tag}{f' at {address}' if address else ''}{required}"
    if not settings.sources:
        yield "no sources"
    yield from _notes(settings.server.connections)
    yield from _hook_notes(settings)


def _notes(connections: int) -> Iterator[str]:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + SPARE_DESCRIPTORS
    if most != resource.RLIM_INFINITY and needed > most:
        yield f"note: server.connections needs {needed} open files and at most {most} are allowed here (LimitNOFILE=)"


def _hook_notes(settings: Settings) -> Iterator[str]:
    # Loading runs code that is not ours: only where something depends on it.
    if any(isinstance(source, HookSource) for source in settings.sources.values()):
        from andond.installed import install, missing_hooks  # noqa: PLC0415 - `andond config` pays for no actor

        yield from (f"note: {words}" for words in missing_hooks(settings, install(settings)))


def _effective(loaded: Loaded) -> Iterator[str]:
    settings, origins = loaded.settings, loaded.origins
    for name, section in SECTIONS.items():
        yield f"[{name}]"
        yield from _rows(name, table(section), getattr(settings, name), origins)
        yield ""
    for name, source in settings.sources.items():
        prefix = f"sources.{name}"
        yield f"[{prefix}]"
        yield _with_origin(f'kind = "{source.__struct_config__.tag}"', origins[f"{prefix}.kind"])
        yield from _rows(prefix, table(type(source)), source, origins)
        yield ""


def _rows(prefix: str, rows: dict[str, Setting], values: object, origins: dict[str, str]) -> Iterator[str]:
    for name, row in rows.items():
        value = getattr(values, name)
        origin = origins[f"{prefix}.{name}"]
        if value is None:
            yield _with_origin(f"# {name} is not set", origin)
        elif row.is_secret:
            yield _with_origin(f"# {name} = {HIDDEN}", origin)
        else:
            yield _with_origin(f"{name} = {toml_value(value, hides_users=True)}", origin)


def _with_origin(text: str, origin: str) -> str:
    return f"{text:<44}  # {DEFAULT if origin == DEFAULT else f'from {origin}'}"
