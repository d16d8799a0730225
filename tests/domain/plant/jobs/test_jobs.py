"""Job orders: what is stored, what moves it, what two of them owe each other, what is told and kept."""

import json

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain import Grounds, Priority, Refused
from domain.plant import Word
from domain.plant.jobs import TRANSITIONS, Jobs, State, Trigger, triggers_of

NOW = 1_800_000_000.0
LINE = "acme/plant1/line3"


def word(at=NOW, by="ada"):
    return Word(by, at, at + 0.5, "tablet-4", "as agreed")


def stored(jobs, id_="j1", equipment=LINE, **members):
    return jobs.store({"id": id_, "equipment": equipment, **members}, word(), "made-up")


def move(jobs, *triggers, id_="j1", at=NOW):
    told = None
    for trigger in triggers:
        told = jobs.move(id_, trigger, word(at))
    return told


def test_a_job_that_waits_for_nothing_is_ready_as_it_comes():
    jobs = Jobs()
    told = stored(jobs, product="a", quantity=200)
    assert (told.answer["state"], told.answer["status"]) == ("NotAllowedToStart.Ready", "assigned")
    assert told.answer["storedBy"] == "ada"
    assert [event.type for event in told.events] == ["job.created"]


def test_a_job_that_waits_for_something_cannot_begin_until_it_is_ready():
    jobs = Jobs()
    assert stored(jobs, waitsFor="steel").answer["state"] == "NotAllowedToStart.Waiting"
    move(jobs, Trigger.START)
    with pytest.raises(Refused) as refused:
        move(jobs, Trigger.BEGIN)
    assert refused.value.grounds is Grounds.CONFLICT
    assert refused.value.details["possible"] == ["RevokeStart", "Abort", "Update", "Cancel", "become_ready"]
    assert move(jobs, Trigger.BECOME_READY, Trigger.BEGIN).answer["waitsFor"] is None


def test_a_job_stored_with_leave_to_start_is_accepted():
    told = Jobs().store({"equipment": LINE}, word(), "j9", may_start=True)
    assert (told.answer["id"], told.answer["status"], told.answer["acceptedBy"]) == ("j9", "accepted", "ada")


def test_every_step_is_an_event_with_who_where_when_and_from_what():
    jobs = Jobs()
    stored(jobs)
    told = move(jobs, Trigger.START, Trigger.BEGIN)
    (event,) = told.events
    assert event.type == "job.started"
    assert (event.source, event.subject) == (f"/{LINE}", "j1")
    assert (event.time, event.recorded) == ("2027-01-15T08:00:00.000Z", NOW + 0.5)
    assert event.priority is Priority.HIGH
    expected = {"by": "ada", "station": "tablet-4", "comment": "as agreed", "previous": "AllowedToStart.Ready"}
    assert expected.items() <= event.data.items()
    assert event.data["trigger"] == "begin"


def test_the_events_of_a_job_have_ids_of_their_own_even_if_its_id_is_used_again():
    jobs = Jobs()
    ids = [*stored(jobs).events, *move(jobs, Trigger.CANCEL).events]
    again = jobs.store({"id": "j1", "equipment": LINE}, word(NOW + 60), "made-up")
    ids = [event.id for event in (*ids, *again.events)]
    assert len(set(ids)) == 3


def test_running_time_leaves_out_what_was_paused():
    jobs = Jobs()
    stored(jobs)
    move(jobs, Trigger.START, Trigger.BEGIN)
    move(jobs, Trigger.PAUSE, at=NOW + 100)
    move(jobs, Trigger.RESUME, at=NOW + 400)
    told = move(jobs, Trigger.STOP, at=NOW + 450)
    assert told.answer["runningTime"] == 150.0
    assert told.answer["startedAt"] == "2027-01-15T08:00:00.000Z"
    assert told.answer["endedAt"] == "2027-01-15T08:07:30.000Z"


