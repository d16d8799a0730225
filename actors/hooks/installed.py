"""The hooks that are installed, each part with its state; what a plant added, for those who make use of it.

Rules of this file: it is made with the tree, so that quarantine outlives every life of an actor. Looking something up
calls no code of a hook.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from config import HooksSettings, PolicySettings, RuleSettings
from domain import Event, JsonValue
from domain.hooks import (
    ChannelHook,
    EventType,
    Hook,
    Options,
    Part,
    PartKind,
    RuleHook,
    SourceHook,
    SourceTable,
    hook_faults,
    parts_of,
)


class Found(msgspec.Struct, frozen=True):
    """An entry point called ``name``: the hook behind it, or the ``error`` that loading it ended with."""

    name: str
    hook: Hook | None
    error: BaseException | None = None
    distribution: str = ""


class Installed:
    """The hooks that were ``found``, as far as ``settings`` want them; ``at`` is now (Unix seconds)."""

    def __init__(self, found: Sequence[Found] = (), settings: HooksSettings | None = None, at: float = 0.0) -> None:
        self.settings = settings or HooksSettings()
        self._hooks: dict[str, Hook] = {}
        self._parts: dict[str, Part] = {}
        self._untold: list[tuple[Part, Event]] = []
        self._types: dict[str, EventType] = {}
        for each in found:
            self._take(each, at)
        self._policy: tuple[PolicySettings, PolicySettings] | None = None

    @property
    def types(self) -> Mapping[str, EventType]:
        """The types that hooks add, by their names."""
        return self._types

    @property
    def parts(self) -> Sequence[Part]:
        """Every part, in the order in which they were found and used."""
        return list(self._parts.values())

    def rules(self) -> Iterator[tuple[Part, RuleHook]]:
        """The rules of all hooks."""
        for name, hook in self._hooks.items():
            for rule in hook.rules:
                yield self._part(name, PartKind.RULE, rule), hook.rules[rule]

    def source(self, kind: str, table: str) -> tuple[Part, Callable[[SourceTable], SourceHook]] | None:
        """What makes sources of ``kind`` (``line4/gauge``) for the table ``table``; None if no hook does."""
        name, _, word = kind.partition("/")
        hook = self._hooks.get(name)
        if hook is None or word not in hook.sources:
            return None
        return self._part(name, PartKind.SOURCE, f"{word}@{table}"), hook.sources[word]

    def channel(self, kind: str, table: str) -> tuple[Part, Callable[[Options], ChannelHook]] | None:
        """What makes notification channels of ``kind`` (``line4/horn``) for the table ``table``; None if no hook."""
        name, _, word = kind.partition("/")
        hook = self._hooks.get(name)
        if hook is None or word not in hook.channels:
            return None
        return self._part(name, PartKind.CHANNEL, f"{word}@{table}"), hook.channels[word]

    def kinds(self, kind: PartKind) -> list[str]:
        """What a table may name as its ``hook``: ``line4/gauge``, for each source or channel that hooks add."""
        return [f"{part.hook}/{part.name}" for part in self.parts if part.kind is kind and "@" not in part.name]

    def policy(self, settings: PolicySettings) -> PolicySettings:
        """``settings``, and behind the operator's rules one for each type that hooks add."""
        if not self._types:
            return settings
        if self._policy is None or self._policy[0] is not settings:
            added = [
                msgspec.convert(
                    {"name": f"hook.{each.name}", "type": each.name, "priority": each.priority.wire}, RuleSettings
                )
                for each in self._types.values()
            ]
            self._policy = (settings, _with_rules(settings, added))
        return self._policy[1]

    def take_untold(self) -> list[tuple[Part, Event]]:
        """What is in quarantine since loading, and the events that tell of it; once."""
        untold, self._untold = self._untold, []
        return untold

    def describe(self) -> list[JsonValue]:
        """Every part in the status document."""
        return [part.describe() for part in self.parts]

    def _take(self, found: Found, at: float) -> None:
        hook = found.hook
        if found.name in self.settings.without or not self.settings.enabled:
            return
        reason = "" if hook is None else "; ".join([*hook_faults(found.name, hook), *self._taken(hook)])
        if hook is None or reason:
            error = found.error
            part = self._part(found.name, PartKind.HOOK, found.name)
            event = part.quarantine(reason or f"{type(error).__name__}: {error}", at)
            self._untold += [(part, event)] if event else []
            return
        self._hooks[found.name] = hook
        self._types |= {each.name: each for each in hook.types}
        for part in parts_of(found.name, hook):
            self._parts[part.path] = part

    def _taken(self, hook: Hook) -> list[str]:
        return [f"type {each.name!r} is another hook's already" for each in hook.types if each.name in self._types]

    def _part(self, hook: str, kind: PartKind, name: str) -> Part:
        part = Part(hook, kind, name)
        return self._parts.setdefault(part.path, part)


def _with_rules(settings: PolicySettings, added: Sequence[RuleSettings]) -> PolicySettings:
    return PolicySettings(
        rules=(*settings.rules, *added),
        critical_rate=settings.critical_rate,
        critical_burst=settings.critical_burst,
    )
