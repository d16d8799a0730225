"""A notification: what one target is told by one channel, and the words of it.

Rules of this file: a notification is data. Its ``id`` is the same when it is sent again because nobody knows what
became of it, and then it is marked ``repeated``.
"""

from __future__ import annotations

import msgspec

from domain.json import JsonObject, JsonValue
from domain.moment import rfc3339
from domain.plant.escalation.chain import Importance


class CallFacts(msgspec.Struct, frozen=True):
    """What a chain and its notifications need to know of a call: ``path`` is its place, ``raised_at`` Unix seconds."""

    id: str
    path: str
    type: str
    priority: str
    text: str
    raised_by: str
    raised_at: float

    def members(self) -> dict[str, JsonValue]:
        """The facts in plain data."""
        return {
            "id": self.id,
            "path": self.path,
            "type": self.type,
            "priority": self.priority,
            "text": self.text,
            "raised_by": self.raised_by,
            "raised_at": self.raised_at,
        }


class Notification(msgspec.Struct, frozen=True):
    """``target`` of ``call`` is to be told by ``channel``, at ``addresses`` where the channel needs some.

    ``attempt`` counts from 1. Nobody needs it any more at ``expires`` (Unix seconds).
    """

    id: str
    call: str
    path: str
    channel: str
    target: str
    addresses: tuple[str, ...]
    subject: str
    text: str
    importance: Importance
    data: JsonObject
    at: float
    expires: float
    attempt: int = 1

    @property
    def repeated(self) -> bool:
        """Whether it was sent before, perhaps, and nobody knows what became of it."""
        return self.attempt > 1

    def members(self) -> dict[str, JsonValue]:
        """What programs are told: the body of a webhook, of an MQTT message, of an event."""
        return {
            "notification": self.id,
            "call": self.call,
            "path": self.path,
            "channel": self.channel,
            "target": self.target,
            "subject": self.subject,
            "text": self.text,
            "importance": self.importance.value,
            "at": rfc3339(self.at),
            "attempt": self.attempt,
            "repeated": self.repeated,
            **self.data,
        }


SAID_SIZE = 80
"""Characters of what is said, in the one line."""


class Situation(msgspec.Struct, frozen=True):
    """How far a call is when somebody is told of it."""

    level: int
    is_acknowledged: bool
    acknowledged_by: str
    is_repeated: bool


def subject_of(facts: CallFacts, situation: Situation) -> str:
    """The notification in one line: what is said comes before the place, for who reads it on a locked screen."""
    mark = "(repeated) " if situation.is_repeated else ""
    state = "not resolved" if situation.is_acknowledged else "call"
    said = " ".join(facts.text.split())[:SAID_SIZE]
    return f"{mark}Andon {facts.priority} {facts.type} {state}: {f'{said} ({facts.path})' if said else facts.path}"


def text_of(facts: CallFacts, situation: Situation) -> str:
    """The notification as a text for a person."""
    lines = [facts.text] if facts.text else []
    lines += [
        f"Call: {facts.type}, {facts.priority}",
        f"Place: {facts.path}",
        f"Raised: {rfc3339(facts.raised_at)} by {facts.raised_by or 'nobody known'}",
        f"Escalation level: {situation.level}",
    ]
    if situation.is_acknowledged:
        lines.append(f"Acknowledged by {situation.acknowledged_by or 'nobody known'} and not resolved in time.")
    if situation.is_repeated:
        lines.append("This may have been sent before: the gateway was interrupted and cannot know.")
    return "\n".join([*lines, f"Call number: {facts.id}"])
