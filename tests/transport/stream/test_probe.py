"""A probe costs a client that returns credit by itself no more than the frame, which is all that it sees of it."""

from __future__ import annotations

import pytest

from domain import Priority
from transport.frames import text_frame

CRITICAL, HIGH, NORMAL, LOW = Priority
LIMIT = 4096
ROUTINE = [HIGH, NORMAL, LOW]


def text(name: str, priority: Priority):
    """A text message of 250 bytes on the wire."""
    return text_frame(name.encode().ljust(246, b"."), priority)


@pytest.mark.parametrize("priority", ROUTINE)
async def test_probes_use_up_no_credit_that_their_client_cannot_know_of(wired, priority):
    async with wired(credit=LIMIT) as wire:
        for _ in range(1000):
            wire.stream.probe(text("canary", priority), lambda _seconds: None)
            assert "canary" in wire.news(), "the credit has run out"
            # Of the Ping behind it no script of a browser can tell.
            wire.stream.grant(250)


@pytest.mark.parametrize("priority", ROUTINE)
async def test_probes_that_wait_give_no_credit_that_was_not_there(wired, priority):
    async with wired(credit=LIMIT) as wire:
        for number in range(100):
            wire.stream.probe(text("canary", priority), lambda _seconds: None)
            wire.stream.offer(text(f"n{number}", priority))
        texts = [name for name in wire.news() if isinstance(name, str)]
        assert LIMIT <= len(texts) * 250 < LIMIT + 250
