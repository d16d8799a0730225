"""How much of a table one place, area, site or enterprise may fill."""

from __future__ import annotations

import pytest

from domain.plant.shares import LEAST, Shares


def filled(shares: Shares, paths) -> int:
    """How many of ``paths`` found room."""
    count = 0
    for path in paths:
        if shares.full(path) is None:
            shares.add(path)
            count += 1
    return count


@pytest.mark.parametrize(
    ("path", "most"),
    [("a/s/h/l/p", 1000), ("p", 1000), ("a/s/h/l/{n}", 2500), ("a/s/{n}", 5000), ("a/{n}/h", 7500), ("{n}", 10_000)],
)
def test_whoever_fills_their_part_leaves_room_for_others(path, most):
    shares = Shares(10_000)
    assert filled(shares, (path.format(n=n) for n in range(10_000))) == most
    assert shares.full("other/s/h/l/p") is None


def test_a_tenant_with_an_area_leaves_room_for_the_next_area():
    shares = Shares(10_000)
    assert filled(shares, (f"shared/plant/one/line/{n}" for n in range(10_000))) == 2500
    assert shares.full("shared/plant/two/line/press") is None
    part = shares.full("shared/plant/one/line/new")
    assert part is not None
    assert part.has("shared/plant/one/line/3")
    assert part.has("shared/plant/one")
    assert not part.has("shared/plant/one-more/line")


def test_a_part_of_one_place_is_not_what_is_below_it():
    shares = Shares(10_000)
    filled(shares, ["a/s/h"] * 1000)
    part = shares.full("a/s/h")
    assert part is not None
    assert part.has("a/s/h")
    assert not part.has("a/s/h/l")
    assert shares.full("a/s/h/l") is None


def test_what_goes_makes_room_and_leaves_nothing_behind():
    shares = Shares(10)
    assert filled(shares, ["a/b"] * 200) == LEAST
    shares.remove("a/b")
    assert filled(shares, ["a/b"] * 2) == 1
    for _ in range(LEAST):
        shares.remove("a/b")
    assert shares.full("a/b") is None
    with pytest.raises(KeyError):
        shares.remove("a/b")
