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
from actors.notifier.words import NotDelivered
from actors.places import CALLS_DESK
from config import MqttSettings, split_address
from domain.plant.escalation import Notification
from transport import encode_json, outgoing_context

try:
    import paho.mqtt.client as paho
    from paho.mqtt.enums import CallbackAPIVersion
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode
except ImportError:  # an extra; ``andond check`` asks for it where a broker is named
    HAS_PAHO = False
else:
    HAS_PAHO = True

QOS = 1
KEEP_ALIVE = 60
STEP = 0.1


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
        if not HAS_PAHO:
            raise Away("paho-mqtt is not installed: pip install 'andond[mqtt]'")
        try:
            return _Publishing(settings).publish(topics_of(notification, settings), _body(notification))
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


class _Publishing:
    """One connection, from its CONNECT to its DISCONNECT."""

    def __init__(self, settings: MqttSettings) -> None:
        self._settings = settings
        self._answer: str | None = None
        self._is_connected = False
        self._acknowledged: set[int] = set()
        client = paho.Client(CallbackAPIVersion.VERSION2, clean_session=True)
        client.connect_timeout = settings.timeout
        client.on_connect = self._on_connect
        client.on_publish = self._on_publish
        if settings.user and settings.password is not None:
            client.username_pw_set(settings.user, settings.password.reveal())
        if settings.tls:
            client.tls_set_context(outgoing_context(settings))
        self._client = client

    def publish(self, topics: tuple[str, ...], body: bytes) -> str:
        """Publish ``body`` under each of ``topics`` and return what the broker said.

        Raises:
            NotDelivered: if it did not take all of it.
            OSError: if it cannot be reached.
        """
        host, port = split_address(self._settings.broker)
        client = self._client
        client.connect(host, port, KEEP_ALIVE)
        try:
            self._wait(lambda: self._answer is not None)
            if not self._is_connected:
                raise Away(f"the broker refused: {self._answer or 'no answer'}")
            wanted = {client.publish(topic, body, QOS).mid for topic in topics}
            self._wait(lambda: wanted <= self._acknowledged)
            if not wanted <= self._acknowledged:
                raise NotDelivered("no PUBACK from the broker")
        finally:
            client.disconnect()
        return "PUBACK " + ", ".join(str(number) for number in sorted(wanted))

    def _wait(self, is_done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self._settings.timeout
        while not is_done() and time.monotonic() < deadline:
            outcome = self._client.loop(STEP)
            if outcome != paho.MQTT_ERR_SUCCESS and not is_done():
                if self._answer is None:
                    raise ConnectionError(paho.error_string(outcome))
                return

    def _on_connect(
        self,
        _client: paho.Client,
        _userdata: object,
        _flags: paho.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._answer = str(reason)
        self._is_connected = not reason.is_failure

    def _on_publish(
        self,
        _client: paho.Client,
        _userdata: object,
        number: int,
        reason: ReasonCode,
        _properties: Properties,
    ) -> None:
        if not reason.is_failure:
            self._acknowledged.add(number)
