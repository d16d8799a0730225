"""``andond explain EVENT.json``: what becomes of an event by a configuration, and why; nothing is sent.

What somebody may do, ``andond explain --as ROLE``, is told by ``explain_access``.

Rules of this file: it decides nothing: policy, names and journal are asked what they would do. Exit code 0: every event
is explained; 65: one is no event, and all its faults are told; 66: the file cannot be read; 78: the settings are wrong.
A running daemon that shows the same version of the policy decides the same.
"""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from actors import NO_TYPES, OWN_TYPES, policy_of
from andond import explain_access
from andond.checks import EX_CONFIG, settings_of
from andond.installed import install
from config import Settings
from domain import (
    TOGETHER,
    Event,
    EventFault,
    Fault,
    JsonValue,
    Policy,
    Priority,
    Ruling,
    asked_of,
    channel_of,
    conflation_key,
    parse_event,
)
from domain.chain import faults_of
from domain.hooks import EventType, type_faults
from storage import keep_of
from transport import CodecError, decode_json

EX_USAGE = 2
EX_DATAERR = 65
EX_NOINPUT = 66
STANDARD_INPUT = "-"
SECONDS_A_DAY = 86_400


class Explanation(msgspec.Struct, frozen=True):
    """What becomes of an event; ``unkept`` is why the journal does not keep it, empty if it does."""

    event: Event
    ruling: Ruling
    channel: str
    conflation: tuple[str, ...] | None
    kept: float
    unkept: str
    is_own: bool


def add_arguments(grammar: ArgumentParser) -> None:
    """Describe the command line."""
    grammar.add_argument(
        "event", metavar="EVENT.json", nargs="?", help="a CloudEvent as JSON, or a list of them; - for the input"
    )
    grammar.add_argument("-c", "--config", metavar="FILE", help="the configuration; without it the defaults")
    grammar.add_argument("--json", action="store_true", help="print what was found as JSON")
    explain_access.add_arguments(grammar)


def main(options: Namespace) -> int:
    """Explain the events of a file, or what somebody may do; the exit code."""
    if explain_access.is_asked(options):
        return explain_access.main(options)
    if options.event is None:
        print("andond: name the file of an event, or say who it is about: --as ROLE", file=sys.stderr)
        return EX_USAGE
    settings = settings_of(options)
    if settings is None:
        return EX_CONFIG
    try:
        content = decode_json(_read(options.event))
    except OSError as error:
        print(f"andond: {options.event}: {error.strerror or error}: name a file that can be read", file=sys.stderr)
        return EX_NOINPUT
    except CodecError as error:
        print(f"andond: {options.event}: {error}: whoever wrote the file must mend it", file=sys.stderr)
        return EX_DATAERR
    hooks = install(settings)
    policy = policy_of(hooks.policy(settings.policy))
    members = content if isinstance(content, list) else [content]
    found = [explain(each, policy, settings, hooks.types) for each in members]
    if options.json:
        documents = [document(each, policy, settings) for each in found]
        print(json.dumps(documents if isinstance(content, list) else documents[0], indent=2))
    else:
        _print(found, policy, settings)
    return 0 if all(isinstance(each, Explanation) for each in found) else EX_DATAERR


def explain(
    members: JsonValue, policy: Policy, settings: Settings, types: Mapping[str, EventType] = NO_TYPES
) -> Explanation | list[Fault]:
    """What becomes of the event that ``members`` describe, or every fault of it."""
    try:
        event = parse_event(members, time.time(), policy)
    except EventFault as fault:
        return fault.faults
    if faults := [*faults_of(event), *type_faults(types, event)]:
        return faults
    asked = asked_of(members) if isinstance(members, Mapping) else None
    keep = keep_of(settings.journal)[event.priority]
    return Explanation(
        event=event,
        ruling=policy.rule(event.type, event.data, event.source, asked),
        channel=channel_of(event),
        conflation=conflation_key(event),
        kept=keep.age,
        unkept=_why_unkept(event.priority, keep.age, settings.storage.path),
        is_own=event.type.startswith(OWN_TYPES),
    )


