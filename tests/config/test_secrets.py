"""Secrets: they come from files and credentials and show themselves to nobody who does not ask."""

import copy
import pickle

import pytest

from config.faults import shown
from config.secrets import HIDDEN, SIZE_LIMIT, Secret, credentials, read_secret, without_user
from config.toml import toml_value


def test_a_secret_is_hidden_in_every_form_of_print():
    secret = Secret("hunter2")
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>20}", repr([secret]), "%s" % secret]  # noqa: UP031
    assert not any("hunter2" in text for text in shown)
    assert str(secret) == HIDDEN
    assert secret.reveal() == "hunter2"


def test_a_secret_cannot_be_pickled_or_copied_out():
    with pytest.raises(TypeError, match="secret"):
        pickle.dumps(Secret("hunter2"))
    with pytest.raises(TypeError, match="secret"):
        copy.copy(Secret("hunter2"))


def test_equal_secrets_are_equal_so_that_a_reload_notices_a_change():
    assert Secret("a") == Secret("a")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"


@pytest.mark.parametrize("content", [b"hunter2", b"hunter2\n", b"hunter2\r\n"])
def test_the_end_of_the_line_is_not_part_of_a_secret(tmp_path, content):
    (tmp_path / "secret").write_bytes(content)
    assert read_secret(tmp_path / "secret").reveal() == "hunter2"


@pytest.mark.parametrize("content", [b"", b"\n", b"x" * (SIZE_LIMIT + 1), b"\xff\xfe"])
def test_an_empty_a_huge_and_a_binary_file_are_no_secrets(tmp_path, content):
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(ValueError, match=r"."):
        read_secret(tmp_path / "secret")


def test_credentials_are_the_files_the_manager_names(tmp_path):
    (tmp_path / "server.key").touch()
    (tmp_path / "directory").mkdir()
    assert credentials({"CREDENTIALS_DIRECTORY": str(tmp_path)}) == {"server.key": tmp_path / "server.key"}
    assert credentials({}) == {}
    with pytest.raises(OSError, match="absent"):
        credentials({"CREDENTIALS_DIRECTORY": str(tmp_path / "absent")})


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("http://kim:hunter2@10.0.0.5:26657/x", "http://(hidden)@10.0.0.5:26657/x"),
        ("http://hunter2@10.0.0.5", "http://(hidden)@10.0.0.5"),
        ("http://kim:hun//ter2@x@10.0.0.5", "http://(hidden)@10.0.0.5"),
        ("kim:hunter2@10.0.0.5:26657", "(hidden)@10.0.0.5:26657"),
        ('[{ rpc = "http://a:hunter2@b", rest = "http://a:hunter2@c" }]', '[{ rpc = "http://(hidden)@c" }]'),
        ("http://10.0.0.5:26657", "http://10.0.0.5:26657"),
        ("kim@acme.example", "kim@acme.example"),
    ],
)
def test_who_logs_in_at_an_address_is_not_shown(address, told):
    assert without_user(address) == told


def test_neither_a_fault_nor_what_was_understood_shows_a_password_in_an_address():
    given = {"nodes": [{"rpc": "http://kim:hunter2@10.0.0.5:26657"}], "kim:hunter2@x": ("a:hunter2@y",)}
    assert "hunter2" not in shown(given)
    assert "hunter2" not in toml_value(given["nodes"], hides_users=True)
    assert shown("http://kim:" + "hunter2" * 20 + "@10.0.0.5") == repr(f"http://{HIDDEN}@10.0.0.5")
