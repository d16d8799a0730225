from __future__ import annotations

from domain.chain.rosters import PEER_MEMORY, Entry, Peers, Recent, Roster, Validators


def peer(at: float, *, connected: bool, source: str = "a") -> Entry:
    return Entry({"connected": connected}, at, source)


def test_what_is_not_told_again_stays_as_it_was() -> None:
    roster = Roster()
    roster.take("v1", Entry({"status": "ACTIVE", "uptime": 99}, 1.0))
    roster.take("v1", Entry({"status": "JAILED"}, 2.0))
    assert roster.get("v1") == Entry({"status": "JAILED", "uptime": 99}, 2.0)


def test_a_source_that_repeats_the_past_does_not_undo_what_it_told_later() -> None:
    roster = Roster()
    roster.take("v1", Entry({"status": "ACTIVE"}, 100.0, "a"))
    roster.take("v1", Entry({"status": "JAILED"}, 50.0, "a"))
    entry = roster.get("v1")
    assert entry is not None
    assert entry.members["status"] == "ACTIVE"


def test_a_source_with_a_slow_clock_is_believed_beside_another() -> None:
    roster = Roster()
    roster.take("v1", Entry({"status": "ACTIVE"}, 100.0, "a"))
    roster.take("v1", Entry({"status": "JAILED"}, 50.0, "b"))
    entry = roster.get("v1")
    assert entry is not None
    assert entry.members["status"] == "JAILED"


def test_a_full_roster_leaves_newcomers_out_counts_them_once_and_still_takes_its_members() -> None:
    roster = Roster(limit=2)
    for name in ("a", "b", "c", "c", "d"):
        roster.take(name, Entry({}, 0.0))
    roster.take("a", Entry({"status": "ACTIVE"}, 1.0))
    assert [len(roster), roster.left_out] == [2, 2]
    assert roster.get("a") == Entry({"status": "ACTIVE"}, 1.0)
    for number in range(10):
        roster.take(f"more{number}", Entry({}, 0.0))
    assert roster.left_out == 2


def test_validators_are_counted_by_status_and_the_counts_add_up() -> None:
    validators = Validators()
    statuses = ["ACTIVE", "ACTIVE", "INACTIVE", "JAILED", "TOMBSTONED", "UNKNOWN"]
    for number, status in enumerate(statuses):
        validators.take(str(number), Entry({"status": status}, 0.0))
    assert validators.counts() == {
        "totalValidators": 6,
        "activeValidators": 2,
        "inactiveValidators": 1,
        "jailedValidators": 2,
        "unknownValidators": 1,
    }


def test_a_new_peer_takes_the_place_of_the_one_longest_disconnected() -> None:
    peers = Peers(limit=3)
    peers.take("old", peer(1.0, connected=False))
    peers.take("older", peer(0.0, connected=False))
    peers.take("here", peer(0.0, connected=True))
    peers.take("new", peer(5.0, connected=True))
    assert peers.get("older") is None
    assert len(peers.connected()) == 2
    peers.take("newer", peer(6.0, connected=True))
    peers.take("newest", peer(7.0, connected=True))
    assert (len(peers), peers.left_out) == (3, 1)


def test_a_peer_left_out_that_finds_room_later_is_not_left_out_any_more() -> None:
    peers = Peers(limit=1)
    peers.take("a", peer(0.0, connected=True))
    peers.take("b", peer(0.0, connected=True))
    peers.take("a", peer(1.0, connected=False))
    peers.take("b", peer(2.0, connected=True))
    assert (peers.get("a"), peers.left_out) == (None, 0)


def test_a_peer_disconnected_for_an_hour_is_forgotten_a_connected_one_never() -> None:
    peers = Peers()
    peers.take("gone", peer(0.0, connected=False))
    peers.take("here", peer(0.0, connected=True))
    peers.forget(PEER_MEMORY)
    assert len(peers) == 2
    peers.forget(PEER_MEMORY + 30)
    assert len(peers) == 2
    peers.forget(PEER_MEMORY + 61)
    assert [entry.members for entry in peers] == [{"connected": True}]


def test_the_newest_things_are_kept_and_listed_newest_first() -> None:
    recent = Recent[int](3)
    assert recent.newest() is None
    for height in range(5):
        recent.take(height, Entry({"blockHeight": height}, float(height)))
    recent.take(3, Entry({"producer": "p"}, 9.0))
    newest = recent.newest()
    assert newest is not None
    assert newest.members == {"blockHeight": 4}
    assert [entry.members for entry in recent.first(2)] == [{"blockHeight": 4}, {"blockHeight": 3, "producer": "p"}]
    assert len(recent) == 3
