from __future__ import annotations

import pytest
import trio

from actors.runtime import ActorSystem, ChildSpec, Observer, Policy, Supervisor, TooManyRestarts, TrioActor
from andond.observer import TelemetryObserver, kind_of
from domain import Priority
from telemetry import counters


@pytest.mark.parametrize(("path", "kind"), [
    ("gateway", "gateway"),
    ("gateway/channels", "channels"),
    ("gateway/channels/equipment/acme/press3", "channels"),
    ("gateway/listeners/connections/c12345", "listeners"),
])  # fmt: skip
def test_an_actor_is_counted_by_the_part_of_the_tree_it_is_in(path, kind):
    assert kind_of(path) == kind


class Fails(TrioActor):
    def on_receive(self, message: object) -> None:
        raise RuntimeError(str(message))


async def test_what_happens_to_actors_is_counted_and_written(capsys, autojump_clock):
    observer: Observer = TelemetryObserver()
    failures, restarts = counters.actor_failures["desks"], counters.actor_restarts["desks"]
    quarantined, escalations = counters.messages_quarantined["desks"], counters.escalations
    letters = counters.dead_letters.total
    with pytest.raises(TooManyRestarts):  # noqa: PT012 - the block is what ends
        async with ActorSystem.open(observer=observer) as system:
            spec = ChildSpec("desks", Fails)
            root = system.start(Supervisor, "gateway", [spec], Policy(intensity=1, backoff=0.0))
            await system.settled(root)
            for _ in range(3):
                system.environment.registry.get("gateway/desks").tell("planted")
            await trio.sleep_forever()
    assert counters.actor_failures["desks"] - failures == 2
    assert counters.actor_restarts["desks"] - restarts == 1
    assert counters.messages_quarantined["desks"] - quarantined == 2
    assert counters.escalations - escalations == 1
    assert counters.dead_letters.total - letters >= 1
    written = capsys.readouterr().err
    for event in (
        "actor.failed",
        "actor.restarted",
        "actor.quarantined",
        "supervisor.escalated",
        "message.dead_lettered",
    ):
        assert event in written
    assert "planted" in written


def test_losses_of_a_mailbox_are_counted_by_priority(capsys):
    observer = TelemetryObserver()
    dropped, conflated = list(counters.messages_dropped), list(counters.messages_conflated)
    observer.messages_dropped("gateway/desks/floor", Priority.NORMAL, 3, 4, 0)
    observer.messages_dropped("gateway/desks/floor", Priority.HIGH, 0, 0, 2)
    observer.messages_dropped("gateway/desks/floor", Priority.LOW, 0, 5, 0)
    assert [now - then for now, then in zip(counters.messages_dropped, dropped, strict=True)] == [0, 2, 3, 0]
    assert [now - then for now, then in zip(counters.messages_conflated, conflated, strict=True)] == [0, 0, 4, 5]
    # What was merely replaced by something newer is no news.
    assert capsys.readouterr().err.count("mailbox.overflowed") == 2


def test_an_actor_that_ended_with_nothing_left_is_no_news(capsys):
    observer = TelemetryObserver()
    buried = counters.actors_buried["listeners"]
    observer.actor_buried("gateway/listeners/connections/c1", 0)
    observer.actor_buried("gateway/listeners/connections/c2", 3)
    assert counters.actors_buried["listeners"] - buried == 1
    assert capsys.readouterr().err.count("actor.buried") == 1


def test_a_thread_that_does_not_end_is_told(capsys):
    stuck = counters.actors_stuck
    TelemetryObserver().actor_abandoned("gateway/recorder", 5.0)
    assert counters.actors_stuck - stuck == 1
    assert "actor.stuck" in capsys.readouterr().err
