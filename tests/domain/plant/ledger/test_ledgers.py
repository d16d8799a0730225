"""Units, stops and lines as events come in: what is told, what is kept, and what a restart finds."""

import itertools
import random

import pytest

from domain.decision import Decision, Grounds, Refused
from domain.event import Event
from domain.moment import rfc3339
from domain.plant.jobs import Count, Quantities
from domain.plant.ledger import (
    DEEDS,
    SECOND_US,
    Deed,
    Kind,
    Ledgers,
    LedgersNow,
    Reasons,
    StateMap,
    Terms,
    parse_us,
    rfc3339_us,
    us_of,
)
from domain.plant.ledger.downtime import downtime_id
from domain.plant.site import EquipmentModel, Level, Node, Site
from domain.priority import Priority

NOW = 1_800_000_000
US = NOW * SECOND_US
MINUTE = 60 * SECOND_US
PRESS, ROBOT = "acme/plant1/line3/press3", "acme/plant1/line3/robot1"

MODEL = EquipmentModel(
    Node("acme", Level.ENTERPRISE, below=(
        Node("plant1", Level.SITE, below=(
            Node("line3", Level.LINE, aliases=("L3",), below=(
                Node("press3", Level.UNIT, aliases=("BP01.PACK.BAG1",)), Node("robot1", Level.UNIT),
            )),
        )),
    )),
)  # fmt: skip

numbers = itertools.count()


def terms(minor: int = 30 * SECOND_US) -> Terms:
    return Terms(StateMap(), Reasons(), minor)


