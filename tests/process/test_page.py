"""The live page in a real browser, fed by the real daemon."""

from __future__ import annotations

import itertools
import json
import signal
from contextlib import closing
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.process.conftest import Daemon, Page

PRESS = "/acme/plant1/line3/press3"
MARKUP = '<img src=x onerror="window.owned=1"><script>window.owned=1</script>'
WORD = '<img src=x onerror="window.owned=1">'
LIVE = "document.documentElement.dataset.link === 'live'"
LOST = "document.documentElement.dataset.link === 'lost'"
SOON = 20.0

KEPT = """
[storage]
path = "{}"

[sources.door]
kind = "http"
"""
# What the page says of the alarms, each time that it says something else.
SAYINGS = """window.sayings = []; new MutationObserver(() => {
const said = document.querySelector('#summary')?.textContent;
if (said !== window.sayings.at(-1)) window.sayings.push(said);
}).observe(document, { subtree: true, childList: true, characterData: true });"""
# A gateway that is never reached.
UNREACHED = "window.WebSocket = class { close() {} }; window.fetch = () => new Promise(() => {});"

_numbers = itertools.count(1)


def post(daemon: Daemon, type_: str, data: object, source: str = PRESS, **members: object) -> None:
    event = {"specversion": "1.0", "id": str(next(_numbers)), "source": source, "type": type_, "data": data, **members}
    connection = HTTPConnection("127.0.0.1", daemon.port, timeout=SOON)
    with closing(connection):
        connection.request(
            "POST", "/api/v1/events", json.dumps(event), {"content-type": "application/cloudevents+json"}
        )
        assert json.load(connection.getresponse())["accepted"] == 1


def says(selector: str, words: str) -> str:
    """The expression that an element of ``selector`` says ``words``."""
    return (
        f"[...document.querySelectorAll({json.dumps(selector)})].some(e => e.textContent.includes({json.dumps(words)}))"
    )


@pytest.fixture
def shown(daemon: Daemon, page: Page) -> Page:
    page.open(daemon.url)
    page.wait(LIVE)
    return page


def test_the_page_shows_live_values_of_the_host_within_seconds(shown: Page) -> None:
    shown.wait(r"/^\d+\.\d$/.test(document.querySelector('.figure b')?.textContent)", SOON)
    shown.wait("document.querySelectorAll('.figure').length === 8", SOON)
    shown.wait("document.querySelector('.curve path')?.getAttribute('d').split('L').length > 3", SOON)
    assert shown.evaluate("document.querySelectorAll('.late').length") == 0
    shown.wait(says("#ready", "ready"), SOON)
    assert shown.text("#connections-count") == "1"
    assert shown.complaints == []


def test_the_page_shows_the_tree_of_actors(shown: Page) -> None:
    shown.wait(says("#tree strong", "gateway"), SOON)
    for name in ("channels", "desks", "sources", "listeners"):
        assert shown.evaluate(says("#tree strong", name))
    assert shown.evaluate("document.querySelectorAll('.stuck').length") == 0


def test_a_posted_event_appears(daemon: Daemon, shown: Page) -> None:
    post(daemon, "station.called", {"text": "material is low"}, "/acme/plant1/line3/st4")
    shown.wait(says(".event", "material is low"), SOON)
    assert shown.evaluate(says(".event .type", "station.called"))
    assert shown.evaluate(says(".event .from", "acme/plant1/line3/st4"))


