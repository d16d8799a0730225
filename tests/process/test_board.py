"""The Andon board of the live page in a real browser, fed by the real daemon."""

from __future__ import annotations

import itertools
import json
import signal
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.process.conftest import Daemon, Page

LINE = "acme/plant1/line3"
PRESS = f"{LINE}/press3"
LIVE = "document.documentElement.dataset.link === 'live'"
LOST = "document.documentElement.dataset.link === 'lost'"
SOON = 20.0
RULE = """
[sources.door]
kind = "http"

[[floor.rules]]
name = "called"
call = "material"
type = "station.called"
text = "no more screws"
"""
SITE = """
[site]
enterprise = "acme"
name = "plant1"
title = "Plant One"

[[site.areas]]
name = "packing"

[[site.areas.lines]]
name = "line3"
cells = [{ name = "press3" }]

[sources.door]
kind = "http"
"""
PACKING = "acme/plant1/packing/line3"
MARKUP = '<img src=x onerror="window.owned=1">'
# What the page's loudspeaker was given, counted where the browser makes it.
EARS = """window.tones = 0; const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...given) { window.tones += 1; return start.apply(this, given) };"""

_numbers = itertools.count(1)


def post(daemon: Daemon, type_: str, data: object, source: str = PRESS, **members: object) -> None:
    event = {"specversion": "1.0", "id": f"b{next(_numbers)}", "source": f"/{source}", "type": type_, "data": data}
    connection = HTTPConnection("127.0.0.1", daemon.port, timeout=SOON)
    with closing(connection):
        body = json.dumps({**event, **members})
        connection.request("POST", "/api/v1/events", body, {"content-type": "application/cloudevents+json"})
        assert json.load(connection.getresponse())["accepted"] == 1


STATES = {"raised": "raised", "acknowledged": "acknowledged", "arrived": "in_progress", "resolved": "resolved"}


def tell(daemon: Daemon, word: str, call: str = "c1", step: int = 1, minutes: float = 1, **more: object) -> None:
    """Tell that a call was ``word``, as its desk does."""
    raised = datetime.now(UTC) - timedelta(minutes=minutes)
    data = {
        "call": call,
        "path": PRESS,
        "title": "Maintenance",
        "priority": "high",
        "text": "oil on the floor",
        "state": STATES.get(word, word),
        "step": step,
        "level": 0,
        "raised_at": raised.isoformat(),
        "by": "Ada",
        **more,
    }
    post(daemon, f"andon.call.{word}", data, str(data["path"]))


def says(selector: str, words: str) -> str:
    return (
        f"[...document.querySelectorAll({json.dumps(selector)})].some(e => e.textContent.includes({json.dumps(words)}))"
    )


def tap(page: Page, selector: str) -> None:
    """Tap the middle of the first element of ``selector``, as a finger does."""
    place = page.evaluate(
        f"(r => [r.x + r.width / 2, r.y + r.height / 2])"
        f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
    )
    assert isinstance(place, list)
    for kind in ("mousePressed", "mouseReleased"):
        page.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)


def sign_on(page: Page, name: str) -> None:
    said = f"e.value = {json.dumps(name)}; e.dispatchEvent(new Event('change'))"
    page.evaluate(f"(e => {{ {said} }})(document.querySelector('#who'))")


@pytest.fixture
def shown(daemon: Daemon, page: Page) -> Page:
    page.call("Page.addScriptToEvaluateOnNewDocument", source=EARS)
    page.open(daemon.url)
    page.wait(LIVE)
    return page


def test_a_call_is_on_the_board_with_its_place_its_words_and_a_running_clock(daemon: Daemon, shown: Page) -> None:
    tell(daemon, "raised", minutes=3, priority="critical", title="Safety", stops_line=True, level=2)
    shown.wait(says(".call", "critical Safety"), SOON)
    card = shown.text(".call")
    for words in ("press3", LINE, "oil on the floor", "line stop", "level 2", "raised"):
        assert words in card
    first = shown.text(".call .watch")
    # The page tells the gateway's time, and may know it by a second less.
    assert first.startswith(("3:", "2:59"))
    shown.wait(f"document.querySelector('.call .watch').textContent !== {json.dumps(first)}", SOON)
    assert shown.text("#calls-words") == "1 not acknowledged"
    assert shown.complaints == []


