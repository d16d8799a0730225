"""The settings of chains: shares in order, and who is watched."""

from __future__ import annotations

import msgspec
import pytest

from config import CosmosNode, CosmosSource, HostSource, turn_of, watched_of
from config.chain import shares


class Source(msgspec.Struct):
    watched: tuple[int | str, ...] = ()


@pytest.mark.parametrize("value", [[], [0.5], [0.5, 0.8, 0.95], (0.1, 0.2)])
def test_rising_shares_are_right(value):
    assert shares(value) is None


@pytest.mark.parametrize("value", [[0.8, 0.5], [0.5, 0.5], [0.0], [1.0], [1.5], ["0.5"], 0.5])
def test_other_shares_are_not(value):
    assert "rising order" in str(shares(value))


def test_the_watched_of_all_sources_are_known_in_lower_case():
    sources = {"a": Source((123, "0xABC")), "b": Source(("cosmosvaloper1x",)), "c": HostSource()}
    assert watched_of(sources) == {"123", "0xabc", "cosmosvaloper1x"}


def test_each_node_is_read_again_within_the_time_of_a_turn_over_all_of_them():
    nodes = tuple(CosmosNode(rpc=f"http://{name}:1") for name in "abc")
    assert turn_of({"hub": CosmosSource(chain="x", nodes=nodes, poll=60.0), "c": HostSource()}) == 270
    assert turn_of({"c": HostSource()}) == 0