def test_a_machine_shows_its_state_its_readings_and_its_open_alarms(daemon: Daemon, shown: Page) -> None:
    post(daemon, "equipment.state.changed", {"state": "executing", "execution": "ACTIVE"})
    post(daemon, "equipment.reading", {"value": 12.5, "unit": "mm"}, subject="Xact")
    post(daemon, "alarm.raised", {"key": "oil", "code": "7", "level": "WARNING", "text": "OIL IS LOW"})
    post(daemon, "alarm.raised", {"key": "drive", "code": "9", "level": "FAULT", "text": "DRIVE IS HOT"})
    shown.wait(says(".tile .now", "ACTIVE"), SOON)
    shown.wait(says(".tile .reading", "12.5"), SOON)
    shown.wait("document.querySelectorAll('.alarm').length === 2", SOON)
    assert "DRIVE IS HOT" in shown.text(".alarm")
    assert "1 fault, 1 warning" in shown.text("#summary")
    assert shown.evaluate("getComputedStyle([...document.querySelectorAll('.first')][1]).display") != "none"
    shown.wait(says("#spoken", "DRIVE IS HOT"), SOON)
    post(daemon, "alarm.cleared", {"key": "drive", "code": "9", "level": "NORMAL"})
    # Nobody has acknowledged it, so it stays, behind what is still there.
    shown.wait(says(".alarm", "returned"), SOON)
    shown.wait("document.querySelectorAll('.alarm.alarm-critical').length === 0", SOON)
    assert "OIL IS LOW" in shown.text(".alarm")


def test_null_is_shown_as_its_reason_and_never_as_nought(shown: Page) -> None:
    shown.wait(says("#chain-reasons li", "no chain.block event received yet"), SOON)
    assert shown.evaluate("document.querySelectorAll('#chain .figure').length") == 0


def test_a_chain_that_reports_is_shown(daemon: Daemon, shown: Page) -> None:
    post(daemon, "chain.block", {"blockHeight": 4711, "transactions": 12, "blockTime": 2000}, "/chain/node1")
    shown.wait(says("#chain .figure b", "4\u202f711"), SOON)


OVERLAPS = """[...document.querySelectorAll('.figure')].filter((figure) => {
  const [name, age] = [figure.querySelector('dt span'), figure.querySelector('.age')];
  const old = age.getBoundingClientRect(), box = figure.getBoundingClientRect(), words = document.createRange();
  words.selectNodeContents(name);
  const isBeside = (each) => each.right <= old.left || each.left >= old.right;
  const meets = (each) => !isBeside(each) && each.bottom > old.top && each.top < old.bottom;
  return [...words.getClientRects()].some(meets) || old.right > box.right || old.bottom > box.bottom;
}).map((figure) => figure.textContent)"""


def test_no_figure_s_name_meets_its_age(daemon: Daemon, shown: Page) -> None:
    post(daemon, "chain.consensus", {"leader": "A" * 40, "performanceScore": 1, "term": 1}, "/chain/node1")
    post(daemon, "chain.peer", {"peerId": "p", "connected": True, "latency": 5}, "/chain/node1")
    for width in (320, 400, 900, 1280, 1600, 2560):
        shown.open(daemon.url, width)
        shown.wait(says("#chain .figure dt", "network health"), SOON)
        shown.wait(says("#chain .figure dt", "performance score"), SOON)
        shown.evaluate("document.querySelectorAll('.figure .age').forEach((age) => { age.textContent = '59 min'; })")
        assert shown.evaluate(OVERLAPS) == [], width


def test_who_is_known_by_a_name_is_shown_by_it(daemon: Daemon, shown: Page) -> None:
    post(daemon, "chain.consensus", {"leader": "A" * 40, "leaderName": "bob", "state": "COMMITTED"}, "/chain/node1")
    shown.wait(says("#chain .figure.text b", "bob"), SOON)
    shown.wait(says("#chain .figure .note", "A" * 40), SOON)


HALTED = {
    "chain": "hub-1", "state": "halted", "headHeight": 95, "headAgeMs": 9000, "validators": {"ACTIVE": 7, "JAILED": 1},
    "jailed": [{"validator": "AA", "operator": "op1bob", "text": "bob JAILED: downtime", "since": 80,
                "sinceAt": "2026-11-21T20:00:00Z", "watched": True}],
    "nodes": [{"name": "backup", "state": "silent", "fault": None, "silenceMs": 9000}],
}  # fmt: skip


