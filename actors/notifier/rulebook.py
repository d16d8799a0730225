"""From the settings to what escalation goes by, and what is wrong with the chains that a plant wrote.

Rules of this file: what is in force has no fault: ``andond check``, a start and a reload ask ``chain_faults`` first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime

import msgspec

from config import Broken, ChainSettings, Settings, channels_of, one_of
from domain import Fault, JsonValue
from domain.plant.calls import KINDS
from domain.plant.escalation import (
    Chain,
    ChainFault,
    Defaults,
    Directory,
    NotifyOnCall,
    Rulebook,
    Schedule,
    Webhook,
    every,
    read_chain,
)

_KEY = "floor.escalation.chains"
_NUMBER = re.compile(r"/(\d+)")
_TYPES = tuple(dict.fromkeys(kind.type for kind in KINDS.values()))


def chain_faults(settings: Settings) -> Iterator[Broken]:
    """What is wrong with the chains: their steps, and the names in them."""
    for number, one in enumerate(settings.floor.escalation.chains, 1):
        key = f"{_KEY}[{number}]"
        yield from (Broken((f"{key}.types",), _type_meant(word)) for word in one.types if word not in _TYPES)
        try:
            chain = _chain(one, settings)
        except ChainFault as fault:
            yield from (Broken((_place(key, each),), each.message) for each in fault.faults)
        else:
            yield from (Broken((key, "notifications"), expected) for expected in _unknown(chain, settings))


def channels_told(settings: Settings) -> Iterator[frozenset[str]]:
    """The channels that each chain of the settings tells somebody on, its steps' own or the usual ones."""
    for one in settings.floor.escalation.chains:
        chain = _chain(one, settings)
        steps = (*every(chain.unacknowledged), *every(chain.unresolved))
        told = {channel for step in steps for channel in getattr(step, "channels", ())}
        yield frozenset(told | {"webhook"} if any(isinstance(step, Webhook) for step in steps) else told)


def rulebook_of(settings: Settings) -> Rulebook:
    """The chains, who is who, and the channels, as ``settings`` have them.

    Raises:
        ChainFault: if a chain is none.
    """
    told, escalation = settings.notifications, settings.floor.escalation
    defaults = Defaults(
        acknowledge={str(name): seconds for name, seconds in escalation.acknowledge.items()},
        resolve={str(name): seconds for name, seconds in escalation.resolve.items()},
        recipients={str(name): people for name, people in escalation.recipients.items()},
        channels=told.channels,
    )
    return Rulebook(
        chains=tuple(_chain(each, settings) for each in escalation.chains),
        built_in=defaults.chains(),
        directory=_directory(settings),
        channels=told.channels,
        patience=told.patience,
    )


class PresentRulebook:
    """The rulebook of the settings in force, made anew when they are others."""

    def __init__(self, present: Callable[[], Settings]) -> None:
        self._present = present
        self._settings: Settings | None = None
        self._book = Rulebook()

    def __call__(self) -> Rulebook:
        """The rulebook now."""
        settings = self._present()
        if settings is not self._settings:
            self._book = rulebook_of(settings)
            self._settings = settings
        return self._book


def _chain(one: ChainSettings, settings: Settings) -> Chain:
    members: JsonValue = msgspec.to_builtins(one)
    return read_chain(members, settings.notifications.channels, channels_of(settings))


def _directory(settings: Settings) -> Directory:
    told = settings.notifications
    addresses = {
        name: {
            "mail": each.mail,
            "webhook": each.webhook,
            "mqtt": each.mqtt,
            "websocket": each.websocket,
            **each.hooks,
        }
        for name, each in told.addresses.items()
    }
    schedules = {
        name: Schedule(each.people, datetime.fromisoformat(each.begins), each.days)
        for name, each in told.schedules.items()
    }
    return Directory(addresses, told.groups, schedules)


def _type_meant(word: str) -> str:
    kind = KINDS.get(word)
    return one_of(_TYPES, word) if kind is None else f"{kind.type!r}, the type of calls of that word,"


def _unknown(chain: Chain, settings: Settings) -> Iterator[str]:
    told = settings.notifications
    for step in (*every(chain.unacknowledged), *every(chain.unresolved)):
        if isinstance(step, NotifyOnCall) and step.schedule not in told.schedules:
            yield f"schedules of [notifications.schedules.NAME], and {step.schedule!r} is none"
        elif isinstance(step, Webhook) and step.name not in told.webhook.names and not told.webhook.url:
            yield f"web hooks of notifications.webhook.names, and {step.name!r} is none"


def _place(key: str, fault: Fault) -> str:
    """The key of what is wrong, where lists are counted from 1."""
    numbered = _NUMBER.sub(lambda match: f"[{int(match[1]) + 1}]", fault.pointer)
    return key + numbered.replace("/", ".")
