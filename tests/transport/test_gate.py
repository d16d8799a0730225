from __future__ import annotations

import trio

from transport.gate import SLICES, Links, close_payload


class StubLink:
    def __init__(self, number, door):
        self.slice = number % SLICES
        self.door = door


class StubDoor:
    def __init__(self, name):
        self.name = name


def test_links_are_kept_until_they_are_discarded():
    links = Links()
    kept = [StubLink(number, StubDoor("stream")) for number in range(100)]
    for link in kept:
        links.add(link)
    assert len(links) == 100
    assert set(links) == set(kept)
    for link in kept:
        links.discard(link)
        links.discard(link)
    assert len(links) == 0
    assert links.opened == 100


def test_slices_are_counted_round():
    links = Links()
    link = StubLink(3, StubDoor("stream"))
    links.add(link)
    assert links.slice(3) == links.slice(3 + SLICES) == {link}


def test_links_are_counted_by_door():
    links = Links()
    for number, name in enumerate(["a", "b", "a"]):
        links.add(StubLink(number, StubDoor(name)))
    assert links.by_door() == {"a": 2, "b": 1}


async def test_who_waits_for_links_is_woken_by_the_first(nursery):
    links = Links()
    woken = []

    async def wait():
        await links.wait()
        woken.append(len(links))

    nursery.start_soon(wait)
    await trio.testing.wait_all_tasks_blocked()
    assert woken == []
    links.add(StubLink(0, StubDoor("stream")))
    await trio.testing.wait_all_tasks_blocked()
    assert woken == [1]
    await links.wait()


def test_a_close_carries_its_code_and_reason():
    assert close_payload(4201, "restart") == b"\x10\x69restart"


def test_a_close_without_a_reason_carries_what_its_code_means():
    assert close_payload(4102, "") == b"\x10\x06nothing was heard for too long"
    assert close_payload(3999, "") == b"\x0f\x9f"


def test_a_reason_is_cut_to_what_fits_in_whole_characters():
    assert len(close_payload(4201, "𝄞" * 100)) == 2 + 120