def test_a_chain_that_stands_still_and_whom_it_has_in_jail_stand_in_the_header(shown: Page) -> None:
    said = shown.evaluate(
        f"""import('./page/chains.js').then(({{ showChains }}) => {{
          showChains([{json.dumps(HALTED)}], 1_900_000_000);
          const chip = document.getElementById('chains');
          return [chip.hidden, chip.dataset.state, chip.textContent,
            ...[...document.querySelectorAll('#chain-states li')].map((row) => row.innerText.replace(/\\s+/g, ' '))];
        }})"""
    )
    assert said[:3] == [False, "critical", "hub-1 HALTED, bob JAILED: downtime, 1 more"]
    assert "HALTED · height 95 · 7 active · 1 jailed" in said[3]
    assert "watched · since height 80 · op1bob" in said[4]
    assert "node · silent" in said[5]
    # Without a chain there is nothing of one.
    hidden = "showChains([], 1); return document.getElementById('chains').hidden"
    assert shown.evaluate(f"import('./page/chains.js').then(({{ showChains }}) => {{ {hidden} }})")


def test_hostile_text_is_shown_and_does_nothing(daemon: Daemon, shown: Page) -> None:
    hostile = {MARKUP: MARKUP, "text": MARKUP, "key": MARKUP, "code": MARKUP, "level": MARKUP, "state": WORD}
    for type_ in ("station.called", "equipment.state.changed", "alarm.raised", "equipment.reading"):
        post(daemon, type_, {**hostile, "value": MARKUP, "unit": MARKUP}, subject=MARKUP)
    post(daemon, "validator.status", {"validator": MARKUP, "name": MARKUP, "status": "JAILED"}, "/chain/node1")
    for selector in (".event .words", ".event .from", ".alarm", ".tile .reading", "#validator-rows, #chain-rows"):
        shown.wait(says(selector, "onerror"), SOON)
    shown.evaluate("document.querySelectorAll('.event summary').forEach(e => e.click())")
    shown.wait(says(".event pre", "onerror"), SOON)
    assert shown.evaluate("typeof window.owned") == "undefined"
    assert shown.evaluate("document.querySelectorAll('main img, main script').length") == 0
    assert shown.complaints == []


def test_events_can_be_filtered_and_held(daemon: Daemon, shown: Page) -> None:
    post(daemon, "station.called", {"text": "first"})
    post(daemon, "station.called", {"text": "second"})
    shown.wait("document.querySelectorAll('.event').length === 2", SOON)
    shown.evaluate(
        "(e => { e.value = 'SECOND'; e.dispatchEvent(new Event('input')) })(document.querySelector('#search'))"
    )
    shown.wait("document.querySelectorAll('.event').length === 1", SOON)
    shown.evaluate("(e => { e.value = ''; e.dispatchEvent(new Event('input')) })(document.querySelector('#search'))")
    shown.evaluate("document.querySelector('#hold').click()")
    post(daemon, "station.called", {"text": "third"})
    shown.wait(says("#hold", "more"), SOON)
    assert not shown.evaluate(says(".event", "third"))
    shown.evaluate("document.querySelector('#hold').click()")
    shown.wait(says(".event", "third"), SOON)
    shown.evaluate("document.querySelector('button[value=normal]').click()")
    shown.wait("document.querySelectorAll('.event').length === 0", SOON)


