"""The example of a chain that is watched: it is right, and the page about it quotes it."""

from __future__ import annotations

import re
import tomllib
from argparse import Namespace
from pathlib import Path

import pytest

from andond.checks import check
from domain import Event, Priority
from domain.plant.calls import rule, wishes

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs/examples/validators.toml"
TEXT = EXAMPLE.read_text(encoding="utf-8")
PAGE = (ROOT / "docs/validators.md").read_text(encoding="utf-8")
PIECES = re.findall(r"```toml\n(\[\[?(?:floor|notifications).*?)```", PAGE, re.DOTALL)


def test_the_example_is_right(capsys):
    assert check(Namespace(config=EXAMPLE)) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.startswith(f"{EXAMPLE}: ok\n")
    assert "warning" not in said.out


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.splitlines()[0])
def test_what_the_page_shows_is_in_the_example_word_by_word(piece):
    assert len(PIECES) == 3
    assert piece in TEXT


@pytest.mark.parametrize(
    ("type_", "data", "raised"),
    [
        ("validator.status", {"status": "JAILED", "watched": True, "news": True}, "jailed"),
        ("validator.status", {"status": "TOMBSTONED", "watched": True, "news": True}, "tombstoned"),
        ("validator.status", {"status": "JAILED", "watched": True, "news": False}, None),
        ("validator.status", {"status": "JAILED", "watched": False, "news": True}, None),
        ("validator.risk", {"watched": True, "level": 2}, "on-the-way"),
        ("validator.risk", {"watched": True, "level": 3}, "near-jail"),
        ("validator.risk", {"watched": True, "level": 0}, None),
        ("chain.halted", {}, "halted"),
        ("chain.stale", {}, "unheard"),
        ("chain.resumed", {}, None),
    ],
)
def test_its_rules_wake_for_what_is_watched_and_new_and_for_nothing_else(type_, data, raised):
    rules = [_rule(**each) for each in tomllib.loads(TEXT)["floor"]["rules"]]
    told = Event("e1", "/chain/cosmoshub-4", type_, {**data, "text": "what it is"}, 1.0, Priority.HIGH, "AA")
    found = [(one.name, wish.text) for one, wish in wishes(rules, told, str)]
    assert found == ([] if raised is None else [(raised, "what it is")])


def _rule(*, name, call, type, where=None, priority=""):  # noqa: A002 - the word of the table
    return rule(name, call, type_=type, where=list((where or {}).items()), priority=priority)
