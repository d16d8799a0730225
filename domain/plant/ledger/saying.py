"""What an event says of a machine's state: model, word and mode, for the mapping to a bucket.

Rules of this file: no word is guessed. An event names its ``model`` (packml, machinery, mtconnect, plain); without one
it is MTConnect's if it has an ``execution``, Machinery's if it has an ``itemState``, else the plain words are meant.

* A control in emergency stop does not run, whatever its paths say.
* A device that is not available has no state. One that is has the state that its control says, also in a word that no
  table has: a site's own rows say what it means.
* Of several events with one stamp the one with the greater ``sequence`` was said later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from domain.event import Event, Fault
from domain.json import JsonValue
from domain.plant.ledger.instants import parse_us
from domain.plant.ledger.mapping import MACHINERY, MTCONNECT, PACKML, PLAIN
from domain.plant.mtconnect import TRIGGERED, UNAVAILABLE

EMERGENCY_STOP = "EMERGENCY_STOP"
MODELS = (MTCONNECT, PACKML, MACHINERY, PLAIN)
WORD_SIZE = 64
STATE_CHANGED = "equipment.state.changed"
SEQUENCE_END = 2**53
_WORDS = ("state", "status", "execution", "itemState")


class Saying(NamedTuple):
    """A machine is in ``state`` with ``mode``, in the words of ``model``."""

    model: str
    state: str
    mode: str = ""

    @property
    def word(self) -> str:
        """What the ledger calls it."""
        return f"{self.state}/{self.mode}" if self.model == MACHINERY and self.mode else self.state


def saying_of(data: JsonValue) -> Saying | None:
    """What ``data`` of an ``equipment.state.changed`` says; None if it says no state."""
    if not isinstance(data, Mapping):
        return None
    model = _text(data, "model")
    if model in MODELS:
        return _said(model, _text(data, "state"), _text(data, "mode"))
    if "execution" in data:
        return _mtconnect(data)
    if "itemState" in data:
        return _said(MACHINERY, _text(data, "itemState"), _text(data, "operationMode"))
    return _said(PLAIN, _text(data, "state") or _text(data, "status"), _text(data, "mode"))


class Previous(NamedTuple):
    """What was before, since when (microseconds), and its place among what was said of that moment."""

    saying: Saying
    since: int
    sequence: int


def previous_of(data: JsonValue) -> Previous | None:
    """What was before, as the event itself says; None if it does not."""
    previous = data.get("previous") if isinstance(data, Mapping) else None
    saying = saying_of(previous)
    if saying is None or not isinstance(previous, Mapping):
        return None
    try:
        return Previous(saying, parse_us(_text(previous, "since")), sequence_of(previous))
    except ValueError:
        return None


def sayings_of(values: JsonValue) -> Iterator[Saying]:
    """What was kept of words."""
    for each in values if isinstance(values, list | tuple) else ():
        match each:
            case [str(model), str(state), str(mode)]:
                yield Saying(model, state, mode)


def sequence_of(data: JsonValue) -> int:
    """The place of an event among those of its stamp, as it says itself; 0 if it does not."""
    value = data.get("sequence") if isinstance(data, Mapping) else None
    is_place = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < SEQUENCE_END
    return value if is_place and isinstance(value, int) else 0


def faults_of(event: Event) -> list[Fault]:
    """What is wrong with an event that says a machine's state, by JSON pointer; nothing for other events."""
    if event.type != STATE_CHANGED:
        return []
    data = event.data
    if not isinstance(data, Mapping):
        return [Fault("/data", "must be an object that says the state")]
    faults = [
        Fault(f"/data/{name}", f"must be a text of 1 to {WORD_SIZE} characters")
        for name in _WORDS
        if data.get(name) is not None and not _is_word(data[name])
    ]
    if not faults and saying_of(data) is None:
        faults.append(Fault("/data", "says no state: one of state, status, execution and itemState is required"))
    return faults


def _is_word(value: JsonValue) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= WORD_SIZE


def _mtconnect(data: Mapping[str, JsonValue]) -> Saying | None:
    state, execution = _text(data, "state"), _text(data, "execution")
    is_known = bool(execution) and execution.upper() != UNAVAILABLE
    if _text(data, "availability").upper() == UNAVAILABLE or (state == "unknown" and not is_known):
        return Saying(MTCONNECT, UNAVAILABLE)
    if _text(data, "emergencyStop").upper() == TRIGGERED and is_known and state in ("not_executing", "unknown"):
        return Saying(MTCONNECT, EMERGENCY_STOP)
    return _said(MTCONNECT, execution, _text(data, "mode"))


def _said(model: str, state: str, mode: str) -> Saying | None:
    return Saying(model, state, mode) if state else None


def _text(data: Mapping[str, JsonValue], name: str) -> str:
    value = data.get(name)
    return value.strip()[:WORD_SIZE] if isinstance(value, str) else ""