@pytest.mark.parametrize("way", [(Trigger.BEGIN,), (Trigger.BEGIN, Trigger.PAUSE, Trigger.RESUME)])
def test_a_place_works_on_one_job_at_a_time(way):
    jobs = Jobs()
    for id_ in ("j1", "j2"):
        stored(jobs, id_)
        move(jobs, Trigger.START, id_=id_)
    move(jobs, *way[:-1], id_="j1")
    move(jobs, Trigger.BEGIN, id_="j2")
    with pytest.raises(Refused) as refused:
        move(jobs, way[-1], id_="j1")
    assert (refused.value.grounds, refused.value.details["running"]) == (Grounds.CONFLICT, "j2")
    move(jobs, Trigger.STOP, id_="j2")
    assert move(jobs, way[-1], id_="j1").answer["state"] == "Running"


def test_two_places_work_on_two_jobs():
    jobs = Jobs()
    for id_, place in (("j1", LINE), ("j2", "acme/plant1/line4")):
        stored(jobs, id_, place)
        move(jobs, Trigger.START, Trigger.BEGIN, id_=id_)
    assert [jobs.running_at(place).id for place in (LINE, "acme/plant1/line4")] == ["j1", "j2"]


def test_a_job_is_changed_before_it_begins_and_not_after():
    jobs = Jobs()
    stored(jobs, product="a", quantity=10, description="as drawn")
    told = jobs.update("j1", {"quantity": 12}, word())
    assert (told.answer["product"], told.answer["quantity"], told.answer["description"]) == ("a", 12, "as drawn")
    move(jobs, Trigger.START, Trigger.BEGIN)
    with pytest.raises(Refused, match="Update is not possible"):
        jobs.update("j1", {"quantity": 13}, word())
    assert jobs.get("j1").quantity == 12


def test_everything_wrong_with_a_job_is_said_at_once():
    with pytest.raises(Refused) as refused:
        Jobs().store(
            {"quantity": 0, "importance": True, "plannedStart": "2026-01-02T00:00:00Z", "plannedEnd": 1.0},
            word(),
            "j1",
        )
    assert refused.value.grounds is Grounds.INVALID
    pointers = [fault["pointer"] for fault in refused.value.details["faults"]]
    assert pointers == ["/equipment", "/quantity", "/importance", "/plannedEnd"]


def test_a_job_at_no_place_of_the_site_is_refused_and_an_alias_is_a_path():
    jobs = Jobs(path_of={"BP01": LINE}.get)
    with pytest.raises(Refused, match="no equipment"):
        stored(jobs)
    assert stored(jobs, equipment="BP01").answer["equipment"] == LINE


def test_an_id_is_used_once_and_an_unknown_one_is_not_found():
    jobs = Jobs()
    stored(jobs)
    with pytest.raises(Refused) as again:
        stored(jobs)
    with pytest.raises(Refused) as unknown:
        move(jobs, Trigger.START, id_="j2")
    assert (again.value.grounds, unknown.value.grounds) == (Grounds.CONFLICT, Grounds.NOT_FOUND)


def test_a_cancelled_job_of_the_standard_is_no_more_and_an_aborted_one_is_still_there():
    jobs = Jobs()
    stored(jobs, "j1")
    stored(jobs, "j2")
    told = move(jobs, Trigger.CANCEL, id_="j1")
    assert (told.answer["state"], told.answer["status"], told.rows[0].value) == ("EndState", None, None)
    assert move(jobs, Trigger.ABORT, id_="j2").answer["status"] == "cancelled"
    assert [order.id for order in jobs] == ["j2"]
    assert move(jobs, Trigger.CLEAR, id_="j2").rows[0].value is None


def test_the_jobs_that_ended_first_make_room_and_none_that_is_not_over():
    jobs = Jobs(capacity=2)
    for id_ in ("j1", "j2"):
        stored(jobs, id_)
    with pytest.raises(Refused, match="none of them is over"):
        stored(jobs, "j3")
    move(jobs, Trigger.ABORT, id_="j2", at=NOW + 1)
    move(jobs, Trigger.ABORT, id_="j1", at=NOW + 2)
    told = stored(jobs, "j3")
    assert [(row.key, row.value is None) for row in told.rows] == [("j3", False), ("j2", True)]
    assert {order.id for order in jobs} == {"j1", "j3"}


