from __future__ import annotations

import json
import threading

import pytest
import structlog

from actors.hooks.making import AT_ONCE
from actors.hooks.rules import MADE_LIMIT
from domain import MADE_BY, Priority
from domain.hooks import Draft, EventType, Hook, Intent

PATH = "line4/rule/x"
ENDLESS: list = []
ENDLESS.append(ENDLESS)


def hook(rule, react, *types, **parts) -> Hook:
    return Hook(rules={"x": rule(react, *types)}, **parts)


async def test_an_event_that_a_rule_words_comes_to_its_desk(working, rule, make_event):
    async with working(hook(rule, lambda event: [Draft("press.opened", {"was": event.id})])) as rig:
        rig.taps.take(make_event("7"))
        await rig.until(lambda: rig.told)
        (event,) = rig.told
        assert (event.type, event.source, event.data) == ("press.opened", "/acme/press3", {"was": "7"})
        assert event.extensions == {MADE_BY: PATH}
        assert rig.part(PATH).made == 1


async def test_the_same_event_seen_again_makes_the_same_event_again(working, rule, make_event):
    async with working(hook(rule, lambda _: [Draft("press.opened"), Draft("press.opened")])) as rig:
        rig.taps.take(make_event("7"))
        rig.taps.take(make_event("7"))
        await rig.until(lambda: len(rig.told) == 4)
        ids = [event.id for event in rig.told]
        assert ids[:2] == ids[2:]
        assert ids[0] != ids[1]


async def test_an_intent_is_done_by_the_desk_of_its_act(working, rule, make_event):
    async with working(hook(rule, lambda _: [Intent("andon.raise", {"type": "material"})])) as rig:
        rig.taps.take(make_event("7"))
        await rig.until(lambda: rig.acts)
        (act,) = rig.acts
        assert (act.type, act.arguments, act.by) == ("andon.raise", {"type": "material"}, f"hook {PATH}")
        assert act.key == f"{PATH}-7-0"


async def test_an_intent_that_is_refused_is_no_failure_of_the_rule(working, rule, make_event):
    async with working(hook(rule, lambda _: [Intent("andon.refused"), Intent("andon.raise")])) as rig:
        rig.taps.take(make_event())
        await rig.until(lambda: rig.acts)
        assert rig.part(PATH).refusal == "there is one already"
        assert not rig.part(PATH).is_quarantined


async def test_an_act_that_nobody_does_is_told_with_the_part(working, rule, make_event):
    async with working(hook(rule, lambda _: [Intent("coffee.make")])) as rig:
        rig.taps.take(make_event())
        await rig.until(lambda: rig.part(PATH).refusal)
        assert "coffee.make" in rig.part(PATH).refusal


async def test_a_rule_that_raises_is_in_quarantine_and_that_is_told(working, rule, make_event):
    def react(event):
        raise KeyError(event.id)

    with structlog.testing.capture_logs() as lines:
        async with working(hook(rule, react)) as rig:
            rig.taps.take(make_event("7"))
            await rig.until(lambda: rig.told)
            (event,) = rig.told
            assert (event.type, event.data["reason"]) == ("hook.quarantined", "KeyError: '7'")
            rig.taps.take(make_event("8"))
            assert (await rig.tree.status("gateway/hooks/line4.x")).state == "running"
            assert rig.part(PATH).calls == 2  # what it wants to see, and the one event
    (line,) = [line for line in lines if line["event"] == "hook.quarantined"]
    assert isinstance(line["exc_info"], KeyError)
    assert line["exc_info"].__traceback__ is not None


async def test_a_rule_that_fails_hinders_no_other(working, rule, make_event):
    broken = rule(lambda _: 1 / 0)
    well = rule(lambda _: [Draft("press.opened")])
    async with working(Hook(rules={"x": broken, "y": well})) as rig:
        for number in range(3):
            rig.taps.take(make_event(str(number)))
        await rig.until(lambda: len(rig.told) == 4)
        assert rig.part(PATH).is_quarantined
        assert not rig.part("line4/rule/y").is_quarantined


async def test_a_rule_that_hangs_is_in_quarantine(working, rule, make_event):
    hangs = threading.Event()
    async with working(hook(rule, lambda _: hangs.wait()), timeout=0.05) as rig:
        rig.taps.take(make_event())
        await rig.until(lambda: rig.told)
        assert rig.part(PATH).reason == "did not return within 0.05 s"
    hangs.set()


async def test_a_rule_that_goes_on_giving_is_in_quarantine(working, rule, make_event):
    def react(_event):
        while True:
            yield Draft("press.opened")

    async with working(hook(rule, react)) as rig:
        rig.taps.take(make_event())
        await rig.until(lambda: rig.told)
        assert rig.part(PATH).reason == f"gave more than {AT_ONCE} at once"


async def test_a_rule_that_makes_too_much_is_in_quarantine(working, rule, make_event):
    async with working(hook(rule, lambda _: [Draft("press.opened")] * 100)) as rig:
        for number in range(MADE_LIMIT // 100 + 1):
            rig.taps.take(make_event(str(number)))
        await rig.until(lambda: rig.part(PATH).is_quarantined)
        assert f"more than {MADE_LIMIT}" in rig.part(PATH).reason
        assert sum(event.type == "press.opened" for event in rig.told) == MADE_LIMIT


@pytest.mark.parametrize(
    "given",
    [
        ["press.opened"],
        [Draft("Press Opened")],
        [Draft("source.silent")],
        [Draft("press.opened", ENDLESS)],
        [Draft("press.opened", object())],
        [Draft("press.opened", time="yesterday")],
        [Draft("press.opened", "x" * 300_000)],
        [Draft("press.overloaded", {"force": "much"})],
        [Intent("andon.raise", {"x": object()})],
        7,
    ],
)
async def test_what_is_no_event_of_its_own_is_a_failure(working, rule, make_event, given):
    types = (EventType("press.overloaded", Priority.HIGH, "", {"force": "number"}),)
    async with working(hook(rule, lambda _: given, types=types)) as rig:
        rig.taps.take(make_event())
        await rig.until(lambda: rig.told)
        assert [event.type for event in rig.told] == ["hook.quarantined"]
        assert rig.acts == []


async def test_a_rule_cannot_change_what_others_see(working, rule, make_event):
    def react(event):
        event.data["list"].append("changed")
        return [Draft("press.opened", event.data)]

    async with working(hook(rule, react)) as rig:
        event = make_event(data={"list": []})
        rig.taps.take(event)
        await rig.until(lambda: rig.told)
        assert event.data == {"list": []}
        assert rig.told[0].data == {"list": ["changed"]}


async def test_a_rule_that_wants_to_see_nothing_that_can_be_is_in_quarantine(working, rule):
    broken = rule(lambda _: ())
    broken.types = "equipment"
    async with working(Hook(rules={"x": broken})) as rig:
        await rig.until(lambda: rig.told)
        assert not rig.taps


async def test_what_could_not_be_loaded_is_told_when_there_is_somebody_to_tell(working):
    async with working(None, ImportError("no module")) as rig:
        await rig.until(lambda: rig.told)
        (event,) = rig.told
        assert (event.type, event.data["reason"]) == ("hook.quarantined", "ImportError: no module")


async def test_the_status_document_has_every_part(working, rule):
    async with working(hook(rule, lambda _: (), types=(EventType("press.opened", Priority.LOW, ""),))) as rig:
        said = (await rig.tree.status("gateway/hooks")).description
        assert [part["name"] for part in said["parts"]] == ["press.opened", "x"]
        json.dumps(said)
