"""``andond user``, on a real file."""

from __future__ import annotations

import io
import json
import stat

import pytest

from andond import users as module
from andond.cli import main
from domain.access import Family, SessionTerms
from storage import Users, password_matches, passwords
from storage.users import NAME

AT = 1_800_000_000.0
PASSWORD = "correct horse battery"  # noqa: S105


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    passwords._hasher.cache_clear()
    monkeypatch.setattr(passwords, "PASSES", 1)
    monkeypatch.setattr(passwords, "MEMORY_KIB", 64)
    yield
    passwords._hasher.cache_clear()


class Terminal(io.StringIO):
    """Standard input with a person at it."""

    def isatty(self) -> bool:
        return True


class Command:
    """Runs ``andond user``; ``out`` and ``err`` are what it said the last time."""

    def __init__(self, directory, capsys, monkeypatch) -> None:
        self.directory = directory
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        self.out = self.err = ""
        self.stdin: type[io.StringIO] = io.StringIO

    def __call__(self, *words: str, says: str = "", config: str | None = None) -> int:
        self._monkeypatch.setattr("sys.stdin", self.stdin(says))
        where = ["--data-dir", str(self.directory)] if config is None else ["-c", config]
        code = main(["user", *words, *where])
        self.out, self.err = self._capsys.readouterr()
        return code

    def add(self, name: str, *words: str) -> None:
        assert self("add", name, *words, "--password-file", "-", says=f"{PASSWORD}\n") == 0, self.err

    def show(self, name: str) -> dict[str, object]:
        assert self("show", name, "--json") == 0, self.err
        return json.loads(self.out)

    def users(self) -> Users:
        return Users.open(self.directory)


@pytest.fixture
def command(tmp_path, capsys, monkeypatch):
    (tmp_path / "data").mkdir(mode=0o700)
    return Command(tmp_path / "data", capsys, monkeypatch)


def test_a_user_is_added_with_all_that_is_said_of_it(command):
    command.add(
        "anna", "--role", "Operator", "--role", "quality", "--place", "acme/p1/l3", "--email", "anna@example.com",
        "--department", "press", "--shift", "early",
    )  # fmt: skip
    shown = command.show("ANNA")
    assert (shown["name"], shown["roles"], shown["places"]) == ("anna", ["operator", "quality"], ["acme/p1/l3"])
    assert (shown["email"], shown["department"], shown["shift"]) == ("anna@example.com", "press", "early")
    assert (shown["active"], shown["logins"]) == (True, [])
    users = command.users()
    found = users.find("anna@example.com")
    users.close()
    assert found is not None
    assert password_matches(found.kept, PASSWORD)


def test_the_file_is_its_owner_s_alone(command):
    command.add("anna")
    assert stat.S_IMODE((command.directory / NAME).stat().st_mode) == 0o600


def test_a_password_that_is_made_is_shown_once_and_is_strong(command):
    assert command("add", "anna", "--generate") == 0
    made = command.out.partition("password: ")[2].split()[0]
    assert len(made) == 20
    users = command.users()
    found = users.find("anna")
    users.close()
    assert found is not None
    assert password_matches(found.kept, made)
    command("show", "anna")
    assert made not in command.out


def test_a_password_in_a_file_is_read_without_its_line_s_end(command, tmp_path):
    (tmp_path / "password").write_text(f"{PASSWORD}\r\n")
    assert command("add", "anna", "--password-file", str(tmp_path / "password")) == 0
    users = command.users()
    found = users.find("anna")
    users.close()
    assert found is not None
    assert password_matches(found.kept, PASSWORD)


def test_a_password_is_asked_for_twice_at_a_terminal(command, monkeypatch):
    said = [PASSWORD, PASSWORD, PASSWORD, "another one that differs"]
    monkeypatch.setattr(module.getpass, "getpass", lambda _prompt: said.pop(0))
    command.stdin = Terminal
    assert command("add", "anna") == 0
    assert command("password", "anna") == 1
    assert "not the same" in command.err


def test_a_password_is_never_taken_from_the_command_line(command):
    for words in (("--password", "hunter2-hunter2"), ("--pass", "hunter2-hunter2"), ("--password=hunter2-hunter2",)):
        with pytest.raises(SystemExit) as ended:
            command("add", "anna", *words)
        assert ended.value.code == 2
    assert not (command.directory / NAME).exists()


def test_without_a_terminal_it_is_said_how_a_password_is_given(command):
    assert command("add", "anna") == 1
    assert "--password-file FILE" in command.err


