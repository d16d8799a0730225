"""``andond status``: how a running daemon is, in a terminal.

Rules of this file: it asks ``/statusz`` once and prints what it got. Exit code 0: ready; 1: running, not ready;
2: nobody answered; 78: the settings that say where it listens are wrong. It knows no actor: the status document says it
all, what is wrong with a chain or a node before what is well.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping

from andond.checks import EX_CONFIG, settings_of
from andond.daemon import Daemon, NoAnswer, is_described
from domain import JsonValue

NO_ANSWER = 2


def main(options: Namespace) -> int:
    """Print the status of the daemon at ``options.url``, or else where its configuration says that it listens."""
    settings = settings_of(options) if is_described(options) else None
    if settings is None and is_described(options):
        return EX_CONFIG
    try:
        document = Daemon(options, settings).get("/statusz")
    except NoAnswer as error:
        if not options.quiet:
            print(f"andond: {error}", file=sys.stderr)
        return NO_ANSWER
    if options.json:
        print(json.dumps(document, indent=2))
    elif not options.quiet:
        for line in lines(document):
            print(line)
    return 0 if document.get("ready") is True else 1


def lines(document: Mapping[str, JsonValue]) -> Iterator[str]:
    """The status document in lines for a person."""
    ready = "ready" if document.get("ready") else f"NOT READY: {', '.join(_texts(document.get('not_ready')))}"
    yield f"andond {document.get('version')} on {document.get('node')}, {ready}"
    for issuer in _items(_mapping(document.get("access")).get("issuers")):
        yield from _issuer(issuer)
    connections = _mapping(document.get("connections"))
    doors = ", ".join(f"{name} {count}" for name, count in _mapping(connections.get("by_door")).items())
    yield f"up {_span(document.get('uptime'))}, {connections.get('open')} connections{f' ({doors})' if doors else ''}"
    deliveries = _mapping(document.get("deliveries"))
    delay = _mapping(deliveries.get("delivery_ms"))
    yield (
        f"{deliveries.get('frames_sent')} frames sent, {deliveries.get('conflated')} conflated, "
        f"{deliveries.get('dropped')} dropped; delivery p50 {_ms(delay.get('p50'))}, p99 {_ms(delay.get('p99'))}"
    )
    mailboxes = _mapping(document.get("mailboxes"))
    if mailboxes:
        yield f"waiting: {', '.join(_waiting(word, _mapping(lane)) for word, lane in mailboxes.items())}"
    policy = _mapping(document.get("policy"))
    if policy:
        yield f"policy {policy.get('version')}, {policy.get('rules')} rules"
    for chain in _items(document.get("chains")):
        yield ""
        yield from _chain(chain)
    yield ""
    for source in _items(document.get("sources")):
        yield from _source(source)
    yield ""
    yield from _tree(_mapping(document.get("tree")), 0)


def _issuer(issuer: Mapping[str, JsonValue]) -> Iterator[str]:
    """An issuer whose keys are not there, or no newer than they are though it was asked."""
    keys, trouble = issuer.get("keys"), issuer.get("trouble")
    if keys and trouble is None:
        return
    state = f"its keys are {_span(issuer.get('age'))} old" if keys else "NO KEYS, none of its tokens is taken"
    yield f"issuer {issuer.get('name')}: {state}{'' if trouble is None else f': {trouble}'}"


def _chain(chain: Mapping[str, JsonValue]) -> Iterator[str]:
    """How a chain is; then each of its nodes whose word does not count, and each watched validator in jail."""
    state, age = str(chain.get("state")), chain.get("headAgeMs")
    head = f", height {chain.get('headHeight')}, {_span(age / 1000)} old" if isinstance(age, int | float) else ""
    validators = ", ".join(f"{count} {word}" for word, count in _mapping(chain.get("validators")).items() if count)
    yield f"chain {chain.get('chain')}: {state if state == 'live' else state.upper()}{head}"
    if validators:
        yield f"  validators: {validators}"
    for validator in _items(chain.get("jailed")):
        if validator.get("watched"):
            since = validator.get("since")
            yield f"  {validator.get('text')}{'' if since is None else f', since height {since}'} (watched)"
    for node in _items(chain.get("nodes")):
        if node.get("state") != "fresh":
            fault = node.get("fault")
            yield f"  node {node.get('name')}: {node.get('state')}{'' if fault is None else f', {fault}'}"


def _source(source: Mapping[str, JsonValue]) -> Iterator[str]:
    """How a source is; then why, and which of its nodes cannot be reached."""
    age, reason = source.get("age"), source.get("reason")
    seen = "nothing yet" if age is None else f"{_span(age)} ago"
    why = "" if reason is None else f": {reason}"
    yield f"source {source.get('name')}: {source.get('state')}, {seen} ({source.get('kind')}){why}"
    for node in _items(source.get("nodes")):
        if node.get("connected") is False:
            yield f"  node {node.get('node')} ({node.get('part')}): {node.get('reason') or 'not connected yet'}"


def _tree(actor: Mapping[str, JsonValue], level: int) -> Iterator[str]:
    if not actor:
        return
    depth = sum(value for value in _mapping(actor.get("depth")).values() if isinstance(value, int))
    ages = [age for age in _mapping(actor.get("age")).values() if isinstance(age, int | float)]
    waiting = f", {depth} waiting, the oldest for {max(ages, default=0.0):.1f} s" if depth else ""
    restarts = f", {actor.get('restarts')} restarts" if actor.get("restarts") else ""
    failure = f", last failure: {actor.get('last_failure')}" if actor.get("last_failure") else ""
    summary = f", {actor.get('summarised')} more not shown" if actor.get("summarised") else ""
    yield f"{'  ' * level}{actor.get('id')} [{actor.get('state')}]{waiting}{restarts}{failure}{summary}"
    for child in _items(actor.get("children")):
        yield from _tree(child, level + 1)


def _waiting(word: str, lane: Mapping[str, JsonValue]) -> str:
    """How many messages of one priority wait in all mailboxes, and for how long the oldest."""
    depth, age = lane.get("depth"), lane.get("age")
    return f"{word} {depth} ({age:.1f} s)" if depth and isinstance(age, int | float) else f"{word} {depth}"


def _mapping(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, Mapping) else {}


def _items(value: JsonValue) -> list[Mapping[str, JsonValue]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _texts(value: JsonValue) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _ms(value: JsonValue) -> str:
    return "none yet" if value is None else f"{value} ms"


def _span(value: JsonValue) -> str:
    """Seconds in the two largest units that are not zero."""
    if not isinstance(value, int | float):
        return "?"
    seconds = round(value)
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")]
    shown = [f"{count} {unit}" for count, unit in parts if count]
    return " ".join(shown[:2]) or "0 s"
