from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from actors import Act, Acted, Answerer
from actors.desks.alarms import ReadAlarms
from actors.desks.job_words import ReadJobs
from actors.places import ALARMS_DESK, JOBS_DESK
from actors.runtime import ActorSystem, ChildSpec, Supervisor, TrioActor
from andond.floor_desks import NO_ANSWER, NO_DESK, PATIENCE, FloorDesks
from andond.floor_sections import SECTIONS, Where
from andond.sight import Views
from domain import Grounds, Refused
from domain.access import OPEN_RIGHTS, Rights
from domain.plant.site import EquipmentModel, Level, Node, Site
from transport.dialects.floor import questions as floor_questions
from transport.dialects.floor.questions import Deed, Done, Row, Snapshot

MODEL = EquipmentModel(
    Node(
        "acme",
        Level.ENTERPRISE,
        below=(Node("line3", Level.LINE, aliases=("L-003",), below=(Node("press3", Level.CELL),)),),
    )
)


class Desk(TrioActor):
    """Answers what it is asked with ``answer``; None: never."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self._answer = answer

    def on_receive(self, message: object) -> object:
        if self._answer is None:
            return self.defer_reply() and None
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer(message) if callable(self._answer) else self._answer


@asynccontextmanager
async def desks(rights: Rights = OPEN_RIGHTS, **answers: object) -> AsyncIterator[Answerer]:
    async with ActorSystem.open() as system:
        specs = [ChildSpec(name, Desk, (answer,)) for name, answer in answers.items()]
        root = system.start(Supervisor, "gateway", [ChildSpec("desks", Supervisor, (specs,))])
        await system.settled(root)
        yield FloorDesks(system.environment, lambda: Site(MODEL), lambda: 1795240800.0).answers(rights)


ALARMS = [{"equipment": "acme/line3/press3", "code": "1"}, {"equipment": "acme/line4/press4", "code": "2"}]


async def test_a_part_of_a_snapshot_is_what_its_desk_says_of_the_place():
    async with desks(alarms=ALARMS) as answer:
        everywhere = await answer(Snapshot(("fault",)))
        assert [row.path for row in everywhere.rows["fault"]] == ["acme/line3/press3", "acme/line4/press4"]
        for name in ("L-003", "acme/line3", "acme/line3/press3"):
            seen = await answer(Snapshot(("fault",), name))
            assert seen.rows == {"fault": [Row("acme/line3/press3", ALARMS[0])]}
            assert seen.reasons == {}


async def test_a_place_that_the_model_does_not_know_is_known_by_its_name():
    async with desks(alarms=ALARMS) as answer:
        seen = await answer(Snapshot(("fault",), "line4"))
        assert [row.path for row in seen.rows["fault"]] == ["acme/line4/press4"]
        assert (await answer(Snapshot(("fault",), "line"))).rows == {"fault": []}


async def test_a_job_of_the_line_is_said_of_its_machines_too():
    async with desks(jobs=[{"equipment": "acme/line3", "id": "j1"}, {"equipment": "acme/line4", "id": "j2"}]) as answer:
        seen = await answer(Snapshot(("job",), "acme/line3/press3"))
        assert [row.members["id"] for row in seen.rows["job"]] == ["j1"]


async def test_a_desk_that_is_not_there_or_refuses_is_missing_with_the_reason():
    async with desks(jobs=Refused(Grounds.NOT_FOUND, "nothing was heard of it")) as answer:
        seen = await answer(Snapshot(("fault", "job", "weather")))
        assert seen.rows == {}
        assert seen.reasons == {"fault": NO_ANSWER, "job": "nothing was heard of it", "weather": NO_DESK}


async def test_a_desk_that_hangs_holds_no_other_up_for_long(autojump_clock):
    async with desks(alarms=ALARMS, jobs=None) as answer:
        seen = await answer(Snapshot(("fault", "job")))
        assert (set(seen.rows), seen.reasons) == ({"fault"}, {"job": NO_ANSWER})


@pytest.mark.parametrize("name", SECTIONS)
def test_every_part_is_a_question_that_its_desk_knows(name):
    section = SECTIONS[name]
    question = section.question(Where(None, MODEL, 0.0, Views().of(OPEN_RIGHTS)))
    if section.desk == ALARMS_DESK:
        assert isinstance(question, ReadAlarms)
    elif section.desk == JOBS_DESK:
        assert isinstance(question, ReadJobs)
    assert callable(question.read)


def test_every_part_that_clients_can_ask_for_has_a_desk():
    assert set(SECTIONS) == set(floor_questions.SECTIONS)


async def test_a_deed_is_done_by_the_desk_of_its_type():
    heard: list[Act] = []

    def act(message: Act) -> Acted:
        heard.append(message)
        return Acted({"state": "acknowledged"}, is_kept=True)

    async with desks(calls=act) as answer:
        done = await answer(Deed("andon.acknowledge", "k1", "anna", 5.0, {"call": "c1"}, "st4"))
        assert done == Done({"state": "acknowledged"}, is_kept=True)
        assert heard == [Act("andon.acknowledge", "k1", "anna", 5.0, {"call": "c1"}, "st4", rights=OPEN_RIGHTS)]
        with pytest.raises(Refused) as refused:
            await answer(Deed("moon.land", None, "anna", 5.0, {}))
        assert refused.value.grounds is Grounds.UNSUPPORTED
        with pytest.raises(TypeError):
            await answer("what?")
    assert PATIENCE > 0
