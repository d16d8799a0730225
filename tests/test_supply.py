"""What andond is delivered with is written down, and an audit that did not take place does not look like one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests import supply
from tests.supply import audit, bill, canonical, delivered, main

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def made():
    return bill()


def names(made) -> set[str]:
    return {canonical(each["name"]) for each in made["components"]}


def test_the_bill_names_what_andond_runs_with_and_nothing_else(made):
    assert names(made) == delivered()
    assert {"trio", "pykka", "h11", "pyjwt", "cryptography", "argon2-cffi", "paho-mqtt"} <= names(made)
    assert names(made) & {"pytest", "hypothesis", "andond", "pip", "schemathesis"} == set()
    assert made["metadata"]["component"]["name"] == "andond"


def test_the_bill_is_of_its_schema_and_the_same_each_time(made):
    text = json.dumps(made)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert json.dumps(bill()) == text
    assert "file://" not in text
    assert "timestamp" not in made["metadata"]
    assert "serialNumber" not in made


def test_every_distribution_of_the_bill_has_its_reason(made):
    reasons = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").lower()
    assert [name for name in names(made) if name not in reasons] == []


def test_everything_that_is_brought_is_in_the_graph(made):
    graph = {each["ref"]: each["dependsOn"] for each in made["dependencies"]}
    refs = {each["bom-ref"] for each in made["components"]}
    assert set(graph) == {*refs, "andond"}
    reached, waiting = set(), ["andond"]
    while waiting:
        ref = waiting.pop()
        if ref not in reached:
            reached.add(ref)
            waiting += graph[ref]
    assert refs - reached == set()


def test_it_is_written_where_it_is_wanted(made, tmp_path, monkeypatch):
    monkeypatch.setattr(supply, "bill", lambda: made)
    assert main(["sbom", str(tmp_path / "dist" / "andond.cdx.json")]) == 0
    assert json.loads((tmp_path / "dist" / "andond.cdx.json").read_text()) == made


GOOD = {"name": "h11", "version": "0.16.0", "vulns": []}
SKIPPED = {"name": "trio", "skip_reason": "Dependency not found on PyPI and could not be audited: trio (0.33.0)"}
KNOWN = {"id": "CVE-2025-43859", "fix_versions": ["0.16.0"], "aliases": [], "description": "x"}


@pytest.mark.parametrize(
    ("said", "status", "word"),
    [
        ([GOOD, {**GOOD, "name": "trio"}], 0, "against 2 distributions"),
        ([GOOD, SKIPPED], 2, "NOT AUDITED, the advisory service did not answer for them: trio"),
        ([{**GOOD, "version": "0.14.0", "vulns": [KNOWN]}, SKIPPED], 1, "h11 0.14.0: CVE-2025-43859, mended in 0.16.0"),
        ([{**GOOD, "vulns": [{**KNOWN, "fix_versions": []}]}], 1, "mended in no version"),
        ([], 2, "NOT AUDITED"),
        (None, 2, "NOT AUDITED"),
    ],
)
def test_an_audit_says_what_is_known_or_that_it_did_not_take_place(said, status, word):
    output = "" if said is None else json.dumps({"dependencies": said})
    told, words = audit(output, ["h11", "Trio"])
    assert told == status
    assert word in words[0]


@pytest.mark.parametrize(("required", "status"), [("", 0), ("1", 1)])
def test_an_audit_that_did_not_take_place_says_so_and_fails_where_it_must(monkeypatch, capsys, required, status):
    class Nothing:
        stdout = ""

    monkeypatch.setenv("AUDIT_REQUIRED", required)
    monkeypatch.setattr(supply.subprocess, "run", lambda *_arguments, **_options: Nothing)
    assert main(["audit"]) == status
    assert "NOT AUDITED" in capsys.readouterr().err
