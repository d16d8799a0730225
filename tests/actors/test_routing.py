from __future__ import annotations

import pytest

from actors.desks import Desks
from actors.messages import EventTaken
from actors.runtime import ChildSpec, Supervisor


@pytest.mark.parametrize(
    ("type_", "desk"),
    [
        ("chain.transaction", "portal"),
        ("chain.block", "portal"),
        ("chain.halted", "portal"),
        ("validator.status", "portal"),
        ("validator.jailed", "portal"),
        ("host.metrics", "portal"),
        ("equipment.state.changed", "floor"),
        ("andon.call.raised", "floor"),
        ("alarm.raised", "floor"),
        ("source.silent", "floor"),
        ("chained.to.the.wall", "floor"),
        ("acme.chain.block", "floor"),
    ],
)
def test_an_event_has_one_desk(make_event, type_, desk):
    assert Desks("floor", "portal").of(make_event(type=type_)) == desk


async def test_the_desks_are_found_at_their_places(grow, keeper, make_event):
    floor: list[object] = []
    portal: list[object] = []
    inner = [ChildSpec("floor", keeper, (floor,)), ChildSpec("portal", keeper, (portal,))]
    async with grow([ChildSpec("desks", Supervisor, (inner,))]) as tree:
        desks = Desks.at_their_places(tree.system.environment)
        for type_ in ("chain.block", "equipment.state.changed"):
            event = make_event(type=type_)
            desks.of(event).tell(EventTaken(event))
        await tree.settle()
    assert [message.event.type for message in portal] == ["chain.block"]
    assert [message.event.type for message in floor] == ["equipment.state.changed"]
