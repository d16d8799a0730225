"""A channel that a hook adds."""

from __future__ import annotations

import pytest

from actors.hooks import Found, Installed
from actors.notifier import NotificationFailed, NotificationSent
from actors.notifier.hooked import HookedChannel
from actors.runtime import ChildSpec
from config import HookChannelSettings, HooksSettings
from domain.hooks import Hook, NotDelivered

NOW = 1_800_000_000.0


class Horn:
    """A horn that answers ``answer``, or raises it."""

    def __init__(self, options):
        self.answer = options["answer"]
        self.notices = []

    def send(self, notice):
        self.notices.append(notice)
        HEARD.append(notice)
        match self.answer:
            case "away":
                raise OSError("the horn is away")
            case "silent":
                raise NotDelivered("the horn is silent")
            case "broken":
                raise KeyError("horn")
        return self.answer


HEARD: list = []


@pytest.fixture(autouse=True)
def _quiet():
    HEARD.clear()


def _spec(answer, hook="line4/horn"):
    installed = Installed([Found("line4", Hook(channels={"horn": Horn}))], HooksSettings(), NOW)
    settings = HookChannelSettings(hook=hook, options={"answer": answer})
    return ChildSpec("horn", HookedChannel, ("horn", settings, installed, "gateway/desk"))


async def test_the_receipt_is_what_the_hook_returns(rig, make_notification):
    async with rig(_spec("OK")) as channel:
        channel.send(make_notification(addresses=("horn-3",), attempt=2))
        assert await channel.hear() == [NotificationSent("c1-1.0.0.0-mail", "OK")]
    (notice,) = HEARD
    assert (notice.to, notice.addresses, notice.repeated, notice.importance) == ("anna", ("horn-3",), True, "high")
    assert notice.details["call"] == "c1"


@pytest.mark.parametrize(("answer", "reason"), [("away", "the horn is away"), ("silent", "the horn is silent")])
async def test_what_the_world_refuses_has_failed_and_the_next_one_is_tried(rig, make_notification, answer, reason):
    async with rig(_spec(answer)) as channel:
        channel.send(make_notification(id="n1"))
        channel.send(make_notification(id="n2"))
        assert await channel.hear(2) == [NotificationFailed("n1", reason), NotificationFailed("n2", reason)]
    assert len(HEARD) == 2


async def test_a_hook_that_raises_is_in_quarantine_and_what_follows_fails_at_once(rig, make_notification):
    async with rig(_spec("broken")) as channel:
        channel.send(make_notification(id="n1"))
        channel.send(make_notification(id="n2"))
        heard = await channel.hear(2)
    assert all("quarantine" in each.reason for each in heard)
    assert len(HEARD) == 1


async def test_a_hook_that_is_not_installed_fails_with_its_name(rig, make_notification):
    async with rig(_spec("OK", "line5/horn")) as channel:
        channel.send(make_notification())
        assert (await channel.hear())[0].reason == "no hook line5/horn is installed"
