"""The example of a whole floor: it is right, it uses every table, and the page about it quotes it."""

from __future__ import annotations

import re
import tomllib
from argparse import Namespace
from pathlib import Path

import msgspec
import pytest

from actors.desks import path_of
from actors.site import site_of
from andond.checks import check
from config import FloorSettings, load

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs/examples/floor.toml"
PAGE = (ROOT / "docs/floor.md").read_text(encoding="utf-8")
PIECES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_is_right(capsys):
    assert check(Namespace(config=EXAMPLE)) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.startswith(f"{EXAMPLE}: ok\n")


def test_the_example_uses_every_table_of_the_floor():
    used = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))["floor"]
    assert set(used) == {field.name for field in msgspec.structs.fields(FloorSettings)}


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.splitlines()[0])
def test_what_the_page_shows_is_in_the_example_word_by_word(piece):
    assert piece in EXAMPLE.read_text(encoding="utf-8")


def test_the_page_shows_a_piece_of_each_table():
    shown = {name for piece in PIECES for name in re.findall(r"^\[+([a-z]+\.?[a-z]*)", piece, re.MULTILINE)}
    tables = {f"floor.{field.name}" for field in msgspec.structs.fields(FloorSettings)}
    assert tables - shown == set()


def test_every_place_that_the_example_names_is_described_by_its_site():
    settings = load(EXAMPLE, {}, {}).settings
    site = site_of(settings.site)
    named = re.findall(r'"/?(acme/plant1(?:/[a-z0-9]+)*)(?:/\*)?"', EXAMPLE.read_text(encoding="utf-8"))
    assert len(named) > 8
    assert [name for name in named if path_of(site, name) is None] == []


def test_whoever_is_to_be_told_by_mail_has_an_address_or_stands_for_people_who_have():
    settings = load(EXAMPLE, {}, {}).settings
    people = {person.name for person in settings.site.people}
    assert people == set(settings.notifications.addresses)
