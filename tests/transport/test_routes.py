from __future__ import annotations

import pytest

from transport import ClientAddress, ProtocolError, Request, Response, Routes, UsageError
from transport.messages import parse_target


def ask(method, target):
    parsed = parse_target(target)
    return Request(method, parsed.path, parsed.query, {}, b"", ClientAddress("127.0.0.1"), False, parsed.raw)


@pytest.fixture
def routes():
    table = Routes()

    def handler(name):
        async def answer(_request: Request, **parameters: str) -> Response:
            return Response(200, parameters, name.encode())

        return answer

    for method, pattern in [
        ("GET", "/"),
        ("GET", "/livez"),
        ("GET", "/channels/{name}"),
        ("GET", "/channels/all"),
        ("POST", "/channels/{name}"),
        ("GET", "/channels/{name}/history/{offset}"),
        ("POST", "/events"),
        ("GET", "/files/{path...}"),
    ]:
        table.add(method, pattern, handler(f"{method} {pattern}"))
    return table


@pytest.mark.parametrize(
    ("target", "body", "parameters"),
    [
        ("/", "GET /", {}),
        ("/livez", "GET /livez", {}),
        ("/livez?x=1", "GET /livez", {}),
        ("/channels/a", "GET /channels/{name}", {"name": "a"}),
        ("/channels/all", "GET /channels/all", {}),
        ("/channels/a%2Fb", "GET /channels/{name}", {"name": "a/b"}),
        ("/channels/caf%C3%A9", "GET /channels/{name}", {"name": "café"}),
        ("/channels/all/history/7", "GET /channels/{name}/history/{offset}", {"name": "all", "offset": "7"}),
        ("/files/a/b%20c", "GET /files/{path...}", {"path": "a/b c"}),
    ],
)
async def test_a_path_finds_its_handler(routes, target, body, parameters):
    answer = await routes(ask("GET", target))
    assert (answer.body.decode(), dict(answer.headers)) == (body, parameters)


@pytest.mark.parametrize("target", ["/nothing", "/livez/", "//livez", "/channels/", "/channels", "/files/", "/files"])
async def test_an_unknown_path_is_404(routes, target):
    with pytest.raises(ProtocolError) as caught:
        await routes(ask("GET", target))
    assert caught.value.status == 404


async def test_a_known_path_with_another_method_is_405_and_says_which_it_knows(routes):
    with pytest.raises(ProtocolError) as caught:
        await routes(ask("DELETE", "/channels/a"))
    assert caught.value.status == 405
    assert caught.value.headers == {"allow": "GET, HEAD, OPTIONS, POST"}


async def test_head_is_answered_by_the_handler_of_get(routes):
    assert (await routes(ask("HEAD", "/livez"))).status == 200


async def test_head_on_a_path_without_get_is_405(routes):
    with pytest.raises(ProtocolError) as caught:
        await routes(ask("HEAD", "/events"))
    assert caught.value.headers == {"allow": "OPTIONS, POST"}


async def test_options_lists_the_methods(routes):
    answer = await routes(ask("OPTIONS", "/events"))
    assert (answer.status, answer.headers) == (204, {"allow": "OPTIONS, POST"})


async def test_a_handler_for_options_is_preferred(routes):
    async def own(_request: Request) -> Response:
        return Response(200)

    routes.add("OPTIONS", "/livez", own)
    assert (await routes(ask("OPTIONS", "/livez"))).status == 200


def test_routes_are_listed_with_their_parameters(routes):
    assert len(routes) == 8
    listed = {(route.method, route.pattern): route.parameters for route in routes}
    assert listed["GET", "/channels/{name}/history/{offset}"] == ("name", "offset")
    assert listed["GET", "/files/{path...}"] == ("path",)


@pytest.mark.parametrize(
    "pattern", ["livez", "/{a}/{a}", "/x{a}", "/{A}", "/{a", "/{a...}/b", "/livez", "/channels/{other}"]
)
def test_a_pattern_that_cannot_work_is_refused(routes, pattern):
    async def handler(_request: Request, **_parameters: str) -> Response:
        return Response(200)

    with pytest.raises(UsageError):
        routes.add("GET", pattern, handler)
    assert len(routes) == 8


async def test_a_refused_pattern_leaves_no_trace(routes):
    async def handler(_request: Request, **_parameters: str) -> Response:
        return Response(200)

    with pytest.raises(UsageError):
        routes.add("GET", "/new/{a}/{a}", handler)
    with pytest.raises(ProtocolError) as caught:
        await routes(ask("GET", "/new/1/2"))
    assert caught.value.status == 404
