"""What the audit is told of posted events: who, of which source, how many; never what was said, never without end."""

from __future__ import annotations

import msgspec

from actors import AuditTrail, Refusal
from andond.api.publication_notes import NAMED, PERIOD, PublicationNotes
from domain import Fault
from domain.access import AccessPolicy, Identity, Proof
from domain.audit import OTHERS, Crowd, Entry, Outcome
from transport import ClientAddress, Request

AT = 1_800_000_000.0


class Trail(AuditTrail, frozen=True):
    """Keeps what is noted."""

    entries: list[Entry] = msgspec.field(default_factory=list)

    def note(self, entry: Entry) -> None:
        self.entries.append(entry)


def request(subject: str = "feed") -> Request:
    rights = AccessPolicy().rights(Identity(subject, subject, frozenset({"publisher"}), Proof.TOKEN))
    client = ClientAddress("192.0.2.7")
    return Request("POST", "/api/v1/events", {}, {}, b"", client, secure=False, target="/api/v1/events", rights=rights)


def event(source: str = "/acme/press", id_: str = "1") -> dict[str, object]:
    return {"specversion": "1.0", "id": id_, "source": source, "type": "acme.thing", "data": {"words": "inside"}}


def test_what_was_published_is_noted_by_identity_and_source_without_what_was_said():
    trail = Trail(clock=lambda: AT)
    PublicationNotes(trail).done(request(), [event(), event("/acme/saw"), event(id_="2")])
    told = [
        (each.what, each.outcome, each.who.subject, each.target.path, each.after["events"]) for each in trail.entries
    ]
    assert told == [
        ("event.publish", Outcome.DONE, "feed", "/acme/press", 2),
        ("event.publish", Outcome.DONE, "feed", "/acme/saw", 1),
    ]
    assert trail.entries[0].whence.address == "192.0.2.7"
    assert "inside" not in repr(trail.entries)


def test_what_was_refused_is_noted_with_why():
    trail, members = Trail(clock=lambda: AT), [event(), 7, {"source": 5}]
    faults = (Fault("/type", "it is said by the gateway alone"),)
    PublicationNotes(trail).refused(request(), members, [Refusal(n, None, faults) for n in range(3)])
    assert [(each.outcome, each.target.path) for each in trail.entries] == [
        (Outcome.REFUSED, "/acme/press"),
        (Outcome.REFUSED, ""),
    ]
    assert {each.why for each in trail.entries} == {"it is said by the gateway alone"}


def test_in_mass_it_is_counted_together():
    trail, crowd = Trail(clock=lambda: AT), Crowd()
    notes = PublicationNotes(trail)
    for _ in range(50):
        notes.done(request(), [event()])
        notes.refused(request(), [event()], [Refusal(0, "1", (Fault("/type", "no"),))])
    written = [entry for each in trail.entries if (entry := crowd.take(each)) is not None]
    assert [each.outcome for each in written] == [Outcome.DONE, Outcome.REFUSED]
    assert [(each.outcome, each.count) for each in crowd.flush()] == [(Outcome.DONE, 49), (Outcome.REFUSED, 49)]


def test_many_sources_leave_room_for_what_others_are_counted_by():
    now = [AT]
    trail = Trail(clock=lambda: now[0])
    notes = PublicationNotes(trail)
    notes.done(request(), [event(f"/acme/{n}") for n in range(500)])
    assert len(trail.entries) == NAMED + 1
    assert (trail.entries[-1].together, trail.entries[-1].after["events"]) == (OTHERS, 500 - NAMED)
    now[0] += PERIOD
    notes.done(request(), [event("/acme/499")])
    assert trail.entries[-1].together != OTHERS