def test_the_most_urgent_call_comes_first_then_the_oldest(daemon: Daemon, shown: Page) -> None:
    for call, priority, minutes in (("a", "low", 90), ("b", "high", 1), ("c", "critical", 1), ("d", "high", 9)):
        tell(daemon, "raised", call, minutes=minutes, priority=priority, text=f"call {call}")
    shown.wait("document.querySelectorAll('.call').length === 4", SOON)
    order = shown.evaluate("[...document.querySelectorAll('.call .said')].map(e => e.textContent.at(-1)).join('')")
    assert order == "cdba"


def test_the_board_shows_how_far_a_call_is_and_lets_it_go_when_it_is_over(daemon: Daemon, shown: Page) -> None:
    done = "[...document.querySelectorAll('.steps .done')].length"
    tell(daemon, "raised")
    shown.wait(f"{done} === 1", SOON)
    assert shown.evaluate("[...document.querySelectorAll('.acts button:not([hidden])')].length") == 2
    tell(daemon, "acknowledged", step=2, by="Grace")
    shown.wait(f"{done} === 2", SOON)
    assert "Grace" in shown.text(".steps")
    assert shown.evaluate("document.querySelector('.act-acknowledge').hidden") is True
    tell(daemon, "arrived", step=3, by="Grace")
    shown.wait(f"{done} === 3", SOON)
    tell(daemon, "resolved", step=4, by="Grace")
    shown.wait("document.querySelector('.call.over') !== null", SOON)
    assert shown.evaluate("[...document.querySelectorAll('.acts button:not([hidden])')].length") == 0
    assert shown.text("#calls-count") == ""


def test_a_step_that_comes_late_changes_nothing(daemon: Daemon, shown: Page) -> None:
    tell(daemon, "acknowledged", step=2)
    shown.wait(says(".call .phase", "acknowledged"), SOON)
    tell(daemon, "raised", step=1, text="late")
    post(daemon, "station.called", {"text": "behind it"})
    shown.wait(says(".event", "behind it"), SOON)
    assert shown.evaluate("document.querySelector('.call .phase').textContent") == "acknowledged"


def test_the_board_says_in_words_what_happened_last(daemon: Daemon, shown: Page) -> None:
    def advanced(level: int, told: list[str], off: list[str]) -> None:
        targets = [{"target": each} for each in told]
        step = {"notify": [*told, *off]}
        post(
            daemon,
            "escalation.advanced",
            {"call": "c1", "level": level, "step": step, "told": targets, "off_shift": off},
        )

    def failed(level: int) -> None:
        post(daemon, "escalation.step.failed", {"call": "c1", "level": level, "reason": "no client is connected"})

    tell(daemon, "raised")
    shown.wait(says(".call .muted", "raised by Ada"), SOON)
    advanced(1, ["shift_manager"], [])
    tell(daemon, "escalated", state="raised", step=2, by="escalation", level=1)
    shown.wait(says(".call .muted", "told shift manager, level 1"), SOON)
    tell(daemon, "notified", step=3, by="shift_manager", level=1)
    advanced(2, [], ["engineer"])
    tell(daemon, "escalated", state="notified", step=4, by="escalation", level=2)
    shown.wait(says(".call .muted", "nobody to tell, level 2: no engineer on shift"), SOON)
    advanced(3, ["production_manager"], [])
    failed(3)
    tell(daemon, "escalated", state="notified", step=5, by="escalation", level=3)
    shown.wait(says(".call .muted", "could not tell production manager, level 3: no client is connected"), SOON)
    tell(daemon, "arrived", step=6, by="Grace", level=3)
    shown.wait(says(".call .muted", "Grace is there"), SOON)
    assert "escalation" not in shown.text(".call")


def test_a_call_at_a_place_that_the_site_does_not_describe_is_marked(daemon: Daemon, shown: Page) -> None:
    tell(daemon, "raised", modelled=False)
    shown.wait(says(".call .waiting", "a place that the site does not describe"), SOON)
    assert shown.evaluate("document.querySelector('.call .waiting').checkVisibility()") is True
    tell(daemon, "raised", step=2, modelled=True)
    shown.wait("!document.querySelector('.call .waiting').checkVisibility()", SOON)


