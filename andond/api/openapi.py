"""``GET /openapi.json``: every path of the gateway, described for programs (OpenAPI 3.1).

Rules of this file: the document is made from the table of routes and from the types of bodies and answers; what has no
type of its own is described by its path and the first line of its handler. What may be answered before a handler is
asked is said of each path: to who cannot be understood, and to who may not ask. Only the gateway's address is added, as
the client wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from inspect import getdoc

import msgspec

from andond.api.describe import Operation, Parameter
from andond.api.needs import need_of
from andond.api.problem_types import Problem
from andond.api.written import Written
from andond.version import VERSION
from domain import JsonObject, JsonValue
from transport import Request, Response, Route, Routes

OPENAPI = "3.1.0"
PATH = "/openapi.json"

_PROBLEM = "application/problem+json"
_REST = re.compile(r"\{([a-z][a-z0-9_]*)\.\.\.\}")
_REFERENCE = "#/components/schemas/{name}"
_READABLE = r"^[^\u0000-\u001f\u007f]+$"
_READABLE_OR_EMPTY = r"^[^\u0000-\u001f\u007f]*$"
_MISUNDERSTOOD = (400,)
_TOO_LARGE = (413,)
_ELSEWHERE = (303, 304)
_NOT_LET_IN = (401, 403, 429, 503)
_PROOFS: JsonObject = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token of this gateway's own users or of an issuer that it trusts.",
    },
    "certificate": {"type": "mutualTLS", "description": "A certificate that the gateway's settings name."},
}
# An open gateway asks for none of them, and one with `access.anonymous` not always.
_ASKED: list[JsonValue] = [*({name: []} for name in _PROOFS), {}]
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
        "components": {"schemas": schemas.components, "securitySchemes": _PROOFS},
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
    unknown = (404,) if route.parameters else ()
    return Operation(name, first or f"{route.method} {route.pattern}", tag, refuses=unknown)


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
        "responses": _responses(route, operation, schemas),
    }
    if not _is_public(route):
        said["security"] = _ASKED
    if operation.takes:
        said["requestBody"] = {"content": {media: {"schema": schemas.of(body)} for media, body in operation.takes}}
    return said


def _in_path(name: str, pattern: str) -> JsonObject:
    schema: JsonObject = {"type": "string", "pattern": _READABLE}
    said: dict[str, JsonValue] = {"name": name, "in": "path", "required": True, "schema": schema}
    if f"{{{name}...}}" in pattern:
        said["description"] = "May have slashes in it."
    return said


def _in_query(parameter: Parameter) -> JsonObject:
    is_text = parameter.schema.get("type") == "string" and "enum" not in parameter.schema
    return {
        "name": parameter.name,
        "in": "query",
        "description": parameter.meaning,
        "allowEmptyValue": True,
        "schema": {**parameter.schema, "pattern": _READABLE_OR_EMPTY} if is_text else parameter.schema,
    }


def _responses(route: Route, operation: Operation, schemas: _Schemas) -> JsonObject:
    told: dict[int, dict[str, JsonValue]] = {status: {} for status in (operation.status, *operation.states)}
    if operation.answer is not None and operation.status not in operation.refuses:
        for status, content in told.items():
            if status not in _ELSEWHERE:
                content[operation.media] = {"schema": schemas.of(operation.answer)}
    for status in _noes(route, operation):
        told.setdefault(status, {})[_PROBLEM] = {"schema": schemas.of(Problem)}
    return {str(status): _response(status, told[status]) for status in sorted(told)}


def _response(status: int, content: JsonObject) -> JsonValue:
    said: dict[str, JsonValue] = {"description": HTTPStatus(status).phrase}
    return {**said, "content": content} if content else said


def _noes(route: Route, operation: Operation) -> set[int]:
    """The statuses of the problems that ``route`` may answer with, those among them that no handler hears of."""
    guarded = () if _is_public(route) else _NOT_LET_IN
    return {*_MISUNDERSTOOD, *guarded, *operation.refuses, *(_TOO_LARGE if operation.takes else ())}


def _is_public(route: Route) -> bool:
    need = need_of(route.method, route.pattern)
    return need is not None and need.is_public


def register(routes: Routes) -> None:
    """Add the document of all that is in ``routes``, whenever it was added."""
    written = Written(
        lambda host, is_secure: document(routes, f"{'https' if is_secure else 'http'}://{host}"), lambda: len(routes)
    )

    async def openapi(request: Request) -> Response:
        """Every path of this gateway, as an OpenAPI document."""
        return written.answer(request)

    routes.add("GET", PATH, openapi)
