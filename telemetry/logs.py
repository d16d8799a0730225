"""Structured lines on standard error: for the journal, for a terminal, or as JSON.

Rules of this file:

* A line is an event's name (``noun.past_participle``) and its fields. ``telemetry.events`` writes the lines; nobody
  else calls ``log``.
* Below the level a call costs one comparison, so the level is looked up on every call and a reload needs nothing but
  ``set_level``.
* Under systemd a line begins with its priority (``<6>``) and has no time: the journal has both. A line is one line, a
  traceback included.
* What libraries say through ``logging`` comes out of the same door, as ``library.logged``.
* Control characters in a value are written as escapes: what a stranger sent cannot fake a line or command a terminal.
* A log that cannot be written is counted and never an error of what was logged.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import AbstractContextManager
from io import StringIO
from typing import Literal, TextIO

from telemetry.counters import counters

# structlog imports rich wherever it is installed: 200 ms and 16 MB for colours that no journal shows.
_rich_seen = "rich" in sys.modules
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]
import structlog  # noqa: E402

if not _rich_seen:
    del sys.modules["rich"]

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "console", "logfmt", "json"]
Fields = MutableMapping[str, object]

LEVELS: dict[str, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
SPARE_LINES = 5
"""Lines a second of one event that anybody outside can cause; the rest are counted."""

_JOURNAL_PRIORITY = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
_EVENT = "event"

# What a stranger sent must neither begin a line of its own nor command a terminal.
_CONTROLS = {code: repr(chr(code))[1:-1] for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)}
_CONTROLS_OF_A_LINE = {code: text for code, text in _CONTROLS.items() if chr(code) != "\n"}


class Log:
    """Where lines go. One instance, ``log``, serves the daemon; its level may change at any time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.threshold = LEVELS["info"]
        self._clock = clock
        self._seconds: dict[str, tuple[int, int]] = {}
        self._suppressed: dict[str, int] = {}

    def debug(self, event: str, /, **fields: object) -> None:
        """Say what helps to find a fault."""
        if self.threshold <= 10:  # noqa: PLR2004
            _write("debug", event, fields)

    def info(self, event: str, /, **fields: object) -> None:
        """Say what happened as it should."""
        if self.threshold <= 20:  # noqa: PLR2004
            _write("info", event, fields)

    def warning(self, event: str, /, **fields: object) -> None:
        """Say what somebody should look at when they have time."""
        if self.threshold <= 30:  # noqa: PLR2004
            _write("warning", event, fields)

    def error(self, event: str, /, error: BaseException | None = None, **fields: object) -> None:
        """Say what went wrong on our side, with the traceback of ``error``."""
        if error is not None:
            fields["exc_info"] = error
        _write("error", event, fields)

    def sparing(self, level: Level, event: str, /, **fields: object) -> None:
        """Say what an outsider can cause at will: five lines a second, the next tells how many were left."""
        if self.threshold > LEVELS[level]:
            return
        second = int(self._clock())
        started, said = self._seconds.get(event, (second, 0))
        if started != second:
            started, said = second, 0
        self._seconds[event] = (started, said + 1)
        if said >= SPARE_LINES:
            counters.log_lines_suppressed += 1
            self._suppressed[event] = self._suppressed.get(event, 0) + 1
            return
        left_out = self._suppressed.pop(event, 0)
        if left_out:
            fields["suppressed"] = left_out
        _write(level, event, fields)


def _write(level: str, event: str, fields: dict[str, object]) -> None:
    _structured.log(LEVELS[level], event, **fields)


def set_level(level: Level) -> None:
    """Write lines of ``level`` and above from now on, those of libraries too."""
    log.threshold = LEVELS[level]
    logging.getLogger().setLevel(LEVELS[level])


def configure(form: Format = "auto", level: Level = "info", stream: TextIO | None = None) -> None:
    """Choose the form of the lines and where they go, and take over what libraries log.

    Without a stream the lines follow ``sys.stderr``.
    """
    target = sys.stderr if stream is None else stream
    chosen = choose(form, os.environ, target) if form == "auto" else form
    _processors[:] = _chain(chosen, colours=target.isatty())
    _sink.stream = stream
    root = logging.getLogger()
    root.handlers = [handler for handler in root.handlers if not isinstance(handler, _Bridge)]
    root.addHandler(_Bridge())
    logging.captureWarnings(capture=True)
    set_level(level)