def test_nobody_acts_without_a_name(daemon: Daemon, shown: Page) -> None:
    tell(daemon, "raised")
    shown.wait("document.querySelector('.call') !== null", SOON)
    tap(shown, ".act-acknowledge")
    shown.wait(says(".call", "Say who you are first"), SOON)
    assert shown.evaluate("document.activeElement.id") == "who"


def test_what_was_tapped_is_pending_until_the_gateway_has_answered(daemon: Daemon, shown: Page) -> None:
    sign_on(shown, "Ada")
    tell(daemon, "raised")
    shown.wait("document.querySelector('.call') !== null", SOON)
    daemon.process.send_signal(signal.SIGSTOP)
    try:
        tap(shown, ".act-acknowledge")
        shown.wait("document.querySelector('.act-acknowledge').ariaBusy === 'true'", SOON)
        assert "Acknowledging" in shown.text(".act-acknowledge")
        assert shown.evaluate("document.querySelector('.act-arrive').disabled") is True
        # What was tapped is not what is.
        assert shown.text(".call .phase") == "raised"
        shown.wait(says(".call .loud", "there is no link"), 2 * SOON)
    finally:
        daemon.process.send_signal(signal.SIGCONT)
    shown.wait("document.querySelector('.act-acknowledge').ariaBusy === 'false'", 3 * SOON)


@pytest.fixture
def plant(start_daemon: Callable[..., Daemon]) -> Daemon:
    """A daemon that has a rule: who calls from a station raises a call."""
    return start_daemon(0, RULE)


@pytest.fixture
def board(plant: Daemon, page: Page) -> Page:
    """The board of ``plant``, with somebody in front of it and one call on it."""
    page.open(plant.url)
    page.wait(LIVE)
    sign_on(page, "Grace")
    post(plant, "station.called", {})
    page.wait(says(".call .said", "no more screws"), SOON)
    return page


def test_a_call_is_taken_over_arrived_at_and_resolved_with_one_tap_each(board: Page) -> None:
    for act, phase in (("acknowledge", "acknowledged"), ("arrive", "arrived"), ("resolve", "resolved")):
        tap(board, f".act-{act}")
        board.wait(says(".call .phase", phase), SOON)
    assert "Grace" in board.text(".steps")
    assert board.text(".call > .loud") == ""
    assert board.complaints == []


def test_what_is_tapped_without_a_link_is_done_once_there_is_one(board: Page, plant: Daemon) -> None:
    plant.process.send_signal(signal.SIGSTOP)
    try:
        board.wait(LOST, 2 * SOON)
        tap(board, ".act-acknowledge")
        board.wait(says(".call .loud", "there is no link"), SOON)
    finally:
        plant.process.send_signal(signal.SIGCONT)
    board.wait(says(".call .phase", "acknowledged"), 3 * SOON)
    assert board.text(".call > .loud") == ""


def test_an_open_call_comes_back_with_the_page(board: Page, plant: Daemon) -> None:
    tap(board, ".act-acknowledge")
    board.wait(says(".call .phase", "acknowledged"), SOON)
    board.open(plant.url)
    board.wait(says(".call .phase", "acknowledged"), SOON)
    assert "no more screws" in board.text(".call")
    board.evaluate("localStorage.clear()")


def counted(daemon: Daemon, metric: str) -> float:
    connection = HTTPConnection("127.0.0.1", daemon.port, timeout=SOON)
    with closing(connection):
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{metric} "))


def test_the_gateway_is_told_that_a_call_was_received_and_that_it_is_on_a_screen(board: Page, plant: Daemon) -> None:
    tap(board, ".act-acknowledge")
    board.wait(says(".call .phase", "acknowledged"), SOON)
    deadline = time.monotonic() + SOON
    while not (counted(plant, "andond_receipts_received_total") and counted(plant, "andond_receipts_shown_total")):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_what_the_gateway_refuses_is_told_with_its_reason(daemon: Daemon, shown: Page) -> None:
    sign_on(shown, "Ada")
    tell(daemon, "raised", "nobody-raised-this")
    shown.wait("document.querySelector('.call') !== null", SOON)
    tap(shown, ".act-acknowledge")
    shown.wait(says(".call .loud", "Not done:"), SOON)
    assert shown.text(".call .phase") == "raised"


def test_who_one_is_outlives_the_page(daemon: Daemon, shown: Page) -> None:
    sign_on(shown, "Grace")
    shown.open(daemon.url)
    shown.wait("document.querySelector('#who').value === 'Grace'", SOON)
    shown.evaluate("localStorage.clear()")


