"""The channel MQTT, against a real broker."""

from __future__ import annotations

import json
import threading

import paho.mqtt.client as paho
import pytest
import trio
from paho.mqtt.enums import CallbackAPIVersion

from actors.notifier import NotificationFailed, NotificationSent
from actors.notifier.mqtt import MqttChannel, topics_of
from actors.runtime import ChildSpec
from config import MqttSettings, Secret, split_address

NOW = 1_800_000_000.0
OPEN = "allow_anonymous true"


def _spec(**settings):
    found = MqttSettings(**{"timeout": 2.0, **settings})
    return ChildSpec("mqtt", MqttChannel, (lambda: found, "gateway/desk", lambda: NOW))


class Listener:
    """Another client of the broker, which hears everything."""

    def __init__(self, address):
        self.heard = []
        self.news, self._ready = threading.Event(), threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._take
        self._client.connect(*split_address(address))

    def _take(self, _client, _userdata, message):
        self.heard.append((message.topic, message.qos, json.loads(message.payload)))
        self.news.set()

    def __enter__(self):
        self._client.loop_start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, *_):
        self._client.disconnect()
        self._client.loop_stop()


async def test_a_message_is_sent_when_the_broker_has_acknowledged_it(rig, mosquitto, make_notification):
    with mosquitto(OPEN) as broker, Listener(broker) as listener:
        async with rig(_spec(broker=broker)) as channel:
            channel.send(make_notification())
            (sent,) = await channel.hear()
        assert isinstance(sent, NotificationSent)
        assert sent.receipt.startswith("PUBACK ")
        assert listener.news.wait(5)
    ((topic, qos, told),) = listener.heard
    assert (topic, qos) == ("andond/notifications/acme/plant1/line3/anna", 1)
    assert (told["call"], told["repeated"]) == ("c1", False)


async def test_every_topic_of_the_target_must_be_acknowledged(rig, mosquitto, make_notification):
    with mosquitto(OPEN) as broker, Listener(broker) as listener:
        async with rig(_spec(broker=broker)) as channel:
            channel.send(make_notification(addresses=("horns/1", "lights/red")))
            (sent,) = await channel.hear()
        assert sent.receipt.count(",") == 1
        while len(listener.heard) < 2:
            assert listener.news.wait(5)
            listener.news.clear()
    assert {topic for topic, *_ in listener.heard} == {"horns/1", "lights/red"}


async def test_a_broker_that_is_not_there_fails_at_once_and_those_that_wait_with_it(rig, closed, make_notification):
    async with rig(_spec(broker=closed, timeout=30.0)) as channel:
        with trio.fail_after(10.0):
            for number in range(4):
                channel.send(make_notification(id=f"n{number}"))
            heard = await channel.hear(4)
    assert all(isinstance(each, NotificationFailed) and "cannot be reached" in each.reason for each in heard)


async def test_a_broker_that_says_nothing_fails_in_time(rig, deaf, make_notification):
    async with rig(_spec(broker=deaf, timeout=0.3)) as channel:
        channel.send(make_notification())
        with trio.fail_after(10.0):
            (failed,) = await channel.hear()
    assert failed.reason == "the broker refused: no answer"


async def test_nothing_goes_out_later_that_failed_before(rig, mosquitto, closed, make_notification):
    async with rig(_spec(broker=closed)) as channel:
        channel.send(make_notification(id="lost"))
        await channel.hear()
    with mosquitto(OPEN) as broker, Listener(broker) as listener:
        async with rig(_spec(broker=broker)) as channel:
            channel.send(make_notification(id="kept"))
            await channel.hear()
        assert listener.news.wait(5)
    assert [told["notification"] for *_, told in listener.heard] == ["kept"]


@pytest.mark.parametrize(("password", "is_right"), [("right", True), ("wrong", False)])
async def test_whoever_is_to_log_in_does(rig, mosquitto, make_notification, tmp_path, password, is_right):
    passwords = tmp_path / "passwords"
    await trio.run_process(["mosquitto_passwd", "-b", "-c", str(passwords), "andond", "right"], capture_stderr=True)
    passwords.chmod(0o644)
    with mosquitto("allow_anonymous false", f"password_file {passwords}") as broker:
        async with rig(_spec(broker=broker, user="andond", password=Secret(password))) as channel:
            channel.send(make_notification())
            (heard,) = await channel.hear()
    assert isinstance(heard, NotificationSent) is is_right
    if not is_right:
        assert "Not authorized" in heard.reason


async def test_without_a_broker_there_is_a_reason(rig, make_notification):
    async with rig(_spec()) as channel:
        channel.send(make_notification())
        assert "notifications.mqtt.broker is empty" in (await channel.hear())[0].reason


def test_a_name_makes_no_wildcard(make_notification):
    assert topics_of(make_notification(target="a+b#"), MqttSettings()) == (
        "andond/notifications/acme/plant1/line3/a_b_",
    )
    assert topics_of(make_notification(target="acme/plant1/line3"), MqttSettings()) == (
        "andond/notifications/acme/plant1/line3",
    )
