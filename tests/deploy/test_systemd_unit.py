"""The units: accepted by systemd, hardened, explained, and in agreement with the settings."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from config import DEFAULTS_PATH, Settings, load
from transport.listeners import BACKLOG

UNITS = Path(__file__).parents[2] / "deploy/systemd"
SERVICE = UNITS / "andond.service"
SOCKET = UNITS / "andond.socket"
EXAMPLE = UNITS / "andond.service.d/site.conf.example"

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


def directives(path):
    """Return the directives of a unit, the values of one given several times in order."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def installed(target):
    """Copy the units to ``target`` with a program that exists in place of the one in /opt."""
    program = target / "andond"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    text = SERVICE.read_text(encoding="utf-8").replace("/opt/andond/bin/andond", str(program))
    (target / "andond.service").write_text(text, encoding="utf-8")
    shutil.copy(SOCKET, target)
    return [target / "andond.service", target / "andond.socket"]


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


@needs_systemd
def test_systemd_accepts_the_units_without_a_word(tmp_path):
    done = analyze("verify", "--man=no", *map(str, installed(tmp_path)))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@needs_systemd
def test_the_exposure_is_at_most_2_of_10(tmp_path):
    service, _ = installed(tmp_path)
    done = analyze("security", "--offline=true", "--threshold=20", "--no-pager", str(service))
    assert done.returncode == 0, done.stdout
    score = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert score
    assert f"exposure {score[1]} of 10" in SERVICE.read_text(encoding="utf-8")


@needs_systemd
def test_the_threshold_would_notice_a_unit_that_is_not_hardened(tmp_path):
    service, _ = installed(tmp_path)
    text = service.read_text().replace("ProtectSystem=strict\n", "").replace("CapabilityBoundingSet=\n", "")
    service.write_text(text.replace("SystemCallFilter=", "#"))
    assert analyze("security", "--offline=true", "--threshold=20", "--no-pager", str(service)).returncode != 0


@needs_systemd
def test_systemd_accepts_every_line_of_the_example_drop_in(tmp_path):
    service, socket = installed(tmp_path)
    text = re.sub(r"^#(?=[A-Z]\w+=)", "", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(re.findall(r"^[A-Z]\w+=", text, re.MULTILINE)) >= 10
    (tmp_path / "andond.service.d").mkdir()
    (tmp_path / "andond.service.d/site.conf").write_text(text)
    done = analyze("verify", "--man=no", str(service), str(socket))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_example_drop_in_changes_nothing_until_a_line_is_chosen():
    assert directives(EXAMPLE) == {}


@pytest.mark.parametrize("path", [SERVICE, SOCKET], ids=["service", "socket"])
def test_every_directive_is_explained_by_a_comment_a_few_lines_above_it(path):
    distance = None
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            distance = 0
        elif "=" in line and not line.startswith(("Description=", "WantedBy=")):
            distance += 1
            assert distance <= 5, line
        else:
            distance = 9


def test_the_process_is_given_longer_to_stop_than_its_clients_to_leave():
    (timeout,) = directives(SERVICE)["TimeoutStopSec"]
    assert int(timeout) > Settings().server.drain_timeout + 10


def test_no_core_dump_holds_the_keys_and_passwords_of_the_process():
    assert directives(SERVICE)["LimitCORE"] == ["0"]


def test_open_files_are_enough_for_all_connections():
    (limit,) = directives(SERVICE)["LimitNOFILE"]
    assert int(limit) > Settings().server.connections + 100


def test_what_must_survive_a_restart_is_written_where_the_daemon_may_and_where_it_lasts(tmp_path):
    unit = directives(SERVICE)
    assert unit["StateDirectory"] == ["andond"]
    name, _, value = unit["Environment"][0].partition("=")
    assert value == "%S/andond"
    settings = load(DEFAULTS_PATH, {name: str(tmp_path)}, {}).settings
    assert settings.storage.path == str(tmp_path), f"{name} is what the daemon reads"


def test_as_many_clients_may_wait_at_the_socket_as_at_a_listener_of_the_daemon_s_own():
    assert directives(SOCKET)["Backlog"] == [str(BACKLOG)]


def test_wrong_settings_are_not_restarted_and_do_not_replace_running_ones():
    unit = directives(SERVICE)
    assert unit["RestartPreventExitStatus"] == ["78"]
    assert "check" in unit["ExecReload"][0]
    assert "-HUP" in unit["ExecReload"][1]
    assert "ExecStartPre" not in unit


def test_the_socket_is_where_the_daemon_listens_by_default():
    assert directives(SOCKET)["ListenStream"] == [load(DEFAULTS_PATH, {}, {}).settings.server.listen]


def test_what_the_host_source_reads_is_not_hidden_from_it():
    unit = directives(SERVICE)
    assert not {"ProcSubset", "ProtectProc"} & set(unit)
    assert "AF_NETLINK" in unit["RestrictAddressFamilies"][0]


def test_credentials_in_the_example_are_settings_that_take_one(tmp_path):
    names = re.findall(r"^#LoadCredential=([\w.]+):", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(names) == ["server.certificate", "server.key", "server.key_password"]
    for name in names:
        (tmp_path / name).write_text("x")
    with pytest.raises(Exception, match=r"server\.certificate.*both PEM") as refused:
        load(None, {"CREDENTIALS_DIRECTORY": str(tmp_path)}, {})
    # Each was taken; what is wrong is only that this is no certificate.
    assert len(refused.value.faults) == 1