def test_a_killed_daemon_makes_the_page_look_stale_until_another_one_is_there(
    start_daemon: Callable[[int], Daemon], page: Page
) -> None:
    first = start_daemon(0)
    page.open(first.url)
    page.wait(LIVE)
    post(first, "equipment.state.changed", {"state": "executing", "execution": "ACTIVE"})
    page.wait(says(".tile .now", "ACTIVE"), SOON)
    assert not page.evaluate("document.querySelector('#stale').checkVisibility()")
    first.stop(signal.SIGKILL)
    page.wait(LOST, SOON)
    page.wait("document.querySelector('#stale').checkVisibility()", SOON)
    assert "what is shown is old" in page.text("#stale")
    assert page.evaluate("getComputedStyle(document.querySelector('main')).filter") == "grayscale(1)"
    assert page.evaluate(says(".tile .now", "ACTIVE"))
    page.wait(says("#spoken", "lost"), SOON)
    start_daemon(first.port)
    page.wait(LIVE)
    # Nothing on a page that is live says that it is not.
    page.wait(says("#spoken", "is back"), SOON)
    # What only the first daemon knew is not shown as if the second one had told it.
    page.wait("document.querySelectorAll('.tile').length === 0", SOON)
    assert not page.evaluate("document.querySelector('#stale').checkVisibility()")


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_what_is_open_stays_open_on_a_page_that_sees_the_gateway_restart(
    start_daemon: Callable[..., Daemon], page: Page, tmp_path: Path, ending: signal.Signals
) -> None:
    kept = KEPT.format(tmp_path)
    first = start_daemon(0, kept)
    page.call("Page.addScriptToEvaluateOnNewDocument", source=SAYINGS)
    page.open(first.url)
    page.wait(LIVE)
    post(first, "alarm.raised", {"key": "drive", "code": "9", "level": "FAULT", "text": "DRIVE IS HOT"})
    post(first, "equipment.state.changed", {"state": "running"})
    post(first, "line.status.changed", {"status": "running"}, "/acme/plant1/line3")
    page.wait(says("#summary", "1 fault"), SOON)
    page.wait("document.querySelectorAll('#lines .tile').length > 0", SOON)
    page.evaluate("window.sayings = []")
    first.stop(ending)
    page.wait(LOST, SOON)
    start_daemon(first.port, kept)
    page.wait(LIVE, SOON)
    page.evaluate("new Promise(done => setTimeout(done, 8000))")
    assert page.text("#summary") == "1 fault"
    assert page.evaluate("window.sayings.filter(said => said.includes('no open alarm'))") == []
    assert "RUNNING" in page.text("#machines .tile")
    assert page.evaluate("document.querySelectorAll('#lines .tile').length > 0") is True


def test_an_alarm_that_the_gateway_lost_with_its_memory_is_not_called_over(
    start_daemon: Callable[[int], Daemon], page: Page
) -> None:
    first = start_daemon(0)
    page.open(first.url)
    page.wait(LIVE)
    post(first, "alarm.raised", {"key": "drive", "code": "9", "level": "FAULT", "text": "DRIVE IS HOT"})
    page.wait(says("#summary", "1 fault"), SOON)
    first.stop(signal.SIGKILL)
    page.wait(LOST, SOON)
    second = start_daemon(first.port)
    page.wait(says(".alarm", "not known since the restart"), SOON)
    page.evaluate("new Promise(done => setTimeout(done, 6000))")
    assert page.text("#summary") == "1 fault"
    assert "DRIVE IS HOT" in page.text(".alarm")
    post(second, "alarm.raised", {"key": "drive", "code": "9", "level": "FAULT", "text": "DRIVE IS HOT"})
    page.wait(f"!{says('.alarm', 'not known since the restart')}", SOON)
    assert page.text("#summary") == "1 fault"


def test_a_page_that_has_reached_nobody_says_that_it_does_not_know(daemon: Daemon, page: Page) -> None:
    page.call("Page.addScriptToEvaluateOnNewDocument", source=UNREACHED)
    page.open(daemon.url)
    page.wait("document.querySelector('#clock').textContent !== ''", SOON)
    for words in ("no-calls", "no-alarms", "no-machines"):
        assert page.text(f"#{words}") == "Not known yet."
    assert page.text("#summary") == "alarms not known yet"
    assert page.evaluate("document.querySelector('#alarms').dataset.worst") == "waiting"