def test_a_call_sounds_again_and_again_until_it_is_acknowledged(daemon: Daemon, shown: Page) -> None:
    tell(daemon, "raised")
    shown.wait("document.querySelector('.call') !== null", SOON)
    assert shown.evaluate("document.querySelector('#sound-off').checkVisibility()") is True
    assert "tap" in shown.text("#sound-off")
    assert shown.evaluate("window.tones") == 0
    tap(shown, "#calls-count")
    shown.wait("window.tones > 0", SOON)
    first = shown.evaluate("window.tones")
    shown.wait(f"window.tones > {first}", SOON)
    shown.wait("!document.querySelector('#sound-off').checkVisibility()", SOON)
    tell(daemon, "acknowledged", step=2)
    shown.wait(says(".call .phase", "acknowledged"), SOON)
    shown.wait("document.querySelector('#sound').hidden", SOON)
    quiet = shown.evaluate("window.tones")
    shown.evaluate("new Promise(done => setTimeout(done, 3500))")
    assert shown.evaluate("window.tones") == quiet


def test_silence_is_no_acknowledgement_and_ends_with_the_next_call(daemon: Daemon, shown: Page) -> None:
    tell(daemon, "raised")
    shown.wait("document.querySelector('.call') !== null", SOON)
    tap(shown, "#calls-count")
    shown.wait("window.tones > 0 && !document.querySelector('#sound').hidden", SOON)
    tap(shown, "#sound")
    shown.wait("document.querySelector('#sound').ariaPressed === 'true'", SOON)
    assert shown.text(".call .phase") == "raised"
    quiet = shown.evaluate("window.tones")
    shown.evaluate("new Promise(done => setTimeout(done, 3500))")
    assert shown.evaluate("window.tones") == quiet
    tell(daemon, "raised", "c2")
    shown.wait(f"window.tones > {quiet}", SOON)


def test_a_line_shows_its_state_its_oee_and_what_that_rests_on(daemon: Daemon, shown: Page) -> None:
    post(daemon, "line.status.changed", {"status": "running", "previous": "idle"}, LINE)
    figures = {"oee": 0.7312, "availability": 0.9, "performance": 1.08, "quality": None, "coverage": 0.99}
    post(daemon, "oee.updated", {**figures, "isReach": False, "flags": [{"flag": "check ideal cycle"}]}, LINE)
    shown.wait(says("#lines .tile", "73 %"), SOON)
    tile = shown.text("#lines .tile")
    for words in ("line3", "RUNNING", "99 % of the time is known", "A 90 %", "P 108 %", "Q -", "check ideal cycle"):
        assert words in tile
    assert shown.evaluate("document.querySelector('#lines .tile .mark').classList.contains('is-executing')") is True


def test_oee_with_little_coverage_is_a_range_and_without_a_value_a_dash(daemon: Daemon, shown: Page) -> None:
    thin = {"oee": 0.6, "coverage": 0.55, "isReach": True, "reach": {"oee": [0.41, 0.78]}}
    post(daemon, "oee.updated", thin, LINE)
    shown.wait(says("#lines .oee", "41\u201378 %"), SOON)
    assert "60 %" not in shown.text("#lines .tile")
    none = {"oee": None, "coverage": None, "reasons": {"oee": "nothing was planned"}}
    post(daemon, "oee.updated", none, LINE)
    shown.wait("document.querySelector('#lines .oee b').textContent === '-'", SOON)
    assert "nothing was planned" in shown.text("#lines .tile")


def test_the_heading_is_what_people_call_the_site(start_daemon: Callable[..., Daemon], page: Page) -> None:
    page.open(start_daemon(0, SITE).url)
    page.wait("document.querySelector('#node').textContent === 'Plant One'", SOON)


def test_a_line_says_why_it_has_no_oee(start_daemon: Callable[..., Daemon], page: Page) -> None:
    daemon = start_daemon(0, SITE)
    page.open(daemon.url)
    page.wait(LIVE)
    post(daemon, "equipment.state.changed", {"state": "running"}, f"{PACKING}/press3")
    line = "[...document.querySelectorAll('#lines .tile')].find(e => e.querySelector('h3').textContent === 'line3')"
    page.wait(f"{line}?.querySelector('.oee').checkVisibility()", SOON)
    assert "no shift calendar says what is planned" in str(
        page.evaluate(f"{line}.querySelector('.tile > .waiting').textContent")
    )
    assert page.evaluate(f"/A - . P/.test({line}.textContent)") is False