def lines(explanation: Explanation, policy: Policy, settings: Settings) -> Iterator[str]:
    """The explanation for a person."""
    event, ruling = explanation.event, explanation.ruling
    yield f"event {event.id} of {event.source}: {event.type}"
    yield f"  priority    {ruling.priority.wire}"
    if ruling.rule is None:
        yield "  rule        none names it: normal, or what its publisher asks for below critical"
    else:
        yield f"  rule        {ruling.rule.name} ({ruling.rule.text})"
    if ruling.asked is not None:
        yield f"  asked for   {ruling.asked.wire}{'' if ruling.asked is ruling.priority else ', which it may not have'}"
    yield f"  policy      version {policy.version}, {len(policy.rules)} rules"
    yield f"  channel     {explanation.channel}"
    yield f"  journal     {explanation.unkept or _kept_words(event.priority, explanation.kept)}"
    if explanation.conflation is None:
        yield "  conflation  none: every one counts"
    else:
        yield f"  conflation  by {', '.join(filter(None, explanation.conflation))}: a newer one takes its place"
    yield f"  budget      {_budget_words(event, settings)}"
    if explanation.is_own:
        yield "  note        the gateway's own word: it is refused when somebody posts it"


def document(found: Explanation | list[Fault], policy: Policy, settings: Settings) -> dict[str, JsonValue]:
    """The explanation, or the faults, as JSON."""
    if isinstance(found, list):
        return {
            "valid": False,
            "faults": [{"pointer": fault.pointer, "message": fault.message} for fault in found],
        }
    event, rule, asked = found.event, found.ruling.rule, found.ruling.asked
    return {
        "valid": True,
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "priority": found.ruling.priority.wire,
        "rule": None if rule is None else {"name": rule.name, "text": rule.text},
        "asked": None if asked is None else asked.wire,
        "policy": {"version": policy.version, "rules": len(policy.rules)},
        "channel": found.channel,
        "journal": {"kept": not found.unkept, "seconds": 0 if found.unkept else found.kept, "reason": found.unkept},
        "conflation": None if found.conflation is None else list(found.conflation),
        "budget": _budget_members(event, settings),
        "postable": not found.is_own,
    }


def _read(name: str) -> bytes:
    return sys.stdin.buffer.read() if name == STANDARD_INPUT else Path(name).read_bytes()


def _print(found: list[Explanation | list[Fault]], policy: Policy, settings: Settings) -> None:
    for number, each in enumerate(found, 1):
        if isinstance(each, Explanation):
            print("\n".join(lines(each, policy, settings)))
            continue
        print(f"andond: event {number} is refused; its publisher must mend:", file=sys.stderr)
        for fault in each:
            print(f"  {fault.pointer or '/'}: {fault.message}", file=sys.stderr)


def _kept_words(priority: Priority, age: float) -> str:
    limit = "" if priority is Priority.CRITICAL else f", and as long as journal.{priority.wire}_size has room"
    return f"kept for {age / SECONDS_A_DAY:g} days{limit}"


def _why_unkept(priority: Priority, age: float, path: str) -> str:
    if not age:
        return f"not kept: journal.{priority.wire}_age is 0"
    # Where the service manager gives the daemon a directory is known to the daemon alone.
    return "" if path else "lost with the daemon, unless $STATE_DIRECTORY is given to it: set storage.path"


def _budget_words(event: Event, settings: Settings) -> str:
    if event.priority is not Priority.CRITICAL:
        return "none: only critical events have one"
    policy = settings.policy
    return (
        f"{policy.critical_rate:g} critical events/s of {event.source}, {policy.critical_burst} at once; "
        "past that they are high"
    )


def _budget_members(event: Event, settings: Settings) -> dict[str, JsonValue] | None:
    if event.priority is not Priority.CRITICAL:
        return None
    policy = settings.policy
    return {
        "source": event.source,
        "rate": policy.critical_rate,
        "burst": policy.critical_burst,
        "together": {"rate": policy.critical_rate * TOGETHER, "burst": policy.critical_burst * TOGETHER},
    }
