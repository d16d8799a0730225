"""``GET /openapi.json``: every path of the gateway, described for programs (OpenAPI 3.1).

Rules of this file: the document is made from the table of routes and from the types of bodies and answers; what has no
type of its own is described by its path and the first line of its handler. Only the gateway's address is added, as the
client wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from inspect import getdoc

import msgspec

from andond.api.asyncapi import host_of
from andond.api.describe import Operation, Parameter
from andond.api.problem_types import Problem
from andond.version import VERSION
from domain import JsonObject, JsonValue
from transport import Request, Response, Route, Routes, json_response

OPENAPI = "3.1.0"
PATH = "/openapi.json"

_PROBLEM = "application/problem+json"
_REST = re.compile(r"\{([a-z][a-z0-9_]*)\.\.\.\}")
_REFERENCE = "#/components/schemas/{name}"
_KEY = (
    "Made by the client when the person acted; an act that comes again with it is done once. The member `key` of the "
    "body says the same."
)


def document(routes: Iterable[Route], server: str) -> dict[str, JsonValue]:
    """The document of a gateway that is reached at ``server`` and answers ``routes``."""
    rows = [(route, _operation(route)) for route in routes]
    schemas = _Schemas(each for _, operation in rows for each in _types(operation))
    paths: dict[str, dict[str, JsonValue]] = {}
    for route, operation in rows:
        path = _REST.sub(r"{\1}", route.pattern)
        paths.setdefault(path, {})[route.method.lower()] = _described(route, operation, schemas)
    tags: list[JsonValue] = [{"name": tag} for tag in dict.fromkeys(operation.tag for _, operation in rows)]
    return {
        "openapi": OPENAPI,
        "info": {"title": "andond", "version": VERSION, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": server}],
        "tags": tags,
        "paths": dict(paths),
        "components": {"schemas": schemas.components},
    }


class _Schemas:
    """The JSON Schemas of types, each told once."""

    def __init__(self, types: Iterable[object]) -> None:
        self._types: list[object] = [Problem]
        for each in types:
            if each is not None and each not in self._types:
                self._types.append(each)
        self._found, components = msgspec.json.schema_components(self._types, ref_template=_REFERENCE)
        self.components: dict[str, JsonValue] = dict(components)

    def of(self, type_: object) -> JsonValue:
        """The schema of ``type_``, by reference where it has a name."""
        return self._found[self._types.index(type_)]


def _types(operation: Operation) -> tuple[object, ...]:
    return (operation.answer, *(body for _, body in operation.takes))


def _operation(route: Route) -> Operation:
    """What is said of ``route``: what its owner says, or what its path and its handler tell."""
    if isinstance(route.about, Operation):
        return route.about
    words = re.findall(r"[A-Za-z0-9]+", route.pattern)
    name = "".join([route.method.lower(), *(word.capitalize() for word in words)])
    first = (getdoc(route.handler) or "").partition("\n")[0].rstrip(".")
    tag = "portal" if route.pattern.startswith("/api/v11/") else "gateway"
    return Operation(name, first or f"{route.method} {route.pattern}", tag)


def _described(route: Route, operation: Operation, schemas: _Schemas) -> JsonObject:
    parameters: list[JsonValue] = [_in_path(name, route.pattern) for name in route.parameters]
    parameters += [_in_query(each) for each in operation.query]
    if operation.is_act:
        parameters.append(
            {"name": "Idempotency-Key", "in": "header", "description": _KEY, "schema": {"type": "string"}}
        )
    said: dict[str, JsonValue] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": parameters,
        "responses": _responses(operation, schemas),
    }
    if operation.takes:
        said["requestBody"] = {"content": {media: {"schema": schemas.of(body)} for media, body in operation.takes}}
    return said


def _in_path(name: str, pattern: str) -> JsonObject:
    said: dict[str, JsonValue] = {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    if f"{{{name}...}}" in pattern:
        said["description"] = "May have slashes in it."
    return said


def _in_query(parameter: Parameter) -> JsonObject:
    return {
        "name": parameter.name,
        "in": "query",
        "description": parameter.meaning,
        "schema": parameter.schema,
    }


def _responses(operation: Operation, schemas: _Schemas) -> JsonObject:
    good: dict[str, JsonValue] = {"description": HTTPStatus(operation.status).phrase}
    if operation.answer is not None:
        good["content"] = {operation.media: {"schema": schemas.of(operation.answer)}}
    responses: dict[str, JsonValue] = {str(operation.status): good}
    for status in operation.refuses:
        responses[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {_PROBLEM: {"schema": schemas.of(Problem)}},
        }
    return responses


def register(routes: Routes) -> None:
    """Add the document of all that is in ``routes``, whenever it was added."""

    async def openapi(request: Request) -> Response:
        """Every path of this gateway, as an OpenAPI document."""
        scheme = "https" if request.secure else "http"
        return json_response(document(routes, f"{scheme}://{host_of(request)}"))

    routes.add("GET", PATH, openapi)
