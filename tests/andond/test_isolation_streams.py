"""No stream and no door for WebSockets shows one tenant a byte of another.

Rules of this file: see the rig. A byte of the other tenant's that arrives somewhere is seen by its mark.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest
import websockets
import websockets.sync.client

from domain import CHANNEL_KINDS
from tests.andond.tenants_asking import settled
from tests.andond.tenants_rig import ACTS, LIMIT, MARKS, House, Party, hall, press
from transport.dialects.floor import TOPICS
from transport.dialects.portal import DOORS as PORTAL_DOORS


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("house"))
    yield house
    house.close()


@pytest.fixture(scope="module")
def parties(house: House) -> tuple[Party, Party]:
    return settled(house)


def frames_until(client: websockets.sync.client.ClientConnection, is_last: Callable[[str], bool]) -> str:
    """Everything that comes, up to what ``is_last``."""
    heard = []
    while not heard or not is_last(heard[-1]):
        heard.append(str(client.recv(LIMIT)))
    return "\n".join(heard).casefold()


def everybody_acts(house: House, parties: tuple[Party, Party]) -> str:
    """Both do everything; the text of the last thing that the first one does."""
    for party in reversed(parties):
        for act in ACTS:
            party.act(act)
    text = f"last word {next(house.numbers)}"
    place = f"{hall(MARKS[0])}/end{next(house.numbers)}"
    assert parties[0].post("/andon/calls", {"type": "safety", "equipment": place, "text": text}).status == 201
    return text


def test_no_stream_shows_a_tenant_a_byte_of_another(house, parties):
    asked = [f"{kind}/*" for kind in sorted(CHANNEL_KINDS)]
    asked += [f"{kind}/{press(MARKS[1])}" for kind in ("andon", "alarms", "jobs")] + [
        "chain/blocks",
        "chain/validators",
    ]
    position = None
    for _ in range(2):
        with house.connect("/stream", parties[0].token) as client:
            resume = {"critical": position, "channels": {"andon/*": None}}
            client.send(json.dumps({"id": 0, "connect": {"resume": resume} if position else {}}))
            heard = frames_until(client, lambda frame: '"connect"' in frame or '"error"' in frame)
            position = re.search(r'"position":"(\w+):', heard).group(1) + ":0"
            for number, channel in enumerate(asked, 1):
                client.send(json.dumps({"id": number, "subscribe": {"channel": channel, "latest": 100}}))
            last = everybody_acts(house, parties)
            heard += frames_until(client, lambda frame, last=last: last in frame)
            client.send(json.dumps({"id": 99, "ping": {}}))
            heard += frames_until(client, lambda frame: '"id":99' in frame)
        for channel in asked:
            heard = heard.replace(channel.casefold(), "")
        assert MARKS[0] in heard
        assert MARKS[1] not in heard
    with house.connect("/stream", parties[0].token) as client:
        resume = {"critical": position, "channels": {f"andon/{press(MARKS[1])}": None}}
        client.send(json.dumps({"id": 0, "connect": {"resume": resume}}))
        client.send(json.dumps({"id": 99, "ping": {}}))
        assert MARKS[1] not in frames_until(client, lambda frame: '"id":99' in frame).replace(press(MARKS[1]), "")
    query = "&".join(f"channel={kind}/*" for kind in ("andon", "alarms", "jobs", "equipment"))
    with house.connect(f"/stream?{query}&latest=100", parties[0].token, subprotocols=["cloudevents.json"]) as client:
        last = everybody_acts(house, parties)
        heard = frames_until(client, lambda frame: last in frame)
    assert MARKS[0] in heard
    assert MARKS[1] not in heard


@pytest.mark.parametrize(
    "path",
    [
        "/ws", "/ws/production", "/ws/andon", "/ws/equipment", "/api/v1/ws/production",
        "/api/v1/ws/production/xbravox-L1", "/api/v1/ws/equipment/xbravox-P1", "/api/v1/ws/production/xalphax-L1",
    ],
)  # fmt: skip
def test_no_door_of_the_floor_shows_a_tenant_a_byte_of_another(house, parties, path):
    other = parties[1]
    said = [f"{other.mark}-L1", f"{other.mark}-P1", *(id_ for ids in other.ids.values() for id_ in ids)]
    with house.connect(path, parties[0].token) as client:
        for type_ in TOPICS:
            for target in ("all", *said[:3]):
                asked = {"subscription_type": type_, "target": target, "snapshot": True}
                client.send(json.dumps({"type": "subscribe", **asked}))
        for place in ({}, {"line_id": said[0]}, {"equipment_code": said[1]}):
            client.send(json.dumps({"type": "request_data", "data_type": "all", **place}))
            client.send(json.dumps({"type": "force_sync", **place}))
        for word in ("get_stats", "get_status", "get_connection_details"):
            client.send(json.dumps({"type": word}))
        for id_ in said[2:8]:
            client.send(json.dumps({"type": "acknowledge", "andon_event_id": id_, "event_id": id_, "id": id_}))
        last = everybody_acts(house, parties)
        client.send(json.dumps({"type": "ping", "timestamp": 77123}))
        heard = frames_until(client, lambda frame: "77123" in frame)
        heard += house.until(parties[0].token, "/api/v1/andon/board", lambda board: last in board.text).text
    for each in said:
        heard = heard.replace(each.casefold(), "")
    assert MARKS[1] not in heard, re.findall(rf".{{300}}{MARKS[1]}.{{200}}", heard)[:2]


@pytest.mark.parametrize("path", PORTAL_DOORS)
def test_no_door_of_the_portal_opens_to_a_tenant_without_channels_there(house, parties, path):
    heard, ending = "", ""
    try:
        with house.connect(path, parties[0].token) as client:
            parties[1].act("chain")
            while True:
                heard += str(client.recv(0.3))
    except websockets.exceptions.InvalidStatus as refused:
        heard, ending = str(refused.response.body), str(refused.response.status_code)
    except websockets.exceptions.ConnectionClosed:
        ending = "closed"
    except TimeoutError:
        ending = "it waits for a token in a message, and says nothing until then"
    assert MARKS[1] not in heard.casefold()
    assert ending in ("401", "403", "closed") or path in ("/ws/console", "/ws/channels", "/ws/realtime", "/ws/v11")