class Plant:
    """Ledgers whose rows are kept like a disk keeps them."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], object] = {}
        self.told: list[Event] = []
        self.begin()

    def begin(self) -> None:
        self.ledgers = Ledgers(terms(), Site(MODEL))
        kept: dict[str, list] = {}
        for (kind, key), value in self.rows.items():
            kept.setdefault(kind, []).append((key, value))
        assert self.ledgers.restore(kept) == 0

    def die(self, returns: int) -> None:
        """The gateway is killed, and begins again at ``returns``."""
        self.begin()
        self.keep(self.ledgers.resume(us_of(NOW + returns)))

    def link(self, kind: Kind, at: int) -> None:
        self.keep(self.ledgers.take_link(PRESS, kind, US + at * SECOND_US, US + at * SECOND_US, is_link=True))

    def greet(self, said_at: int, word: str, received: int) -> None:
        self.say(said_at, {"execution": word, "state": "x", "previous": None}, received=received)

    def seconds(self, until: int, unit: str = PRESS) -> object:
        return self.now(until).timeline(unit, US, US + until * SECOND_US)["seconds"]

    def keep(self, decision: Decision) -> Decision:
        self.told += decision.events
        for row in decision.rows:
            if row.value is None:
                self.rows.pop((row.kind, row.key), None)
            else:
                self.rows[row.kind, row.key] = row.value
        return decision

    def say(
        self, at: int, data: object, *, unit: str = PRESS, received: int | None = None, quality: str = "good"
    ) -> None:
        came = at if received is None else received
        event = Event(
            id=f"e{next(numbers)}", source=f"/{unit}", type="equipment.state.changed", data=data,  # type: ignore[arg-type]
            recorded=NOW + came, priority=Priority.HIGH, time=rfc3339(NOW + at), quality=quality,
        )  # fmt: skip
        self.keep(self.ledgers.take_state(event, us_of(NOW + came)))

    def run(self, at: int, word: str, **options: object) -> None:
        self.say(at, {"execution": word, "state": "x"}, **options)  # type: ignore[arg-type]

    def settle(self, at: int) -> None:
        self.keep(self.ledgers.settle(us_of(NOW + at)))

    def do(self, type_: str, when: int, **arguments: object) -> dict:
        answer = self.keep(DEEDS[type_](self.ledgers, Deed(arguments, "ann", us_of(NOW + when)))).answer  # type: ignore[arg-type]
        assert isinstance(answer, dict)
        return answer

    def now(self, at: int) -> LedgersNow:
        return LedgersNow(self.ledgers, lambda *_: 2 * SECOND_US, us_of(NOW + at))

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.told]


@pytest.fixture
def plant() -> Plant:
    return Plant()


def test_a_stop_is_told_when_it_is_long_enough_and_when_it_ends(plant: Plant) -> None:
    plant.run(0, "ACTIVE")
    plant.run(100, "READY")
    plant.settle(129)
    assert "downtime.started" not in plant.types
    plant.settle(130)
    plant.settle(140)
    plant.run(150, "ACTIVE")
    assert [type_ for type_ in plant.types if type_.startswith("downtime")] == ["downtime.started", "downtime.ended"]
    ended = plant.told[-2].data if plant.types[-1] == "line.status.changed" else plant.told[-1].data
    assert isinstance(ended, dict)
    assert (ended["duration_seconds"], ended["equipment_code"], ended["line_id"]) == (50.0, "BP01.PACK.BAG1", "L3")
    assert (ended["reason_code"], ended["category"], ended["is_withdrawn"]) == ("UNKNOWN", "unplanned", False)


def test_a_minor_stop_is_on_no_record(plant: Plant) -> None:
    plant.run(0, "ACTIVE")
    plant.run(100, "READY")
    plant.run(129, "ACTIVE")
    plant.settle(500)
    assert not [type_ for type_ in plant.types if type_.startswith("downtime")]


def test_a_restart_in_the_middle_of_a_stop_finds_the_same_stop_and_tells_nothing_twice(plant: Plant) -> None:
    plant.run(0, "ACTIVE")
    plant.run(100, "READY")
    plant.settle(200)
    before = plant.now(200).downtimes("", US, US + 10**12)
    told = len(plant.told)
    plant.begin()
    plant.settle(200)
    assert plant.now(200).downtimes("", US, US + 10**12) == before
    assert len(plant.told) == told
    plant.run(100, "READY", received=210)
    plant.run(300, "ACTIVE")
    stops = plant.now(300).downtimes(PRESS, US, US + 10**12)
    assert [(stop["id"], stop["duration_seconds"], stop["is_open"]) for stop in stops] == [
        (downtime_id(PRESS, US + 100 * SECOND_US), 200.0, False)
    ]


def test_a_restart_after_every_event_changes_nothing() -> None:
    words = ["ACTIVE", "READY", "FEED_HOLD", "UNAVAILABLE", "ACTIVE", "STOPPED", "ACTIVE", "READY"]
    seeded = random.Random(7)
    steps = [(at * 50, seeded.choice(words)) for at in range(40)]
    steady, shaken = Plant(), Plant()
    for at, word in steps:
        steady.run(at, word)
        shaken.run(at, word)
        shaken.begin()
    assert shaken.ledgers.unit(PRESS).ledger.entries == steady.ledgers.unit(PRESS).ledger.entries
    assert shaken.ledgers.unit(PRESS).downtimes == steady.ledgers.unit(PRESS).downtimes
    assert [event.id for event in shaken.told if "downtime" in event.type] == [
        event.id for event in steady.told if "downtime" in event.type
    ]


def test_what_was_while_the_gateway_was_away_is_not_known_until_the_link_is_there_again(plant: Plant) -> None:
    plant.link(Kind.RETURNED, 0)
    plant.run(0, "ACTIVE")
    plant.settle(100)
    plant.die(180)
    plant.settle(185)
    assert plant.seconds(200) == {"production": 100.0, "unknown": 100.0}
    assert plant.now(200).status(PRESS)["status"] == "unknown"
    plant.link(Kind.RETURNED, 200)
    plant.greet(190, "READY", 200)
    assert plant.seconds(210) == {"production": 100.0, "unknown": 90.0, "down": 20.0}


def test_a_greeting_with_a_stamp_from_before_says_what_was_while_the_gateway_was_away(plant: Plant) -> None:
    plant.link(Kind.RETURNED, 0)
    plant.run(0, "ACTIVE")
    plant.settle(100)
    plant.die(180)
    plant.link(Kind.RETURNED, 200)
    plant.greet(0, "ACTIVE", 200)
    assert plant.seconds(210) == {"production": 210.0}


def test_each_return_of_the_gateway_may_find_the_state_that_held_all_the_while(plant: Plant) -> None:
    plant.link(Kind.RETURNED, 0)
    plant.run(0, "ACTIVE")
    for at in (100, 200, 300):
        plant.settle(at)
        plant.die(at + 80)
        plant.link(Kind.RETURNED, at + 90)
        plant.greet(0, "ACTIVE", at + 90)
    assert plant.seconds(400) == {"production": 400.0}
    plant.run(410, "READY")
    plant.settle(420)
    plant.die(480)
    plant.greet(0, "ACTIVE", 490)
    assert plant.seconds(500) == {"production": 410.0, "down": 10.0, "unknown": 80.0}


def test_a_greeting_may_tell_of_a_change_that_was_not_kept_before_the_gateway_died(plant: Plant) -> None:
    plant.link(Kind.RETURNED, 0)
    plant.run(0, "ACTIVE")
    plant.settle(100)
    plant.die(180)
    plant.link(Kind.RETURNED, 200)
    plant.greet(90, "READY", 200)
    plant.greet(95, "STOPPED", 200)
    assert plant.ledgers.unit(PRESS).ledger.words(US, US + 210 * SECOND_US) == {
        "ACTIVE": 90 * SECOND_US,
        "READY": 5 * SECOND_US,
        "STOPPED": 115 * SECOND_US,
    }


def test_a_unit_without_a_link_is_believed_again_from_our_return_on(plant: Plant) -> None:
    plant.say(0, {"state": "running"})
    plant.settle(100)
    plant.die(180)
    assert plant.seconds(210) == {"production": 130.0, "unknown": 80.0}
    plant.say(150, {"state": "stopped"}, received=215)
    assert plant.seconds(220) == {"production": 100.0, "unknown": 50.0, "down": 70.0}


@pytest.mark.parametrize("has_link", [False, True])
def test_a_stop_outlives_the_gateway_and_ends_where_it_was_last_seen_if_the_machine_runs(
    plant: Plant,
    has_link: bool,  # noqa: FBT001 - a case
) -> None:
    if has_link:
        plant.link(Kind.RETURNED, 0)
    plant.run(0, "ACTIVE")
    plant.run(10, "READY")
    plant.settle(100)
    plant.die(180)
    plant.settle(190)
    stops = plant.now(190).downtimes(PRESS, US, US + 10**12)
    assert [(stop["is_open"], stop["start_time"]) for stop in stops] == [(True, rfc3339_us(US + 10 * SECOND_US))]
    told = [type_ for type_ in plant.types if type_.startswith("downtime")]
    assert told == ["downtime.started"]
    plant.greet(170, "ACTIVE", 200)
    stops = plant.now(200).downtimes(PRESS, US, US + 10**12)
    assert [(stop["is_open"], stop["duration_seconds"]) for stop in stops] == [(False, 90.0)]
    assert plant.seconds(200) == {"production": 40.0, "down": 90.0, "unknown": 70.0}


def test_a_gateway_that_dies_again_and_again_knows_no_more_than_it_saw(plant: Plant) -> None:
    plant.link(Kind.RETURNED, 0)
    plant.run(0, "ACTIVE")
    plant.run(10, "READY")
    for at in range(100, 400, 20):
        plant.die(at)
        plant.settle(at + 5)
    assert plant.seconds(400) == {"production": 10.0, "down": 0.000001, "unknown": 389.999999}
    assert [stop["is_open"] for stop in plant.now(400).downtimes(PRESS, US, US + 10**12)] == [True]
    plant.link(Kind.RETURNED, 400)
    plant.greet(10, "READY", 400)
    plant.settle(500)
    assert plant.seconds(500) == {"production": 10.0, "down": 490.0}
    assert [stop["duration_seconds"] for stop in plant.now(500).downtimes(PRESS, US, US + 10**12)] == [490.0]


def test_that_the_gateway_is_there_is_kept_every_five_seconds_and_no_more(plant: Plant) -> None:
    plant.settle(0)
    assert not plant.rows
    plant.run(0, "ACTIVE")
    written = 0
    for at in range(100):
        written += sum(row.kind == "ledger.seen" for row in plant.keep(plant.ledgers.settle(us_of(NOW + at))).rows)
    assert written == 19


def test_a_late_word_rewrites_the_ledger_moves_the_stop_and_leaves_a_record(plant: Plant) -> None:
    plant.run(0, "ACTIVE")
    plant.run(100, "READY")
    plant.run(400, "ACTIVE")
    id_ = str(plant.now(400).downtimes(PRESS, US, US + 10**12)[0]["id"])
    plant.do("downtime.assign", 410, id=id_, reason_code="MAT_JAM", comment="stuck")
    plant.run(200, "ACTIVE", received=500)
    found = plant.now(500).downtimes(PRESS, US, US + 10**12)
    assert [(stop["id"], stop["duration_seconds"], stop["reason_code"]) for stop in found] == [(id_, 100.0, "MAT_JAM")]
    rewritten = next(event.data for event in plant.told if event.type == "oee.ledger.rewritten")
    assert isinstance(rewritten, dict)
    assert [each["state"] for each in rewritten["before"]] == ["READY", "ACTIVE"]
    assert [each["state"] for each in rewritten["after"]] == ["ACTIVE"]
    assert rewritten["late"] == 300.0


def test_a_late_word_that_cuts_a_stop_in_two_leaves_both_explained(plant: Plant) -> None:
    plant.run(0, "ACTIVE")
    plant.run(100, "READY")
    plant.run(300, "STOPPED")
    plant.run(400, "ACTIVE")
    id_ = str(plant.now(400).downtimes(PRESS, US, US + 10**12)[0]["id"])
    plant.do("downtime.assign", 410, id=id_, reason_code="MAT_JAM")
    plant.run(200, "ACTIVE", received=500)
    found = plant.now(500).downtimes(PRESS, US, US + 10**12)
    assert [(stop["duration_seconds"], stop["reason_code"]) for stop in found] == [(100.0, "MAT_JAM")] * 2
    assert found[1]["id"] == id_


def test_a_correction_by_a_person_takes_a_stop_back(plant: Plant) -> None:
    plant.run(0, "ACTIVE")
    plant.run(100, "READY")
    plant.run(200, "ACTIVE")
    plant.run(300, "READY")
    plant.run(400, "ACTIVE")
    plant.do("equipment.correct", 510, equipment="BP01.PACK.BAG1", at=rfc3339_us(US + 100 * SECOND_US), state="running")
    found = plant.now(520).downtimes(PRESS, US, US + 10**12)
    assert [stop["start_time"] for stop in found] == [rfc3339_us(US + 300 * SECOND_US)]
    assert [event.data["is_withdrawn"] for event in plant.told if event.type == "downtime.ended"] == [
        False,
        False,
        True,
    ]  # type: ignore[index,call-overload]
    rewritten = [event.data["by"] for event in plant.told if event.type == "oee.ledger.rewritten"]  # type: ignore[index,call-overload]
    assert rewritten == ["ann"]


def test_what_was_told_while_nobody_could_write_is_in_the_next_word(plant: Plant) -> None:
    plant.run(0, "ACTIVE")
    previous = {"state": "x", "execution": "READY", "since": rfc3339(NOW + 100)}
    plant.say(300, {"state": "x", "execution": "ACTIVE", "previous": previous})
    assert plant.ledgers.unit(PRESS).ledger.words(US, US + 400 * SECOND_US) == {
        "ACTIVE": 200 * SECOND_US,
        "READY": 200 * SECOND_US,
    }


def test_time_without_a_link_is_unknown_and_no_stop(plant: Plant) -> None:
    plant.run(0, "ACTIVE")
    plant.keep(plant.ledgers.take_link("acme/plant1", Kind.LOST, US + 100 * SECOND_US, US + 120 * SECOND_US))
    plant.settle(5000)
    plant.keep(plant.ledgers.take_link(PRESS, Kind.RETURNED, US + 5000 * SECOND_US, US + 5000 * SECOND_US))
    timeline = plant.now(5100).timeline(PRESS, US, US + 5100 * SECOND_US)
    assert timeline["seconds"] == {"production": 200.0, "unknown": 4900.0}
    assert plant.now(5100).downtimes("", US, US + 10**12) == []


def test_a_doubted_stamp_is_counted_where_it_was_received_and_its_own_word_is_told(plant: Plant) -> None:
    plant.run(0, "ACTIVE")
    plant.run(-800_000_000, "READY", received=50, quality="uncertain")
    entry = plant.ledgers.unit(PRESS).ledger.newest
    assert entry is not None
    assert (entry.at, entry.word) == (US + 50 * SECOND_US, "READY")
    quarantined = next(event.data for event in plant.told if event.type == "equipment.state.quarantined")
    assert isinstance(quarantined, dict)
    assert quarantined["stamp"] == rfc3339(NOW - 800_000_000)


def test_an_illegal_packml_transition_is_reported_and_taken(plant: Plant) -> None:
    plant.say(0, {"model": "packml", "state": "Idle"})
    plant.say(10, {"model": "packml", "state": "Execute"})
    illegal = next(event.data for event in plant.told if event.type == "equipment.state.illegal")
    assert illegal == {"previous": "Idle", "state": "Execute", "expected": ["Aborting", "Starting", "Stopping"]}
    assert plant.now(20).status(PRESS)["status"] == "running"


def test_a_line_runs_if_one_of_its_units_does(plant: Plant) -> None:
    plant.run(0, "ACTIVE")
    plant.run(0, "READY", unit=ROBOT)
    plant.run(10, "EMERGENCY_STOP")
    plant.run(20, "UNAVAILABLE")
    statuses = [event.data["status"] for event in plant.told if event.type == "line.status.changed"]  # type: ignore[index,call-overload]
    assert statuses == ["running", "fault", "idle"]
    assert plant.now(20).status("L3")["status"] == "idle"


def test_figures_of_a_line_are_those_of_the_sums_of_its_units(plant: Plant) -> None:
    for unit, word in ((PRESS, "ACTIVE"), (ROBOT, "READY")):
        plant.run(0, word, unit=unit)
        counts = [Count(f"{unit}-1", US + 5 * SECOND_US, None, "bolt", Quantities(good=10, scrap=0))]
        plant.ledgers.output.take(unit, counts, is_all=True)
    now = plant.now(1000)
    day = now.day("L3")
    line, press = now.oee("L3", day), now.oee(PRESS, day)
    assert line["units"] == [PRESS, ROBOT]
    assert line["elements"]["apt"] == press["elements"]["apt"] == 1000.0  # type: ignore[index,call-overload]
    assert line["elements"]["pq"] == 20  # type: ignore[index,call-overload]
    assert line["availability"] is None
    assert line["reasons"]["availability"] == "no shift calendar says what is planned"  # type: ignore[index,call-overload]


def test_cut_join_undo_and_explain_are_acts_with_a_name_and_a_record(plant: Plant) -> None:
    plant.run(0, "ACTIVE")
    plant.run(100, "READY")
    plant.run(400, "ACTIVE")
    id_ = str(plant.now(400).downtimes(PRESS, US, US + 10**12)[0]["id"])
    cut = "2027-01-15T08:03:20.000001Z"
    assert parse_us(cut) == US + 200 * SECOND_US + 1
    assert len(plant.do("downtime.split", 500, id=id_, at=cut)["pieces"]) == 2
    plant.do("downtime.assign", 501, id=id_, at=cut, reason_code="MOTOR_FAIL")
    assert plant.do("downtime.undo", 502, id=id_)["reason_code"] == "UNKNOWN"
    assert len(plant.do("downtime.merge", 503, id=id_, at=cut)["pieces"]) == 1
    acts = [
        (e.type, e.data["by"])
        for e in plant.told
        if e.type in ("downtime.split", "downtime.merged", "downtime.assigned")
    ]  # type: ignore[index,call-overload]
    assert acts == [
        ("downtime.split", "ann"),
        ("downtime.assigned", "ann"),
        ("downtime.assigned", "ann"),
        ("downtime.merged", "ann"),
    ]
    ids = [event.id for event in plant.told]
    assert len(ids) == len(set(ids))
    plant.begin()
    assert [each["act"] for each in plant.now(600).downtime(id_)["history"]] == [
        "split",
        "assigned",
        "undone",
        "merged",
    ]  # type: ignore[union-attr,index,call-overload]


@pytest.mark.parametrize(
    ("type_", "arguments", "grounds"),
    [
        ("downtime.assign", {"id": "dt-0", "reason_code": "OTHER"}, Grounds.NOT_FOUND),
        ("downtime.assign", {"id": "dt-0", "reason_code": "NO_SUCH"}, Grounds.INVALID),
        ("downtime.assign", {"id": "dt-0"}, Grounds.INVALID),
        ("downtime.split", {"id": "dt-0"}, Grounds.INVALID),
        ("downtime.split", {"id": "dt-0", "at": "yesterday"}, Grounds.INVALID),
        ("downtime.undo", {}, Grounds.INVALID),
        ("equipment.correct", {"equipment": "nowhere", "at": NOW, "state": "idle"}, Grounds.NOT_FOUND),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(
    plant: Plant, type_: str, arguments: dict[str, object], grounds: Grounds
) -> None:
    with pytest.raises(Refused) as refused:
        plant.do(type_, 0, **arguments)
    assert refused.value.grounds is grounds
    assert not plant.rows


def test_what_is_too_old_is_forgotten_on_disk_too_and_not_made_up(plant: Plant) -> None:
    day = 86_400
    for number in range(40):
        plant.run(number * day, "ACTIVE" if number % 2 else "READY")
    plant.settle(40 * day)
    oldest = plant.ledgers.unit(PRESS).ledger.oldest
    assert oldest is not None
    assert oldest == US + 5 * day * SECOND_US
    plant.begin()
    assert plant.ledgers.unit(PRESS).ledger.oldest == oldest
    assert len([key for key in plant.rows if key[0] == "ledger.block"]) == 35
    with pytest.raises(Refused) as refused:
        plant.now(40 * day).timeline(PRESS, US, US + SECOND_US)
    assert refused.value.details == {"oldest": rfc3339_us(oldest)}


@pytest.mark.parametrize(
    ("arguments", "pointer", "helps"),
    [
        ({"at": NOW + 101, "state": "running"}, "/at", "say what was, not what is to be"),
        ({"at": NOW + 50, "state": "dancing"}, "/state", "floor.oee.states"),
        ({"at": NOW + 50, "state": "Executing", "model": "machinery"}, "/state", "Executing/Processing"),
    ],
)
def test_a_correction_of_what_is_to_come_or_with_an_unknown_word_is_refused_and_says_what_helps(
    plant: Plant, arguments: dict[str, object], pointer: str, helps: str
) -> None:
    plant.run(0, "ACTIVE")
    with pytest.raises(Refused) as refused:
        plant.do("equipment.correct", 100, equipment=PRESS, **arguments)
    assert refused.value.grounds is Grounds.INVALID
    assert helps in refused.value.message
    assert [fault["pointer"] for fault in refused.value.details["faults"]] == [pointer]  # type: ignore[union-attr,index,call-overload]
    assert len(plant.ledgers.unit(PRESS).ledger) == 1
    plant.do("equipment.correct", 100, equipment=PRESS, at=NOW + 100, state="setup")
    assert plant.now(100).status(PRESS)["status"] == "setup"


def test_a_word_that_no_row_has_is_named_after_a_restart_too(plant: Plant) -> None:
    plant.run(0, "DREAMING")
    plant.run(10, "ACTIVE")
    plant.begin()
    assert plant.ledgers.unmapped() == [("mtconnect", "DREAMING", "")]
