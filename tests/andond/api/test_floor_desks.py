"""The way from REST to the desks: how each kind of no is said, and what is left after a restart."""

from __future__ import annotations

import json

import pytest

from actors import Acted
from actors.places import ALARMS_DESK
from actors.runtime import ActorSystem, ChildSpec, Supervisor, TrioActor
from andond.api.describe import Operation
from andond.api.floor_desks import Floor, FloorRoutes, refusal
from andond.api.floor_request import Said
from domain import Grounds, Refused
from domain.access import OPEN_RIGHTS
from domain.plant.site import Site
from transport import ClientAddress, Request, Routes

ANNA = Said("anna", None, "k1", None, {})


@pytest.mark.parametrize(
    ("grounds", "status", "word"),
    [
        (Grounds.INVALID, 422, "VALIDATION_ERROR"),
        (Grounds.NOT_FOUND, 404, "NOT_FOUND"),
        (Grounds.CONFLICT, 409, "CONFLICT"),
        (Grounds.NOT_ALLOWED, 403, "FORBIDDEN"),
        (Grounds.UNSUPPORTED, 501, "NOT_IMPLEMENTED"),
        (Grounds.UNAVAILABLE, 503, "SERVICE_UNAVAILABLE"),
    ],
)
def test_a_no_is_a_problem_with_the_dashboards_members_beside(grounds, status, word):
    answer = refusal(Refused(grounds, "it is so", {"id": "c1"}))
    body = json.loads(answer.body)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    assert (body["status"], body["detail"]) == (status, "it is so")
    # What is not understood has its faults, if only the whole of it.
    more = {"faults": [{"pointer": "", "message": "it is so"}]} if grounds is Grounds.INVALID else {}
    assert (body["error"], body["message"], body["details"]) == (word, "it is so", {"id": "c1", **more})
    assert ("retry-after" in answer.headers) is (status == 503)


def test_every_ground_of_a_refusal_has_its_answer():
    for grounds in Grounds:
        assert refusal(Refused(grounds, "x")).status >= 400


async def test_a_desk_that_is_not_there_is_unavailable():
    async with ActorSystem.open() as system:
        floor = Floor(system.environment, Site, lambda: 1.0)
        for read in (floor.alarms, floor.calls, floor.jobs, floor.production):
            with pytest.raises(Refused) as refused:
                await read(OPEN_RIGHTS, lambda _: [])
            assert refused.value.grounds is Grounds.UNAVAILABLE
        with pytest.raises(Refused) as refused:
            await floor.perform("alarm.acknowledge", ANNA, {}, OPEN_RIGHTS)
        assert refused.value.grounds is Grounds.UNAVAILABLE


class Desk(TrioActor):
    """Answers an act as it was told to, and what is read with what it was given."""

    def __init__(self, acted: object, asked: list[object]) -> None:
        super().__init__()
        self._acted = acted
        self._asked = asked

    def on_receive(self, message):
        self._asked.append(message)
        read = getattr(message, "read", None)
        return self._acted if read is None else read("now")


@pytest.fixture
async def floor_of():
    """A floor whose alarms' desk answers an act with what is given, and what it was asked."""
    async with ActorSystem.open() as system:
        asked: list[object] = []

        async def floor_of(acted: object) -> tuple[Floor, list[object]]:
            desks = Supervisor
            root = system.start(desks, ALARMS_DESK.rpartition("/")[0], [ChildSpec("alarms", Desk, (acted, asked))])
            await system.settled(root)
            return Floor(system.environment, Site, lambda: 7.0), asked

        yield floor_of


async def test_what_the_disk_has_not_taken_is_said_with_what_was_done(floor_of):
    floor, _ = await floor_of(Acted({"id": "a1"}, is_kept=False))
    with pytest.raises(Refused) as refused:
        await floor.perform("alarm.acknowledge", ANNA, {}, OPEN_RIGHTS)
    assert refused.value.grounds is Grounds.UNAVAILABLE
    assert refused.value.details == {"answer": {"id": "a1"}, "key": "k1"}


async def test_an_act_has_who_when_and_its_key(floor_of):
    floor, asked = await floor_of(Acted({"id": "a1"}, is_kept=True))
    assert await floor.perform("alarm.acknowledge", ANNA, {"id": "a1"}, OPEN_RIGHTS) == {"id": "a1"}
    (act,) = asked
    assert (act.type, act.by, act.at, act.key, act.arguments) == ("alarm.acknowledge", "anna", 7.0, "k1", {"id": "a1"})
    await floor.perform(
        "alarm.acknowledge", Said("anna", 3.0, None, "st4", {}), {"at": "2026-11-21T06:00:00Z"}, OPEN_RIGHTS
    )
    # The moment is what the act is about, so it is done now.
    assert (asked[-1].at, asked[-1].station) == (7.0, "st4")


async def test_a_no_to_a_reader_is_no_failure_of_the_desk(floor_of):
    floor, asked = await floor_of(None)

    def no(_now):
        raise Refused(Grounds.NOT_FOUND, "there is none")

    with pytest.raises(Refused, match="there is none"):
        await floor.alarms(OPEN_RIGHTS, no)
    assert await floor.alarms(OPEN_RIGHTS, lambda now: [now]) == ["now"]
    assert await floor.alarms(OPEN_RIGHTS, lambda _now: None) is None
    assert len(asked) == 3


async def test_a_desk_that_does_not_know_yet_what_was_kept_is_unavailable(floor_of, monkeypatch):
    floor, _ = await floor_of(None)
    monkeypatch.setattr(Desk, "on_receive", lambda _self, _message: None)
    with pytest.raises(Refused) as refused:
        await floor.alarms(OPEN_RIGHTS, lambda now: now)
    assert refused.value.grounds is Grounds.UNAVAILABLE


async def test_a_handler_that_refuses_is_answered_with_the_problem():
    async def handler(_request, name):
        raise Refused(Grounds.CONFLICT, f"not {name}")

    routes = Routes()
    FloorRoutes(routes).add("POST", "/x/{name}", handler, Operation("x", "X", "x"))
    address = ClientAddress("127.0.0.1")
    answer = await routes(Request("POST", "/api/v1/x/7", {}, {}, b"", address, secure=False, target="/api/v1/x/7"))
    assert (answer.status, json.loads(answer.body)["message"]) == (409, "not 7")


def test_what_was_answered_is_there_after_a_restart(plant_in, tmp_path):
    wish = {"equipment": "BP01.PACK.BAG1", "type": "material", "by": "anna"}
    with plant_in(tmp_path) as plant:
        call = plant.post("/andon/calls", wish, key="once").body
        job = plant.post("/jobs", {"equipment": "BP01.PACK.BAG1", "product": "flour", "by": "planner"}).body
    with plant_in(tmp_path) as plant:
        assert plant.get(f"/andon/calls/{call['id']}")["raised_at"] == call["raised_at"]
        assert plant.post("/andon/calls", wish, key="once")["id"] == call["id"]
        assert plant.get(f"/jobs/{job['id']}")["status"] == "assigned"
