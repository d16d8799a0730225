"""The channels as children of a supervisor.

Rules of this file: each is there whether it is set up or not, so that what is to be sent by it fails with a reason.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from actors.connections.receipts import Book
from actors.hooks.installed import Installed
from actors.notifier.hooked import HookedChannel
from actors.notifier.mail import MailChannel
from actors.notifier.mqtt import MqttChannel
from actors.notifier.webhook import WebhookChannel
from actors.notifier.websocket import WebSocketChannel
from actors.places import CALLS_DESK
from actors.ranks import Ranks
from actors.runtime import ChildSpec, Policy
from config import NotificationSettings, PolicySettings

# A channel that fails again and again must not take the gateway along; the back-off bounds what its failures cost.
NOTIFIER_POLICY = Policy(intensity=sys.maxsize, period=60.0)


def notification_channels(
    present: Callable[[], NotificationSettings],
    book: Book,
    installed: Installed,
    policy: Callable[[], PolicySettings],
    answers: str = CALLS_DESK,
) -> list[ChildSpec]:
    """One child for each channel; answers go to the desk at ``answers``."""
    told = {"answers": answers}
    ranks = Ranks("notifier", policy)
    return [
        ChildSpec("mail", MailChannel, (lambda: present().mail,), told),
        ChildSpec("webhook", WebhookChannel, (lambda: present().webhook,), told),
        ChildSpec("mqtt", MqttChannel, (lambda: present().mqtt,), told),
        ChildSpec("websocket", WebSocketChannel, (lambda: present().websocket, book), {**told, "ranks": ranks}),
        *(
            ChildSpec(name, HookedChannel, (name, settings, installed), {**told, "ranks": ranks})
            for name, settings in present().hooks.items()
        ),
    ]