def test_a_page_that_has_reached_the_gateway_says_that_nothing_is_open(shown: Page) -> None:
    shown.wait(says("#summary", "no open alarm"), SOON)
    for words, told in (("calls", "No call is open."), ("alarms", "No alarm is open."), ("machines", "No machine has")):
        shown.wait(says(f"#no-{words}", told), SOON)


def test_an_alarm_without_a_key_or_a_text_is_told_by_what_there_is(daemon: Daemon, shown: Page) -> None:
    post(daemon, "alarm.raised", {"level": "WARNING"})
    post(daemon, "alarm.raised", {"level": "WARNING", "code": "E77"})
    shown.wait(says(".alarm strong", "WARNING alarm without text"), SOON)
    shown.wait(says(".alarm strong", "WARNING code E77"), SOON)
    shown.wait(says(".alarm", "unacknowledged"), SOON)
    assert shown.evaluate("document.querySelectorAll('.alarm').length") == 2
    assert PRESS.strip("/") in shown.text(".alarm")


def test_an_alarm_at_a_place_that_the_site_does_not_describe_is_marked(daemon: Daemon, shown: Page) -> None:
    post(daemon, "alarm.raised", {"key": "a", "level": "WARNING", "modelled": False}, "/acme/nowhere")
    shown.wait(says(".alarm .waiting", "a place that the site does not describe"), SOON)


def test_a_daemon_that_falls_silent_makes_the_page_look_stale(daemon: Daemon, shown: Page) -> None:
    shown.wait("document.querySelector('.curve path')?.getAttribute('d').split('L').length > 4")
    daemon.process.send_signal(signal.SIGSTOP)
    try:
        shown.wait(LOST, 2 * SOON)
    finally:
        daemon.process.send_signal(signal.SIGCONT)
    shown.wait(LIVE)


def in_model(page: Page, steps: str) -> object:
    """What ``steps`` return, given a new model as ``model``, ``event`` to make one of its events."""
    return page.evaluate(
        f"""import('./page/model.js').then(({{ Model }}) => {{
          const model = new Model();
          const event = (type, number, data, more) => model.take({{ type, data, source: '/press3', quality: 'good',
            channel: 'alarms/press3', offset: `a:${{number}}`, recordedtime: new Date().toISOString(), ...more }});
          {steps}
        }})"""
    )


def test_an_event_that_comes_twice_counts_once(shown: Page) -> None:
    steps = (
        "event('x.y', 1); event('x.y', 2); event('x.y', 2); event('x.y', 1); return [model.lines.length, model.lost]"
    )
    assert in_model(shown, steps) == [2, 0]


def test_an_event_that_was_overtaken_is_taken_and_one_that_never_comes_is_told(shown: Page) -> None:
    steps = "event('x.y', 1); event('x.y', 4); const lost = model.lost; event('x.y', 2); return [lost, model.lost]"
    assert in_model(shown, steps) == [2, 1]


def test_the_first_event_of_all_may_have_overtaken_others(shown: Page) -> None:
    steps = "event('x.y', 9); event('x.y', 7); event('x.y', 8); return model.lost"
    assert in_model(shown, steps) == 0


def test_critical_events_of_before_the_link_are_no_gap_and_no_gain(shown: Page) -> None:
    old = "for (const at of [3, 5]) event('x.y', at, {}, { priority: 'critical' });"
    new = "event('x.y', 20, {}, { priority: 'critical' }); event('x.y', 18); event('x.y', 19);"
    assert in_model(shown, f"{old} {new} return model.lost") == 0
    assert in_model(shown, f"{new} {old} event('x.y', 22); return model.lost") == 1


def test_what_the_gateway_says_of_itself_makes_no_machine_and_a_canary_is_no_news(shown: Page) -> None:
    alarm = (
        "model.take({ type: 'alarm.raised', source: '/andond/portal', data: { key: 'service_down', level: 'FAULT' } })"
    )
    canary = "event('canary.sent', 7, {}, { priority: 'critical', channel: 'canary' })"
    steps = (
        f"{alarm}; {canary}; return [model.machines.size, model.open.length, model.lines.length, model.periodic.length]"
    )
    assert in_model(shown, steps) == [0, 1, 1, 1]


