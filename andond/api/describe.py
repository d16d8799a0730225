"""What is said of a path in the OpenAPI document: its summary, what it takes, what it answers.

Rules of this file: data only. A body and an answer are types that msgspec can describe, so that the schema in the
document and what is checked by tests are one thing.
"""

from __future__ import annotations

import msgspec

from domain import JsonObject

JSON = "application/json"


class Parameter(msgspec.Struct, frozen=True):
    """One parameter of the query; ``schema`` is its JSON Schema."""

    name: str
    meaning: str
    schema: JsonObject


class Operation(msgspec.Struct, frozen=True):
    """One method of one path. ``answer`` and ``body`` are types; ``refuses`` are the statuses of its problems.

    An act takes the header ``Idempotency-Key``. ``bodies`` are further media types, each with the type of its body.
    ``states`` are further statuses that come with the answer: how something is, and no problem.
    """

    name: str
    summary: str
    tag: str
    answer: object = None
    body: object = None
    status: int = 200
    query: tuple[Parameter, ...] = ()
    refuses: tuple[int, ...] = ()
    is_act: bool = False
    media: str = JSON
    bodies: tuple[tuple[str, object], ...] = ()
    states: tuple[int, ...] = ()

    @property
    def takes(self) -> tuple[tuple[str, object], ...]:
        """Every media type of a body, with the type of that."""
        return self.bodies if self.body is None else ((JSON, self.body), *self.bodies)
