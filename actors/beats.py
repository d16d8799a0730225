"""Waking together with whoever else looks every so often."""

from __future__ import annotations

import trio

from domain import beat_after


async def beat(interval: float) -> None:
    """Sleep until the next whole multiple of ``interval`` seconds (``domain.beat_after``)."""
    await trio.sleep_until(beat_after(trio.current_time(), interval))
