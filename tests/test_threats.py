"""The threat model names tests as its proof: each of them is there, and so is every page and file that is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ("docs/threat-model.md", "SECURITY.md")
THREATS = (ROOT / "docs/threat-model.md").read_text(encoding="utf-8")
CORPORA = sorted(path for path in (ROOT / "tests/fuzz/corpus").iterdir() if path.is_dir())


def all_tests() -> set[str]:
    files = (ROOT / "tests").rglob("test_*.py")
    return {name for path in files for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))}


def test_every_test_that_is_named_as_a_proof_is_there():
    named = set(re.findall(r"`(test_\w+)`", THREATS))
    assert len(named) > 40
    assert named - all_tests() == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_file_and_page_that_is_named_is_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    files = re.findall(r"`((?:tests|docs|deploy)/[\w./-]+)`", text)
    links = [(ROOT / page).parent / link for link in re.findall(r"\]\(([\w./-]+)\)", text)]
    assert [name for name in (*(ROOT / file for file in files), *links) if not name.exists()] == []


def test_each_attacker_is_told_what_does_not_hold_as_well():
    sections = re.split(r"^## ", THREATS, flags=re.MULTILINE)[2:-1]
    assert len(sections) >= 8
    assert [section.splitlines()[0] for section in sections if "**Does not hold.**" not in section] == []


@pytest.mark.parametrize("corpus", CORPORA, ids=lambda path: path.name)
def test_every_corpus_is_replayed_by_the_fuzzers(corpus):
    assert any(corpus.iterdir())
    fuzzers = (ROOT / "tests/fuzz").glob("test_*.py")
    assert [path.name for path in fuzzers if f'"{corpus.name}"' in path.read_text(encoding="utf-8")] != []
