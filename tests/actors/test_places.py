from __future__ import annotations

import pytest

from actors import places
from actors.places import Address
from actors.runtime import ActorDead, ChildSpec, Supervisor
from actors.runtime.errors import MailboxFull
from domain import Priority


class Urgent:
    priority = Priority.CRITICAL


async def test_an_address_reaches_whoever_lives_there(grow, keeper):
    kept: list[object] = []
    inner = ChildSpec("desks", Supervisor, ([ChildSpec("floor", keeper, (kept,))],))
    async with grow([inner]) as tree:
        address = Address(tree.system.environment, places.FLOOR_DESK)
        address.tell("hello")
        await tree.settle()
        assert kept == ["hello"]
        assert address.ref is tree.ref(places.FLOOR_DESK)
        assert address.path == "gateway/desks/floor"


async def test_an_address_may_be_known_before_anybody_lives_there_and_after(grow, keeper):
    async with grow([]) as tree:
        address = Address(tree.system.environment, places.CHANNELS)
        with pytest.raises(ActorDead, match="gateway/channels: nobody is there"):
            address.tell("hello")
    async with grow([ChildSpec("channels", keeper, ([],))]) as tree:
        address = Address(tree.system.environment, places.CHANNELS)
        assert address.ref.is_alive()
    with pytest.raises(ActorDead):
        address.tell("hello")


async def test_who_is_behind_refuses_what_is_urgent(grow, keeper, monkeypatch):
    monkeypatch.setattr(keeper, "mailbox_limit", 1)
    async with grow([ChildSpec("channels", keeper, ([],))]) as tree:
        address = Address(tree.system.environment, places.CHANNELS)
        address.tell(Urgent())
        with pytest.raises(MailboxFull):
            address.tell(Urgent())


def test_the_places_are_those_of_one_tree():
    names = {name: value for name, value in vars(places).items() if name.isupper()}
    assert all(value.split("/")[0] == places.GATEWAY for value in names.values())
    assert len(set(names.values())) == len(names)