def test_a_clearance_that_a_new_fault_overtook_does_not_clear_it(shown: Page) -> None:
    fault = "{ key: 'oil', code: '7', level: 'FAULT' }"
    steps = f"event('alarm.raised', 3, {fault}); event('alarm.cleared', 2, {fault}); return model.open.length"
    assert in_model(shown, steps) == 1


def test_faults_come_before_warnings_and_older_ones_first(shown: Page) -> None:
    raised = (
        "const raise = (number, level, minutes) => event('alarm.raised', number, "
        "{ key: number, level, since: new Date(Date.now() - minutes * 60000).toISOString() }, { priority: 'high' });"
    )
    steps = f"{raised} raise(1, 'WARNING', 9); raise(2, 'FAULT', 1); raise(3, 'FAULT', 2);"
    steps += "return model.open.map(alarm => alarm.key)"
    assert in_model(shown, steps) == ["3", "2", "1"]


def test_what_began_before_the_history_is_known_from_the_status_document(shown: Page) -> None:
    source = "{ equipment: 'acme/press3', machine: { state: 'executing', execution: 'ACTIVE', activeAlarms: 2 } }"
    steps = (
        f"model.compare([{source}]); const machine = model.machines.get('acme/press3');"
        "return [machine.state, machine.class]"
    )
    assert in_model(shown, steps) == ["ACTIVE", "executing"]


MINUTES = (
    "const ago = (minutes) => new Date(Date.now() - minutes * 60000).toISOString(); const told = { time: ago(50) };"
)
AGES = "[model.machines.get('press3'), model.open[0]].map(({ since }) => Math.round((Date.now() / 1000 - since) / 60))"


def test_what_lasts_is_counted_from_the_time_of_its_event(shown: Page) -> None:
    steps = (
        f"{MINUTES} event('equipment.state.changed', 1, {{ state: 'running' }}, told);"
        "event('alarm.raised', 2, { key: 'oil', level: 'FAULT' }, told);"
        "event('alarm.state.unacknowledged', 3, { key: 'oil', state: 'unacknowledged', since: ago(0) }, told);"
    )
    assert in_model(shown, f"{steps} return {AGES}") == [50, 50]


def test_a_source_whose_clock_is_off_is_counted_from_the_receipt(shown: Page) -> None:
    steps = (
        f"{MINUTES} event('equipment.state.changed', 1, {{ state: 'running' }}, {{ ...told, quality: 'uncertain' }});"
        "event('alarm.raised', 2, { key: 'oil', level: 'FAULT' }, { time: ago(-50) });"
    )
    assert in_model(shown, f"{steps} return {AGES}") == [0, 0]


LISTED = (
    "const named = (key) => ({ key, code: null, equipment: 'press3', level: 'FAULT', state: 'unacknowledged',"
    " quality: 'good', occurred_at: new Date().toISOString() });"
    "for (const key of ['over', 'open']) event('alarm.raised', key === 'over' ? 1 : 2, { key, level: 'FAULT' });"
)


def test_the_list_of_alarms_closes_what_it_does_not_name_and_opens_what_it_names(shown: Page) -> None:
    steps = "model.know({ items: ['open', 'before'].map(named), total: 2 }, true);"
    names = "return model.open.map(({ key }) => key).sort()"
    assert in_model(shown, f"{LISTED} {steps} {names}") == ["before", "open"]
    cleared = "event('alarm.state.normal', 3, { key: 'before', state: 'normal' });"
    assert in_model(shown, f"{LISTED} {steps} {cleared} {names}") == ["open"]


def test_an_alarm_without_a_level_is_open_if_the_list_names_it(shown: Page) -> None:
    steps = "model.know({ items: [{ ...named('oil'), level: null }], total: 1 }, true); return model.open.length"
    assert in_model(shown, f"{LISTED} {steps}") == 1


