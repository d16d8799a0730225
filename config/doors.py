"""The settings of the floor's WebSocket doors, ``[floor.doors]``.

Rules of this file: it is a table. What the doors do is the dialect's business.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from config.meta import means


class DoorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The WebSocket doors of the floor's dashboards: when the gateway speaks first."""

    heartbeat: Annotated[
        float,
        means("Silence of a client after which it hears a heartbeat", unit="seconds", within=(1, 86_400), reload=True),
    ] = 300.0
