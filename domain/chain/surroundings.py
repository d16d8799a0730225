"""What the metrics need beside the chain: the host's and the daemon's own values.

Rules of this file: who knows them hands them in; what nobody measured is None, with the reason in ``reasons``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from domain.chain.unknown import Known, Unknown

_NOT_MEASURED = "no host reading received yet"


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """Values of this host and this daemon at one moment; None is not measured.

    Memory is in MB, disk space in GB (10^6 and 10^9 bytes), transfer in MB a second, ``uptime`` in seconds,
    ``error_rate`` a ratio from 0 to 1. ``troubles`` are chains that stand still and watched validators in
    jail, in words.
    """

    cpu_percent: float | None = None
    memory_mb: int | None = None
    memory_total_mb: int | None = None
    disk_used_gb: float | None = None
    disk_total_gb: float | None = None
    disk_read_mb_per_second: float | None = None
    disk_write_mb_per_second: float | None = None
    received_mb_per_second: float | None = None
    sent_mb_per_second: float | None = None
    threads: int | None = None
    uptime: float | None = None
    error_rate: float | None = None
    connections: int | None = None
    troubles: tuple[str, ...] = ()
    reasons: Mapping[str, str] = MappingProxyType({})

    def known(self, name: str) -> Known:
        """The value ``name`` or the reason why there is none."""
        value: float | None = getattr(self, name)
        return Unknown(self.reasons.get(name, _NOT_MEASURED)) if value is None else value