def test_a_list_that_is_cut_off_closes_nothing(shown: Page) -> None:
    steps = "model.know({ items: [named('open')], total: 2 }, true); return model.open.length"
    assert in_model(shown, f"{LISTED} {steps}") == 2


def test_what_a_source_tells_all_of_again_is_not_kept_as_lost(shown: Page) -> None:
    steps = (
        "model.know({ items: [], total: 0 }, false); model.know({ items: [], total: 0 }, true); const { length } = "
        "model.open; model.compare([{ equipment: 'press3', machine: {} }]); return [length, model.open.length]"
    )
    assert in_model(shown, f"{LISTED} {steps}") == [2, 0]


def test_strangers_cannot_fill_the_memory_of_the_page(shown: Page) -> None:
    steps = (
        "for (let n = 0; n < 3000; n += 1) { const more = { source: `/m${n}`, channel: `c${n}`, subject: `k${n}` };"
        "event('equipment.state.changed', 1, { state: 'held' }, more); event('alarm.raised', 2, { key: n }, more);"
        "event('equipment.reading', n, { value: n }, { subject: `k${n}` });"
        "event('chain.peer', 3, { peerId: n }, more) }"
        "const readings = model.machines.get('press3').readings.size;"
        "return [model.machines.size, model.alarms.size, model.lines.length, model.places.size, readings,"
        " model.chain.get('chain.peer').size].every(size => size <= 2000)"
    )
    assert in_model(shown, steps) is True


@pytest.mark.parametrize("width", [360, 390, 1280, 1920])
def test_nothing_has_to_be_scrolled_sideways(daemon: Daemon, page: Page, width: int) -> None:
    long = "a-name-without-any-space-that-never-seems-to-end" * 4
    post(daemon, "equipment.state.changed", {"state": "held", "execution": "INTERRUPTED"}, f"/acme/{long}/{long}")
    post(daemon, "alarm.raised", {"key": long, "code": long, "level": "FAULT", "text": long}, f"/acme/{long}/{long}")
    post(daemon, "equipment.reading", {"value": long}, f"/acme/{long}/{long}", subject=long)
    post(daemon, f"station.{long}", {"text": long})
    page.open(daemon.url, width, 740)
    page.wait(f"{LIVE} && document.querySelectorAll('.alarm, .tile .reading, .event').length >= 4")
    page.wait("document.querySelector('#tree .node') !== null")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(daemon: Daemon, page: Page, scheme: str) -> None:
    post(daemon, "equipment.state.changed", {"state": "held", "execution": "INTERRUPTED"})
    post(daemon, "alarm.raised", {"key": "drive", "code": "9", "level": "FAULT", "text": "DRIVE IS HOT"})
    post(daemon, "alarm.raised", {"key": "oil", "level": "WARNING", "text": "OIL IS LOW"}, "/acme/plant1/line3/mill")
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    page.open(daemon.url)
    page.wait(f"{LIVE} && document.querySelectorAll('.alarm').length === 2")
    page.wait("document.querySelectorAll('.figure').length === 8 && document.querySelector('#tree .node') !== null")
    assert page.evaluate(f"({FAINT})()") == []


# Every piece of text with less contrast than WCAG 2.2, 1.4.3 asks for (4.5:1; 3:1 from 24 px, or 18.66 px bold).
FAINT = r"""() => {
  const part = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const numbers = (color) => color.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const color = numbers(getComputedStyle(element).backgroundColor);
      if (color[3] !== 0) return color;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const faint = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest('.unseen')) continue;
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const wanted = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
    const [dark, bright] = [light(numbers(style.color)), light(behind(element))].sort((a, b) => a - b);
    const contrast = (bright + 0.05) / (dark + 0.05);
    if (contrast < wanted) faint.push(`${walker.currentNode.data.trim()}: ${contrast.toFixed(2)}`);
  }
  return faint;
}"""
