"""Rules of single values: what passes, and that the refusal says what was expected."""

from pathlib import Path

import pytest

from config import rules
from config.rules import AddressFault, split_address
from domain.plant.mtconnect import Role


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:9003", "127.0.0.1", 9003),
        ("[::1]:9003", "::1", 9003),
        ("localhost:0", "localhost", 0),
        ("press-3.plant_1.example.:65535", "press-3.plant_1.example.", 65535),
        ("a:1", "a", 1),
    ],
)
def test_an_address_has_a_host_and_a_port(text, host, port):
    assert split_address(text) == (host, port)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "HOST:PORT"),
        ("localhost", "HOST:PORT"),
        ("localhost:", "HOST:PORT"),
        ("localhost:http", "HOST:PORT"),
        ("localhost:65536", "HOST:PORT"),
        ("localhost:99999999999999999999", "HOST:PORT"),
        ("localhost:-1", "HOST:PORT"),
        ("localhost:\u0661", "HOST:PORT"),
        (":9003", "host before the colon"),
        ("bad host:9003", "host before the colon"),
        ("http://a:9003", "brackets"),
        ("::1:9003", "brackets"),
        ("[::1%eth0x]:x", "HOST:PORT"),
        ("[nonsense]:9003", "IPv6 address between the brackets"),
    ],
)
def test_what_is_no_address_is_refused_with_an_example(text, hint):
    with pytest.raises(AddressFault, match=r".") as refused:
        split_address(text)
    assert hint in str(refused.value)
    assert hint in (rules.listen_address(text) or "")


def test_port_0_is_for_listening_only():
    assert rules.listen_address("127.0.0.1:0") is None
    assert rules.remote_address("127.0.0.1:0") == "HOST:PORT with a port from 1"
    assert "HOST:PORT" in (rules.remote_address("nonsense") or "")
    assert rules.remote_address("10.0.0.7:7878") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ((), None),
        (("10.0.0.7", "10.0.0.0/8", "fd00::/8", "::1"), None),
        (("10.0.0.1/8",), "(10.0.0.1/8 should be 10.0.0.0/8)"),
        (("10.0.0.0/8", "proxy.example"), "('proxy.example' is neither)"),
        (("10.0.0.0/33",), "('10.0.0.0/33' is neither)"),
    ],
)
def test_networks_are_addresses_or_cidr(value, expected):
    found = rules.networks(value)
    assert found is None if expected is None else expected in (found or "")


@pytest.mark.parametrize("path", ["acme", "acme/plant1/line3/press3", "a.b/c-d/e_f", "A/1/2/3/4/5/6/7"])
def test_an_isa_95_path_is_one_to_eight_names(path):
    assert rules.equipment(path) is None
    assert rules.named_equipment(path) is None


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/acme", "acme/", "acme//line3", "acme/.hidden", "acme/line 3", "ac\n", "\u00e4/b"),
        *("a/b/c/d/e/f/g/h/i", "x" * 64, "/".join(["x" * 30] * 7)),
    ],
)
def test_what_is_no_isa_95_path_is_refused(path):
    assert "ISA-95 path" in (rules.equipment(path) or "")


def test_a_machine_needs_a_place_and_the_host_does_not():
    assert rules.equipment("") is None
    assert "ISA-95 path" in (rules.named_equipment("") or "")


@pytest.mark.parametrize(("name", "fits"), [("press3", True), ("press-3_b", True), ("3", True), ("Press", False),
                                            ("a b", False), ("", False), ("-a", False), ("a" * 64, False)])  # fmt: skip
def test_a_source_is_named_in_lower_case(name, fits):
    assert (rules.source_name(name) is None) is fits


def test_files_and_directories_are_looked_at(tmp_path):
    file = tmp_path / "key"
    file.touch()
    assert rules.readable_file(None) is None
    assert rules.readable_file(str(file)) is None
    assert rules.readable_file(str(tmp_path)) == "a file that can be read"
    assert rules.readable_file(str(tmp_path / "absent")) == "a file that can be read"
    assert rules.writable_directory("") is None
    assert rules.writable_directory(str(tmp_path)) is None
    assert rules.writable_directory(str(file)) == "a directory that exists and can be written to (create it: mkdir -p)"


def test_file_systems_are_absolute_paths():
    assert rules.directories(("/", "/var")) is None
    assert "absolute" in (rules.directories(("var",)) or "")
    assert "absolute" in (rules.directories(()) or "")


def test_a_target_is_a_positive_number_or_nothing():
    assert rules.positive(None) is None
    assert rules.positive(1) is None
    assert rules.positive(0) == "a whole number, at least 1"


def test_roles_are_words_for_words():
    assert rules.roles({}) is None
    assert rules.roles({"exec": "execution"}) is None
    assert "exec" in (rules.roles({"exec": " "}) or "")
    assert "exec" in (rules.roles({"": "execution"}) or "")


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    file = tmp_path / "key"
    file.touch()
    monkeypatch.setattr("config.rules.os.access", lambda _path, _mode: False)
    assert Path(file).is_file()
    assert rules.readable_file(str(file)) == "a file that can be read"


def test_the_roles_of_data_items_are_those_that_the_plant_rules_know() -> None:
    assert set(rules.ROLES) == {role.value for role in Role}


def test_a_role_that_nobody_knows_is_refused_with_those_that_there_are() -> None:
    assert rules.roles({"exec": "execution"}) is None
    assert "emergency_stop" in (rules.roles({"exec": "executing"}) or "")
