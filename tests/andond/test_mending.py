"""What a start that is refused says mends it: each line is run as it stands, and then the same start is not refused."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from andond import mending
from andond.mending import refusal
from config import Loaded, load

ROOT = Path(__file__).parents[2]
LIMIT = 30
SHELL = shutil.which("sh") or "/bin/sh"


@pytest.fixture
def environ():
    known = {name: value for name, value in os.environ.items() if not name.upper().startswith("ANDOND__")}
    return {**known, "PYTHONPATH": str(ROOT)}


def check(tmp_path, environ, *arguments):
    """``andond check`` refuses by the same words as a start, and goes no further."""
    command = [sys.executable, "-m", "andond", "check", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=LIMIT, cwd=tmp_path, env=environ
    )


def offered(said: str) -> list[str]:
    return [line.strip() for line in said.splitlines() if line.startswith("  ")]


def in_shell(tmp_path, environ, line):
    return subprocess.run(
        [SHELL, "-c", line],
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
        cwd=tmp_path,
        env=environ,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("has_data", [True, False])
def test_the_line_that_adds_a_user_does_so_as_it_is_printed(tmp_path, environ, has_data):
    kept = '[storage]\npath = "kept here"\n' if has_data else ""
    (tmp_path / "plant.toml").write_text(f'{kept}[server]\nlisten = "0.0.0.0:0"\n')
    if has_data:
        (tmp_path / "kept here").mkdir()
    refused = check(tmp_path, environ, "-c", "plant.toml")
    assert refused.returncode == 78
    line, _ = offered(refused.stderr)
    done = in_shell(tmp_path, environ, line)
    assert done.returncode == 0, done.stderr
    assert "password: " in done.stdout
    if not has_data:
        assert "start with --data-dir data" in refused.stderr
        environ["ANDOND__STORAGE__PATH"] = "data"
    assert check(tmp_path, environ, "-c", "plant.toml").returncode == 0


@pytest.mark.parametrize(
    "text",
    [
        '[server]\nlisten = "0.0.0.0:9007"\n',
        'server.listen = "0.0.0.0:9007"\n',
        '[server]\nlisten = "[::]:9007"\ntrusted_proxies = ["10.0.0.7"]\n',
        '[server]\ntrusted_proxies = ["10.0.0.7"]\n',
    ],
)
def test_a_line_for_the_file_mends_it_where_it_says(tmp_path, environ, text):
    path = tmp_path / "plant.toml"
    path.write_text(text)
    _, *mends = offered(check(tmp_path, environ, "-c", "plant.toml").stderr)
    lines = text.splitlines()
    for mend in mends:
        lines[int(mend.rpartition("plant.toml:")[2]) - 1] = mend
    path.write_text("\n".join(lines))
    mended = check(tmp_path, environ, "-c", "plant.toml")
    assert mended.returncode == 0, mended.stderr
    assert "listen on 127.0.0.1:900" in mended.stdout


def test_what_a_variable_set_is_mended_by_one(tmp_path, environ):
    environ["ANDOND__SERVER__LISTEN"] = "0.0.0.0:9007"
    _, mend = offered(check(tmp_path, environ).stderr)
    done = in_shell(tmp_path, environ, f"{mend} && {sys.executable} -m andond check")
    assert "listen on 127.0.0.1:9007" in done.stdout


def told(options: Namespace, flags: dict[str, object], reached=None, *, is_handed: bool = False) -> list[str]:
    loaded: Loaded = load(options.config, {}, flags)
    return offered(refusal(loaded, options, reached, is_handed=is_handed))


def test_what_a_flag_set_is_mended_by_the_flag_with_all_else_that_was_said(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", [".venv/bin/andond", "run"])
    file = tmp_path / "my plant.toml"
    file.write_text("[access.roles.painter]\n[access.tenants.acme]\n")
    options = Namespace(config=file, data_dir=str(tmp_path))
    add, mend = told(options, {"server.listen": "0.0.0.0:9007", "storage.path": str(tmp_path)})
    data = f"-c '{file}' --data-dir {tmp_path}"
    assert add == f".venv/bin/andond user add admin --role admin --generate --tenant '*' {data}"
    assert mend == f".venv/bin/andond run {data} --listen 127.0.0.1:9007"


def test_a_socket_that_was_handed_over_is_its_units_to_mend():
    _, mend = told(Namespace(config=None), {}, ["0.0.0.0:9007"], is_handed=True)
    assert mend.startswith("ListenStream=127.0.0.1:9007 ")


@pytest.mark.parametrize("name", ["can_hash_passwords", "has_libraries"])
def test_what_passwords_and_tokens_need_is_installed_first_where_it_is_missing(monkeypatch, name):
    monkeypatch.setattr(mending, name, lambda: False)
    add, _ = told(Namespace(config=None), {"server.listen": "0.0.0.0:9007"})
    assert add.startswith(f"{sys.executable} -m pip install 'andond[auth]' && mkdir -p -m 700 data && ")


def test_a_start_that_may_be_is_told_nothing():
    assert told(Namespace(config=None), {}) == []
