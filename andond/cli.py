"""The command line: a verb, then nouns.

Rules of this file: it parses, picks the verb's function and returns its exit code: 0 done, 1 failure, 2 usage, 78
settings. A verb's module is imported when the verb is used, so that none pays for another.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

import msgspec

from andond.version import VERSION

INTERRUPTED = 130
BROKEN_PIPE = 141


class Verb(msgspec.Struct, frozen=True):
    """One verb: where its function is, a line of help, and what it takes."""

    module: str
    function: str
    meaning: str
    add_arguments: Callable[[argparse.ArgumentParser], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the verb that ``arguments`` (without the program's name) ask for, and return its exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = parser(given).parse_args(given)
    verb = VERBS[options.verb]
    try:
        code: int = getattr(import_module(verb.module), verb.function)(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; what is still buffered must not fail at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return code


def parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The grammar of the command line, as far as ``arguments`` need it."""
    top = argparse.ArgumentParser(prog="andond", description="An Andon daemon: critical events first.")
    top.add_argument("--version", action="version", version=f"andond {VERSION}")
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True)
    chosen = next((argument for argument in arguments if not argument.startswith("-")), None)
    for name, verb in VERBS.items():
        grammar = verbs.add_parser(name, help=verb.meaning, description=f"{verb.meaning[0].upper()}{verb.meaning[1:]}.")
        if name == chosen:
            verb.add_arguments(grammar)
    return top


def _configuration(grammar: argparse.ArgumentParser) -> None:
    grammar.add_argument("-c", "--config", metavar="FILE", help="the configuration; without it the defaults")


def _running(grammar: argparse.ArgumentParser) -> None:
    grammar.add_argument("--url", help="the daemon (default: where server.listen is)")
    grammar.add_argument("--data-dir", metavar="DIR", help="where it keeps its data, in place of storage.path")
    grammar.add_argument(
        "--token-file",
        metavar="FILE",
        help="what to show a gateway that asks who you are; - reads it from standard input",
    )
    grammar.add_argument("--certificate", metavar="FILE", help="what to show a gateway that asks for a certificate")
    grammar.add_argument("--key", metavar="FILE", help="the key of it, where it is in a file of its own")
    grammar.add_argument("--authority", metavar="FILE", help="who signs the gateway's certificate, if not the public")


def _run(grammar: argparse.ArgumentParser) -> None:
    _configuration(grammar)
    grammar.add_argument("--listen", metavar="HOST:PORT", help="where to listen, in place of server.listen")
    grammar.add_argument("--data-dir", metavar="DIR", help="where to keep data, in place of storage.path")


def _show(grammar: argparse.ArgumentParser) -> None:
    _configuration(grammar)
    grammar.add_argument("--defaults", action="store_true", help="print the default configuration, commented")


def _status(grammar: argparse.ArgumentParser) -> None:
    _configuration(grammar)
    _running(grammar)
    grammar.add_argument("--json", action="store_true", help="print the status document as it is")
    grammar.add_argument("--quiet", action="store_true", help="print nothing; the exit code says it")


def _hooks(grammar: argparse.ArgumentParser) -> None:
    _configuration(grammar)
    _running(grammar)
    grammar.add_argument("--json", action="store_true", help="print the parts as JSON")


def _explain(grammar: argparse.ArgumentParser) -> None:
    import_module("andond.explain").add_arguments(grammar)


def _journal(grammar: argparse.ArgumentParser) -> None:
    import_module("andond.journal").add_arguments(grammar)


def _analyse(grammar: argparse.ArgumentParser) -> None:
    import_module("andond.analyse").add_arguments(grammar)


def _replay(grammar: argparse.ArgumentParser) -> None:
    import_module("andond.replay").add_arguments(grammar)


def _audit(grammar: argparse.ArgumentParser) -> None:
    import_module("andond.audit").add_arguments(grammar)


def _user(grammar: argparse.ArgumentParser) -> None:
    import_module("andond.users").add_arguments(grammar)


VERBS = {
    "run": Verb("andond.run", "main", "run the daemon", _run),
    "check": Verb("andond.checks", "check", "report every fault of a configuration at once", _configuration),
    "config": Verb("andond.checks", "show", "print the effective settings, with the origin of each", _show),
    "status": Verb("andond.status", "main", "ask a running daemon how it is", _status),
    "hooks": Verb("andond.hook_list", "main", "list what a plant's own packages add, with its state", _hooks),
    "explain": Verb("andond.explain", "main", "say what becomes of an event, or who may do what", _explain),
    "journal": Verb("andond.journal", "main", "look after the journal on disk", _journal),
    "audit": Verb("andond.audit", "main", "verify who did what, or write it out", _audit),
    "user": Verb("andond.users", "main", "look after the people who may log in here", _user),
    "analyse": Verb("andond.analyse", "main", "say what recorded logs amount to: time, stops, alarms", _analyse),
    "replay": Verb("andond.replay", "run", "serve recorded SHDR logs on a socket, as a machine would", _replay),
}