def test_a_line_of_which_no_figure_is_known_has_no_row_for_one(shown: Page) -> None:
    shown.evaluate("window.fetch = () => Promise.reject(new Error())")
    line = (
        "import('./page/floor.js').then(async ({ Floor }) => { const { showLines } = await import('./page/lines.js');"
        "const floor = new Floor(); floor.take({ type: 'line.status.changed', data: { status: 'running' }, at: 1,"
        "path: 'a/b', quality: 'good', members: {} }); showLines(floor, []);"
        "return [...document.querySelectorAll('#lines .oee, #lines .tile .muted')].filter(e => /OEE|A -/"
        ".test(e.textContent) && e.checkVisibility()).length })"
    )
    assert shown.evaluate(line) == 0


LOOKS = [
    ({"state": "running"}, "executing"),
    ({"state": "executing", "execution": "ACTIVE"}, "executing"),
    ({"state": "stopped"}, "critical"),
    ({"state": "held", "execution": "INTERRUPTED", "class": "held"}, "held"),
    ({"execution": "PROGRAM_STOPPED", "class": "held"}, "held"),
    ({"execution": "READY", "class": "not_executing"}, "idle"),
    ({"state": "not_executing"}, "idle"),
    ({"execution": "UNAVAILABLE"}, "unknown"),
]


def test_a_state_looks_the_same_wherever_it_is_shown(shown: Page) -> None:
    steps = (
        "Promise.all(['model', 'floor'].map(name => import(`./page/${name}.js`))).then(([{ Model }, { lookOf }]) => "
        f"{json.dumps([data for data, _ in LOOKS])}.map(data => {{ const model = new Model();"
        "model.take({ type: 'equipment.state.changed', source: '/a', data });"
        "return [model.machines.get('a').class, lookOf(data.execution ?? data.state, data.class)] }))"
    )
    assert shown.evaluate(steps) == [[look, look] for _, look in LOOKS]


def test_a_running_unit_has_the_same_mark_under_machines_and_under_lines(daemon: Daemon, shown: Page) -> None:
    post(daemon, "equipment.state.changed", {"state": "running"}, PRESS)
    for panel in ("lines", "machines"):
        shown.wait(f"document.querySelector('#{panel} .now .mark')?.classList.contains('is-executing')", SOON)


def test_a_unit_shows_the_state_that_was_told_last(daemon: Daemon, shown: Page) -> None:
    post(daemon, "oee.updated", {"oee": None, "status": "running"})
    shown.wait(says("#lines .now", "RUNNING"), SOON)
    post(daemon, "oee.updated", {"oee": None, "status": "idle"})
    shown.wait(says("#lines .now", "IDLE"), SOON)


def test_a_line_tells_how_many_calls_are_open_on_it(daemon: Daemon, shown: Page) -> None:
    post(daemon, "line.status.changed", {"status": "stopped"}, LINE)
    tell(daemon, "raised", "c1")
    tell(daemon, "raised", "c2", path="acme/plant1/line30/press1")
    shown.wait(says("#lines .tile", "1 open call"), SOON)


def test_a_flood_is_marked_and_grouped_with_its_first_alarm(daemon: Daemon, shown: Page) -> None:
    for machine in range(12):
        for number in range(3):
            alarm = {"key": f"k{number}", "code": str(number), "level": "WARNING", "text": f"alarm {number}"}
            post(daemon, "alarm.raised", alarm, f"{LINE}/m{machine}")
    shown.wait(says("#alarms-count", "36"), SOON)
    shown.wait(says("#alarm-rate", "a flood"), SOON)
    shown.wait("document.querySelectorAll('.alarm').length === 10", SOON)
    assert "alarm 0" in shown.text(".alarm")
    assert "2 more here" in shown.text(".alarm")
    fault = {"key": "drive", "code": "9", "level": "FAULT", "text": "drive is hot"}
    post(daemon, "alarm.raised", fault, f"{LINE}/m11")
    shown.wait(says(".alarm.alarm-critical", "m11"), SOON)
    assert "3 more here, 1 fault among them" in shown.text(".alarm")
    assert "alarm 0" in shown.text(".alarm"), "what was first is still what is shown"


