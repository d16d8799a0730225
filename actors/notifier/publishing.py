"""One message to a broker, by paho-mqtt: sent when it is acknowledged (PUBACK, MQTT 3.1.1 section 3.4).

Rules of this file: it blocks, so it is for a thread of its own; it is loaded when there is something to send.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from actors.notifier.blocking import Away
from actors.notifier.words import NotDelivered
from config import MqttSettings, split_address
from transport import outgoing_context

QOS = 1
KEEP_ALIVE = 60
STEP = 0.1


class Publishing:
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
