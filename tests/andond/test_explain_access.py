"""The verb explain, asked who may do what."""

from __future__ import annotations

import json
import os

import pytest

from andond import cli

TENANTS = """
[access.tenants.acme]
places = ["acme"]
channels = ["chain/*"]
[access.tenants.rival]
places = ["rival"]
[access.roles.fitter]
own_does = ["andon.*"]
own_sees = ["andon/*"]
"""
LINE3 = "--tenant acme --place acme/plant1/line3"


@pytest.fixture
def explain(tmp_path, monkeypatch, capsys):
    """Explains what ``line`` asks; the exit code, and what was said on both streams."""
    for variable in list(os.environ):
        if variable.upper().startswith("ANDOND__"):
            monkeypatch.delenv(variable)

    def explain(line, settings=TENANTS + '[access]\nrequired = "always"\n'):
        config = tmp_path / "andond.toml"
        config.write_text(settings)
        code = cli.main(["explain", "-c", str(config), *line.split()])
        said = capsys.readouterr()
        return code, said.out, said.err

    return explain


def test_an_operator_acknowledges_at_the_own_line_alone_and_it_is_said_why(explain):
    code, out, err = explain(f"--as operator {LINE3} --do andon.acknowledge --do andon.raise --at acme/plant1/line4")
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        "somebody with role operator",
        "  tenant      acme",
        "  own places  acme/plant1/line3",
        "  do andon.acknowledge at acme/plant1/line4",
        (
            "    denied: role operator may do andon.acknowledge at its own places only, which are acme/plant1/line3, "
            "and acme/plant1/line4 is not one of them"
        ),
        "  do andon.raise at acme/plant1/line4",
        "    allowed: role operator may do andon.raise everywhere in tenant acme",
    ]


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (f"--as operator {LINE3} --do andon.acknowledge --at acme/plant1/line3/st4", 0, "allowed: role operator may"),
        (f"--as Viewer {LINE3} --see andon/acme/plant1", 0, "allowed: role viewer sees andon/acme/plant1 everywhere"),
        (f"--as viewer {LINE3} --see andon/rival/plant1", 1, "denied: andon/rival/plant1 is not of tenant acme"),
        (f"--as user {LINE3} --see chain/blocks", 0, "allowed: role user sees chain/blocks everywhere in tenant acme"),
        ("--as user --tenant rival --see chain/blocks", 1, "denied: chain/blocks is not of tenant rival"),
        ("--as admin --do status.read", 1, "denied: this gateway has tenants, and the identity names none"),
        (
            "--as admin --tenant * --do status.read",
            0,
            "allowed: role admin may do status.read everywhere in all tenants",
        ),
        (
            f"--as fitter {LINE3} --see andon/acme/plant1/line3",
            0,
            "allowed: role fitter may see andon at its own places",
        ),
        (
            f"--as boss {LINE3} --do andon.raise",
            1,
            "denied: an identity without a role (unknown here: boss) may not do",
        ),
        ("--anonymous --see chain/blocks", 1, "denied: nobody said who they are"),
    ],
)
def test_each_answer_has_its_reason_and_its_exit_code(explain, line, code, words):
    found, out, _ = explain(line)
    assert found == code
    assert words in out


def test_clients_that_say_no_name_are_explained(explain):
    code, out, _ = explain(
        "--anonymous --see chain/blocks --see chain/peers --do andon.raise",
        '[access.anonymous]\nenabled = true\nchannels = ["chain/blocks"]\n',
    )
    assert code == 1
    assert [line.strip().partition(":")[0] for line in out.splitlines()[3:]] == [
        "do andon.raise", "denied", "see chain/blocks", "allowed",
        "see chain/peers", "denied",
    ]  # fmt: skip


def test_without_a_question_all_is_listed(explain):
    code, out, _ = explain(f"--as fitter,viewer {LINE3}")
    rows = out.splitlines()
    assert code == 0
    assert rows[0] == "somebody with roles fitter, viewer"
    assert rows[3].startswith("  does        own places: andon.raise, andon.acknowledge,")
    assert rows[4] == "  does        everywhere: document.read"
    assert rows[5] == "  sees        own places: nothing"
    assert rows[6].startswith("  sees        everywhere: alarms/*, andon/*,")
    assert len(rows) == 7


def test_who_has_nothing_is_told_why(explain):
    _, out, _ = explain("--as admin --tenant gone")
    assert out.splitlines()[-1] == (
        "  nothing     this gateway has tenants, and the identity names tenant gone, which is not known here"
    )


def test_it_is_said_where_nobody_is_asked_who_they_are(explain):
    _, out, _ = explain("--as viewer", "")
    assert "  tenant      none: everything is one here" in out
    assert out.splitlines()[-1].startswith("  note        until there are users or issuers, everybody on this machine")
    _, out, _ = explain("--as viewer", '[access]\nrequired = "always"\n')
    assert "note" not in out


def test_a_tenant_that_there_is_not_is_named_where_there_are_none(explain):
    code, out, _ = explain("--as admin --tenant zzz --do status.read", "")
    assert code == 0
    assert "note        there is no tenant zzz here, nor any other: naming one changes nothing" in out
    for line in ("--as admin --do status.read", "--as admin --tenant acme --do andon.raise --at acme/plant1"):
        assert "there is no tenant" not in explain(line)[1]


def test_the_answer_can_be_had_as_json(explain):
    code, out, _ = explain(f"--as operator {LINE3} --do andon.raise --at rival/x --see oee/acme --json")
    assert code == 1
    assert json.loads(out) == {
        "who": {"roles": ["operator"], "proof": "local", "tenant": "acme", "places": ["acme/plant1/line3"]},
        "answers": [
            {"asked": "do andon.raise at rival/x", "allowed": False, "why": "rival/x is not of tenant acme"},
            {
                "asked": "see oee/acme",
                "allowed": True,
                "why": "role operator sees oee/acme everywhere in tenant acme",
            },
        ],
    }


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "name the file of an event, or say who it is about: --as ROLE"),
        ("--as admin event.json", "event.json and a question of access are two questions"),
        ("--do andon.raise", "say who it is about: --as ROLE, or --anonymous"),
        ("--as admin --anonymous", "say who it is about: --as ROLE, or --anonymous"),
        ("--as admin --do andon.acknowlege", "there is no action andon.acknowlege: 'andon.acknowledge', perhaps"),
        ("--as admin --do andon.raise --at a/b --do job.start --at a/c", "ask of a/b and of a/c one at a time"),
        ("--as admin --see andon", "andon is no channel: KIND/PATH"),
    ],
)
def test_a_question_that_is_none_is_answered_with_how_to_ask(explain, line, words):
    code, out, err = explain(line)
    assert (code, out) == (2, "")
    assert words in err


def test_wrong_settings_are_told_before_anything_is_explained(explain):
    code, out, err = explain("--as admin", '[access.roles.x]\ndoes = ["andon.rise"]\n')
    assert (code, out) == (78, "")
    assert "access.roles.x.does" in err
