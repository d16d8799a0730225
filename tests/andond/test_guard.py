"""Who is let through to a handler, and what the others are told."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from andond.guard import Guard, codes_of
from andond.identities import Identities, Terms
from domain.access import NO_RIGHTS, AccessPolicy, Anonymous, Identity, Proof, TokenFault, TokenRefused
from telemetry import events
from transport import ClientAddress, ProtocolError, Request, Response, Routes, json_response

LEE = Identity("u1", "lee", frozenset({"viewer"}), Proof.TOKEN)
SECRET = "eyJhbGciOiJub25lIn0.secret-part."  # noqa: S105 - that it is shown nowhere is the point


class Verifier:
    """Knows lee by one token; refuses others for what they say."""

    def verify(self, token, at):
        assert at == 17.0
        if token == "good":  # noqa: S105 - a word of this test
            return LEE
        if token == SECRET:
            raise TokenRefused(TokenFault.ALGORITHM)
        raise TokenRefused(TokenFault(token), retry_after=1.0 if token == TokenFault.UNKNOWN_KEY else None)


def routes_of(*, is_open=False, anonymous=()):
    policy = AccessPolicy(anonymous=Anonymous(anonymous) if anonymous else None)
    terms = Terms(policy, is_open=is_open, verifier=Verifier())
    routes = Routes(Guard(Identities(lambda: terms, lambda: 17.0)))

    async def answer(request, **_):
        return json_response({"name": request.rights.identity.name, "sees": request.rights.sees("andon/a")})

    for method, pattern in (("GET", "/livez"), ("GET", "/statusz"), ("GET", "/api/v1/andon/calls"), ("GET", "/new")):
        routes.add(method, pattern, answer)
    return routes


def request(path, shown="", method="GET", **query):
    headers = {"authorization": f"Bearer {shown}"} if shown else {}
    return Request(method, path, query, headers, b"", ClientAddress("127.0.0.1"), secure=False, target=path)


async def said(routes, *args, **options):
    answer = await routes(request(*args, **options))
    assert isinstance(answer, Response)
    return answer.status, json.loads(answer.body), answer.headers


async def test_a_handler_is_told_who_asks():
    status, body, _ = await said(routes_of(), "/api/v1/andon/calls", "good")
    assert (status, body) == (200, {"name": "lee", "sees": True})


async def test_who_shows_no_token_is_told_to_and_how():
    status, body, headers = await said(routes_of(), "/api/v1/andon/calls")
    assert (status, body["code"], body["error"]) == (401, 101, "UNAUTHORIZED")
    assert headers["www-authenticate"] == 'Bearer realm="andond"'


@pytest.mark.parametrize("fault", sorted(set(TokenFault) - {TokenFault.UNKNOWN_KEY, TokenFault.NO_ROLE}))
async def test_a_token_that_does_not_count_is_refused_with_its_reason(fault):
    status, body, headers = await said(routes_of(anonymous=("andon/*",)), "/api/v1/andon/calls", fault.value)
    assert (status, body["code"]) == (401, 101)
    assert 'error="invalid_token", error_description="' in headers["www-authenticate"]
    assert headers["www-authenticate"].count('"') == 6
    assert body["detail"] == TokenRefused(fault).message


async def test_the_log_says_from_where_and_at_which_path_a_token_was_refused(monkeypatch):
    lines = []
    monkeypatch.setattr(events, "token_refused", lambda **said: lines.append(said))
    await said(routes_of(), "/api/v1/andon/calls", "malformed")
    assert lines == [{"reason": "malformed", "client": "127.0.0.1", "door": "/api/v1/andon/calls"}]


async def test_a_token_without_a_role_is_known_and_not_enough():
    status, body, headers = await said(routes_of(), "/api/v1/andon/calls", TokenFault.NO_ROLE.value)
    assert (status, body["code"]) == (403, 103)
    assert 'error="insufficient_scope"' in headers["www-authenticate"]


async def test_a_token_whose_key_is_being_fetched_may_come_again():
    status, body, headers = await said(routes_of(), "/api/v1/andon/calls", TokenFault.UNKNOWN_KEY.value)
    assert (status, headers["retry-after"], body["temporary"]) == (503, "1", True)


async def test_who_is_known_and_may_not_is_told_that_a_token_does_not_help():
    status, body, headers = await said(routes_of(), "/statusz", "good")
    assert (status, body["code"], body["error"]) == (403, 103, "FORBIDDEN")
    assert "viewer" in body["detail"]
    assert "www-authenticate" not in headers


async def test_what_is_public_is_answered_whatever_is_shown_and_says_nothing_of_who():
    for token in ("", "good", "expired", SECRET):
        status, body, _ = await said(routes_of(), "/livez", token)
        assert (status, body) == (200, {"name": NO_RIGHTS.identity.name, "sees": False})


async def test_a_path_that_nobody_has_said_the_need_of_is_answered_to_nobody():
    for routes in (routes_of(is_open=True), routes_of()):
        assert (await said(routes, "/new", "good"))[0] == 403


async def test_where_the_gateway_is_open_nobody_is_asked():
    assert (await said(routes_of(is_open=True), "/statusz"))[0] == 200
    assert (await said(routes_of(is_open=True), "/statusz", SECRET))[0] == 200


async def test_clients_without_a_token_see_what_the_configuration_shows_them():
    routes = routes_of(anonymous=("andon/*",))
    assert (await said(routes, "/api/v1/andon/calls"))[1]["sees"]
    assert (await said(routes, "/statusz"))[0] == 403


async def test_head_is_guarded_as_get_is_and_options_tells_of_methods_alone():
    routes = routes_of()
    assert (await routes(request("/statusz", method="HEAD"))).status == 401
    assert (await routes(request("/statusz", method="OPTIONS"))).status == 204
    with pytest.raises(ProtocolError):
        await routes(request("/nowhere"))


async def test_a_token_in_the_address_is_no_token_here():
    assert (await said(routes_of(), "/api/v1/andon/calls", token=["good"]))[0] == 401


async def test_no_token_stands_in_an_answer():
    answer = await routes_of()(replace(request("/statusz", SECRET), query={"x": ["y"]}))
    assert SECRET not in str(answer)
    assert "secret-part" not in str(answer)


@pytest.mark.parametrize("fault", TokenFault)
def test_a_fault_has_its_codes_in_the_native_protocol(fault):
    assert codes_of(fault) == {
        TokenFault.EXPIRED: (109, 4001),
        TokenFault.REVOKED: (101, 4004),
    }.get(fault, (101, 4001))


async def test_an_open_gateway_is_open_to_this_machine_alone_whatever_name_a_stranger_gives_it():
    routes = routes_of(is_open=True)
    for headers in ({"host": "evil.example:9003"}, {"host": "127.0.0.1", "x-forwarded-for": "203.0.113.9"}):
        with pytest.raises(ProtocolError) as refused:
            await routes(replace(request("/statusz"), headers=headers))
        assert (refused.value.status, "localhost" in refused.value.detail) == (403, True)
    assert (await routes(replace(request("/statusz"), headers={"host": "localhost:9003"}))).status == 200
    assert (await routes(replace(request("/livez"), headers={"host": "evil.example"}))).status == 200
