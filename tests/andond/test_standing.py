from __future__ import annotations

import os
import socket
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

import andond.run
import andond.standing
from andond.standing import StandingInForce, is_told, reached_at, standing, unguarded
from andond.systemd import Inherited
from config import (
    AccessSettings,
    AnonymousSettings,
    CertificateSettings,
    IssuerSettings,
    ServerSettings,
    Settings,
    Standing,
    StorageSettings,
)
from domain.access import User
from storage import Users, has_users

ROOT = Path(__file__).parents[2]
ISSUER = AccessSettings(issuers={"plant": IssuerSettings(issuer="https://id.example", audience="andond")})
ANONYMOUS = AccessSettings(anonymous=AnonymousSettings(enabled=True, channels=("andon/*",)))
PRESS = CertificateSettings(subject="CN=press3", roles=("operator",))
LIMIT = 30


@pytest.mark.parametrize(
    ("listen", "reached"),
    [
        ("127.0.0.1:0", ()),
        ("127.9.9.9:0", ()),
        ("[::1]:0", ()),
        ("localhost:0", ()),
        ("0.0.0.0:0", ("0.0.0.0:0",)),
        ("[::]:0", ("[::]:0",)),
        ("10.0.0.7:9003", ("10.0.0.7:9003",)),
        ("plant.example:9003", ("plant.example:9003",)),
    ],
)
def test_nothing_configured_is_open_on_this_machine_alone_and_refused_anywhere_else(listen, reached):
    settings = Settings(server=ServerSettings(listen=listen))
    assert standing(settings, reached) is (Standing.UNGUARDED if reached else Standing.OPEN)
    words = unguarded(settings)
    assert bool(words) is bool(reached)
    if reached:
        assert words.startswith(f"{listen} is reached from other machines")


@pytest.mark.parametrize("access", [ISSUER, ANONYMOUS, AccessSettings(required="always")])
def test_who_is_told_who_may_do_what_may_listen_anywhere(access):
    settings = Settings(server=ServerSettings(listen="0.0.0.0:0"), access=access)
    assert unguarded(settings) == ""
    assert standing(settings, ()) is Standing.GUARDED


def test_a_proxy_brings_others_to_this_machine():
    settings = Settings(server=ServerSettings(trusted_proxies=("127.0.0.1",)))
    assert unguarded(settings).startswith("server.trusted_proxies (127.0.0.1) is reached from other machines")


def test_a_listed_certificate_is_a_way_to_say_who_one_is_where_certificates_are_asked_for():
    access = AccessSettings(certificates={"press": PRESS})
    assert not is_told(Settings(access=access))
    assert is_told(Settings(access=access, server=ServerSettings(client_certificates="optional")))


def test_users_that_cannot_be_read_are_no_reason_to_be_open(tmp_path):
    (tmp_path / "access.db").write_bytes(b"not a database at all" * 100)
    assert standing(Settings(storage=StorageSettings(path=str(tmp_path))), ()) is Standing.GUARDED


def everywhere():
    """A socket at every address, at which nobody listens."""
    sock = socket.socket()
    sock.bind(("0.0.0.0", 0))  # noqa: S104
    return sock


def test_what_counts_is_where_the_sockets_are(tmp_path):
    with (
        socket.create_server(("127.0.0.1", 0)) as near,
        everywhere() as far,
        socket.socket(socket.AF_UNIX) as local,
    ):
        local.bind(str(tmp_path / "andond.sock"))
        assert reached_at([near, local]) == ()
        assert reached_at([near, far, local]) == (f"0.0.0.0:{far.getsockname()[1]}",)


def test_every_ipv6_address_is_other_machines_too():
    with socket.socket(socket.AF_INET6) as everywhere, socket.socket(socket.AF_INET6) as near:
        everywhere.bind(("::", 0))
        near.bind(("::1", 0))
        assert reached_at([near]) == ()
        assert reached_at([everywhere]) == (f"[::]:{everywhere.getsockname()[1]}",)


