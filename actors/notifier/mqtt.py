"""The channel MQTT: a message with QoS 1, by paho-mqtt in a thread of its own.

Rules of this file: it is sent when the broker has acknowledged it (PUBACK, MQTT 3.1.1 section 3.4). There is one
connection for each notification, so nothing that failed here goes out later from some queue, and whether the broker is
there is known before anything is handed to it.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable

from actors.notifier.blocking import Away, BlockingChannel
from actors.places import CALLS_DESK
from config import MqttSettings
from domain.plant.escalation import Notification
from transport import encode_json


class MqttChannel(BlockingChannel):
    """Publishes by the settings that ``present`` returns."""

    def __init__(
        self,
        present: Callable[[], MqttSettings],
        answers: str = CALLS_DESK,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(answers, clock)
        self._present = present

    def deliver(self, notification: Notification) -> str:
        """Publish it; the receipt is the broker's."""
        settings = self._present()
        if not settings.broker:
            raise Away("MQTT is not set up: notifications.mqtt.broker is empty")
        try:
            # Here, because it is an extra, and what nobody is notified by takes no memory.
            from actors.notifier.publishing import Publishing  # noqa: PLC0415
        except ImportError:
            raise Away("paho-mqtt is not installed: pip install 'andond[mqtt]'") from None
        try:
            return Publishing(settings).publish(topics_of(notification, settings), _body(notification))
        except (OSError, ssl.SSLError) as error:
            raise Away(f"the broker cannot be reached: {error}") from error


def topics_of(notification: Notification, settings: MqttSettings) -> tuple[str, ...]:
    """Where it is published: the target's own topics, or one that is made of the place and the name."""
    if notification.addresses:
        return notification.addresses
    name = notification.target.replace("+", "_").replace("#", "_")
    return (
        f"{settings.topic}/{notification.path}/{name}" if name != notification.path else f"{settings.topic}/{name}",
    )


def _body(notification: Notification) -> bytes:
    return encode_json(notification.members())
