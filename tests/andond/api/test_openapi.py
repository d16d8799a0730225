"""The OpenAPI document: it is made from the table of routes, and has all of it."""

from __future__ import annotations

import json
import re

import pytest
import trio

from actors import Front
from actors.runtime import ActorDead, ActorSystem
from andond.api import asyncapi, build_routes, openapi
from andond.api.describe import Operation
from andond.api.health import Condition, Health
from andond.api.openapi import document, register
from andond.api.written import Written
from andond.version import VERSION
from transport import ClientAddress, Request, Routes, json_response


def no_tree():
    raise ActorDead("no tree yet")


@pytest.fixture(scope="module")
def routes() -> Routes:
    async def made() -> Routes:
        async with ActorSystem.open() as system:
            return build_routes(system.environment, Health(no_tree, Front(), Condition(0.0, dict)))

    return trio.run(made)


@pytest.fixture(scope="module")
def described(routes):
    return document(routes, "http://gateway.example")


def operations(described):
    return [
        (path, method, operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_route_is_in_the_document_and_nothing_else(routes, described):
    table = {(re.sub(r"\{(\w+)\.\.\.\}", r"{\1}", route.pattern), route.method.lower()) for route in routes}
    assert {(path, method) for path, method, _ in operations(described)} == table
    assert len(table) == len(routes)
    assert ("/api/v1/andon/calls/{id}/acknowledge", "post") in table


def test_every_path_of_the_floor_says_what_it_is(routes):
    silent = [
        f"{route.method} {route.pattern}"
        for route in routes
        if route.pattern.startswith("/api/v1/")
        and not isinstance(route.about, Operation)
        and not route.pattern.startswith("/api/v1/ws")
    ]
    assert silent == []


def test_an_operation_has_one_name_a_summary_a_tag_and_its_parameters(described):
    names = [operation["operationId"] for _, _, operation in operations(described)]
    assert len(set(names)) == len(names)
    tags = {tag["name"] for tag in described["tags"]}
    for path, _, operation in operations(described):
        assert operation["summary"]
        assert set(operation["tags"]) <= tags
        in_path = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", path))
        assert all(each["schema"] for each in operation["parameters"])


def test_an_act_takes_a_key_and_says_each_of_its_noes(described):
    operation = described["paths"]["/api/v1/andon/calls/{id}/acknowledge"]["post"]
    assert {"name": "Idempotency-Key", "in": "header"}.items() <= operation["parameters"][-1].items()
    assert set(operation["responses"]) == {
        *("200", "400", "401", "403", "404", "409", "413", "422", "429", "501", "503")
    }
    no = operation["responses"]["409"]["content"]["application/problem+json"]
    assert no == {"schema": {"$ref": "#/components/schemas/Problem"}}
    assert described["paths"]["/api/v1/andon/calls"]["post"]["responses"]["201"]["description"] == "Created"


def test_a_path_says_what_is_answered_before_a_handler_is_asked(described):
    paths = described["paths"]
    assert set(paths["/api/v1/andon/board"]["get"]["responses"]) == {"200", "400", "401", "403", "429", "503"}
    assert {"401", "403", "404"} <= set(paths["/ws/connections/{connection_id}"]["get"]["responses"])
    # Everybody may ask, and an answer of 503 is the state that was asked for.
    assert set(paths["/livez"]["get"]["responses"]) == {"200", "400", "503"}
    assert "content" not in paths["/readyz"]["get"]["responses"]["503"]


def test_a_path_says_by_what_its_client_may_have_to_show_who_it_is(described):
    schemes = described["components"]["securitySchemes"]
    assert {name: scheme["type"] for name, scheme in schemes.items()} == {"token": "http", "certificate": "mutualTLS"}
    assert {"token": []} in described["paths"]["/statusz"]["get"]["security"]
    assert "security" not in described["paths"]["/livez"]["get"]
    operations = [each for path in described["paths"].values() for each in path.values()]
    assert all("401" in each["responses"] for each in operations if "security" in each)


def test_the_door_of_events_says_what_it_takes_and_that_it_answers_202(described):
    post = described["paths"]["/api/v1/events"]["post"]
    content = post["requestBody"]["content"]
    assert set(content) == {"application/cloudevents+json", "application/cloudevents-batch+json", "application/json"}
    assert content["application/cloudevents+json"]["schema"] == {"$ref": "#/components/schemas/CloudEvent"}
    assert set(described["components"]["schemas"]["CloudEvent"]["required"]) == {"specversion", "id", "source", "type"}
    assert {"202", "422", "503"} <= set(post["responses"])
    assert "200" not in post["responses"]


def test_every_reference_leads_to_a_schema(described):
    text = json.dumps(described)
    names = set(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', text))
    assert names == set(described["components"]["schemas"])
    assert {"Call", "Alarm", "Job", "Figures", "Downtime", "Problem"} <= names


def test_schemas_have_the_names_that_are_on_the_wire(described):
    schemas = described["components"]["schemas"]
    assert {"from", "to", "startedAt"} <= set(schemas["Changeover"]["properties"])
    assert "class" in schemas["Alarm"]["properties"]
    assert schemas["Figures"]["properties"]["oee"] == {"anyOf": [{"type": "number"}, {"type": "null"}]}


def test_the_document_says_its_version_and_where_the_gateway_is(described):
    assert described["openapi"] == "3.1.0"
    assert (described["info"]["version"], described["info"]["license"]["identifier"]) == (VERSION, "Apache-2.0")
    assert described["servers"] == [{"url": "http://gateway.example"}]


async def test_it_is_served_with_what_was_added_after_it_and_the_clients_own_address():
    async def later(_request: Request):
        """What was added later."""
        return json_response(None)

    routes = Routes()
    register(routes)
    routes.add("GET", "/later/{rest...}", later)
    address = ClientAddress("127.0.0.1")
    headers = {"host": "gateway.example:9003"}
    answer = await routes(
        Request("GET", "/openapi.json", {}, headers, b"", address, secure=True, target="/openapi.json")
    )
    served = json.loads(answer.body)
    assert served["servers"] == [{"url": "https://gateway.example:9003"}]
    operation = served["paths"]["/later/{rest}"]["get"]
    assert (operation["summary"], operation["tags"]) == ("What was added later", ["gateway"])
    assert operation["parameters"][0]["description"] == "May have slashes in it."


@pytest.mark.parametrize("path", ["/openapi.json", "/asyncapi.json"])
async def test_it_is_written_once_whoever_asks_and_by_whatever_name(path, monkeypatch):
    """Anybody may ask for it, and any number of times; the host is what they like it to be."""
    made = []
    monkeypatch.setattr(openapi, "document", lambda *told: made.append(told) or document(*told))
    monkeypatch.setattr(asyncapi, "_WRITTEN", Written(lambda host, _: made.append(host) or {"servers": host}))
    routes = Routes()
    register(routes)
    asyncapi.register(routes)
    address = ClientAddress("127.0.0.1")
    hosts = [f"gateway{number}.example" for number in range(50)]
    for host in hosts:
        answer = await routes(Request("GET", path, {}, {"host": host}, b"", address, secure=False, target=path))
        assert host.encode() in answer.body
    assert len(made) == 1


def test_a_real_gateway_serves_it(plant):
    answer = plant.request("GET", "/openapi.json")
    assert (answer.status, answer["openapi"]) == (200, "3.1.0")
    assert answer["servers"] == [{"url": f"http://127.0.0.1:{plant.port}"}]
