"""Plain counts: bounded labels, and no lost count between threads."""

import threading

from telemetry import DOORS, PRIORITIES, Counters, Tally
from telemetry.counters import OTHER


def test_a_tally_shows_its_known_labels_from_the_start():
    tally = Tally("limit", "address")
    assert tally.items() == {"limit": 0, "address": 0}
    tally.add("limit")
    tally.add("limit", 2)
    assert tally["limit"] == 3
    assert tally["never"] == 0
    assert tally.total == 3


def test_labels_past_the_limit_count_together_as_other():
    tally = Tally("known", limit=3)
    for number in range(10):
        tally.add(f"label{number}")
    tally.add("known")
    assert tally.items() == {"known": 1, "label0": 1, OTHER: 9}
    assert tally.total == 11


def test_counts_by_priority_have_one_place_for_each_priority():
    counts = Counters()
    counts.published[0] += 1
    counts.published[3] += 2
    assert list(counts.published) == [1, 0, 0, 2]
    assert len(counts.delivery_delay) == len(PRIORITIES) == 4


def test_every_front_door_is_visible_from_the_start():
    assert set(Counters().connections_opened.items()) == set(DOORS)


def test_counts_start_at_zero_and_are_their_own():
    first, second = Counters(), Counters()
    first.frames_sent += 5
    first.connections_refused.add("limit")
    assert second.frames_sent == 0
    assert second.connections_refused.total == 0


def test_no_count_is_lost_between_threads():
    counts = Counters()
    start = threading.Barrier(4)

    def count():
        start.wait()
        for _ in range(20_000):
            counts.frames_sent += 1
            counts.published[1] += 1
            counts.dead_letters.add("stopped")
            counts.actor_failures.add("Channel")

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts.frames_sent == counts.published[1] == 80_000
    assert counts.dead_letters["stopped"] == counts.actor_failures["Channel"] == 80_000