def test_a_place_that_fills_its_share_leaves_room_for_the_others_and_no_count_is_told():
    jobs = Jobs(capacity=1000)
    for number in range(100):
        stored(jobs, f"j{number}")
    stored(jobs, "other", "other/plant/hall/line")
    with pytest.raises(Refused, match=f"at {LINE}.*none of them is over") as refused:
        stored(jobs, "more")
    assert "10" not in f"{refused.value} {refused.value.details}".replace(LINE, "")
    with pytest.raises(Refused, match="no room"):
        jobs.update("other", {"equipment": LINE}, word())
    assert jobs.get("other").equipment == "other/plant/hall/line"
    jobs.update("j0", {"equipment": LINE}, word())
    move(jobs, Trigger.ABORT, id_="j7", at=NOW + 1)
    told = stored(jobs, "more")
    assert [row.key for row in told.rows if row.value is None] == ["j7"]


class LifeOfJobs(RuleBasedStateMachine):
    """Three jobs at one place, moved at random: the table holds, one runs at most, what is kept is what there is."""

    ids = st.sampled_from(["j1", "j2", "j3"])

    def __init__(self):
        super().__init__()
        self.jobs = Jobs()
        self.model: dict[str, State] = {}
        self.kept: dict[str, object] = {}
        self.events: set[str] = set()
        self.at = NOW

    @rule(id_=ids, waits=st.booleans(), may_start=st.booleans())
    def store(self, id_, waits, may_start):
        members = {"id": id_, "equipment": LINE} | ({"waitsFor": "steel"} if waits else {})
        self.at += 1
        if id_ in self.model:
            with pytest.raises(Refused):
                self.jobs.store(members, word(self.at), "x", may_start=may_start)
            return
        self.take(self.jobs.store(members, word(self.at), "x", may_start=may_start))
        trigger = Trigger.STORE_AND_START if may_start else Trigger.STORE
        state = TRANSITIONS[State.INITIAL, trigger]
        self.model[id_] = state if waits else TRANSITIONS[state, Trigger.BECOME_READY]

    @rule(id_=ids, trigger=st.sampled_from([each for each in Trigger if each not in (Trigger.STORE, Trigger.UPDATE)]))
    def move(self, id_, trigger):
        state = self.model.get(id_)
        target = None if state is None else TRANSITIONS.get((state, trigger))
        is_taken = any(each is State.RUNNING for other, each in self.model.items() if other != id_)
        self.at += 1
        if target is None or (target is State.RUNNING and is_taken):
            with pytest.raises(Refused):
                self.jobs.move(id_, trigger, word(self.at))
            return
        self.take(self.jobs.move(id_, trigger, word(self.at)))
        self.model[id_] = target
        if target is State.END:
            del self.model[id_]

    def take(self, told):
        for row in told.rows:
            self.kept.pop(row.key, None)
            if row.value is not None:
                self.kept[row.key] = json.loads(json.dumps(row.value))
        for event in told.events:
            assert event.id not in self.events
            self.events.add(event.id)

    @invariant()
    def the_states_are_those_of_the_table(self):
        assert {order.id: order.state for order in self.jobs} == self.model
        for order in self.jobs:
            assert set(self.jobs.members(order, self.at)["possible"]) == {
                each.value for each in triggers_of(order.state)
            }

    @invariant()
    def one_runs_at_most_and_it_is_the_one_of_the_place(self):
        running = [id_ for id_, state in self.model.items() if state is State.RUNNING]
        known = self.jobs.running_at(LINE)
        assert running == ([] if known is None else [known.id])

    @invariant()
    def what_was_kept_gives_the_same_again(self):
        again = Jobs()
        assert again.recall(self.kept.values()) == 0
        assert {order.id: order for order in again} == {order.id: order for order in self.jobs}
        known = again.running_at(LINE)
        assert (known and known.id) == (self.jobs.running_at(LINE) and self.jobs.running_at(LINE).id)


TestLifeOfJobs = LifeOfJobs.TestCase
TestLifeOfJobs.settings = settings(
    max_examples=60, stateful_step_count=40, suppress_health_check=[HealthCheck.too_slow]
)


def test_a_row_that_is_none_of_ours_is_counted_and_left_out():
    jobs = Jobs()
    assert jobs.recall([{"id": "j1"}, {"id": "j2", "equipment": LINE, "state": "Running"}]) == 1
    assert jobs.running_at(LINE).id == "j2"
