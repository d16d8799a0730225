"""What Pings are for, and what their Pongs tell."""

import pytest
from wsproto import ConnectionType
from wsproto.connection import Connection
from wsproto.events import Ping

from transport.echoes import CREDIT, PROBE, PROBE_LIMIT, Probes, credit_ping


def payload_of(data: bytes) -> bytes:
    """The payload of a Ping, as another library reads it."""
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(data)
    (ping,) = client.events()
    assert isinstance(ping, Ping)
    return bytes(ping.payload)


def test_a_ping_for_credit_carries_its_token():
    assert payload_of(credit_ping(b"\0\1\2\3")) == CREDIT + b"\0\1\2\3"


def test_a_probe_tells_its_round_trip():
    probes = Probes()
    heard: list[float] = []
    payload = payload_of(probes.begin(10.0, heard.append))
    assert payload.startswith(PROBE)
    probes.returned(payload, 10.25)
    assert heard == [0.25]


def test_every_probe_has_its_own_pong_in_whichever_order_they_come():
    probes = Probes()
    heard: list[tuple[int, float]] = []
    payloads = [
        payload_of(probes.begin(float(number), lambda seconds, number=number: heard.append((number, seconds))))
        for number in range(3)
    ]
    for number in (2, 0, 1):
        probes.returned(payloads[number], 10.0)
    assert heard == [(2, 8.0), (0, 10.0), (1, 9.0)]


@pytest.mark.parametrize("payload", [b"", PROBE, PROBE + b"\0" * 8, PROBE + b"\0" * 7 + b"\2", CREDIT + b"\0\0\0\1"])
def test_a_pong_that_answers_no_probe_tells_nothing(payload):
    probes = Probes()
    heard: list[float] = []
    probes.begin(0.0, heard.append)
    probes.returned(payload, 1.0)
    assert heard == []


def test_a_pong_that_comes_twice_tells_once():
    probes = Probes()
    heard: list[float] = []
    payload = payload_of(probes.begin(0.0, heard.append))
    probes.returned(payload, 1.0)
    probes.returned(payload, 2.0)
    assert heard == [1.0]


def test_a_client_that_answers_no_probe_is_not_remembered_for_ever():
    probes = Probes()
    heard: list[float] = []
    payloads = [payload_of(probes.begin(0.0, heard.append)) for _ in range(PROBE_LIMIT + 3)]
    for number, payload in enumerate(payloads):
        probes.returned(payload, float(number))
    assert heard == [float(number) for number in range(3, PROBE_LIMIT + 3)]


def test_an_answer_may_begin_the_next_probe():
    probes = Probes()
    heard: list[float] = []

    def again(seconds: float) -> None:
        heard.append(seconds)
        if len(heard) < 3:
            waiting.append(payload_of(probes.begin(0.0, again)))

    waiting = [payload_of(probes.begin(0.0, again))]
    while waiting:
        probes.returned(waiting.pop(), 1.0)
    assert heard == [1.0, 1.0, 1.0]
