"""From what a machine says of its state to a bucket of the ledger: tables, and how a site changes them.

Rules of this file:

* A table is data: (state, mode) to bucket; a row without a mode holds for every mode that has no row of its own.
* A site may replace any row and add others. The version of a table says which one a figure was made with.
* A word that no row knows is UNKNOWN, it is never guessed; who keeps its time names it.
* The two OPC annexes disagree on a machine that is ready and does not execute (40501-1 C.2.3: down time, 40001-1 C.2:
  delay). Which one holds is the site's choice.

Source of the words: MTConnect part 3 (``Execution``); OPC 30050 (PackML); OPC 40001-1 (Machinery), annex C, and 40501-1
annex C.2 for the elements.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2s
from types import MappingProxyType

from domain.plant.ledger.bucket import Bucket

MTCONNECT = "mtconnect"
PACKML = "packml"
MACHINERY = "machinery"
PLAIN = "plain"
"""Words that no standard has: those of ``equipment.state.changed`` itself, and of the predecessor's line status."""

Row = tuple[str, str, str, Bucket]
"""Model, state, mode (empty: any), bucket."""

_P, _S, _E, _D, _M, _U = (
    Bucket.PRODUCTION,
    Bucket.SETUP,
    Bucket.DELAY,
    Bucket.DOWN,
    Bucket.PREVENTIVE,
    Bucket.UNKNOWN,
)

_MTCONNECT = {
    "ACTIVE": _P,
    "READY": _D,
    "STOPPED": _D,
    "PROGRAM_COMPLETED": _D,
    "INTERRUPTED": _E,
    "FEED_HOLD": _E,
    "OPTIONAL_STOP": _E,
    "PROGRAM_OPTIONAL_STOP": _E,
    "PROGRAM_STOPPED": _E,
    "WAIT": _E,
    "UNAVAILABLE": _U,
    "EMERGENCY_STOP": _D,
}

_PLAIN = {
    "executing": _P,
    "held": _E,
    "not_executing": _D,
    "unknown": _U,
    "running": _P,
    "stopped": _D,
    "fault": _D,
    "maintenance": _M,
    "setup": _S,
    "idle": _D,
}

# OMAC counts Execute, Holding and Suspending as producing, Held, Stopped and Aborted as failure. Suspended has its
# cause outside of the machine, so it is a delay and no failure of it.
_PACKML = {
    "Execute": _P,
    "Holding": _P,
    "Suspending": _P,
    "Held": _D,
    "Stopped": _D,
    "Aborted": _D,
    "Stopping": _D,
    "Aborting": _D,
    "Clearing": _D,
    "Suspended": _E,
    "Unholding": _E,
    "Unsuspending": _E,
    "Completing": _E,
    "Complete": _E,
    "Resetting": _E,
    "Idle": _E,
    "Starting": _E,
}

_MACHINERY = {
    ("Executing", "Processing"): _P,
    ("Executing", "Setup"): _S,
    ("NotExecuting", "Processing"): _D,
    ("NotExecuting", "Setup"): _S,
    ("NotExecuting", "None"): _D,
    ("OutOfService", "Processing"): _E,
    ("OutOfService", "None"): _D,
    ("OutOfService", "Maintenance"): _M,
    ("NotAvailable", "Maintenance"): _M,
    ("OutOfService", "Setup"): _M,
    ("NotAvailable", ""): _U,
}

BUILT_IN: tuple[Row, ...] = (
    *((MTCONNECT, state, "", bucket) for state, bucket in _MTCONNECT.items()),
    *((PLAIN, state, "", bucket) for state, bucket in _PLAIN.items()),
    *((PACKML, state, "", bucket) for state, bucket in _PACKML.items()),
    *((MACHINERY, state, mode, bucket) for (state, mode), bucket in _MACHINERY.items()),
)

_READY: tuple[tuple[str, str, str], ...] = (
    (MTCONNECT, "READY", ""),
    (MTCONNECT, "STOPPED", ""),
    (MTCONNECT, "PROGRAM_COMPLETED", ""),
    (MACHINERY, "NotExecuting", "Processing"),
    (PLAIN, "not_executing", ""),
    (PLAIN, "stopped", ""),
    (PLAIN, "idle", ""),
)


class StateMap:
    """Which bucket a state is counted in; ``rows`` go before those that are built in.

    ``ready`` is what a machine is counted as that is ready and does not execute: DOWN or DELAY.
    """

    def __init__(self, rows: Iterable[Row] = (), ready: Bucket = Bucket.DOWN) -> None:
        rows = tuple(rows)
        table = {(model, _folded(state), _folded(mode)): bucket for model, state, mode, bucket in BUILT_IN}
        table.update({(model, _folded(state), _folded(mode)): ready for model, state, mode in _READY})
        table.update({(model, _folded(state), _folded(mode)): bucket for model, state, mode, bucket in rows})
        self._table: Mapping[tuple[str, str, str], Bucket] = MappingProxyType(table)
        self._words = {(model, state, mode) for model, state, mode, _ in (*BUILT_IN, *rows)}
        text = repr(sorted((*key, bucket.value) for key, bucket in table.items()))
        self.version = blake2s(text.encode(), digest_size=4).hexdigest()

    def bucket(self, model: str, state: str, mode: str = "") -> Bucket:
        """What time in ``state`` is counted as; UNKNOWN for a word that is in no row."""
        return self._found(model, state, mode) or Bucket.UNKNOWN

    def knows(self, model: str, state: str, mode: str = "") -> bool:
        """Whether a row has the word; if none has, the site must say what it means."""
        return self._found(model, state, mode) is not None

    def words(self, model: str) -> list[str]:
        """The states of ``model`` that a row has, with their mode where it asks for one."""
        return sorted({f"{state}/{mode}" if mode else state for of, state, mode in self._words if of == model})

    def rows(self) -> list[Row]:
        """The whole table, in the order of its words."""
        return sorted((*key, bucket) for key, bucket in self._table.items())

    def _found(self, model: str, state: str, mode: str) -> Bucket | None:
        key = (model, _folded(state), _folded(mode))
        return self._table.get(key) or self._table.get((key[0], key[1], ""))


def _folded(word: str) -> str:
    return word.strip().replace("_", "").replace(" ", "").casefold()
