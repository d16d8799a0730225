"""Who may do what about which call, and what two do at the same time."""

import pytest

from domain import Grounds, Refused
from domain.plant.calls import State, Terms, Trigger, Wish, document, history
from domain.plant.calls.call import CONTESTS

ACK, ARRIVE, RESOLVE, CLOSE, CANCEL, REOPEN = (
    Trigger.ACKNOWLEDGE, Trigger.ARRIVE, Trigger.RESOLVE, Trigger.CLOSE, Trigger.CANCEL, Trigger.REOPEN,
)  # fmt: skip


def test_a_call_goes_through_its_life_and_each_step_is_an_event_with_who_when_and_where(plant):
    call = plant.call("kim", text="jam")
    for trigger, by in [(ACK, "lee"), (ARRIVE, "lee"), (RESOLVE, "lee"), (CLOSE, "kim")]:
        plant.wait(60)
        call = plant.act("c1", trigger, by, delay=2.0, station="st4", comment=f"{trigger}!")
    assert call.state is State.CLOSED
    assert [event.type.rpartition(".")[2] for event in plant.told] == [
        "raised", "acknowledged", "arrived", "resolved", "closed",
    ]  # fmt: skip
    assert [event.id for event in plant.told] == ["c1-1", "c1-2", "c1-3", "c1-4", "c1-5"]
    last = plant.told[-1]
    assert (last.source, last.subject) == ("/acme/line3/st4", "c1")
    said = {name: last.data[name] for name in ("by", "station", "comment", "at", "received", "state")}
    assert said == {
        "by": "kim",
        "station": "st4",
        "comment": "close!",
        "at": "2027-01-15T08:03:58.000Z",
        "received": "2027-01-15T08:04:00.000Z",
        "state": "closed",
    }
    assert (last.time, last.recorded) == ("2027-01-15T08:03:58.000Z", plant.at)


@pytest.mark.parametrize("state", ["raised", "acknowledged", "in_progress"])
def test_a_second_call_of_a_word_at_a_place_is_a_conflict_while_the_first_is_open(plant, state):
    plant.call()
    for trigger in {"raised": [], "acknowledged": [ACK], "in_progress": [ACK, ARRIVE]}[state]:
        plant.act("c1", trigger)
    with pytest.raises(Refused) as refused:
        plant.call("max")
    assert refused.value.grounds is Grounds.CONFLICT
    assert (refused.value.details["call"], refused.value.details["state"]) == ("c1", state)
    assert plant.call("max", word="material").id == "c2"
    assert plant.call("max", path="acme/line3/st5").id == "c3"


@pytest.mark.parametrize("over", [[RESOLVE], [RESOLVE, CLOSE], [CANCEL]])
def test_a_call_that_is_resolved_or_over_stands_in_the_way_of_none(plant, over):
    plant.call()
    for trigger in over:
        plant.act("c1", trigger, "kim")
    assert plant.call().id == "c2"


def test_a_call_cannot_be_opened_again_where_another_one_is_open(plant):
    plant.call()
    plant.act("c1", RESOLVE)
    plant.call()
    with pytest.raises(Refused, match="open at acme/line3/st4: c2"):
        plant.act("c1", REOPEN)
    plant.act("c2", RESOLVE)
    assert plant.act("c1", REOPEN).state is State.RAISED


def test_what_is_done_to_no_call_is_not_found(plant):
    with pytest.raises(Refused) as refused:
        plant.act("c9", ACK)
    assert refused.value.grounds is Grounds.NOT_FOUND


# --- cancelling


@pytest.mark.parametrize(
    ("by", "after", "roles", "is_allowed"),
    [
        ("kim", 0, (), True),
        ("kim", 60, (), True),
        ("kim", 61, (), False),
        ("lee", 0, (), False),
        ("lee", 0, ("operator",), False),
        ("sam", 61, ("shift_manager",), True),
        ("kim", 61, ("supervisor",), True),
    ],
)
@pytest.mark.parametrize("is_in_roster", [False, True])
def test_the_raiser_cancels_within_the_grace_and_later_a_supervisor(plant, by, after, roles, is_allowed, is_in_roster):
    plant.call("kim")
    plant.wait(after)
    plant.roles[by] = roles if is_in_roster else ()
    said = {} if is_in_roster else {"roles": frozenset(roles)}
    if is_allowed:
        assert plant.act("c1", CANCEL, by, **said).state is State.CANCELLED
        return
    with pytest.raises(Refused) as refused:
        plant.act("c1", CANCEL, by, **said)
    assert refused.value.grounds is Grounds.NOT_ALLOWED
    assert plant.calls.find("c1").state is State.RAISED