def test_a_reload_guards_what_is_open_and_never_opens_what_is_guarded():
    now = [Settings()]
    in_force = StandingInForce(lambda: now[0], ())
    assert in_force.is_open
    now[0] = Settings(access=ISSUER)
    assert in_force.renew() is Standing.GUARDED
    now[0] = Settings()
    assert in_force.renew() is Standing.GUARDED
    assert not in_force.is_open


def test_the_first_user_guards_what_is_open_and_only_what_was_written_is_read(tmp_path, monkeypatch):
    looks = []
    monkeypatch.setattr(andond.standing, "has_users", lambda directory: looks.append(directory) or has_users(directory))
    settings = Settings(storage=StorageSettings(path=str(tmp_path)))
    in_force = StandingInForce(lambda: settings, ())
    assert in_force.renew() is in_force.renew() is Standing.OPEN
    assert len(looks) == 1
    users = Users.open(tmp_path)
    assert in_force.renew() is in_force.renew() is Standing.OPEN
    settled = len(looks)
    assert in_force.renew() is in_force.renew() is Standing.OPEN
    assert len(looks) == settled > 1
    users.add(User("u1", "anna", ("operator",)), "kept")
    assert in_force.renew() is Standing.GUARDED
    users.close()


def run(tmp_path, text, *arguments, verb="run", **more):
    path = tmp_path / "andond.toml"
    path.write_text(text)
    return subprocess.run(
        [sys.executable, "-m", "andond", verb, "-c", str(path), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **more},
    )


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0"])
@pytest.mark.parametrize("verb", ["run", "check"])
def test_a_daemon_that_others_reach_and_nobody_guards_ends_with_78_and_says_how_to_mend_it(tmp_path, listen, verb):
    result = run(tmp_path, f'[server]\nlisten = "{listen}"\n', verb=verb)
    assert result.returncode == 78
    assert f"{listen} is reached from other machines" in result.stderr
    assert len([line for line in result.stderr.splitlines() if line.startswith("  ")]) == 2
    assert "Traceback" not in result.stderr


class Ended:
    """A daemon that has nothing to do."""

    def __init__(self, _options, loaded, _sockets) -> None:
        self._loaded = loaded

    def settings(self) -> Settings:
        return self._loaded.settings

    async def run(self) -> int:
        return 0


@pytest.mark.parametrize("is_far", [True, False])
def test_that_passwords_and_tokens_come_in_clear_is_said_at_the_start(tmp_path, monkeypatch, is_far):
    told: list[str] = []
    (tmp_path / "secret").write_text("c0rrect-horse-battery-staple-of-32-bytes")
    (tmp_path / "plant.toml").write_text(
        f"[access.issuers.plant]\nissuer = 'plant'\naudience = ['a']\nsecret_file = '{tmp_path}/secret'\n"
    )
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.setattr(andond.run, "configure", lambda *_: None)
    monkeypatch.setattr(andond.run, "Daemon", Ended)
    monkeypatch.setattr(andond.run.events, "gateway_exposed", lambda **said: told.append(said["address"]))
    with everywhere() if is_far else socket.create_server(("127.0.0.1", 0)) as handed:
        monkeypatch.setattr(andond.run, "inherited_sockets", lambda *_: [Inherited("http", handed)])
        assert andond.run.main(Namespace(config=str(tmp_path / "plant.toml"))) == 0
        assert told == ([f"0.0.0.0:{handed.getsockname()[1]}"] if is_far else [])


def test_a_socket_that_was_handed_over_is_judged_by_where_it_is(monkeypatch, capsys):
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.setattr(andond.run, "configure", lambda *_: None)
    with everywhere() as handed:
        monkeypatch.setattr(andond.run, "inherited_sockets", lambda *_: [Inherited("http", handed)])
        assert andond.run.main(Namespace(config=None)) == 78
        assert handed.fileno() == -1, "nobody listens there any more"
    assert "0.0.0.0:" in capsys.readouterr().err