def test_no_tile_looks_live_when_the_link_is_cut(start_daemon: Callable[..., Daemon], page: Page) -> None:
    daemon = start_daemon(0)
    page.open(daemon.url)
    page.wait(LIVE)
    tell(daemon, "raised")
    post(daemon, "line.status.changed", {"status": "running"}, LINE)
    post(daemon, "equipment.state.changed", {"state": "executing", "execution": "ACTIVE"}, PRESS)
    tiles = "[...document.querySelectorAll('.call, #lines .tile, #machines .tile')]"
    page.wait(f"{tiles}.length >= 3", SOON)
    assert page.evaluate("[...document.querySelectorAll('.asof')].some(e => e.checkVisibility())") is False
    daemon.stop(signal.SIGKILL)
    page.wait(LOST, SOON)
    is_aged = "e => e.checkVisibility() && /\\d+ s/.test(e.textContent)"
    page.wait(f"{tiles}.map(e => e.querySelector('.asof')).every({is_aged})", SOON)
    assert page.evaluate("getComputedStyle(document.querySelector('main')).filter") == "grayscale(1)"
    # The clock of a call goes on, for nobody has said that it is over; it says that it is not known any more.
    assert page.evaluate("getComputedStyle(document.querySelector('.watch')).textDecorationLine") == "underline"


def test_hostile_text_in_a_call_is_shown_and_does_nothing(daemon: Daemon, shown: Page) -> None:
    tell(daemon, "raised", MARKUP, title=MARKUP, text=MARKUP, by=MARKUP, assigned_to=MARKUP, priority=MARKUP)
    told = {"call": MARKUP, "level": 1, "step": {"notify": MARKUP}, "told": MARKUP, "off_shift": [None, MARKUP]}
    post(daemon, "escalation.advanced", told)
    tell(daemon, "escalated", MARKUP, step=2, state="raised", title=MARKUP, text=MARKUP, by="escalation", level=1)
    post(daemon, "oee.updated", {"oee": MARKUP, "reasons": MARKUP, "flags": MARKUP, "status": MARKUP}, LINE)
    shown.wait(says(".call .said", "onerror"), SOON)
    shown.wait("document.querySelector('#lines .tile') !== null", SOON)
    assert shown.evaluate("typeof window.owned") == "undefined"
    assert shown.evaluate("document.querySelectorAll('main img').length") == 0
    assert shown.complaints == []


@pytest.mark.parametrize("width", [360, 1280])
def test_everything_to_be_tapped_is_large_enough_for_a_finger(daemon: Daemon, page: Page, width: int) -> None:
    tell(daemon, "raised")
    page.open(daemon.url, width, 740)
    page.wait(f"{LIVE} && document.querySelector('.call') !== null")
    small = (
        "[...document.querySelectorAll('button, input')].filter(e => e.checkVisibility())"
        ".map(e => e.getBoundingClientRect()).filter(r => r.height < 48 || r.width < 48).length"
    )
    assert page.evaluate(small) == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_digits_of_a_call_can_be_read_from_five_metres_on_a_wall(daemon: Daemon, page: Page) -> None:
    tell(daemon, "raised")
    page.open(daemon.url, 1920, 1080)
    page.wait(f"{LIVE} && document.querySelector('.call') !== null")
    # A 55 inch screen has 0.634 mm a pixel, a digit 0.7 of its type's size; 20 mm are 14 arc minutes at 5 m.
    assert (
        page.evaluate("parseFloat(getComputedStyle(document.querySelector('.call .watch')).fontSize)") * 0.7 * 0.634
        > 20
    )


def test_the_board_can_be_worked_from_the_keyboard(daemon: Daemon, shown: Page) -> None:
    sign_on(shown, "Ada")
    tell(daemon, "raised", "nobody-raised-this")
    shown.wait("document.querySelector('.call') !== null", SOON)
    shown.evaluate("document.querySelector('#who').focus()")
    for _ in range(10):
        shown.call("Input.dispatchKeyEvent", type="keyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9)
        shown.call("Input.dispatchKeyEvent", type="keyUp", key="Tab", code="Tab", windowsVirtualKeyCode=9)
        if shown.evaluate("document.activeElement.className") == "act-acknowledge":
            break
    assert shown.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    shown.call("Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")
    shown.wait(says(".call .loud", "Not done:"), SOON)
