"""One entry, as it is written."""

from __future__ import annotations

from domain.access import Identity, Proof
from domain.audit import GENESIS, Entry, Outcome, Target, Whence, Who

AT = 1_800_000_000.0
ANNA = Identity("u1", "anna", frozenset({"operator", "viewer"}), Proof.LOCAL, "acme", token_id="t1", session="s1")  # noqa: S106


def test_who_is_known_is_called_by_the_name_that_is_proved():
    assert Who.of(ANNA, "root") == Who("u1", "anna", "acme", "local", ("operator", "viewer"))


def test_who_is_not_known_is_called_as_it_says():
    nobody = Identity("open", "somebody", frozenset({"admin"}), Proof.OPEN)
    assert Who.of(nobody, "kim").name == "kim"
    assert Who.of(nobody).name == "somebody"


def test_an_entry_has_all_its_members():
    whence, target = Whence("10.0.0.7", "stream", "s1"), Target("acme/l1", "c1")
    entry = Entry(
        AT, "andon.close", Outcome.DONE, Who.of(ANNA), whence, target, "why", {"a": 1}, {"a": 2}, "word", 3, AT
    )
    assert entry.document(7, GENESIS) == {
        "number": 7,
        "previous": GENESIS,
        "at": "2027-01-15T08:00:00.000Z",
        "since": "2027-01-15T08:00:00.000Z",
        "count": 3,
        "what": "andon.close",
        "outcome": "done",
        "why": "why",
        "who": {
            "subject": "u1",
            "name": "anna",
            "tenant": "acme",
            "proof": "local",
            "roles": ["operator", "viewer"],
        },
        "from": {"address": "10.0.0.7", "door": "stream", "session": "s1"},
        "target": {"path": "acme/l1", "id": "c1"},
        "before": {"a": 1},
        "after": {"a": 2},
    }


def test_no_member_is_endless():
    long = "x" * 100_000
    who = Who(long, long, long, long, (long,) * 1000)
    entry = Entry(
        AT, long, Outcome.REFUSED, who, Whence(long, long, long), Target(long, long), long, [long], [long] * 99
    )
    assert len(str(entry.document(1, GENESIS))) < 60_000
