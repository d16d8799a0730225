"""The verb explain: what becomes of an event, and why."""

from __future__ import annotations

import io
import json
import os
import sys
from argparse import Namespace

import pytest

from andond import cli
from andond.explain import EX_DATAERR, EX_NOINPUT, main
from domain import BUILT_IN

FAULT = {
    "specversion": "1.0",
    "id": "7",
    "source": "/acme/press3",
    "type": "alarm.raised",
    "data": {"level": "FAULT"},
}


@pytest.fixture
def explain(tmp_path, monkeypatch, capsys):
    """Explains ``content``; the exit code, and what was said on both streams."""
    for variable in list(os.environ):
        if variable.upper().startswith("ANDOND__"):
            monkeypatch.delenv(variable)

    def explain(content, settings="", **options):
        event, config = tmp_path / "event.json", tmp_path / "andond.toml"
        event.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        config.write_text(settings)
        code = main(Namespace(**{"event": str(event), "config": str(config), "json": False, **options}))
        said = capsys.readouterr()
        return code, said.out, said.err

    return explain


def rows(out):
    """The lines of one explanation by their first word."""
    return {words[0]: " ".join(words[1:]) for words in (line.split() for line in out.splitlines())}


def test_an_alarm_is_explained_for_a_person(explain, tmp_path):
    code, out, err = explain(FAULT, f'[storage]\npath = "{tmp_path}"\n')
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "event 7 of /acme/press3: alarm.raised",
        "  priority    critical",
        "  rule        alarm.raised.fault (type alarm.raised or below it, level is FAULT: critical)",
        f"  policy      version {BUILT_IN.version}, {len(BUILT_IN.rules)} rules",
        "  channel     alarms/acme/press3",
        "  journal     kept for 400 days",
        "  conflation  none: every one counts",
        "  budget      100 critical events/s of /acme/press3, 1000 at once; past that they are high",
    ]


@pytest.mark.parametrize(
    ("members", "row", "words"),
    [
        ({"type": "never.heard"}, "rule", "none names it: normal, or what its publisher asks for below critical"),
        ({"type": "never.heard", "priority": "critical"}, "priority", "high"),
        ({"type": "never.heard", "priority": "critical"}, "asked", "for critical, which it may not have"),
        ({"priority": "low"}, "asked", "for low"),
        ({"priority": "low"}, "priority", "low"),
        ({"priority": "low"}, "journal", "not kept: journal.low_age is 0"),
        ({"priority": "low"}, "budget", "none: only critical events have one"),
        (
            {"type": "equipment.state.changed"},
            "journal",
            "lost with the daemon, unless $STATE_DIRECTORY is given to it: set storage.path",
        ),
        (
            {"type": "equipment.reading", "subject": "load"},
            "conflation",
            "by equipment.reading, /acme/press3, load: a newer one takes its place",
        ),
        ({"type": "host.metrics"}, "conflation", "by host.metrics, /acme/press3: a newer one takes its place"),
        (
            {"type": "source.silent", "data": {"required": True}},
            "note",
            "the gateway's own word: it is refused when somebody posts it",
        ),
    ],
)
def test_what_is_told_of_an_event(explain, members, row, words):
    code, out, _ = explain({**FAULT, **members})
    assert code == 0
    assert rows(out)[row] == words


def test_how_long_it_is_kept_follows_from_the_settings(explain, tmp_path):
    settings = f'[storage]\npath = "{tmp_path}"\n[journal]\nhigh_age = 86400\n'
    _, out, _ = explain({**FAULT, "data": {"level": "WARNING"}}, settings)
    assert rows(out)["journal"] == "kept for 1 days, and as long as journal.high_size has room"


def test_the_operators_rules_and_budget_are_told(explain):
    settings = (
        "[policy]\ncritical_rate = 2.5\ncritical_burst = 7\n[[policy.rules]]\n"
        'name = "press-load"\ntype = "equipment"\nwhere = { "spindle.load" = 3 }\nsource = "/acme/*"\n'
        'priority = "critical"\n'
    )
    event = {**FAULT, "type": "equipment.reading", "data": {"spindle": {"load": 3.0}}}
    _, out, _ = explain(event, settings)
    told = rows(out)
    assert told["rule"] == ("press-load (type equipment or below it, source /acme/*, spindle.load is 3: critical)")
    assert told["budget"] == "2.5 critical events/s of /acme/press3, 7 at once; past that they are high"
    assert told["policy"].endswith(f"{len(BUILT_IN.rules) + 1} rules")
    assert BUILT_IN.version not in told["policy"]
    assert rows(explain({**event, "source": "/other"}, settings)[1])["rule"].startswith("equipment.reading ")