@pytest.mark.parametrize(
    ("raiser", "canceller", "is_allowed"),
    [
        (("kim", "token\nhouse\n1"), ("kim", "token\nhouse\n1"), True),
        (("kim", "token\nhouse\n1"), ("kim maier", "token\nhouse\n1"), True),
        (("kim", "token\nhouse\n1"), ("kim", "token\nguests\n1"), False),
        (("kim", "token\nhouse\n1"), ("kim", ""), False),
        (("kim", "token\nhouse\n1"), ("token\nhouse\n1", ""), False),
        (("kim", ""), ("kim", "token\nhouse\n1"), False),
        (("kim", ""), ("kim", ""), True),
    ],
)
def test_of_two_people_with_one_name_only_the_one_who_raised_the_call_cancels_it(plant, raiser, canceller, is_allowed):
    (by, person), (name, other) = raiser, canceller
    wish = Wish("acme/line3/st4", "stop", "high")
    plant.carry_out(plant.calls.raise_call(wish, plant.said(by, person=person)))
    plant.calls = plant.restarted()
    if is_allowed:
        assert plant.act("c1", CANCEL, name, person=other).state is State.CANCELLED
        return
    with pytest.raises(Refused) as refused:
        plant.act("c1", CANCEL, name, person=other)
    assert refused.value.grounds is Grounds.NOT_ALLOWED


def test_who_is_proved_has_no_role_of_the_roster_for_having_a_name_that_is_in_it(plant):
    plant.roles["sam"] = ("shift_manager",)
    plant.call("kim")
    with pytest.raises(Refused, match="supervisor"):
        plant.act("c1", CANCEL, "sam", person="token\nguests\n1")
    assert plant.act("c1", CANCEL, "sam").state is State.CANCELLED


def test_a_call_that_was_kept_before_people_were_told_apart_is_read_and_is_of_the_name_that_was_said(plant):
    plant.call("kim")
    ((_, row),) = plant.rows.items()
    for step in row.value["steps"]:
        del step["said"]["person"]
    plant.calls = plant.restarted()
    assert plant.calls.find("c1").raised.said.person == ""
    assert plant.act("c1", CANCEL, "kim").state is State.CANCELLED


def test_of_two_people_with_one_name_who_were_offline_each_is_told_who_was_first(plant):
    plant.call("kim")
    plant.wait(600)
    plant.act("c1", ACK, "lee", delay=300, person="token\nhouse\n1")
    refusal = plant.act("c1", ACK, "lee", delay=500, person="token\nguests\n1")
    assert refusal.details["recorded"]
    plant.act("c1", ACK, "lee", delay=500, person="token\nguests\n2")
    assert len(plant.calls.find("c1").contests) == 2


def test_a_raiser_who_cancelled_within_the_grace_and_was_offline_did_so_in_time(plant):
    plant.call("kim")
    plant.wait(300)
    assert plant.act("c1", CANCEL, "kim", delay=270).state is State.CANCELLED


def test_the_grace_is_the_plants(plant):
    plant.terms = Terms(grace=0.0)
    plant.call("kim")
    plant.wait(1)
    with pytest.raises(Refused, match="0 s"):
        plant.act("c1", CANCEL, "kim")


# --- two at the same time (N15)


def test_of_two_tablets_that_acknowledge_offline_the_first_to_arrive_wins_and_the_other_is_recorded_and_shown(plant):
    plant.call("kim")
    plant.wait(600)
    # Max acknowledged before lee did, but lee's tablet came into the network first.
    assert plant.act("c1", ACK, "lee", delay=300).state is State.ACKNOWLEDGED
    refusal = plant.act("c1", ACK, "max", delay=500, station="tablet 7", comment="on my way")
    assert isinstance(refusal, Refused)
    assert refusal.grounds is Grounds.CONFLICT
    assert refusal.details == {
        "call": "c1", "state": "acknowledged", "trigger": "acknowledge", "by": "lee", "recorded": True,
    }  # fmt: skip
    call = plant.calls.find("c1")
    assert call.acknowledged.said.by == "lee"
    shown = document(call, plant.at, plant.terms.targets)["contests"]
    assert [(one["by"], one["trigger"], one["beaten_by"], one["station"]) for one in shown] == [
        ("max", "acknowledge", 2, "tablet 7")
    ]
    assert plant.told[-1].type == "andon.call.contested"
    assert plant.told[-1].data["by"] == "max"
    assert plant.restarted().find("c1") == call