@pytest.mark.parametrize("password", ["short", "password1234", "annaannaanna", ""])
def test_a_weak_password_is_refused_and_not_shown(command, password):
    assert command("add", "anna", "--password-file", "-", says=password) == 1
    assert "--generate makes one" in command.err
    assert not password or password not in command.err
    command("list")
    assert "there are no users" in command.out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("add", "a b", "--generate"), "a name has"),
        (("add", "bert", "--email", "x", "--generate"), "an address is like"),
        (("add", "bert", "--role", "king", "--generate"), "there is no role 'king'; there are: admin"),
        (("add", "bert", "--tenant", "acme", "--generate"), "there is no tenant 'acme'"),
        (("add", "bert", "--place", "a b", "--generate"), "is no place"),
        (("add", "ANNA", "--generate"), "already"),
        (("show", "bert"), "there is no user 'bert'"),
        (("roles", "anna", "king"), "there is no role 'king'"),
        (("password", "anna", "--password-file", "/nowhere/at/all"), "cannot read the password"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(command, words, why):
    command.add("anna")
    assert command(*words) == 1
    assert why in command.err


def test_roles_of_the_configuration_can_be_given(command, tmp_path):
    config = tmp_path / "andond.toml"
    config.write_text(f'[storage]\npath = "{command.directory}"\n[access.roles.painter]\ndoes = ["andon.raise"]\n')
    assert command("add", "anna", "--role", "painter", "--generate", config=str(config)) == 0
    assert command.show("anna")["roles"] == ["painter"]


def test_who_has_no_role_or_no_tenant_is_warned_of(command, tmp_path):
    config = tmp_path / "andond.toml"
    config.write_text(f'[storage]\npath = "{command.directory}"\n[access.tenants.acme]\nplaces = ["acme"]\n')
    assert command("add", "anna", "--generate", config=str(config)) == 0
    assert "has no role" in command.err
    assert "is of no tenant" in command.err
    assert command("add", "bert", "--role", "viewer", "--tenant", "acme", "--generate", config=str(config)) == 0
    assert command.err == ""


def logged_in(command, count: int = 2) -> None:
    users = command.users()
    found = users.find("anna")
    assert found is not None
    for number in range(count):
        users.begin(Family(f"f{number}", found.user.id, AT, AT, host="192.0.2.7", door="floor"), SessionTerms())
    users.close()


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (("roles", "anna", "viewer", "quality"), 2),
        (("change", "anna", "--place", "acme/p2"), 2),
        (("password", "anna", "--generate"), 0),
        (("lock", "anna"), 0),
        (("logout", "anna"), 0),
    ],
)
def test_what_becomes_of_a_user_s_logins(command, words, left):
    command.add("anna", "--role", "operator")
    logged_in(command)
    assert len(command.show("anna")["logins"]) == 2
    assert command(*words) == 0
    assert len(command.show("anna")["logins"]) == left
    users = command.users()
    assert users.withdrawals() != ()
    users.close()


def test_a_change_keeps_what_it_does_not_name(command):
    command.add("anna", "--role", "operator", "--place", "acme/p1", "--shift", "early")
    assert command("change", "anna", "--shift", "late") == 0
    shown = command.show("anna")
    assert (shown["roles"], shown["places"], shown["shift"]) == (["operator"], ["acme/p1"], "late")


def test_a_locked_user_can_be_let_in_again(command):
    command.add("anna")
    command("lock", "anna")
    assert command.show("anna")["active"] is False
    command("list")
    assert "LOCKED" in command.out
    command("unlock", "anna")
    assert command.show("anna")["active"] is True


def test_a_removed_user_is_gone(command):
    command.add("anna")
    assert command("remove", "anna") == 0
    assert command("show", "anna") == 1


def test_users_are_listed_for_people_and_for_programs(command):
    command.add("anna", "--role", "operator", "--place", "acme/p1")
    command.add("bert", "--role", "viewer")
    logged_in(command)
    command("list")
    assert command.out.splitlines() == ["anna  operator; own: acme/p1  2 logged in", "bert  viewer"]
    command("list", "--json")
    assert [user["name"] for user in json.loads(command.out)] == ["anna", "bert"]
    command("show", "anna")
    assert "places            acme/p1" in command.out
    assert "$argon2id" not in command.out


def test_without_a_data_directory_it_is_said_what_to_name(command, tmp_path):
    config = tmp_path / "andond.toml"
    config.write_text("")
    assert command("list", config=str(config)) == 66
    assert "--data-dir" in command.err


def test_settings_that_are_wrong_are_told(command, tmp_path):
    config = tmp_path / "andond.toml"
    config.write_text("[nonsense]\n")
    assert command("list", config=str(config)) == 78


def test_a_file_that_is_no_database_is_told(command):
    (command.directory / NAME).write_text("nonsense" * 100)
    assert command("list") == 1
    assert str(command.directory / NAME) in command.err


def test_without_the_library_it_is_said_what_mends_it(command, monkeypatch):
    monkeypatch.setitem(module.sys.modules, "argon2", None)
    assert command("add", "anna", "--generate") == 1
    assert "pip install 'andond[auth]'" in command.err


def test_a_box_whose_users_could_not_log_in_is_refused_by_check(command, monkeypatch, capsys, tmp_path):
    config = tmp_path / "andond.toml"
    config.write_text(f'[storage]\npath = "{command.directory}"\n')
    command.add("anna")
    assert main(["check", "-c", str(config)]) == 0
    capsys.readouterr()
    monkeypatch.setitem(module.sys.modules, "argon2", None)
    passwords._hasher.cache_clear()
    assert main(["check", "-c", str(config)]) == 78
    assert "pip install 'andond[auth]'" in capsys.readouterr().err


def test_a_place_that_the_site_does_not_describe_is_a_warning(command, tmp_path):
    file = tmp_path / "plant.toml"
    site = '[site]\nenterprise = "acme"\nname = "p1"\n[[site.lines]]\nname = "l3"\n'
    file.write_text(site)
    given = ["--role", "operator", "--generate", "-c", str(file)]
    assert command("add", "anna", "--place", "acme/p1/l3", *given) == 0
    assert command.err == ""
    assert command("add", "bob", "--place", "acme/p1/l9", *given) == 0
    assert command.err == ("warning: the site describes no 'acme/p1/l9', so nothing may ever come from there\n")
    file.write_text("")
    assert command("add", "cid", "--place", "acme/p1/l9", *given) == 0
    assert command.err == ""
