"""A course as a row, and back.

Rules of this file: what is read back is equal to what was written, but that its open attempts are orphans: whoever
sent them is gone. A row that cannot be read is told, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from domain.decision import Row
from domain.json import JsonObject, JsonValue
from domain.plant.escalation.chain import Chain, Importance
from domain.plant.escalation.course import Attempt, Course, Fate, Phase
from domain.plant.escalation.notification import CallFacts
from domain.plant.escalation.words import read_chain, write_chain

KIND = "escalation"


def row_of(course: Course) -> Row:
    """What is kept of ``course``."""
    return Row(KIND, course.facts.id, _written(course))


def course_of(value: JsonObject) -> Course:
    """The course that was kept as ``value``.

    Raises:
        ValueError: if it is none.
    """
    try:
        return _course(value)
    except (KeyError, TypeError) as error:
        raise ValueError(f"no kept escalation: {error!r}") from None


def _written(course: Course) -> dict[str, JsonValue]:
    return {
        "facts": course.facts.members(),
        "chain": {**write_chain(course.chain), "version": course.chain.version},
        "run": course.run,
        "begun": course.begun,
        "phase": course.phase.value,
        "round": course.round,
        "place": course.place,
        "level": course.level,
        "group": course.group,
        "is_level_open": course.is_level_open,
        "has_tried": course.has_tried,
        "has_delivered": course.has_delivered,
        "wait_until": course.wait_until,
        "is_pausing": course.is_pausing,
        "skipped": course.skipped,
        "cause": course.cause,
        "reached": course.reached,
        "pages": course.pages,
        "events": course.events,
        "acknowledged_at": course.acknowledged_at,
        "acknowledged_by": course.acknowledged_by,
        "stopped_at": course.stopped_at,
        "attempts": [_written_attempt(attempt) for attempt in course.open_attempts],
    }


def _written_attempt(attempt: Attempt) -> dict[str, JsonValue]:
    return {
        "id": attempt.id,
        "run": attempt.run,
        "group": attempt.group,
        "level": attempt.level,
        "target": attempt.target,
        "channels": list(attempt.channels),
        "importance": attempt.importance.value,
        "begun": attempt.begun,
        "expires": attempt.expires,
        "index": attempt.index,
        "tries": attempt.tries,
        "more": attempt.more,
    }


def _course(value: JsonObject) -> Course:
    facts, chain, attempts = _table(value["facts"]), _table(value["chain"]), value["attempts"]
    if not isinstance(attempts, Sequence) or isinstance(attempts, str):
        raise TypeError("attempts")
    return Course(
        facts=_facts(facts),
        chain=_chain(chain),
        run=_whole(value["run"]),
        begun=_number(value["begun"]),
        phase=Phase(_text(value["phase"])),
        round=_whole(value["round"]),
        place=_whole(value["place"]),
        level=_whole(value["level"]),
        group=_whole(value["group"]),
        is_level_open=value["is_level_open"] is True,
        has_tried=value["has_tried"] is True,
        has_delivered=value["has_delivered"] is True,
        wait_until=_moment(value["wait_until"]),
        is_pausing=value["is_pausing"] is True,
        skipped=_number(value["skipped"]),
        cause=_text(value["cause"]),
        reached=_whole(value["reached"]),
        pages=_whole(value["pages"]),
        events=_whole(value["events"]),
        acknowledged_at=_moment(value["acknowledged_at"]),
        acknowledged_by=_text(value["acknowledged_by"]),
        stopped_at=_moment(value["stopped_at"]),
        attempts=[_attempt(_table(each)) for each in attempts],
    )


def _facts(value: JsonObject) -> CallFacts:
    return CallFacts(
        id=_text(value["id"]),
        path=_text(value["path"]),
        type=_text(value["type"]),
        priority=_text(value["priority"]),
        text=_text(value["text"]),
        raised_by=_text(value["raised_by"]),
        raised_at=_number(value["raised_at"]),
    )


def _chain(value: JsonObject) -> Chain:
    return read_chain({name: each for name, each in value.items() if name != "version"}, ("-",))


def _attempt(value: JsonObject) -> Attempt:
    channels = value["channels"]
    if not isinstance(channels, Sequence) or isinstance(channels, str):
        raise TypeError("channels")
    return Attempt(
        id=_text(value["id"]),
        run=_whole(value["run"]),
        group=_whole(value["group"]),
        level=_whole(value["level"]),
        target=_text(value["target"]),
        channels=tuple(_text(each) for each in channels),
        importance=Importance(_text(value["importance"])),
        begun=_number(value["begun"]),
        expires=_number(value["expires"]),
        index=_whole(value["index"]),
        tries=_whole(value["tries"]),
        fate=Fate.OPEN,
        more=_table(value["more"]),
        is_orphan=True,
    )


def _table(value: JsonValue) -> JsonObject:
    if not isinstance(value, Mapping):
        raise TypeError(f"{value!r} is no table")
    return value


def _text(value: JsonValue) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _number(value: JsonValue) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    return float(value)


def _whole(value: JsonValue) -> int:
    return int(_number(value))


def _moment(value: JsonValue) -> float | None:
    return None if value is None else _number(value)
