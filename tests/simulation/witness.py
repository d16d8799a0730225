"""Whoever looks over the gateway's shoulder: what it published, what it wrote down, and what it said of itself.

Rules of this file: looking changes nothing. What is seen goes into the trace, and is kept as far as the checks need it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from unittest.mock import patch

from domain import History, Priority
from storage import Entry, Journal, Recorded
from tests.simulation.trace import Trace

Name = tuple[str, str]
"""Source and id of an event."""


@dataclass
class Epoch:
    """One life of a channel: how many publications it ``began`` with, and how many there are ``now``."""

    name: str
    began: int = 0
    now: int = 0


@dataclass
class Said:
    """What the gateway said of itself: a line of its log."""

    at: float
    level: str
    event: str
    fields: dict[str, object]


class Chronicle:
    """Stands for the log: keeps lines in place of writing them; ``now`` is the trace's own."""

    def __init__(self, trace: Trace, at: object) -> None:
        self._trace = trace
        self._at = at
        self.lines: list[Said] = []

    def debug(self, event: str, /, **fields: object) -> None:
        self._say("debug", event, fields)

    def info(self, event: str, /, **fields: object) -> None:
        self._say("info", event, fields)

    def warning(self, event: str, /, **fields: object) -> None:
        self._say("warning", event, fields)

    def error(self, event: str, /, error: BaseException | None = None, **fields: object) -> None:
        self._say("error", event, {**fields, "error": error} if error is not None else fields)

    def sparing(self, level: str, event: str, /, **fields: object) -> None:
        self._say(level, event, fields)

    def _say(self, level: str, event: str, fields: dict[str, object]) -> None:
        told = {name: type(value).__name__ if name == "error" else value for name, value in fields.items()}
        self._trace.note("said", event, sorted((name, str(value)) for name, value in told.items() if name != "path"))
        if level != "debug":
            self.lines.append(Said(self._at(), level, event, fields))


@dataclass
class Witness:
    """What was seen. ``kept``: the priority under which an event was written down, by its name."""

    trace: Trace
    chronicle: Chronicle
    channels: dict[str, list[Epoch]] = field(default_factory=dict)
    kept: dict[Name, Priority] = field(default_factory=dict)
    published: list[int] = field(default_factory=lambda: [0, 0, 0, 0])

    def position(self, channel: str) -> tuple[str, int]:
        """The newest epoch and offset of ``channel``; nothing if it never was."""
        epochs = self.channels.get(channel)
        return (epochs[-1].name, epochs[-1].now) if epochs else ("", 0)

    def since(self, channel: str, epoch: str) -> list[Epoch]:
        """The epochs of ``channel`` from ``epoch`` on; none if it is not known."""
        epochs = self.channels.get(channel, [])
        for index, each in enumerate(epochs):
            if each.name == epoch:
                return epochs[index:]
        return []

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look at every gateway that lives meanwhile."""
        with ExitStack() as stack:
            stack.enter_context(patch("actors.channels.channel.History", self._history()))
            stack.enter_context(patch.object(Journal, "append", self._append()))
            stack.enter_context(patch("telemetry.events.log", self.chronicle))
            yield

    def _history(self) -> type[History]:
        witness = self

        class Seen(History):
            __slots__ = ("_epoch",)

            def __init__(self, channel: str, epoch: str, keep: int) -> None:
                super().__init__(channel, epoch, keep)
                self._epoch = Epoch(epoch)
                witness.channels.setdefault(channel, []).append(self._epoch)
                del witness.channels[channel][:-_EPOCHS]

            def seed(self, publications):
                seeded = super().seed(publications)
                self._epoch.began = self._epoch.now
                return seeded

            def append(self, at, event, critical=None):
                publication = super().append(at, event, critical)
                self._epoch.now += 1
                witness.published[event.priority] += 1
                witness.trace.note("published", publication.channel, publication.position, event.id)
                return publication

        return Seen

    def _append(self):
        witness, append = self, Journal.append

        def appended(journal: Journal, entries: list[Entry], *rows: object, **options: bool) -> list[Recorded]:
            done = append(journal, entries, *rows, **options)
            for recorded in done:
                event = recorded.entry.event
                witness.trace.note("journalled", event.id, recorded.critical, recorded.is_new, recorded.is_kept)
                if recorded.is_kept and event.priority <= Priority.HIGH:
                    name = event.source, event.id
                    witness.kept[name] = min(event.priority, witness.kept.get(name, event.priority))
            return done

        return appended


# Of a channel that fails every few minutes no more are asked for.
_EPOCHS = 64