def test_the_same_as_json(explain, tmp_path):
    code, out, _ = explain(FAULT, f'[storage]\npath = "{tmp_path}"\n', json=True)
    assert code == 0
    assert json.loads(out) == {
        "valid": True,
        "id": "7",
        "source": "/acme/press3",
        "type": "alarm.raised",
        "priority": "critical",
        "rule": {"name": "alarm.raised.fault", "text": "type alarm.raised or below it, level is FAULT: critical"},
        "asked": None,
        "policy": {"version": BUILT_IN.version, "rules": len(BUILT_IN.rules)},
        "channel": "alarms/acme/press3",
        "journal": {"kept": True, "seconds": 400 * 86400, "reason": ""},
        "conflation": None,
        "budget": {
            "source": "/acme/press3",
            "rate": 100.0,
            "burst": 1000,
            "together": {"rate": 1000.0, "burst": 10000},
        },
        "postable": True,
    }


def test_every_fault_of_an_event_is_told_and_who_must_mend_it(explain):
    code, out, err = explain({"id": "", "type": "Andon", "x y": 1})
    assert code == EX_DATAERR == 65
    assert out == ""
    assert err.splitlines()[0] == "andond: event 1 is refused; its publisher must mend:"
    assert [line.split(":")[0].strip() for line in err.splitlines()[1:]] == [
        "/specversion",
        "/id",
        "/source",
        "/type",
        "/x y",
    ]


def test_what_the_type_promises_is_checked_too(explain):
    code, _, err = explain({**FAULT, "type": "chain.transaction", "data": {}})
    assert code == EX_DATAERR
    assert "/data" in err


@pytest.mark.parametrize("content", [7, "text", None, [[]]])
def test_what_is_no_event_is_said_to_be_none(explain, content):
    code, _, err = explain(content)
    assert code == EX_DATAERR
    assert "/: an event is a JSON object" in err


def test_of_a_batch_each_is_explained_and_one_fault_shows_in_the_code(explain):
    code, out, err = explain([FAULT, {}, {**FAULT, "id": "8"}])
    assert code == EX_DATAERR
    assert [line for line in out.splitlines() if line.startswith("event")] == [
        "event 7 of /acme/press3: alarm.raised",
        "event 8 of /acme/press3: alarm.raised",
    ]
    assert "event 2 is refused" in err
    code, out, _ = explain([FAULT, {}], json=True)
    assert [one["valid"] for one in json.loads(out)] == [True, False]
    assert {"pointer": "/id", "message": "is required"} in json.loads(out)[1]["faults"]


def test_an_empty_batch_has_nothing_to_explain(explain):
    assert explain([]) == (0, "", "")


def test_a_file_that_is_no_json_is_said_to_be_none(explain):
    code, _, err = explain(b"{")
    assert code == EX_DATAERR
    assert "not valid JSON" in err
    assert "whoever wrote the file must mend it" in err


def test_a_file_that_is_not_there_is_named(explain, tmp_path):
    code, _, err = explain(FAULT, event=str(tmp_path / "absent.json"))
    assert code == EX_NOINPUT == 66
    assert "absent.json: No such file or directory: name a file that can be read" in err


def test_wrong_settings_are_told_as_by_check(explain):
    code, _, err = explain(FAULT, '[[policy.rules]]\nname = "x"\n')
    assert code == 78
    assert err.startswith("policy.rules[1].priority")


def test_an_event_can_come_by_the_standard_input(explain, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(FAULT).encode())))
    code, out, _ = explain(b"", event="-")
    assert code == 0
    assert rows(out)["priority"] == "critical"


def test_the_command_line_knows_the_verb(tmp_path, capsys):
    path = tmp_path / "event.json"
    path.write_text(json.dumps(FAULT))
    assert cli.main(["explain", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["priority"] == "critical"