def test_who_saw_what_was_done_and_does_it_again_is_refused_and_nothing_is_recorded(plant):
    plant.call("kim")
    plant.act("c1", ACK, "lee")
    plant.wait(10)
    with pytest.raises(Refused) as refused:
        plant.act("c1", ACK, "max", delay=5)
    assert "recorded" not in refused.value.details
    assert plant.calls.find("c1").contests == ()


def test_who_was_first_himself_contests_nothing(plant):
    plant.call("kim")
    plant.wait(10)
    plant.act("c1", ACK, "lee", delay=5)
    plant.act("c1", Trigger.REASSIGN, "kim", detail={"assigned_to": "max"})
    with pytest.raises(Refused):
        plant.act("c1", ACK, "lee", delay=5)


def test_an_act_is_beaten_by_the_step_that_made_it_impossible(plant):
    plant.call("kim")
    plant.wait(100)
    plant.act("c1", Trigger.REASSIGN, "kim", detail={"assigned_to": "max"})
    plant.act("c1", RESOLVE, "lee")
    refusal = plant.act("c1", ACK, "max", delay=50)
    assert (refusal.details["by"], refusal.details["state"]) == ("lee", "resolved")
    assert plant.calls.find("c1").contests[0].beaten_by == 3


def test_an_act_of_a_clock_that_was_never_right_is_refused_plainly(plant):
    plant.call("kim")
    plant.act("c1", ACK, "lee")
    with pytest.raises(Refused):
        plant.act("c1", ACK, "max", delay=20 * 365 * 86_400.0)


def test_of_two_who_raise_the_same_call_offline_one_raises_it_and_the_other_is_recorded(plant):
    plant.wait(100)
    plant.call("kim", delay=50)
    refusal = plant.call("max", delay=20)
    assert isinstance(refusal, Refused)
    assert (refusal.details["call"], refusal.details["recorded"]) == ("c1", True)
    assert [one.said.by for one in plant.calls.find("c1").contests] == ["max"]
    with pytest.raises(Refused):
        plant.call("kim", delay=20)


def test_what_is_recorded_beside_a_call_is_bounded(plant):
    plant.call("kim")
    plant.wait(1000)
    plant.act("c1", ACK, "lee")
    for number in range(CONTESTS + 5):
        plant.act("c1", ACK, f"p{number}", delay=500)
    contests = plant.calls.find("c1").contests
    assert (len(contests), contests[-1].said.by) == (CONTESTS, f"p{CONTESTS + 4}")


# --- attributes (P9), what the gateway does, incidents (N23)


def test_the_level_is_an_attribute_a_call_is_acknowledged_and_at_level_2(plant):
    plant.call("kim")
    plant.carry_out(plant.calls.escalated("c1", 1, plant.at))
    plant.act("c1", ACK, "lee")
    call = plant.carry_out(plant.calls.escalated("c1", 2, plant.at))
    assert (call.state, call.level, call.acknowledged.said.by) == (State.ACKNOWLEDGED, 2, "lee")
    assert plant.calls.escalated("c1", 2, plant.at) is None
    assert [event.data["level"] for event in plant.told] == [0, 1, 2]
    assert (plant.told[-1].type, plant.told[-1].data["state"]) == ("andon.call.escalated", "acknowledged")
    plant.act("c1", RESOLVE)
    assert plant.calls.escalated("c1", 3, plant.at) is None


def test_a_call_that_is_opened_again_begins_at_level_0(plant):
    plant.call("kim")
    plant.carry_out(plant.calls.escalated("c1", 3, plant.at))
    plant.act("c1", RESOLVE)
    assert plant.act("c1", REOPEN).level == 0


def test_who_it_is_assigned_to_and_its_priority_leave_the_state_alone(plant):
    plant.call("kim", assigned_to="lee")
    plant.act("c1", ACK)
    plant.act("c1", Trigger.REASSIGN, detail={"assigned_to": "max"})
    call = plant.act("c1", Trigger.CHANGE, detail={"priority": "critical"})
    assert (call.state, call.assigned_to, call.priority) == (State.ACKNOWLEDGED, "max", "critical")