def context(**fields: object) -> AbstractContextManager[None]:
    """Put ``fields`` on every line of this task, and of tasks it starts, until the block ends."""
    return structlog.contextvars.bound_contextvars(**fields)


def choose(form: Format, environ: Mapping[str, str], stream: TextIO) -> str:
    """Return the form that fits: ``journal`` where the journal reads, ``console`` on a terminal, else ``logfmt``."""
    if form != "auto":
        return form
    if _is_journal(environ.get("JOURNAL_STREAM", ""), stream):
        return "journal"
    return "console" if stream.isatty() else "logfmt"


def _is_journal(named: str, stream: TextIO) -> bool:
    # The variable is inherited by programs whose output was redirected since: only the same device and inode prove it.
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return named == f"{status.st_dev}:{status.st_ino}"


class _Sink:
    """Writes whole lines to a stream; structlog calls one of its methods by the level's name."""

    def __init__(self) -> None:
        self.stream: TextIO | None = None

    def msg(self, line: str) -> None:
        try:
            stream = self.stream or sys.stderr
            stream.write(line + "\n")
            stream.flush()
        except (OSError, ValueError):
            counters.log_lines_lost += 1

    log = debug = info = warning = error = critical = msg


class _Bridge(logging.Handler):
    """Takes over what libraries say through ``logging``."""

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, object] = {"logger": record.name, "message": record.getMessage()}
        if record.exc_info and record.exc_info[1]:
            fields["exc_info"] = record.exc_info[1]
        number = max((known for known in LEVELS.values() if known <= record.levelno), default=LEVELS["debug"])
        level = next(word for word, known in LEVELS.items() if known == number)
        _write(level, "library.logged", fields)


_logfmt = structlog.processors.LogfmtRenderer(bool_as_flag=False)


def _render_logfmt(_logger: object, _method: str, fields: Fields) -> str:
    head = [str(fields.pop(key)) for key in ("time", "level", _EVENT) if key in fields]
    clean = {key: _harmless(value) for key, value in fields.items()}
    return " ".join([*head, _logfmt(None, "", clean)]).rstrip()


def _render_journal(_logger: object, _method: str, fields: Fields) -> str:
    priority = _JOURNAL_PRIORITY[str(fields.pop("level"))]
    return f"<{priority}>{_render_logfmt(None, '', fields)}"


def _ordered(_logger: object, _method: str, fields: Fields) -> Fields:
    return {key: fields.pop(key) for key in ("time", "level", _EVENT)} | dict(fields)


def _harmless(value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    return str(value if isinstance(value, str) else repr(value)).translate(_CONTROLS)


def _without_controls(_logger: object, _method: str, fields: Fields) -> Fields:
    return {key: value if key == "exc_info" else _harmless(value) for key, value in fields.items()}


def _plain_traceback(target: TextIO, exc_info: structlog.typing.ExcInfo) -> None:
    text = StringIO()
    structlog.dev.plain_traceback(text, exc_info)
    target.write(text.getvalue().translate(_CONTROLS_OF_A_LINE))


def _chain(form: str, *, colours: bool) -> list[structlog.typing.Processor]:
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True, key="time")
    first: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
    ]
    render: dict[str, list[structlog.typing.Processor]] = {
        "journal": [structlog.processors.format_exc_info, _render_journal],
        "logfmt": [stamp, structlog.processors.format_exc_info, _render_logfmt],
        "json": [
            stamp,
            structlog.processors.format_exc_info,
            _ordered,
            structlog.processors.JSONRenderer(default=repr),
        ],
        "console": [
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False, key="timestamp"),
            _without_controls,
            structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=_plain_traceback),
        ],
    }
    return first + render[form]


log = Log()
"""The daemon's log."""

_sink = _Sink()
_processors: list[structlog.typing.Processor] = _chain("logfmt", colours=False)
structlog.configure(
    processors=_processors,
    wrapper_class=structlog.make_filtering_bound_logger(0),
    logger_factory=lambda *_args: _sink,
    cache_logger_on_first_use=True,
)
_structured: structlog.typing.FilteringBoundLogger = structlog.get_logger()
