"""What went wrong with bytes on disk, in words that an operator can act on.

Rules of this file: one error for the whole package. It says which file, what was being done and why it failed;
its flags say who can do something about it: room can be made, a damaged file is put aside at the next opening,
and where ``needs_operator`` is set nothing but a person helps.
"""

from __future__ import annotations

from pathlib import Path


class StorageError(Exception):
    """``operation`` on ``path`` (None: in memory) failed for ``reason``; nothing of it was done."""

    def __init__(
        self,
        path: Path | None,
        operation: str,
        reason: str,
        *,
        full: bool = False,
        damaged: bool = False,
        needs_operator: bool = False,
    ) -> None:
        super().__init__(f"{path or 'in memory'}: cannot {operation}: {reason}")
        self.path = path
        self.operation = operation
        self.reason = reason
        self.full = full
        self.damaged = damaged
        self.needs_operator = needs_operator
