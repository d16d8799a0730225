"""A chain of two layers stands still: one alert, whichever layer is the first to be seen."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

LAYERS = ("1", "1/beacon")
BLOCK_TIME = 6.0


class Layers:
    """A chain of two layers with a node each, on top of the rig of one."""

    def __init__(self, rig):
        self.rig = rig
        self.height = 100

    def says(self, layer, observation):
        return replace(observation, provenance=replace(observation.provenance, chain=layer))

    def grow(self, blocks, *layers):
        """Blocks come in time to ``layers``; the nodes of all of them answer."""
        told = []
        for _ in range(blocks):
            self.height += 1
            heads = [self.says(layer, self.rig.head(self.height, at=self.rig.at)) for layer in layers]
            told += self.rig.say(*heads) + self.wait(BLOCK_TIME)
        return told

    def wait(self, seconds):
        """Time passes and the nodes of both layers answer."""
        told = []
        for _ in range(round(seconds)):
            self.rig.at += 1
            told += self.rig.say(*(self.says(layer, self.rig.heard()) for layer in LAYERS)) + self.rig.look()
        return told


@pytest.fixture
def layers(rig):
    layers = Layers(rig)
    assert layers.grow(6, *LAYERS) == []
    return layers


def words(told):
    return [(event.type, event.data["chain"]) for event in told]


@pytest.mark.parametrize("first", [LAYERS, LAYERS[::-1]])
def test_both_layers_stand_still_and_go_on_and_each_is_told_once(layers, first):
    layers.grow(1, first[1])
    assert words(layers.wait(600)) == [("chain.halted", first[0])]
    states = {each["chain"]: each["state"] for each in layers.rig.chains.now(layers.rig.at).chains()}
    assert states == dict.fromkeys(LAYERS, "halted")
    assert words(layers.grow(9, *LAYERS)) == [("chain.resumed", first[0])]


def test_it_is_told_once_by_whichever_of_both_is_looked_at_first(layers):
    assert len(layers.wait(600)) == 1
    assert [kind for kind, _ in words(layers.grow(9, *LAYERS))] == ["chain.resumed"]


def test_a_layer_that_stands_still_while_the_other_goes_on_is_told_and_hides_no_later_halt(layers):
    assert words(layers.grow(20, "1/beacon")) == [("chain.halted", "1")]
    assert words(layers.wait(600)) == [("chain.halted", "1/beacon")]
    assert words(layers.grow(3, *LAYERS)) == [("chain.resumed", "1"), ("chain.resumed", "1/beacon")]


def test_a_layer_that_does_not_go_on_with_the_other_is_told_when_its_time_is_over(layers):
    layers.grow(1, "1/beacon")
    assert words(layers.wait(600)) == [("chain.halted", "1")]
    assert words(layers.grow(7, "1")) == [("chain.resumed", "1")]
    assert words(layers.grow(3, "1")) == [("chain.halted", "1/beacon")]
    assert words(layers.grow(1, *LAYERS)) == [("chain.resumed", "1/beacon")]


@pytest.mark.parametrize("waited", [50, 600])
def test_one_alert_for_both_layers_outlives_a_restart(layers, waited):
    layers.grow(1, "1/beacon")
    assert words(layers.wait(waited)) == [("chain.halted", "1")]
    layers.rig.restart()
    heads = [layers.says("1", layers.rig.head(106)), layers.says("1/beacon", layers.rig.head(107))]
    assert layers.rig.say(*heads) + layers.wait(600) == []
    assert words(layers.grow(9, *LAYERS)) == [("chain.resumed", "1")]


def test_two_chains_that_stand_still_are_two_alerts(rig):
    layers = Layers(rig)
    for _ in range(6):
        layers.height += 1
        rig.say(*(layers.says(chain, rig.head(layers.height, at=rig.at)) for chain in ("1", "10")))
        rig.at += BLOCK_TIME
    told = []
    for _ in range(60):
        rig.at += 1
        told += rig.say(*(layers.says(chain, rig.heard()) for chain in ("1", "10"))) + rig.look()
    assert sorted(words(told)) == [("chain.halted", "1"), ("chain.halted", "10")]


def test_nodes_that_say_they_catch_up_because_nothing_comes_are_one_halt_and_not_stale(rig):
    rig.begin(nodes=("n1", "n2"))
    told = rig.wait(20, 1.0, "n1", "n2")
    told += rig.say(rig.head(105, "n1", is_catching_up=True), rig.head(105, "n2", is_catching_up=True))
    told += rig.wait(600, 1.0, "n1", "n2")
    assert [event.type for event in told] == ["chain.halted"]
    assert rig.status() == "ACTIVE"
    rig.at += 1
    assert [event.type for event in rig.say(rig.head(106, at=rig.at))] == ["chain.resumed"]


def test_a_node_alone_that_catches_up_is_not_heard_on_the_present_however_slowly_it_does(rig):
    rig.begin()
    rig.restart()
    rig.at += 86_400
    rig.say(rig.head(110, is_catching_up=True))
    told = []
    for height in range(111, 120):
        told += rig.say(rig.head(height, is_catching_up=True)) + rig.wait(60, 1.0, "n1")
    assert [event.type for event in told] == ["chain.node.quarantined", "chain.stale"]
