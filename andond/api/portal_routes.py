"""How the portal's paths are added: each under both prefixes, described for the OpenAPI document.

Rules of this file: one generation of the portal's clients polls ``/api/v11``, the next ``/api/v12``; what one is given
the other is too.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from inspect import getdoc
from typing import Concatenate, ParamSpec

from msgspec.structs import replace

from andond.api.describe import Operation
from transport import Request, Response, Routes

PREFIXES = ("/api/v11", "/api/v12")
TAG = "portal"

P = ParamSpec("P")


class PortalRoutes:
    """The table of ``routes`` as the portal's resources see it."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes

    def add(
        self,
        method: str,
        path: str,
        handler: Callable[Concatenate[Request, P], Awaitable[Response]],
        about: Operation,
    ) -> None:
        """Let ``handler`` answer ``path`` below each prefix; the operation gets a name from method and path."""
        for prefix in PREFIXES:
            words = re.findall(r"[A-Za-z0-9]+", prefix + path)
            name = "".join([method.lower(), *(word.capitalize() for word in words)])
            self._routes.add(method, prefix + path, handler, replace(about, name=name))


def about(made_by: object, **more: object) -> Operation:
    """What is said of a path whose answer ``made_by`` makes: the first line of its docstring."""
    summary = (getdoc(made_by) or "").partition("\n")[0].rstrip(".")
    return replace(Operation("", summary, TAG, refuses=(503,)), **more)
