"""Calls and their escalations as one decision."""

import pytest

from domain import Event, Priority, Refused
from domain.plant.calls import Around, Calls, Response, Said, State, Terms, Trigger, Wish
from domain.plant.calls.timers import Deadlines, Targets, deadlines, timers
from domain.plant.escalation import Escalations, Rulebook, read_chain
from domain.plant.site import Site

START = 1_800_000_000.0
MINUTE = 60.0


def chain(**more):
    members = {
        "name": "c",
        "acknowledge": 5 * MINUTE,
        "resolve": 30 * MINUTE,
        "unacknowledged": [{"notify": "lee"}, {"wait": "acknowledge"}, {"notify": "max"}, {"wait": 3600}],
        "unresolved": [{"notify": "sam"}],
    }
    return read_chain({**members, **more}, ("mail", "mqtt"))


class Rig:
    def __init__(self, **more):
        self.at = START
        self.rows, self.told, self.sending = {}, [], []
        self.book = Rulebook(chains=(chain(**more),), channels=("mail", "mqtt"))
        self.count = 0
        self.response = self.made()

    def made(self):
        calls = Calls(Terms, self.make_id)
        return Response(calls, Escalations(lambda: self.book, lambda _: Site().calendar), Around())

    def make_id(self, _):
        self.count += 1
        return f"c{self.count}"

    def take(self, decision):
        self.told += [event.type for event in decision.events]
        for row in decision.rows:
            self.rows[row.kind, row.key] = row.value
        self.sending += decision.answer.notifications
        return decision.answer.answer

    def kept(self, kind):
        return tuple((key, value) for (of, key), value in self.rows.items() if of == kind and value is not None)

    def restart(self):
        self.response = self.made()
        assert self.response.calls.restore(self.kept("andon.call")) == []
        kinds = {kind for kind, _ in self.rows}
        assert self.response.escalations.restore({kind: self.kept(kind) for kind in kinds}) == []
        self.response.around.restore(self.kept("andon.around"))

    def call(self, **more):
        wish = Wish("acme/line3/st4", "stop", "high", **more)
        return self.take(self.response.raise_call(wish, Said("kim", self.at, self.at)))

    def act(self, trigger, by="lee", delay=0.0, **detail):
        return self.take(self.response.act("c1", trigger, Said(by, self.at - delay, self.at), detail))

    def wait(self, seconds):
        self.at += seconds
        self.take(self.response.due(self.at))

    @property
    def one(self):
        return self.response.calls.find("c1")


@pytest.fixture
def rig():
    return Rig()


def sent(rig):
    return [(each.target, each.channel) for each in rig.sending]


def test_a_call_and_its_chain_begin_in_one_decision(rig):
    call = rig.call()
    assert (call.level, call.state) == (1, State.RAISED)
    assert rig.told[:2] == ["andon.call.raised", "escalation.started"]
    assert "andon.call.escalated" not in rig.told
    assert sent(rig) == [("lee", "mail")]
    assert rig.kept("andon.call")[0][1]["level"] == 1


def test_the_first_receipt_makes_the_call_notified_and_no_second_one(rig):
    rig.call()
    rig.take(rig.response.sent(rig.sending[0].id, "250 ok", rig.at))
    assert rig.one.state is State.NOTIFIED
    assert rig.one.last.said.by == "lee"
    rig.take(rig.response.sent(rig.sending[0].id, "250 ok", rig.at))
    assert rig.told.count("andon.call.notified") == 1
    assert rig.response.outstanding == {}


def test_a_failed_channel_is_followed_by_the_next_at_once(rig):
    rig.call()
    rig.take(rig.response.failed(rig.sending[0].id, "550", rig.at))
    assert sent(rig) == [("lee", "mail"), ("lee", "mqtt")]


def test_nobody_acknowledges_the_level_becomes_the_calls_and_its_state_stays(rig):
    rig.call()
    rig.take(rig.response.sent(rig.sending[0].id, "250 ok", rig.at))
    rig.wait(5 * MINUTE)
    assert (rig.one.level, rig.one.state) == (2, State.NOTIFIED)
    assert rig.told[-1] == "andon.call.escalated"
    assert sent(rig)[-1] == ("max", "mail")


def test_an_acknowledgement_stops_the_chain_and_starts_the_clock_to_resolve_at_its_own_moment(rig):
    rig.call()
    rig.at += 4 * MINUTE
    rig.act(Trigger.ACKNOWLEDGE, delay=2 * MINUTE)
    count = len(rig.sending)
    rig.wait(27 * MINUTE)
    assert len(rig.sending) == count
    # Thirty minutes from the acknowledgement, which was two minutes under way.
    rig.wait(1 * MINUTE)
    assert sent(rig)[-1] == ("sam", "mail")
    assert rig.one.state is State.ACKNOWLEDGED


@pytest.mark.parametrize("trigger", [Trigger.RESOLVE, Trigger.CANCEL])
def test_nobody_is_told_of_a_call_that_is_resolved_or_cancelled(rig, trigger):
    rig.call()
    rig.act(trigger, "kim")
    count = len(rig.sending)
    rig.wait(3600)
    assert len(rig.sending) == count


