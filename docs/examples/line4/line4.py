"""What line 4 adds to andond: its press force gauge, a rule that calls for help, the horn above the line.

A hook imports nothing of andond but ``andond.hooks``. Its functions are plain and may block for a few seconds; the
gauge and the horn each speak one line of text over TCP.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

from andond.hooks import Draft, Event, EventType, Hook, Intent, NotDelivered, Notice, Options, Priority, SourceTable

OVERLOADED = EventType(
    name="press.overloaded",
    priority=Priority.HIGH,
    meaning="The press pushed harder than its frame is made for.",
    members={"force": "number", "limit": "number", "unit": "text"},
)
LIMIT = 630.0
TIMEOUT = 2.0


class Overload:
    """A rule: when the force of a press goes past the limit it says so, and calls maintenance to the press."""

    types = ("equipment.reading",)

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._above: set[str] = set()

    def take(self, event: Event) -> Iterator[Draft | Intent]:
        """An event and a call for each time that the limit is crossed, nothing while the force stays above it."""
        if event.subject != "force" or event.quality != "good" or not isinstance(event.data, dict):
            return
        force = event.data.get("value")
        if not isinstance(force, int | float):
            return
        if force <= self._limit:
            self._above.discard(event.source)
        elif event.source not in self._above:
            self._above.add(event.source)
            yield Draft(OVERLOADED.name, {"force": force, "limit": self._limit, "unit": "kN"})
            yield Intent(
                "andon.raise",
                {
                    "type": "maintenance",
                    "equipment": event.source.strip("/"),
                    "text": f"force {force:g} kN, the frame is made for {self._limit:g} kN",
                },
            )


class Gauge:
    """A source: asks the force gauge at ``host``:``port`` of its options, which answers one number in a line."""

    def __init__(self, table: SourceTable) -> None:
        self._address = (str(table.options.get("host", "127.0.0.1")), int(table.options["port"]))

    def read(self) -> list[Draft]:
        """The force now. A gauge that does not answer raises an ``OSError``: the source is stale until it does."""
        force = float(asked(self._address, "FORCE?"))
        return [Draft("equipment.reading", {"value": force, "unit": "kN"}, subject="force")]

    def close(self) -> None:
        """Nothing is held between two readings."""


class Horn:
    """A notification channel: the horn at ``host``:``port`` of its options sounds, and answers OK."""

    def __init__(self, options: Options) -> None:
        self._address = (str(options.get("host", "127.0.0.1")), int(options["port"]))

    def send(self, notice: Notice) -> str:
        """Sound three times for what is of high importance, else once; the receipt is the horn's answer."""
        times = 3 if notice.importance == "high" else 1
        answer = asked(self._address, f"SOUND {times} {notice.subject}")
        if answer != "OK":
            raise NotDelivered(f"the horn said {answer!r}")
        return answer


def asked(address: tuple[str, int], question: str) -> str:
    """The line that whoever listens at ``address`` answers to ``question``."""
    with socket.create_connection(address, TIMEOUT) as connection:
        connection.sendall(question.encode() + b"\n")
        with connection.makefile("r", encoding="utf-8") as lines:
            answer = lines.readline()
    if not answer:
        raise ConnectionError(f"{address[0]}:{address[1]} closed without an answer")
    return answer.strip()


HOOK = Hook(types=(OVERLOADED,), rules={"overload": Overload(LIMIT)}, channels={"horn": Horn}, sources={"gauge": Gauge})
