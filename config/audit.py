"""What the audit keeps: who did what, in ``storage.path``.

Rules of this file: it is a table. Without ``storage.path`` there is no audit, and a start says so.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from config.meta import GIB, MIB, means, size

DAY = 86_400


class AuditSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The audit in `storage.path`: who did what, from where, and what came of it; the oldest files gone first."""

    age: Annotated[
        float, means("How long entries are kept", unit="seconds", within=(DAY, 100 * 366 * DAY), reload=True)
    ] = 400.0 * DAY
    size: Annotated[int, size("What all of it may take on the disk", 32 * MIB, 1024 * GIB, reload=True)] = 2 * GIB
