"""People of a box without a provider sign in on the page; whose cookie counts, and how long."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from andond.api.sign_in_words import Refusal, Refusals
from domain.access import SignInFault, User, Why
from storage import Users, hashed_password
from tests.providers.gateway import PASSWORD, Gateway, Person, standing, until

ANNA = User("u1", "anna", ("operator",), email="anna@example.com", places=("acme/plant1/line3",))
HASHED = hashed_password(PASSWORD)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Gateway]:
    keep(tmp_path, lambda users: users.add(ANNA, HASHED))
    with standing(tmp_path) as gateway:
        gateway.directory = tmp_path
        gateway.start()
        yield gateway


def keep(directory: Path, change) -> None:
    users = Users.open(directory)
    change(users)
    users.close()


def sign_in(person: Person, name: str = "anna", password: str = PASSWORD, **headers: str):
    word = "email" if "@" in name else "username"
    return person.post("/auth/session", {word: name, "password": password}, **headers)


def test_a_user_signs_in_by_name_or_address_and_no_token_is_in_the_answer(box):
    for name in ("anna", "ANNA", "anna@example.com"):
        anna = Person(box)
        said = sign_in(anna, name)
        assert said.status == 200
        assert said.body["user"]["name"] == "anna"
        assert said.body["user"]["places"] == ["acme/plant1/line3"]
        assert "eyJ" not in json.dumps([said.body, dict(said.headers)])
        words = said.headers["set-cookie"].split("; ")
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(words)
        assert words[0].startswith(f"andond-{box.port}=")
        assert anna.get("/api/v1/andon/calls").status == 200
        assert anna.user == "anna"


def test_before_anybody_has_signed_in_it_is_told_how_one_can(box):
    said = Person(box).session()
    assert (said["standing"], said["reads"], said["user"], said["password"]) == ("guarded", False, None, True)
    assert said["providers"] == []


def test_the_page_is_told_what_somebody_sees_and_where_they_may_do_what(box):
    anna = Person(box)
    before = anna.session()
    assert (before["sees"], before["acts"]) == ([], {})
    said = sign_in(anna).body
    assert {"andon", "alarms", "equipment", "readings"} <= set(said["sees"])
    assert not {"host", "chain", "portal"} & set(said["sees"])
    assert said["acts"]["andon.raise"] == ["*"]
    assert said["acts"]["andon.acknowledge"] == ["acme/plant1/line3"]
    assert not {"status.read", "user.manage"} & set(said["acts"])


@pytest.mark.parametrize(("name", "password"), [("anna", "wrong, and long enough"), ("nobody", PASSWORD)])
def test_a_wrong_password_and_an_unknown_name_are_the_same(box, name, password):
    anna = Person(box)
    said = sign_in(anna, name, password)
    assert said.status == 401
    assert "set-cookie" not in said.headers
    assert password not in json.dumps(said.body)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"content_type": "text/plain"}, 415),
        ({"content_type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_no_other_page_can_sign_anybody_in(box, headers, status):
    anna = Person(box)
    said = sign_in(anna, **headers)
    assert (said.status, "set-cookie" in said.headers) == (status, False)


def test_who_names_no_origin_is_no_page(box):
    anna = Person(box)
    body = json.dumps({"username": "anna", "password": PASSWORD})
    assert anna.ask("POST", "/auth/session", body, content_type="application/json").status == 403


def test_each_sign_in_has_a_cookie_of_its_own_and_one_made_up_is_none(box):
    anna, again = Person(box), Person(box)
    again.cookies[f"127.0.0.1:{box.port}"] = {f"andond-{box.port}": "x" * 43}
    sign_in(anna)
    sign_in(again)
    assert len({anna.secret, again.secret, "x" * 43}) == 3
    made_up = Person(box)
    made_up.cookies[f"127.0.0.1:{box.port}"] = {f"andond-{box.port}": "y" * 43}
    assert made_up.get("/api/v1/andon/calls").status == 401


def test_signing_out_ends_the_login_itself(box):
    anna = Person(box)
    sign_in(anna)
    with anna.stream() as stream:
        stream.send(json.dumps({"id": 1, "connect": {"client": "test"}}))
        assert "connect" in json.loads(stream.recv(timeout=20))
        said = anna.post("/auth/logout")
        assert (said.status, said.body) == (200, {"leave": None})
        until(lambda: closed(stream))
        assert stream.close_code == 4004
    assert anna.user is None


def closed(stream) -> bool:
    try:
        stream.recv(timeout=1)
    except TimeoutError:
        return False
    except Exception:  # noqa: BLE001 - whatever it is closed with is looked at by who asks
        return True
    return False


def test_a_sign_in_is_renewed_in_the_background_before_its_token_ends(box):
    anna = Person(box)
    sign_in(anna)
    before = good_until(box)
    box.ahead += 1500
    until(lambda: good_until(box) > before + 1000)
    assert anna.get("/api/v1/andon/calls").status == 200


def good_until(box: Gateway) -> float:
    """Until when what the one session leans on is good."""
    (session,) = tuple(box.sessions)
    return session.good_until


def test_other_rights_come_by_themselves_and_a_locked_user_is_out(box):
    anna = Person(box)
    sign_in(anna)
    other = replace(ANNA, roles=("viewer",), changed_at=box.now())
    keep(box.directory, lambda users: users.change(other, Why.CHANGED))
    until(lambda: (anna.session()["user"] or {}).get("roles") == ["viewer"])
    keep(box.directory, lambda users: users.change(replace(other, is_active=False, changed_at=box.now()), Why.LOCKED))
    until(lambda: anna.user is None)
    assert anna.secret == ""


def test_nobody_stays_signed_in_for_longer_than_is_allowed(box):
    anna = Person(box)
    sign_in(anna)
    box.ahead += 12 * 3600 + 1
    assert anna.get("/api/v1/andon/calls").status == 401
    assert anna.user is None


def test_nothing_that_opens_anything_is_in_the_log_or_the_status(box, capfd):
    anna = Person(box)
    sign_in(anna)
    secret = anna.secret
    anna.post("/auth/logout")
    written = "".join(capfd.readouterr())
    assert secret not in written
    assert PASSWORD not in written


@pytest.mark.parametrize("path", ["/auth/login", "/auth/login?provider=id", "/auth/login?provider=<b>"])
def test_who_asks_for_a_provider_that_is_not_there_is_told_so_and_led_back(box, path):
    said = Person(box).get(path)
    assert (said.status, said.location) == (404, "")
    assert said.headers["content-type"].startswith("text/html")
    assert "there is no such provider" in said.body
    assert f'<a class="way" href="{box.url}">' in said.body
    assert "<b>" not in said.body


def test_what_came_from_no_provider_is_told_at_an_address_without_it(box):
    person = Person(box)
    said = person.get("/auth/callback?code=x&state=y")
    assert (said.status, said.location) == (303, f"{box.url}auth/refused")
    told = person.get(said.location)
    assert told.status == 400
    assert "not begun in this browser" in told.body


def test_only_so_many_reasons_wait_to_be_read():
    refusals = Refusals(limit=2)
    for browser in ("a", "b", "a", "c"):
        refusals.keep(browser, Refusal(SignInFault.LATE, browser), 0.0)
    assert [getattr(refusals.find(each, 1.0), "message", None) for each in "abc"] == ["a", None, "c"]
    assert refusals.find("a", 600.0) is None
