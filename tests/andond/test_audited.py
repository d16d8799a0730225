"""What the daemon and the command line write down of themselves: no secret, and nothing stops over it."""

from __future__ import annotations

import json
import os
import pwd
import types

import msgspec
import pytest

from andond import audited
from config import LogSettings, Secret, Settings, StorageSettings, load
from domain.audit import Entry, Outcome
from storage import read_audit

AT = 1_800_000_000.0


class Box(msgspec.Struct, frozen=True):
    name: str
    secret: Secret
    numbers: tuple[int, ...] = (1,)


def whats(directory):
    return [(entry["what"], entry["outcome"]) for entry in read_audit(directory)][1:]


def kept_in(directory):
    return Settings(storage=StorageSettings(path=str(directory)))


def test_a_life_has_a_beginning_and_an_end(tmp_path):
    with audited.lifetime(lambda: kept_in(tmp_path)):
        assert whats(tmp_path) == [("daemon.start", "done")]
    assert whats(tmp_path) == [("daemon.start", "done"), ("daemon.stop", "done")]
    started = list(read_audit(tmp_path))[1]["after"]
    assert set(started) == {"version", "settings", "anonymous", "required"}


def test_a_life_that_failed_says_so(tmp_path):
    with pytest.raises(RuntimeError), audited.lifetime(lambda: kept_in(tmp_path)):
        raise RuntimeError("planted")
    assert list(read_audit(tmp_path))[-1]["why"] == "it failed: RuntimeError"


def test_what_cannot_be_written_keeps_nobody_from_anything(tmp_path, capsys):
    missing = tmp_path / "missing" / "more"
    with audited.lifetime(lambda: kept_in(missing)):
        pass
    audited.from_console(missing, "user.add", "anna")
    assert "it is done, and not in the audit" in capsys.readouterr().err
    assert audited.append(None, Entry(AT, "x", Outcome.DONE)) == ""


def test_who_works_at_the_command_line_is_named_by_the_operating_system(tmp_path, monkeypatch):
    monkeypatch.setenv("SUDO_USER", "kim")
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    audited.from_console(tmp_path, "user.add", "anna", None, {"roles": ["operator"]})
    entry = list(read_audit(tmp_path))[-1]
    assert entry["who"]["proof"] == "console"
    # Anybody can set a variable: what one says is told as no more than that.
    assert entry["who"]["name"] == f"{pwd.getpwuid(os.getuid()).pw_name} (SUDO_USER claims kim)"
    assert entry["who"]["subject"] == f"uid {os.getuid()}"
    assert (entry["from"]["door"], entry["target"]["id"]) == ("command line", "anna")


def test_somebody_without_a_name_has_a_number(monkeypatch):
    def nobody(number):
        raise KeyError(f"no such user: {number}")

    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setenv("LOGNAME", "root")
    monkeypatch.setattr(audited.pwd, "getpwuid", nobody)
    assert audited.operator().name == str(os.getuid())


def test_what_changed_is_told_with_old_and_new():
    old, new = Settings(), Settings(log=LogSettings(level="debug"))
    assert audited.changes(old, new, ["log.level"]) == ({"log.level": "info"}, {"log.level": "debug"})


def test_of_a_source_what_differs_is_told(tmp_path):
    def loaded(cadence):
        file = tmp_path / "andond.toml"
        file.write_text(f'[sources.press]\nkind = "http"\ncadence = {cadence}\n')
        return load(file, {}, {}).settings

    before, after = audited.changes(loaded(5), loaded(9), ["sources.press"])
    assert (before, after) == ({"sources.press": {"cadence": 5.0}}, {"sources.press": {"cadence": 9.0}})
    before, after = audited.changes(Settings(), loaded(9), ["sources.press"])
    assert before == {"sources.press": None}
    assert after["sources.press"]["cadence"] == 9.0


def test_of_a_secret_only_that_it_is_another():
    old, new = Box("a", Secret("swordfish")), Box("a", Secret("marlin"))
    before, after = audited._parted(audited.plain(old), audited.plain(new))
    assert "swordfish" not in json.dumps([before, after])
    assert after == "(another secret)"
    assert audited._parted(audited.plain(Secret("x")), audited.plain(Secret("y")))[1] == "(another secret)"


def test_settings_are_json_whatever_is_in_them():
    assert audited.plain(Box("a", Secret("swordfish"))) == {"name": "a", "secret": "(hidden)", "numbers": [1]}
    assert json.dumps(audited.plain(Settings()))
    assert audited.plain(object).startswith("<class")
    assert audited.fingerprint(Settings()) != audited.fingerprint(Settings(log=LogSettings(level="debug")))


@pytest.mark.parametrize(("faults", "words"), [(["a"], "1 fault, see"), (["a", "b"], "2 faults, see")])
def test_faults_of_settings_are_counted_in_words(faults, words):
    told = []
    trail = types.SimpleNamespace(gateway=lambda *said: told.append(said))
    audited.refused(trail, "andond.toml", faults)
    assert words in told[0][1]
