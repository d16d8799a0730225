"""Who sees what of a chain: the portal's clients over real sockets, with tokens of its roles and with none."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import websockets

from tests.andond.house import LIMIT, Client, House, say
from tests.andond.portal_rig import (
    BLOCK,
    PUBLIC,
    Frame,
    has_origin,
    hear,
    hear_text,
    hear_type,
    nulls_have_reasons,
    portal_house,
    settle,
)
from transport.dialects.portal import DOORS
from transport.dialects.portal_v11 import V11_CHANNELS


@pytest.fixture(scope="module")
def public_house() -> Iterator[House]:
    """A gateway that shows to clients without a token what is public; tokens stand in no address."""
    house = portal_house(PUBLIC.sees)
    yield house
    house.close()


@pytest.fixture(scope="module")
def strict_house() -> Iterator[House]:
    """A gateway that shows clients without a token nothing."""
    house = portal_house(())
    yield house
    house.close()


# -- /ws/v11 ------------------------------------------------------------------------------------------------------


def test_v11_serves_the_public_channels_to_who_has_no_token(public_house):
    with public_house.connect("/ws/v11") as client:
        assert set(hear_type(client, "auth_required")) == {"type", "message", "format"}
        say(client, {"type": "subscribe", "channel": "analytics", "priority": 7})
        told = hear_type(client, "subscribe_response")
        assert (told["status"], told["channel"], told["filter"], told["priority"]) == ("success", "analytics", "", 7)
        frame = hear_type(client, "message")
        names = {"timestamp", "tps", "validators", "pendingTransactions", "blockHeight", "networkHealth"}
        assert names | {"bridge", "resources"} <= set(frame["data"])
        assert frame["channel"] == "analytics"
        nulls_have_reasons(frame["data"])
        has_origin(frame)
        say(client, {"type": "unsubscribe", "channel": "analytics"})
        assert hear_type(client, "unsubscribe_response")["channel"] == "analytics"
        say(client, {"type": "ping"})
        assert isinstance(hear_type(client, "pong")["timestamp"], int)


def test_v11_applies_the_filter_that_it_echoes(public_house):
    with public_house.connect("/ws/v11") as client:
        say(client, {"type": "subscribe", "channel": "transactions", "filter": "status:failed"})
        assert hear_type(client, "subscribe_response")["filter"] == "status:failed"
        settle(client)
        public_house.publish("chain.transaction", {"txHash": "0xgood", "status": "SUCCESS"})
        public_house.publish("chain.transaction", {"txHash": "0xbad", "status": "FAILED"})
        assert hear_type(client, "message")["data"]["txHash"] == "0xbad"


def test_v11_asks_for_a_token_where_a_role_is_needed_and_serves_who_has_it(public_house):
    with public_house.connect("/ws/v11") as client:
        hear_type(client, "auth_required")
        say(client, {"type": "subscribe", "channel": "consensus"})
        assert hear_type(client, "auth_required")["channel"] == "consensus"
        for token in ("nobodys", "late", "nobody's"):
            say(client, {"type": "auth", "token": token})
            assert hear_type(client, "auth_response")["status"] == "error"
        say(client, {"type": "auth", "token": "root"})
        assert hear_type(client, "auth_response")["status"] == "success"
        say(client, {"type": "subscribe", "channel": "consensus"})
        hear_type(client, "subscribe_response")
        settle(client)
        public_house.publish("chain.consensus", {"leader": "val-1", "round": 1})
        assert hear_type(client, "message")["data"]["leader"] == "val-1"


OPEN_CHANNELS = {"transactions", "blocks", "bridge", "analytics"}


@pytest.mark.parametrize(
    ("token", "more"),
    [
        ("", set()),
        ("anna", set()),
        ("val", {"network", "validators"}),
        ("dev", {"debug", "metrics"}),
        ("root", set(V11_CHANNELS) - OPEN_CHANNELS),
    ],
)
@pytest.mark.parametrize("how", ["header", "message"])
def test_v11_gives_each_role_the_channels_that_the_portal_gave_it(public_house, token, more, how):
    with public_house.connect("/ws/v11", token if how == "header" else "") as client:
        if token and how == "message":
            say(client, {"type": "auth", "token": token})
            assert hear_type(client, "auth_response")["status"] == "success"
        given = set()
        for name in V11_CHANNELS:
            say(client, {"type": "subscribe", "channel": name})
            told = hear(
                client, lambda frame, name=name: name in (frame.get("channel"), str(frame.get("message"))[-len(name) :])
            )
            if told["type"] == "subscribe_response":
                given.add(name)
            else:
                assert told["type"] == ("error" if token else "auth_required")
        assert given == OPEN_CHANNELS | more


def test_v11_lets_in_who_must_show_a_token_first_and_shows_it_in_a_message(strict_house):
    with strict_house.connect("/ws/v11") as client:
        hear_type(client, "auth_required")
        say(client, {"type": "subscribe", "channel": "blocks"})
        assert hear_type(client, "auth_required")["channel"] == "blocks"
        say(client, {"type": "auth", "token": "anna"})
        assert hear_type(client, "auth_response")["status"] == "success"
        say(client, {"type": "subscribe", "channel": "blocks"})
        hear_type(client, "subscribe_response")
        settle(client)
        strict_house.publish("chain.block", BLOCK)
        assert hear_type(client, "message")["data"]["blockHeight"] == 77


def test_v11_closes_who_neither_follows_anything_nor_shows_a_token_in_time(public_house):
    with public_house.connect("/ws/v11") as client, public_house.connect("/ws/v11") as other:
        say(other, {"type": "subscribe", "channel": "blocks"})
        hear_type(other, "subscribe_response")
        hear_type(client, "auth_required")
        with pytest.raises(websockets.ConnectionClosedError):
            client.recv(timeout=LIMIT)
        assert (client.close_code, client.close_reason) == (1008, "Authentication timeout")
        say(other, {"type": "ping"})
        hear_type(other, "pong")


# -- what a browser needs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["root", "late"])
@pytest.mark.parametrize("path", DOORS)
def test_a_browser_that_shows_its_token_as_a_subprotocol_is_answered_one_that_it_offered(strict_house, path, token):
    with strict_house.connect(path, subprotocols=["bearer", token]) as client:
        # Else it fails the connection by itself, and its page is told neither of the data nor of the close code.
        assert client.subprotocol == "bearer"
        if token == "root":  # noqa: S105 - a word of this test
            settle(client)
        elif path != "/ws/v11":
            with pytest.raises(websockets.ConnectionClosed):
                client.recv(LIMIT)
            assert client.close_code == 1008


@pytest.mark.parametrize("offered", [["andond.v1.json"], []])
@pytest.mark.parametrize("token", ["root", "late"])
def test_at_the_stream_a_browser_speaks_what_it_named_beside_its_token(strict_house, offered, token):
    with strict_house.connect("/stream", subprotocols=[*offered, "bearer", token]) as client:
        assert client.subprotocol == [*offered, "bearer"][0]
        say(client, {"id": 1, "connect": {}})
        told = hear(client, lambda frame: frame.get("id") == 1)
        if token == "root":  # noqa: S105 - a word of this test
            assert told["connect"]
            return
        assert told["error"]["code"] == 109
        assert hear(client, lambda frame: "push" in frame)["code"] == 4001
        with pytest.raises(websockets.ConnectionClosed):
            client.recv(LIMIT)
        assert client.close_code == 4001


def test_a_session_that_is_refreshed_with_another_person_s_token_does_not_go_on_as_that_person(strict_house):
    with strict_house.connect("/stream", "anna") as client:
        say(client, {"id": 1, "connect": {}})
        hear(client, lambda frame: frame.get("id") == 1)
        say(client, {"id": 2, "refresh": {"token": "root"}})
        say(client, {"id": 3, "subscribe": {"channel": "chain/validators"}})
        assert hear(client, lambda _frame: True)["id"] == 2
        told = hear(client, lambda _frame: True)
        assert (told["push"], told["code"], told["reason"]) == ("disconnect", 4201, "rights changed")
        with pytest.raises(websockets.ConnectionClosed):
            client.recv(LIMIT)
        assert client.close_code == 4201


# -- the console --------------------------------------------------------------------------------------------------


def asked(client: Client, request_: str) -> Frame:
    say(client, {"type": request_})
    return hear(client, lambda frame: frame["type"] in (request_.removeprefix("get_"), "error"))


@pytest.mark.parametrize(
    ("token", "sees"), [("", False), ("anna", False), ("dev", False), ("val", True), ("root", True)]
)
def test_the_console_tells_of_validators_who_sees_them(public_house, token, sees):
    public_house.publish("validator.status", {"validator": "val-secret", "status": "ACTIVE", "votingPower": 10**9})
    with public_house.connect("/api/v11/portal/websocket", token) as client:
        assert hear_type(client, "initial_data")["data"]
        answer = asked(client, "get_validators")
        assert (answer["type"] == "validators") == sees
        assert ("val-secret" in json.dumps(answer)) == sees
        analytics = asked(client, "get_analytics")
        assert (analytics["data"]["topValidators"] is not None) == sees
        assert ("val-secret" in json.dumps(analytics)) == sees
        nulls_have_reasons(analytics)
        assert asked(client, "get_transactions")["type"] == "transactions"


# -- who sees what ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "type_", "data", "token"),
    [
        ("/ws/validators", "validator.status", {"validator": "val-1", "status": "ACTIVE"}, "val"),
        ("/ws/network", "chain.peer", {"peerId": "p-1", "connected": True}, "val"),
        ("/ws/consensus", "chain.consensus", {"leader": "val-1", "round": 3}, "root"),
    ],
)
def test_a_stream_tells_who_has_the_role_for_it_and_nobody_else(public_house, path, type_, data, token):
    with (
        public_house.connect(path, token) as known,
        public_house.connect(path, "anna") as other,
        public_house.connect(path) as guest,
    ):
        for client in (known, other, guest):
            settle(client)
        public_house.publish(type_, data)
        assert data.items() <= hear(known, lambda _frame: True).items()
        for client in (other, guest):
            settle(client)
            with pytest.raises(TimeoutError):
                client.recv(timeout=0.1)


@pytest.mark.parametrize("token", ["", "anna"])
def test_who_may_not_follow_a_channel_of_the_transactions_door_gets_nothing_of_it(public_house, token):
    with (
        public_house.connect("/ws/transactions", token) as client,
        public_house.connect("/ws/validators", "val") as known,
    ):
        for name in ("validators", "consensus", "network", "metrics"):
            say(client, f"SUBSCRIBE {name}")
            assert until_text(client, name) == f"ERROR: Not authorized to subscribe to channel '{name}'"
        say(client, "LIST")
        assert not {"validators", "metrics"} & set(hear_type(client, "SUBSCRIPTIONS")["channels"])
        settle(known)
        public_house.publish("validator.status", {"validator": "val-unseen", "status": "JAILED"})
        hear(known, lambda frame: frame.get("validator") == "val-unseen")
        public_house.publish("chain.transaction", {"txHash": "0xseen", "status": "SUCCESS"})
        assert hear(client, lambda frame: "provenance" in frame)["txHash"] == "0xseen"


def until_text(client: Client, name: str) -> str:
    """The next line that speaks of the channel ``name``."""
    while name not in (line := hear_text(client)):
        pass
    return line


@pytest.mark.parametrize("path", [path for path, door in DOORS.items() if not door.waits_for_word])
@pytest.mark.parametrize("token", ["", "fitter"])
def test_who_sees_nothing_of_a_chain_is_let_in_at_no_door(strict_house, path, token):
    with strict_house.connect(path, token) as client:
        with pytest.raises(websockets.ConnectionClosedError):
            client.recv(timeout=LIMIT)
        assert (client.close_code, client.close_reason) == (1008, "authentication is required")


@pytest.mark.parametrize("path", [path for path, door in DOORS.items() if door.channels])
def test_who_shows_a_token_is_served_where_nobody_else_is(strict_house, path):
    with strict_house.connect(path, "root") as client:
        settle(client)
        strict_house.publish("chain.transaction", {"txHash": "0x1", "status": "SUCCESS"})
        strict_house.publish("validator.status", {"validator": "val-1", "status": "ACTIVE"})
        strict_house.publish("chain.consensus", {"leader": "val-1"})
        strict_house.publish("chain.peer", {"peerId": "p-1", "connected": True})
        assert hear(client, lambda frame: "provenance" in frame)


def test_a_token_in_an_address_makes_nobody_known_where_it_may_not_stand_there(public_house):
    with public_house.connect("/ws/transactions?token=anna") as client:
        say(client, "LIST")
        told = json.loads(client.recv(timeout=LIMIT))
        assert (told["type"], told["channels"]) == ("SUBSCRIPTIONS", ["transactions"])
    with public_house.connect("/ws/transactions", "anna") as client:
        assert hear_type(client, "WELCOME")["userId"] == "anna"
