"""Escalation and the channels together, against real servers: what fails is seen at once, and the next one is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC

import trio

from actors.connections.receipts import Book
from actors.hooks import Installed
from actors.notifier import (
    NOTIFIER_POLICY,
    Couriers,
    NotificationFailed,
    NotificationSent,
    notification_channels,
    rulebook_of,
)
from actors.runtime import ActorSystem, ChildSpec, Supervisor, TrioActor
from config import (
    AddressSettings,
    ChainSettings,
    EscalationSettings,
    FloorSettings,
    MailSettings,
    MqttSettings,
    NotificationSettings,
    PolicySettings,
    Settings,
    WebhookSettings,
)
from domain import Decision, Event
from domain.plant.escalation import CallFacts, Escalations, Outgoing
from domain.plant.site import ShiftCalendar

NOW = 1_800_000_000.0
DESK = "gateway/desk"


@dataclass(frozen=True, slots=True)
class Raise:
    """Raise a call with these facts."""

    facts: CallFacts


class Desk(TrioActor):
    """What a desk of calls does with escalations, without a disk."""

    def __init__(self, settings: Settings, journal: list[tuple[float, Event]], is_told: trio.Event) -> None:
        super().__init__()
        book = rulebook_of(settings)
        self._escalations = Escalations(lambda: book, lambda _: ShiftCalendar(UTC))
        self._couriers = Couriers(self.life.environment, DESK)
        self._journal = journal
        self._is_told = is_told

    def on_receive(self, message: object) -> None:
        at = NOW + trio.current_time()
        match message:
            case Raise(facts=facts):
                self._do(self._escalations.raised(facts, at))
            case NotificationSent(id=id_, receipt=receipt):
                self._do(self._escalations.sent(id_, receipt, at))
                self._is_told.set()
            case NotificationFailed(id=id_, reason=reason):
                self._do(self._escalations.failed(id_, reason, at))

    def _do(self, decision: Decision[Outgoing]) -> None:
        self._journal += [(trio.current_time(), event) for event in decision.events]
        self._couriers.send(decision.answer.notifications)


def _settings(channels: Iterable[str], **told: object) -> Settings:
    chain = ChainSettings(
        name="own",
        acknowledge=300,
        resolve=1800,
        unacknowledged=({"notify": ["anna"]}, {"wait": 300}, {"notify": ["ben"], "channels": ["mail"]}, {"wait": 300}),
    )
    addresses = {name: AddressSettings(mail=(f"{name}@acme.example",)) for name in ("anna", "ben")}
    notifications = NotificationSettings(channels=tuple(channels), addresses=addresses, **told)
    return Settings(floor=FloorSettings(escalation=EscalationSettings(chains=(chain,))), notifications=notifications)


async def _raise_call(settings: Settings) -> list[tuple[float, Event]]:
    """What is in the journal when somebody was told of a call."""
    journal: list[tuple[float, Event]] = []
    is_told = trio.Event()
    channels = notification_channels(lambda: settings.notifications, Book(), Installed(), PolicySettings, DESK)
    specs = [
        ChildSpec("desk", Desk, (settings, journal, is_told)),
        ChildSpec("notifier", Supervisor, (channels, NOTIFIER_POLICY)),
    ]
    async with ActorSystem.open() as system:
        await system.settled(system.start(Supervisor, "gateway", specs))
        desk = system.environment.registry.get(DESK)
        desk.tell(Raise(CallFacts("c1", "acme/plant1/line3", "safety", "high", "smoke", "carl", NOW)))
        with trio.fail_after(10):
            await is_told.wait()
    return journal


async def test_when_every_channel_fails_the_next_level_is_told_within_a_second_and_the_journal_says_why(
    mail_server, hook_server, closed
):
    with mail_server() as server, hook_server() as hook:
        server.refuses = {"anna@acme.example"}
        hook.status = 500
        settings = _settings(
            ["websocket", "mail", "webhook", "mqtt"],
            mail=MailSettings(server=server.address, security="none", sender="andond@acme.example"),
            webhook=WebhookSettings(url=hook.url),
            mqtt=MqttSettings(broker=closed),
        )
        journal = await _raise_call(settings)
    failures = [(at, dict(event.data)) for at, event in journal if event.type == "escalation.step.failed"]
    assert [data["channel"] for _, data in failures] == ["websocket", "mail", "webhook", "mqtt"]
    reasons = " | ".join(str(data["reason"]) for _, data in failures)
    for word in ("no client is connected", "550 no such user here", "answered 500", "cannot be reached"):
        assert word in reasons
    (last, sent) = journal[-1]
    assert sent.type == "escalation.step.sent"
    assert (sent.data["target"], sent.data["level"]) == ("ben", 2)
    assert last - failures[0][0] < 1.0
    ((_, to, content),) = server.taken
    assert to == ["ben@acme.example"]
    assert b"smoke" in content


async def test_when_a_channel_gives_a_receipt_no_other_one_is_tried(mail_server, hook_server):
    with mail_server() as server, hook_server() as hook:
        settings = _settings(
            ["webhook", "mail"],
            mail=MailSettings(server=server.address, security="none", sender="andond@acme.example"),
            webhook=WebhookSettings(url=hook.url),
        )
        journal = await _raise_call(settings)
    assert len(hook.posted) == 1
    assert server.taken == []
    assert journal[-1][1].data["receipt"] == "204 No Content"