def test_a_call_that_is_opened_again_begins_a_chain_again(rig):
    rig.call()
    rig.act(Trigger.RESOLVE)
    rig.act(Trigger.REOPEN)
    assert (rig.one.level, sent(rig)) == (1, [("lee", "mail"), ("lee", "mail")])
    assert len({each.id for each in rig.sending}) == 2


def test_a_call_has_the_deadlines_of_its_own_chain_also_when_that_is_over_or_the_chains_have_changed():
    rig = Rig(acknowledge=20 * MINUTE, resolve=40 * MINUTE)
    raised, targets = rig.at, Targets()
    rig.call()
    assert deadlines(rig.one, targets) == Deadlines(raised + 20 * MINUTE, None)
    rig.book = Rulebook(chains=(chain(acknowledge=MINUTE),), channels=("mail", "mqtt"))
    rig.at += 10 * MINUTE
    rig.act(Trigger.ACKNOWLEDGE)
    rig.restart()
    assert deadlines(rig.one, targets) == Deadlines(raised + 20 * MINUTE, raised + 50 * MINUTE)
    rig.act(Trigger.RESOLVE)
    rig.take(rig.response.act("c1", Trigger.CLOSE, Said("kim", rig.at, rig.at)))
    [within] = [each for each in timers(rig.one, rig.at, targets) if each.name == "raise_to_acknowledge"]
    assert (within.target, within.is_late) == (20 * MINUTE, False)


def test_a_call_that_is_opened_again_has_the_deadlines_of_the_chain_that_fits_now(rig):
    rig.call()
    rig.act(Trigger.RESOLVE)
    rig.book = Rulebook(chains=(chain(acknowledge=MINUTE),), channels=("mail", "mqtt"))
    rig.act(Trigger.REOPEN)
    assert deadlines(rig.one, Targets()).acknowledge_by == rig.at + MINUTE


def test_who_a_call_is_assigned_to_is_told(rig):
    rig.call()
    rig.act(Trigger.REASSIGN, "kim", assigned_to="bo")
    assert sent(rig)[-1] == ("bo", "mail")


def test_somebody_wants_the_next_level_now(rig):
    rig.call()
    answer = rig.take(rig.response.escalate("c1", Said("kim", rig.at, rig.at)))
    assert (answer.level, sent(rig)[-1]) == (2, ("max", "mail"))
    rig.act(Trigger.RESOLVE)
    with pytest.raises(Refused):
        rig.response.escalate("c1", Said("kim", rig.at, rig.at))
    with pytest.raises(Refused):
        rig.response.escalate("c9", Said("kim", rig.at, rig.at))


def test_a_chain_may_change_the_priority_of_its_call_and_resolve_it():
    rig = Rig(
        unacknowledged=[{"notify": "lee"}, {"wait": 60}, {"set_severity": "critical"}, {"wait": 60}, {"resolve": True}]
    )
    rig.call()
    rig.wait(60)
    assert (rig.one.priority, rig.one.last.said.by) == ("critical", "chain:c")
    rig.wait(60)
    assert rig.one.state is State.RESOLVED
    assert rig.told[-1].startswith(("escalation.", "andon.call.resolved"))


def test_the_incident_of_a_call_in_a_stop_is_the_stops_and_a_later_stop_joins_the_call(rig):
    stop = Event("e1", "/acme/line3/st4", "downtime.started", {"id": "s1"}, START, Priority.HIGH)
    rig.take(rig.response.hear(stop, START))
    assert (rig.call().incident, rig.one.links) == ("s1", {"stop": "s1"})
    rig.restart()
    job = Event("e2", "/acme/line3", "job.started", {"id": "j1"}, START, Priority.HIGH)
    rig.take(rig.response.hear(job, START))
    assert rig.one.links == {"stop": "s1", "job": "j1"}
    assert rig.one.incident == "s1"


def test_after_a_restart_the_call_its_level_and_its_timers_are_the_same_and_what_is_unknown_is_sent_again_marked(rig):
    rig.call()
    rig.take(rig.response.sent(rig.sending[0].id, "250 ok", rig.at))
    rig.wait(5 * MINUTE)
    before, due = rig.one, rig.response.escalations.view("c1")["next_step"]
    lost = rig.sending[-1]
    rig.restart()
    assert (rig.one, rig.response.escalations.view("c1")["next_step"]) == (before, due)
    rig.take(rig.response.resume(rig.at))
    again = rig.sending[-1]
    assert (again.id, again.repeated, lost.repeated) == (lost.id, True, False)
    rig.take(rig.response.sent(again.id, "250 ok", rig.at))
    assert rig.response.outstanding == {}


def test_of_two_who_acknowledge_the_chain_hears_of_the_first(rig):
    rig.call()
    rig.at += 100
    rig.act(Trigger.ACKNOWLEDGE, "lee", delay=10)
    answer = rig.act(Trigger.ACKNOWLEDGE, "max", delay=50)
    assert isinstance(answer, Refused)
    assert rig.response.escalations.view("c1")["acknowledged_by"] == "lee"
