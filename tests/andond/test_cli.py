from __future__ import annotations

import subprocess
import sys
from argparse import Namespace

import pytest

from andond import cli
from andond.version import VERSION


@pytest.fixture
def called(monkeypatch):
    """What the verbs were called with; they are not carried out."""
    calls: list[tuple[str, Namespace]] = []

    class Module:
        def __init__(self, name: str) -> None:
            self._name = name

        def __getattr__(self, function: str):
            def call(options: Namespace) -> int:
                calls.append((f"{self._name}.{function}", options))
                return 7

            return call

    monkeypatch.setattr(cli, "import_module", Module)
    return calls


@pytest.mark.parametrize(("line", "function"), [
    ("run -c x.toml --listen 127.0.0.1:0 --data-dir /tmp", "andond.run.main"),
    ("check --config x.toml", "andond.checks.check"),
    ("config --defaults", "andond.checks.show"),
    ("status --url http://127.0.0.1:1 --json --quiet", "andond.status.main"),
])  # fmt: skip
def test_a_verb_calls_its_function_and_returns_its_code(called, line, function):
    assert cli.main(line.split()) == 7
    assert [name for name, _ in called] == [function]


def test_what_is_given_comes_under_its_name(called):
    cli.main(["run", "-c", "x.toml", "--listen", "127.0.0.1:0"])
    options = called[0][1]
    assert (options.config, options.listen, options.data_dir) == ("x.toml", "127.0.0.1:0", None)


@pytest.mark.parametrize("line", ["", "walk", "run --port 3", "check x.toml", "status --url"])
def test_what_is_no_command_is_usage(capsys, line):
    with pytest.raises(SystemExit) as ended:
        cli.main(line.split())
    assert ended.value.code == 2
    assert "usage: andond" in capsys.readouterr().err


def test_every_verb_has_help_of_its_own(capsys):
    for verb in cli.VERBS:
        with pytest.raises(SystemExit) as ended:
            cli.main([verb, "--help"])
        assert ended.value.code == 0
        assert f"usage: andond {verb}" in capsys.readouterr().out


def test_the_help_names_every_verb(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    told = capsys.readouterr().out
    assert all(verb.meaning in told for verb in cli.VERBS.values())


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"andond {VERSION}\n"


def test_every_verb_is_there():
    for verb in cli.VERBS.values():
        assert callable(getattr(cli.import_module(verb.module), verb.function))


def test_an_interrupt_is_no_traceback(monkeypatch):
    def interrupt(_name: str):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "import_module", interrupt)
    assert cli.main(["check"]) == 130


def test_a_verb_pays_for_no_other():
    program = "import sys; from andond.cli import main; main(['config']); print('trio' in sys.modules, file=sys.stderr)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stderr.split() == ["False"]
