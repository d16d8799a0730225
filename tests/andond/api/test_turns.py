"""One list of one user at a time: who asks for many waits, and others do not wait for them."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from andond.api.describe import Operation
from andond.api.floor_desks import FloorRoutes
from andond.api.floor_query import PAGE
from andond.api.turns import WAITING, Turns
from domain.access import NO_RIGHTS, Identity, Proof
from transport import ClientAddress, ProtocolError, Request, Routes


def asking(subject: str = "", host: str = "10.0.0.1") -> Request:
    proof = Proof.TOKEN if subject else Proof.ANONYMOUS
    rights = NO_RIGHTS.of(Identity(subject, subject, frozenset(), proof))
    return Request(
        "GET", "/api/v1/x", {}, {}, b"", ClientAddress(host), secure=False, target="/api/v1/x", rights=rights
    )


class Lists:
    """A route of lists that are made until ``go`` is set."""

    def __init__(self) -> None:
        self.routes, self.go, self.made, self.at_once = Routes(), trio.Event(), 0, 0
        FloorRoutes(self.routes).add("GET", "/x", self._make, Operation("x", "X", "x", query=PAGE))

    async def _make(self, _request: Request):
        self.made += 1
        self.at_once += 1
        await self.go.wait()
        await trio.testing.wait_all_tasks_blocked()
        self.at_once -= 1
        assert self.at_once == 0
        return []


async def test_a_user_has_one_list_made_at_a_time():
    lists = Lists()
    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(lists.routes, asking("ann"))
        await trio.testing.wait_all_tasks_blocked()
        assert lists.made == 1
        lists.go.set()
    assert lists.made == 5


@pytest.mark.parametrize("other", [asking("ben"), asking(), asking("", "10.0.0.2")])
async def test_nobody_waits_for_the_list_of_another(other):
    turns = Turns()
    mine = asking("ann") if other.client.host == "10.0.0.1" else asking()
    with trio.fail_after(1):
        async with turns.of(mine), turns.of(other):
            pass


async def test_who_has_too_many_waiting_is_told_to_come_again_and_is_let_in_later():
    lists = Lists()
    async with trio.open_nursery() as nursery:
        for _ in range(WAITING + 1):
            nursery.start_soon(lists.routes, asking("ann"))
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(ProtocolError) as refused:
            await lists.routes(asking("ann"))
        assert (refused.value.status, refused.value.retry_after) == (429, 1)
        nursery.cancel_scope.cancel()
    lists.go.set()
    lists.at_once = 0
    assert (await lists.routes(asking("ann"))).status == 200


async def test_what_is_no_list_waits_for_nothing():
    routes, inside = Routes(), []

    async def handler(_request: Request):
        inside.append(1)
        if len(inside) == 1:
            with trio.fail_after(1):
                await routes(asking("ann"))
        return len(inside)

    FloorRoutes(routes).add("GET", "/x", handler, Operation("x", "X", "x"))
    await routes(asking("ann"))
    assert len(inside) == 2
