"""Secrets: they come from files and credentials and show themselves to nobody who does not ask."""

import copy
import pickle

import pytest

from config.secrets import HIDDEN, SIZE_LIMIT, Secret, credentials, read_secret


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
