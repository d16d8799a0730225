from __future__ import annotations

import json
import threading
from argparse import Namespace
from importlib.metadata import EntryPoint

import pytest

from andond import hook_list, installed
from andond.installed import find_hooks, install, missing_hooks
from config import HookSource, HooksSettings, ServerSettings, Settings
from domain import Priority
from domain.hooks import EventType, Hook

HOOK = Hook(types=(EventType("press.opened", Priority.HIGH, ""),), sources={"gauge": int})
NO_HOOK = 7
WAITS = threading.Event()


def make_hook() -> Hook:
    return HOOK


def hang() -> Hook:
    WAITS.wait(10)
    return HOOK


def leave() -> Hook:
    raise SystemExit(3)


@pytest.fixture
def found(monkeypatch):
    """``found(name="HOOK")``: entry points by name, and what each is called in this module."""

    def give(**entries: str) -> None:
        points = [EntryPoint(name, f"{__name__}:{value}", "andond.hooks") for name, value in entries.items()]
        monkeypatch.setattr(installed, "entry_points", lambda group: points if group == "andond.hooks" else [])

    return give


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, __name__, __import__("types").SimpleNamespace(**globals()))


@pytest.mark.parametrize("value", ["HOOK", "make_hook"])
def test_an_entry_point_is_a_hook_or_makes_one(found, value):
    found(line4=value)
    (each,) = find_hooks()
    assert (each.name, each.hook, each.error) == ("line4", HOOK, None)


@pytest.mark.parametrize(
    ("value", "error"),
    [("NO_HOOK", "neither a Hook nor a function"), ("absent", "absent"), ("leave", "3")],
)
def test_what_cannot_be_loaded_is_found_with_its_error(found, value, error):
    found(line4=value, line5="HOOK")
    broken, well = find_hooks()
    assert broken.hook is None
    assert error in str(broken.error)
    assert well.hook is HOOK


def test_what_hangs_while_it_is_loaded_holds_nobody_up(found):
    found(line4="hang")
    (each,) = find_hooks(timeout=0.05)
    assert "within 0.05 s" in str(each.error)
    WAITS.set()


def test_nothing_is_loaded_where_hooks_are_not_wanted(found, monkeypatch):
    found(line4="leave")
    assert install(Settings(hooks=HooksSettings(enabled=False))).parts == []


def test_a_table_whose_hook_is_not_there_is_told(found):
    found(line4="HOOK")
    sources = {
        "one": HookSource(hook="line4/gauge", equipment="acme/press1"),
        "two": HookSource(hook="line5/gauge", equipment="acme/press1"),
    }
    settings = Settings(sources=sources)
    (words,) = missing_hooks(settings, install(settings))
    assert words == "sources.two.hook: no hook line5/gauge is installed; line4/gauge is"


def options(**more: object) -> Namespace:
    return Namespace(config=None, url="http://127.0.0.1:1", json=False, **more)


def test_hooks_are_listed_where_no_daemon_answers(found, capsys):
    found(line4="HOOK")
    assert hook_list.main(options()) == 0
    told = capsys.readouterr()
    assert "line4 type press.opened: ready" in told.out
    assert "no answer from http://127.0.0.1:1" in told.err


@pytest.mark.parametrize(
    ("server", "url"),
    [
        (ServerSettings(), "http://127.0.0.1:9003"),
        (ServerSettings(listen="10.0.0.7:8080"), "http://10.0.0.7:8080"),
        (ServerSettings(listen="0.0.0.0:9100", certificate="pem"), "https://127.0.0.1:9100"),
        (ServerSettings(listen="[::]:9100"), "http://[::1]:9100"),
    ],
)
def test_the_daemon_is_asked_where_its_settings_say(server, url, found, monkeypatch):
    asked = []

    def get(daemon, path):
        asked.append(f"{daemon.url}{path}")
        return {"version": "1", "hooks": []}

    monkeypatch.setattr(hook_list.Daemon, "get", get)
    monkeypatch.setattr(hook_list, "settings_of", lambda _: Settings(server=server))
    given = options()
    given.url = None
    assert (hook_list.main(given), asked) == (0, [f"{url}/statusz"])


def test_a_hook_that_does_not_load_is_listed_with_the_reason(found, capsys):
    found(line4="NO_HOOK")
    assert hook_list.main(options()) == 1
    assert "line4 hook line4: quarantined since" in (out := capsys.readouterr().out)
    assert "neither a Hook" in out


def test_the_running_daemon_is_asked_first(monkeypatch, capsys):
    part = {"hook": "line4", "kind": "rule", "name": "x", "state": "quarantined", "reason": "late", "since": "now"}
    monkeypatch.setattr(hook_list.Daemon, "get", lambda *_: {"version": "1.2", "hooks": [part]})
    given = options()
    given.json = True
    assert hook_list.main(given) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["asked"], document["parts"]) == ("andond 1.2 at http://127.0.0.1:1", [part])
