"""Figures of lines: times are summed, pieces are not counted at each station, what is unheard is unknown."""

from datetime import UTC, time

import pytest

from domain.event import Event
from domain.moment import rfc3339
from domain.plant.jobs import Count, Quantities
from domain.plant.ledger import SECOND_US, Ledgers, LedgersNow, Reasons, StateMap, Terms, Window, us_of
from domain.plant.site import EquipmentModel, Hours, Level, Node, ShiftCalendar, ShiftPlan, Site
from domain.priority import Priority

NOW = 1_800_000_000
US = NOW * SECOND_US
LINE, OTHER = "acme/plant1/line3", "acme/plant1/line4"
PRESS, ROBOT, PACKER = (f"{LINE}/{name}" for name in ("press", "robot", "packer"))
LATHE = f"{OTHER}/lathe"
WHOLE = Window("range", "", US, US + 1000 * SECOND_US)
MODEL = EquipmentModel(
    Node("acme", Level.ENTERPRISE, below=(
        Node("plant1", Level.SITE, below=(
            Node("line3", Level.LINE, aliases=("L3",), below=tuple(
                Node(name, Level.UNIT) for name in ("press", "robot", "packer")
            )),
            Node("line4", Level.LINE, below=(Node("lathe", Level.UNIT),)),
        )),
    )),
)  # fmt: skip
CALENDAR = ShiftCalendar(
    UTC, [ShiftPlan("day", Hours(time(8), time(8, 10))), ShiftPlan("rest", Hours(time(8, 10), time(8)))]
)


class Plant:
    """Two lines whose units all run for a thousand seconds."""

    def __init__(self, output: str | None = None) -> None:
        terms = Terms(StateMap(), Reasons(), outputs={"L3": f"{LINE}/{output}"} if output else {})
        self.ledgers = Ledgers(terms, Site(MODEL, CALENDAR))

    def run(self, *units: str) -> "Plant":
        for unit in units:
            event = Event(
                f"{unit}-e", f"/{unit}", "equipment.state.changed", {"state": "running"}, NOW, Priority.HIGH,
                time=rfc3339(NOW),
            )  # fmt: skip
            self.ledgers.take_state(event, US)
        return self

    def count(self, **good: int) -> "Plant":
        for name, pieces in good.items():
            place = {"line": LINE, "lathe": LATHE}.get(name, f"{LINE}/{name}")
            made = Count(f"{place}-1", US + SECOND_US, None, "bolt", Quantities(good=pieces, scrap=0))
            self.ledgers.output.take(place, [made], is_all=True)
        return self

    def oee(self, place: str = "L3") -> dict:
        now = LedgersNow(self.ledgers, lambda *_: 2 * SECOND_US, us_of(NOW + 1000))
        return now.oee(place, WHOLE)  # type: ignore[return-value]


@pytest.mark.parametrize(
    "plant",
    [
        Plant(output="packer").run(PRESS, ROBOT, PACKER).count(packer=400, press=450),
        Plant().run(PRESS, ROBOT, PACKER).count(line=400, packer=444, press=450),
        Plant().run(PRESS, ROBOT, PACKER).count(packer=400),
    ],
    ids=["the named output", "the line itself", "the only one that counts"],
)
def test_pieces_of_a_line_count_once_and_have_passed_all_its_units(plant: Plant) -> None:
    told = plant.oee()
    assert told["elements"]["pq"] == told["elements"]["gq"] == 400
    assert told["elements"]["apt"] == told["elements"]["pbt"] == 3000.0
    assert told["elements"]["standard"] == 2400.0
    assert (told["oee"], told["effectiveness"], told["quality"], told["coverage"]) == (0.8, 0.8, 1.0, 1.0)
    assert "oee" not in told["reasons"]
    # A unit has what was counted at it, and nothing else.
    assert plant.oee(ROBOT)["oee"] is None


def test_a_described_unit_that_was_never_heard_is_unknown_time_of_its_line() -> None:
    told = Plant().run(PRESS, PACKER).count(line=400).oee()
    assert (told["units"], told["unheard"]) == ([PRESS, PACKER], [ROBOT])
    assert told["coverage"] == pytest.approx(2 / 3)
    assert (told["isReach"], told["oee"], told["effectiveness"]) == (True, 0.8, 0.8)
    assert told["reach"]["oee"] == pytest.approx([1600 / 3000, 0.8])
    assert told["elements"]["unknown"] == told["elements"]["unseen"] == 1000.0


def test_machines_side_by_side_each_speak_for_themselves() -> None:
    told = Plant().run(PRESS, ROBOT, PACKER).count(press=100, robot=200, packer=300).oee()
    assert (told["elements"]["pq"], told["elements"]["standard"], told["oee"]) == (600, 1200.0, 0.4)


def test_where_only_some_of_several_count_nothing_is_known_and_the_reason_says_what_helps() -> None:
    told = Plant().run(PRESS, ROBOT, PACKER).count(press=100, packer=300).oee()
    assert told["oee"] is None
    assert (
        told["reasons"]["oee"]
        == f"{ROBOT} does not count: floor.jobs.outputs says which place counts what a line makes"
    )
    nothing = Plant().run(PRESS).oee()
    assert nothing["reasons"]["oee"] == "nothing was counted"


def test_a_place_above_lines_is_the_sum_of_its_lines() -> None:
    plant = Plant(output="packer").run(PRESS, ROBOT, PACKER, LATHE).count(packer=400, press=450, lathe=100)
    for place in ("acme/plant1", ""):
        told = plant.oee(place)
        assert (told["elements"]["pq"], told["elements"]["standard"], told["oee"]) == (500, 2600.0, 0.65)
    unheard = Plant(output="packer").run(PRESS, ROBOT, PACKER).count(packer=400).oee("acme/plant1")
    assert (unheard["unheard"], unheard["coverage"], unheard["oee"]) == ([LATHE], 0.75, 0.8)


def test_a_line_that_tells_its_own_state_speaks_for_its_stations() -> None:
    told = Plant().run(LINE).count(line=400).oee()
    assert (told["units"], told["unheard"], told["coverage"], told["oee"]) == ([LINE], [], 1.0, 0.8)


def test_a_stop_on_a_day_without_a_shift_is_no_downtime() -> None:
    early = ShiftCalendar(UTC, [ShiftPlan("early", Hours(time(6), time(7)))])
    ledgers = Ledgers(Terms(StateMap(), Reasons(), minor=SECOND_US), Site(MODEL, early))
    for at, word in ((0, "running"), (100, "stopped"), (340, "running")):
        event = Event(f"e{at}", f"/{PRESS}", "equipment.state.changed", {"state": word}, NOW + at, Priority.HIGH)
        ledgers.take_state(event, us_of(NOW + at))
    ledgers.settle(us_of(NOW + 400))
    found = LedgersNow(ledgers, lambda *_: None, us_of(NOW + 400)).statistics("", US, US + 400 * SECOND_US)
    assert (found["total_events"], found["unplanned_events"], found["unplanned_seconds"]) == (0, 0, 0.0)
    assert found["outside_seconds"] == 240.0
