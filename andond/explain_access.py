"""``andond explain --as ROLE``: what somebody with these roles may do and see by a configuration, and why.

Rules of this file: it decides nothing: the policy is asked what it would say. A running daemon with the same settings
says the same. Exit code 0: all that was asked is allowed; 1: some of it is denied; 2: nothing was asked that there is;
78: the settings are wrong.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence

import msgspec

from actors import access_faults, access_policy_of
from andond.checks import EX_CONFIG, settings_of
from andond.standing import standing
from config import Settings, Standing, is_loopback, one_of
from domain import CHANNEL_KINDS, JsonValue, is_channel
from domain.access import EVERY_TENANT, AccessPolicy, Identity, Proof, Rights, Verdict, Within, actions

DENIED = 1
EX_USAGE = 2
_WORDS = {Within.TENANT: "everywhere", Within.OWN: "own places"}


class Answer(msgspec.Struct, frozen=True):
    """What was ``asked``, and what the policy says of it."""

    asked: str
    verdict: Verdict

    def document(self) -> dict[str, JsonValue]:
        """The answer as JSON."""
        return {"asked": self.asked, "allowed": self.verdict.is_allowed, "why": self.verdict.why}


def add_arguments(grammar: ArgumentParser) -> None:
    """Describe the part of the command line that is about access."""
    who = grammar.add_argument_group("who may do what", "in place of an event; without --do and --see all is listed")
    who.add_argument("--as", dest="roles", metavar="ROLE[,ROLE]", help="the roles of somebody")
    who.add_argument("--anonymous", action="store_true", help="somebody who does not say who they are")
    who.add_argument("--tenant", metavar="NAME", default="", help="their tenant; * for all")
    who.add_argument("--place", metavar="PATH", action="append", default=[], help="a place of their own; also several")
    who.add_argument("--do", metavar="ACTION", action="append", default=[], help="whether they may do it; also several")
    who.add_argument("--at", metavar="PATH", action="append", help="where, once; without it what is about no place")
    who.add_argument("--see", metavar="CHANNEL", action="append", default=[], help="whether they see it; also several")


def is_asked(options: Namespace) -> bool:
    """Whether the command line asks about access."""
    names = ("roles", "anonymous", "tenant", "place", "do", "at", "see")
    return any(getattr(options, name, None) for name in names)


def main(options: Namespace) -> int:
    """Say what somebody may do; the exit code."""
    if fault := _fault(options):
        print(f"andond: {fault}", file=sys.stderr)
        return EX_USAGE
    settings = settings_of(options, access_faults)
    if settings is None:
        return EX_CONFIG
    policy = access_policy_of(settings.access)
    rights = policy.anonymous if options.anonymous else policy.rights(_identity(options))
    answers = list(_answers(rights, options))
    if options.json:
        print(json.dumps({"who": _who(rights), "answers": [each.document() for each in answers]}, indent=2))
    else:
        print("\n".join(_lines(rights, answers, policy, settings)))
    return 0 if all(each.verdict.is_allowed for each in answers) else DENIED


def _fault(options: Namespace) -> str:
    """What is wrong with the question, in words; nothing if nothing is."""
    if options.event is not None:
        return f"{options.event} and a question of access are two questions: ask one at a time"
    if bool(options.roles) == options.anonymous:
        return "say who it is about: --as ROLE, or --anonymous"
    if len(options.at or ()) > 1:
        return f"--at is said once, for every --do: ask of {' and of '.join(options.at)} one at a time"
    if unknown := next((each for each in options.do if each not in actions()), None):
        return f"there is no action {unknown}: {one_of(actions(), unknown)}"
    if wrong := next((each for each in options.see if not is_channel(each)), None):
        return f"{wrong} is no channel: KIND/PATH, such as andon/acme/plant1/line3, with a kind of {_kinds()}"
    return ""


def _kinds() -> str:
    return ", ".join(sorted(CHANNEL_KINDS))


def _identity(options: Namespace) -> Identity:
    roles = frozenset(name for part in options.roles.split(",") if (name := part.strip()))
    return Identity("", "somebody", roles, Proof.LOCAL, options.tenant, tuple(options.place))


def _answers(rights: Rights, options: Namespace) -> Iterator[Answer]:
    path = options.at[0] if options.at else None
    where = f" at {path}" if path else ""
    for action in options.do:
        yield Answer(f"do {action}{where}", rights.may(action, path))
    for channel in options.see:
        yield Answer(f"see {channel}", rights.look(channel))


def _who(rights: Rights) -> dict[str, JsonValue]:
    identity = rights.identity
    return {
        "roles": sorted(identity.roles),
        "proof": identity.proof.value,
        "tenant": identity.tenant or None,
        "places": list(identity.places),
    }


def _lines(rights: Rights, answers: Sequence[Answer], policy: AccessPolicy, settings: Settings) -> Iterator[str]:
    identity = rights.identity
    yield f"somebody {'anonymous' if identity.proof is Proof.ANONYMOUS else f'with {_roles(identity)}'}"
    yield f"  tenant      {identity.tenant or 'none'}{'' if len(policy.tenants) else ': everything is one here'}"
    yield f"  own places  {', '.join(identity.places) or 'none'}"
    for answer in answers:
        yield f"  {answer.asked}"
        yield f"    {'allowed' if answer.verdict.is_allowed else 'denied'}: {answer.verdict.why}"
    if not answers:
        yield from _everything(rights)
    if identity.tenant not in ("", EVERY_TENANT) and not len(policy.tenants):
        yield f"  note        there is no tenant {identity.tenant} here, nor any other: naming one changes nothing"
    listen = settings.server.listen
    if standing(settings, () if is_loopback(listen) else (listen,)) is Standing.OPEN:
        yield "  note        until there are users or issuers, everybody on this machine may do everything"


def _roles(identity: Identity) -> str:
    return f"role{'s' if len(identity.roles) > 1 else ''} {', '.join(sorted(identity.roles))}"


def _everything(rights: Rights) -> Iterator[str]:
    if rights.lack:
        yield f"  nothing     {rights.lack}"
        return
    for within in Within:
        does = [action for action in actions() if rights.reach(action) is within]
        yield f"  does        {_WORDS[within]}: {', '.join(does) or 'nothing'}"
    for within in Within:
        yield f"  sees        {_WORDS[within]}: {', '.join(rights.patterns(within)) or 'nothing'}"
