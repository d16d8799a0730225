"""The way to the channels: whoever cannot be told has failed."""

from __future__ import annotations

import subprocess
import sys

import trio

from actors.connections.receipts import Book
from actors.hooks import Installed
from actors.notifier import NOTIFIER_POLICY, Couriers, NotificationFailed, notification_channels
from actors.runtime import ChildSpec, Supervisor, TrioActor
from config import NotificationSettings, PolicySettings


class Deaf(TrioActor):
    """Takes one message at a time, and never ends it."""

    mailbox_limit = 1

    async def on_receive(self, _message: object) -> None:
        await trio.sleep_forever()


async def test_every_channel_is_there_and_says_why_it_sends_nothing(rig, make_notification):
    channels = notification_channels(NotificationSettings, Book(), Installed(), PolicySettings, "gateway/desk")
    async with rig(ChildSpec("notifier", Supervisor, (channels, NOTIFIER_POLICY))) as tree:
        couriers = Couriers(tree.system.environment, "gateway/desk")
        names = ("mail", "webhook", "mqtt", "websocket", "fax")
        couriers.send([make_notification(id=name, channel=name) for name in names])
        heard = await tree.hear(len(names))
    assert all(isinstance(each, NotificationFailed) for each in heard)
    reasons = {each.id: each.reason for each in heard}
    assert reasons["fax"] == "there is no channel fax"
    assert "server is empty" in reasons["mail"]
    assert "url is empty" in reasons["webhook"]
    assert "broker is empty" in reasons["mqtt"]
    assert reasons["websocket"] == "no client is connected"


async def test_a_channel_that_has_too_much_to_send_fails_what_comes_then(rig, make_notification):
    async with rig(ChildSpec("notifier", Supervisor, ([ChildSpec("mail", Deaf)],))) as tree:
        couriers = Couriers(tree.system.environment, "gateway/desk")
        couriers.send([make_notification(id=str(number)) for number in range(5)])
        heard = await tree.hear(3)
    assert {each.reason for each in heard} == {"mail has too much to send"}


def test_a_box_that_notifies_nobody_loads_neither_a_client_of_mail_nor_one_of_a_broker():
    program = "import sys, andond.run; sys.exit(bool({'smtplib', 'email.policy', 'paho'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
