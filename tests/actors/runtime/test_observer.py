from __future__ import annotations

import logging

from actors.runtime import ActorSystem, ChildSpec, LoggingObserver, Policy, Supervisor, TrioActor, ask
from actors.runtime.child import ListChildren
from domain import Priority


class Fails(TrioActor):
    def on_receive(self, message):
        if message == "boom":
            raise ValueError(message)
        return message


async def test_without_an_observer_failures_are_logged_with_their_traceback(caplog):
    caplog.set_level(logging.DEBUG, "pykka")
    async with ActorSystem.open() as system:
        root = system.start(Supervisor, "root", [ChildSpec("a", Fails)], Policy(backoff=0.0))
        await system.settled(root)
        ref = (await ask(root, ListChildren()))[0].ref
        ref.tell("boom")
        assert await ask(ref, "x") == "x"
    assert "root/a failed while handling str" in caplog.text
    assert "ValueError: boom" in caplog.text
    assert "root/a restarted for the 1. time" in caplog.text
    assert "root/a: str is quarantined" in caplog.text
    assert "root ended with 0 messages waiting" in caplog.text


def test_everything_that_can_be_observed_can_be_logged(caplog):
    caplog.set_level(logging.DEBUG, "pykka")
    observer = LoggingObserver()
    observer.actor_abandoned("a", 5.0)
    observer.message_dead_lettered("a", "Publish", "interrupted", 3)
    observer.messages_dropped("a", Priority.LOW, 2, 0, 0)
    observer.messages_dropped("b", Priority.NORMAL, 0, 4, 0)
    observer.supervisor_escalated("root", "a", 6, 10.0)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", "a abandoned after 5.000 s at one message"),
        ("WARNING", "a: 3 Publish undelivered: interrupted"),
        ("WARNING", "a: low mailbox: 2 dropped, 0 conflated, 0 refused"),
        ("DEBUG", "b: normal mailbox: 0 dropped, 4 conflated, 0 refused"),
        ("ERROR", "root gives up: 6 restarts within 10.0 s, the last one of a"),
    ]