def test_a_receipt_makes_a_call_notified_once_and_never_takes_an_acknowledgement_back(plant):
    plant.call("kim")
    assert plant.carry_out(plant.calls.notified("c1", "mail", "lee", plant.at)).state is State.NOTIFIED
    assert plant.calls.notified("c1", "mqtt", "max", plant.at) is None
    plant.call("kim", word="material")
    plant.act("c2", ACK)
    assert plant.calls.notified("c2", "mail", "lee", plant.at) is None
    assert plant.calls.notified("c9", "mail", "lee", plant.at) is None


def test_call_alarm_stop_and_job_share_one_incident(plant):
    plant.call("kim", incident="i7", links={"alarm": "a1"})
    call = plant.carry_out(plant.calls.linked("c1", {"stop": "s1", "job": "j1"}, plant.at))
    assert (call.incident, call.links) == ("i7", {"alarm": "a1", "stop": "s1", "job": "j1"})
    assert plant.calls.linked("c1", {"stop": "s1"}, plant.at) is None
    assert plant.told[-1].data["links"] == {"alarm": "a1", "stop": "s1", "job": "j1"}
    assert plant.call("kim", word="material").incident == "c2"
    plant.act("c1", RESOLVE)
    # A stop ends after the call is resolved, as a rule: what is known of it late is known all the same.
    assert plant.carry_out(plant.calls.linked("c1", {"stop": "s2"}, plant.at, "i8")).incident == "i8"


# --- what is kept


def test_every_call_is_read_back_as_it_was_kept(plant):
    plant.call("kim", text="Grüße", links={"alarm": "a1"})
    plant.act("c1", ACK, "lee", station="st4", roles=frozenset({"maintenance"}))
    plant.call("kim", word="material")
    plant.act("c2", CANCEL, "kim", comment="mistake")
    again = plant.restarted()
    assert [again.find(call.id) for call in plant.calls] == list(plant.calls)
    with pytest.raises(Refused):
        again.act("c2", ACK, plant.said())


def test_after_a_restart_the_open_call_still_stands_in_the_way_of_another_one(plant):
    plant.call("kim")
    plant.calls = plant.restarted()
    with pytest.raises(Refused) as refused:
        plant.call("max")
    assert refused.value.details["call"] == "c1"


def test_a_row_that_is_no_call_is_left_out_and_named(plant):
    plant.call("kim")
    (row,) = plant.rows.values()
    broken = [{}, {**row.value, "state": "lost"}, {**row.value, "steps": "none"}, {**row.value, "steps": [{}]}]
    broken += [{**row.value, "level": "2"}, {**row.value, "links": []}]
    rows = [("good", row.value), *((f"bad{number}", value) for number, value in enumerate(broken))]
    calls = type(plant.calls)(lambda: plant.terms, str)
    assert calls.restore(rows) == [f"bad{number}" for number in range(len(broken))]
    assert len(calls) == 1


def test_what_was_over_for_long_is_forgotten_and_what_is_open_never(plant):
    plant.call("kim")
    plant.act("c1", RESOLVE)
    plant.call("kim")
    assert plant.calls.expire(plant.at + plant.terms.remembered) == ()
    (row,) = plant.calls.expire(plant.at + plant.terms.remembered + 1)
    assert (row.key, row.value) == ("c1", None)
    assert [call.id for call in plant.calls] == ["c2"]


def test_the_history_tells_every_step(plant):
    plant.call("kim")
    plant.carry_out(plant.calls.notified("c1", "mail", "lee", plant.at))
    plant.act("c1", ARRIVE, "lee")
    steps = history(plant.calls.find("c1"))
    assert [(step["step"], step["trigger"], step["by"]) for step in steps] == [
        (1, "raise", "kim"), (2, "notify", "lee"), (3, "arrive", "lee"),
    ]  # fmt: skip
    assert steps[1]["channel"] == "mail"


def test_open_calls_are_found_by_their_place(plant):
    for path in ("acme/line3/st4", "acme/line3/st5", "acme/line33"):
        plant.call(path=path)
    plant.act("c2", RESOLVE)
    assert [call.id for call in plant.calls.open_calls()] == ["c1", "c3"]
    assert [call.id for call in plant.calls.open_calls("acme/line3")] == ["c1"]
    assert [call.id for call in plant.calls.open_calls("acme/line3/st4")] == ["c1"]
