"""Which handler answers which method and path.

Rules of this file:

* A pattern is segments: plain text, ``{name}`` for one segment, ``{name...}`` at the end for one or more.
* A path is split at its slashes before it is percent-decoded: an encoded slash belongs to the segment it is in.
* Plain text wins over a parameter at the same place; two patterns that could not be told apart are refused when added.
* Whoever may not ask is turned away before a handler hears of it: ``guard`` decides, knowing the route that was found.
* A path that is known with other methods is 405 with ``Allow``, an unknown one 404. HEAD is answered by the handler of
  GET, OPTIONS by the table itself.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Concatenate, ParamSpec, Protocol, TypeAlias, cast
from urllib.parse import unquote_to_bytes

import msgspec

from transport.codes import ProtocolError, UsageError
from transport.messages import Request, Response

P = ParamSpec("P")

_PARAMETER = re.compile(r"\{([a-z][a-z0-9_]*)(\.\.\.)?\}")


class Handler(Protocol):
    """Answers a request; the parameters of its pattern come by name, decoded."""

    def __call__(self, request: Request, /, **parameters: str) -> Awaitable[Response]:
        """Answer ``request``."""


class Route(msgspec.Struct, frozen=True):
    """One method and pattern; ``parameters`` are the names in it, in order, ``about`` what documents say of it."""

    method: str
    pattern: str
    parameters: tuple[str, ...]
    handler: Handler
    about: object = None


class _Node:
    """One place in the tree of segments."""

    __slots__ = ("plain", "rest", "routes", "segment")

    def __init__(self) -> None:
        self.plain: dict[str, _Node] = {}
        self.segment: _Node | None = None
        self.rest: _Node | None = None
        self.routes: dict[str, Route] = {}


RouteGuard: TypeAlias = Callable[[Route, Request], Request | Response]
"""Who asks: the request for the handler, with what its sender may do and see, or the answer that says no."""


def let_in_everybody(_route: Route, request: Request) -> Request:
    """As it came: nobody is known, and nobody turned away."""
    return request


class Routes:
    """Method and path to handler; calling it with a request answers that request."""

    def __init__(self, guard: RouteGuard = let_in_everybody) -> None:
        self._guard = guard
        self._root = _Node()
        self._routes: list[Route] = []

    def __iter__(self) -> Iterator[Route]:
        return iter(tuple(self._routes))

    def __len__(self) -> int:
        return len(self._routes)

    def add(
        self,
        method: str,
        pattern: str,
        handler: Callable[Concatenate[Request, P], Awaitable[Response]],
        about: object = None,
    ) -> None:
        """Let ``handler`` answer ``method`` on ``pattern``; its parameters are given by name.

        Raises:
            UsageError: if the pattern is malformed or the place is taken.
        """
        if not pattern.startswith("/"):
            raise UsageError(f"a pattern starts with a slash: {pattern!r}")
        node, names = self._root, []
        for segment in pattern[1:].split("/"):
            node, name = _descend(node, segment, pattern)
            if name:
                names.append(name)
        if len(set(names)) != len(names):
            raise UsageError(f"a name stands twice in {pattern!r}")
        if method in node.routes:
            raise UsageError(f"{method} {pattern} is taken by {node.routes[method].pattern}")
        route = Route(method, pattern, tuple(names), cast("Handler", handler), about)
        node.routes[method] = route
        self._routes.append(route)

    async def __call__(self, request: Request) -> Response:
        """Answer ``request``.

        Raises:
            ProtocolError: 404 or 405, in words for the client.
        """
        values: list[str] = []
        node = _find(self._root, request.target.split("/")[1:], values)
        if node is None:
            raise ProtocolError(404, f"there is nothing at {request.path}")
        route = node.routes.get(request.method)
        if route is None:
            return await self._answer_otherwise(node, request, values)
        return await self._handle(route, request, values)

    async def _handle(self, route: Route, request: Request, values: list[str]) -> Response:
        admitted = self._guard(route, request)
        if isinstance(admitted, Response):
            return admitted
        return await route.handler(admitted, **dict(zip(route.parameters, values, strict=True)))

    async def _answer_otherwise(self, node: _Node, request: Request, values: list[str]) -> Response:
        route = node.routes.get("GET") if request.method == "HEAD" else None
        if route is not None:
            return await self._handle(route, request, values)
        allow = ", ".join(_allowed(node))
        if request.method == "OPTIONS":
            return Response(204, {"allow": allow})
        raise ProtocolError(405, f"{request.path} answers to {allow}", headers={"allow": allow})


def _descend(node: _Node, segment: str, pattern: str) -> tuple[_Node, str]:
    """The place that ``segment`` of a pattern leads to, made if new, and the parameter's name if it is one."""
    match = _PARAMETER.fullmatch(segment)
    if match is None:
        if "{" in segment or "}" in segment:
            raise UsageError(f"{segment!r} is neither plain nor a parameter in {pattern!r}")
        return node.plain.setdefault(segment, _Node()), ""
    if match[2]:
        if not pattern.endswith(segment):
            raise UsageError(f"nothing can follow the rest of a path: {pattern!r}")
        node.rest = node.rest or _Node()
        return node.rest, match[1]
    node.segment = node.segment or _Node()
    return node.segment, match[1]


def _find(node: _Node, segments: list[str], values: list[str], position: int = 0) -> _Node | None:
    """The place of a path; ``values`` are its parameters, decoded. Looks for plain text first, then falls back."""
    if position == len(segments):
        return node if node.routes else None
    segment = _decode(segments[position])
    if (plain := node.plain.get(segment)) is not None and (found := _find(plain, segments, values, position + 1)):
        return found
    if node.segment is not None and segment:
        values.append(segment)
        if found := _find(node.segment, segments, values, position + 1):
            return found
        values.pop()
    if node.rest is not None and any(segments[position:]):
        values.append("/".join(_decode(rest) for rest in segments[position:]))
        return node.rest
    return None


def _decode(segment: str) -> str:
    # The request was refused before this if its path is not UTF-8.
    return unquote_to_bytes(segment).decode() if "%" in segment else segment


def _allowed(node: _Node) -> tuple[str, ...]:
    methods = {*node.routes, "OPTIONS"}
    if "GET" in methods:
        methods.add("HEAD")
    return tuple(sorted(methods))
