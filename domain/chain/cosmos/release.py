"""Which release of CometBFT a node is, by its own word, and what follows from it.

Rules of this file: a version that cannot be read is taken for an old one, because what works on old ones works on
all.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_VERSION = re.compile(r"v?(\d{1,6})\.(\d{1,6})", re.ASCII)


class Release(NamedTuple):
    """The first two numbers of a version."""

    major: int
    minor: int

    @property
    def has_block_events(self) -> bool:
        """Whether blocks' events are published as ``NewBlockEvents``: from 0.38 on."""
        return self >= (0, 38)


OLD = Release(0, 34)


def release_of(version: str | None) -> Release:
    """The release that ``version`` (``node_info.version`` of ``status``) names, 0.34 where it names none."""
    found = _VERSION.match(version or "")
    return OLD if found is None else Release(int(found[1]), int(found[2]))
