from __future__ import annotations

import json

import pytest

from andond.api.asyncapi import asyncapi, register
from andond.version import VERSION
from transport import ClientAddress, Request, Routes


def request(host: str | None, *, secure: bool = False) -> Request:
    headers = {} if host is None else {"host": host}
    address = ClientAddress("127.0.0.1")
    return Request("GET", "/asyncapi.json", {}, headers, b"", address, secure=secure, target="/asyncapi.json")


async def test_the_document_is_served_as_json_with_the_version_of_this_gateway():
    routes = Routes()
    register(routes)
    assert [(route.method, route.pattern) for route in routes] == [("GET", "/asyncapi.json")]
    answer = await asyncapi(request("gateway.example"))
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert json.loads(answer.body)["info"]["version"] == VERSION


@pytest.mark.parametrize("host", ["gateway.example", "10.0.0.7:9003", "[::1]:9003", "localhost"])
async def test_the_gateway_is_where_the_client_found_it(host):
    for secure, protocol in ((False, "ws"), (True, "wss")):
        document = json.loads((await asyncapi(request(host, secure=secure))).body)
        assert document["servers"] == {"gateway": {"host": host, "protocol": protocol}}


@pytest.mark.parametrize("host", [None, "", "a b", 'x"', "gateway.example/path", "user@host", "host:port", "<script>"])
async def test_a_host_that_is_none_is_not_repeated(host):
    document = json.loads((await asyncapi(request(host))).body)
    assert document["servers"]["gateway"]["host"] == "localhost"
