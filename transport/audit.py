"""Asks every connection's ledger whether it balances, while the daemon runs.

Rules of this file: nothing is lost unmarked, and the gateway asserts it of itself. A ledger that does not balance is a
fault of ours: it is said once for each connection, and stays in the sum for as long as the daemon lives.
"""

from __future__ import annotations

from telemetry import events, gauges
from transport.gate import Link
from transport.ledger import imbalance


class Audit:
    """Sums up what cannot be accounted for, over all connections that are and were; fed to ``ledger_imbalance``."""

    def __init__(self) -> None:
        self._ended = 0
        self._open: dict[str, int] = {}
        gauges.feed("ledger_imbalance", self.total)

    def total(self) -> float:
        """Publications that cannot be accounted for."""
        return float(self._ended + sum(self._open.values()))

    def look(self, link: Link) -> None:
        """See whether the ledger of ``link`` balances now."""
        found = imbalance(link.stream.ledger())
        if found:
            if link.id not in self._open:
                events.ledger_unbalanced(connection=link.id, door=link.door.name, count=found)
            self._open[link.id] = found
        elif self._open:
            self._open.pop(link.id, None)

    def close(self, link: Link) -> None:
        """``link`` is over: what is found now stays."""
        self.look(link)
        self._ended += self._open.pop(link.id, 0)
