"""``andond hooks``: what a plant's own packages add, and the state of each part.

Rules of this file: it asks the running daemon; where none answers it loads the hooks itself and says what it found.
Exit code 0: all well; 1: something is in quarantine, or a table names a hook that is not there; 78: the settings are
wrong.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence

from andond.checks import EX_CONFIG, settings_of
from andond.daemon import Daemon, NoAnswer
from andond.installed import install, missing_hooks
from domain import JsonValue
from domain.hooks import PartState


def main(options: Namespace) -> int:
    """Print the hooks and the state of each part."""
    settings = settings_of(options)
    if settings is None:
        return EX_CONFIG
    found = _running(Daemon(options, settings))
    missing: list[str] = []
    if found is None:
        installed = install(settings)
        missing = list(missing_hooks(settings, installed))
        found = installed.describe(), "not running; loaded here"
    parts, where = found
    if options.json:
        print(json.dumps({"asked": where, "parts": parts, "missing": missing}, indent=2))
    else:
        print(f"{where}: {len(parts)} parts of hooks")
        for line in [*map(_line, parts), *missing]:
            print(f"  {line}")
    return 1 if missing or any(_word(part, "state") == PartState.QUARANTINED for part in parts) else 0


def _running(daemon: Daemon) -> tuple[Sequence[JsonValue], str] | None:
    """What ``daemon`` says of its hooks; None if it does not answer."""
    try:
        document = daemon.get("/statusz")
    except NoAnswer as error:
        print(f"andond: {error}", file=sys.stderr)
        return None
    parts = document.get("hooks")
    return (parts if isinstance(parts, list) else []), f"andond {document.get('version')} at {daemon.url}"


def _line(part: JsonValue) -> str:
    words = f"{_word(part, 'hook')} {_word(part, 'kind')} {_word(part, 'name')}: {_word(part, 'state')}"
    calls, made = _word(part, "calls"), _word(part, "made")
    used = f", {calls} calls, {made} made" if calls not in ("", "0") else ""
    since, reason = _word(part, "since"), _word(part, "reason")
    return words + used + (f" since {since}: {reason}" if reason else "")


def _word(part: JsonValue, name: str) -> str:
    value = part.get(name) if isinstance(part, Mapping) else None
    return "" if value is None else str(value)
