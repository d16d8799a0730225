"""A course as a row, and back.

Rules of this file: what is read back is equal to what was written, but that its open attempts are orphans: whoever
sent them is gone. A row that cannot be read is told, never guessed.
"""

from __future__ import annotations

from domain.decision import Row
from domain.json import JsonObject, JsonValue
from domain.kept import Unreadable, flag, integer, maybe_number, number, several, table, text, texts, word
from domain.plant.escalation.chain import Chain, Importance
from domain.plant.escalation.course import Attempt, Course, Fate, Phase
from domain.plant.escalation.notification import CallFacts
from domain.plant.escalation.words import ChainFault, read_chain, write_chain

KIND = "escalation"


def row_of(course: Course) -> Row:
    """What is kept of ``course``."""
    return Row(KIND, course.facts.id, _written(course))


def course_of(value: JsonObject) -> Course:
    """The course that was kept as ``value``.

    Raises:
        ValueError: if it is none.
    """
    return Course(
        facts=_facts(table(value, "facts")),
        chain=_chain(table(value, "chain")),
        run=integer(value, "run"),
        begun=number(value, "begun"),
        phase=word(value, "phase", Phase),
        round=integer(value, "round"),
        place=integer(value, "place"),
        level=integer(value, "level"),
        group=integer(value, "group"),
        is_level_open=flag(value, "is_level_open"),
        has_tried=flag(value, "has_tried"),
        has_delivered=flag(value, "has_delivered"),
        wait_until=maybe_number(value, "wait_until"),
        is_pausing=flag(value, "is_pausing"),
        skipped=number(value, "skipped"),
        cause=text(value, "cause"),
        reached=integer(value, "reached"),
        pages=integer(value, "pages"),
        events=integer(value, "events"),
        acknowledged_at=maybe_number(value, "acknowledged_at"),
        acknowledged_by=text(value, "acknowledged_by"),
        stopped_at=maybe_number(value, "stopped_at"),
        attempts=[_attempt(each) for each in several(value, "attempts")],
    )


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


def _facts(value: JsonObject) -> CallFacts:
    return CallFacts(
        id=text(value, "id"),
        path=text(value, "path"),
        type=text(value, "type"),
        priority=text(value, "priority"),
        text=text(value, "text"),
        raised_by=text(value, "raised_by"),
        raised_at=number(value, "raised_at"),
    )


def _chain(value: JsonObject) -> Chain:
    try:
        return read_chain({name: each for name, each in value.items() if name != "version"}, ("-",))
    except ChainFault as fault:
        raise Unreadable(str(fault)) from None


def _attempt(value: JsonValue) -> Attempt:
    return Attempt(
        id=text(value, "id"),
        run=integer(value, "run"),
        group=integer(value, "group"),
        level=integer(value, "level"),
        target=text(value, "target"),
        channels=tuple(texts(value, "channels")),
        importance=word(value, "importance", Importance),
        begun=number(value, "begun"),
        expires=number(value, "expires"),
        index=integer(value, "index"),
        tries=integer(value, "tries"),
        fate=Fate.OPEN,
        more=table(value, "more"),
        is_orphan=True,
    )
