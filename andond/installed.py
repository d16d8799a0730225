"""Finding and loading the hooks that are installed beside the daemon.

Rules of this file: a hook is found by the entry points of its distribution, in the group ``andond.hooks``; the entry
point's name is the hook's. Loading runs a stranger's code: each is loaded in a thread with a deadline, and one that
raises, hangs or names something else is found with its error. The daemon starts all the same.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points

from actors.hooks import Found, Installed
from config import HookSource, Settings
from domain.hooks import Hook, PartKind
from telemetry import events

GROUP = "andond.hooks"
LOAD_TIMEOUT = 10.0


class NotAHook(Exception):
    """What an entry point names is neither a ``Hook`` nor a function that returns one; says what it is."""


class LoadOverdue(Exception):
    """A hook could not be loaded in time; says what time that is."""


def find_hooks(timeout: float = LOAD_TIMEOUT) -> list[Found]:
    """Load every hook that is installed, in the order of their names; ``timeout`` seconds for each."""
    return [_load(each, timeout) for each in sorted(entry_points(group=GROUP), key=lambda each: each.name)]


def install(settings: Settings) -> Installed:
    """The installed hooks, as far as ``settings`` want them; what could not be loaded is in the log with its reason."""
    found = find_hooks() if settings.hooks.enabled else []
    installed = Installed(found, settings.hooks, time.time())
    errors = {each.name: each.error for each in found}
    for part in installed.parts:
        if part.is_quarantined:
            events.hook_quarantined(
                hook=part.hook, part=part.path, error=errors.get(part.hook) or NotAHook(part.reason)
            )
    return installed


def missing_hooks(settings: Settings, installed: Installed) -> Iterator[str]:
    """The sources that name a hook which is not there, in words."""
    known = installed.kinds(PartKind.SOURCE)
    for name, source in settings.sources.items():
        if isinstance(source, HookSource) and source.hook not in known:
            yield f"sources.{name}.hook: no hook {source.hook} is installed; {', '.join(known) or 'none'} is"


def _load(entry: EntryPoint, timeout: float) -> Found:
    outcome: list[Hook | BaseException] = []

    def load() -> None:
        try:
            outcome.append(_hook_of(entry))
        except BaseException as error:  # noqa: BLE001 - whatever a stranger's module raises, sys.exit() as well
            outcome.append(error)

    thread = threading.Thread(target=load, name=f"load hook {entry.name}", daemon=True)
    thread.start()
    thread.join(timeout)
    found = outcome[0] if outcome else LoadOverdue(f"{entry.value} was not loaded within {timeout:g} s")
    distribution = entry.dist.name if entry.dist is not None else ""
    if isinstance(found, Hook):
        return Found(entry.name, found, None, distribution)
    return Found(entry.name, None, found, distribution)


def _hook_of(entry: EntryPoint) -> Hook:
    named: object = entry.load()
    found: object = named() if callable(named) and not isinstance(named, Hook) else named
    if not isinstance(found, Hook):
        raise NotAHook(f"{entry.value} is a {type(found).__name__}, and neither a Hook nor a function that returns one")
    return found
