"""A plant that raises calls: ids that can be told, and a clock that is turned by hand."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest

from domain import Row
from domain.plant.calls import Calls, Said, Terms, Wish

START = 1_800_000_000.0


@dataclass
class Plant:
    """``calls`` and what was kept of them; each act comes ``delay`` seconds after it was done."""

    terms: Terms = field(default_factory=Terms)
    roles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    at: float = START
    rows: dict[tuple[str, str], Row] = field(default_factory=dict)
    told: list = field(default_factory=list)

    def __post_init__(self) -> None:
        numbers = itertools.count(1)
        self.calls = Calls(lambda: self.terms, lambda _: f"c{next(numbers)}", lambda by: self.roles.get(by, ()))

    def said(self, by: str = "kim", delay: float = 0.0, **more) -> Said:
        return Said(by, self.at - delay, self.at, **more)

    def carry_out(self, decision):
        if decision is None:
            return None
        self.told += decision.events
        for row in decision.rows:
            self.rows[row.kind, row.key] = row
            if row.value is None:
                del self.rows[row.kind, row.key]
        return decision.answer

    def call(self, by: str = "kim", word: str = "stop", path: str = "acme/line3/st4", delay: float = 0.0, **more):
        wish = Wish(path, word, more.pop("priority", "high"), **more)
        return self.carry_out(self.calls.raise_call(wish, self.said(by, delay)))

    def act(self, id_, trigger, by: str = "lee", delay: float = 0.0, detail=None, **more):
        return self.carry_out(self.calls.act(id_, trigger, self.said(by, delay, **more), detail))

    def wait(self, seconds: float) -> None:
        self.at += seconds

    def restarted(self) -> Calls:
        """The calls of a life that begins with what was kept."""
        calls = Calls(lambda: self.terms, lambda _: "x")
        assert calls.restore([(row.key, row.value) for row in self.rows.values()]) == []
        return calls


@pytest.fixture
def plant():
    return Plant()
