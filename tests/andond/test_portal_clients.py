"""The portal's clients over real sockets, against the whole tree: with the frames that they build themselves."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
import websockets

from domain import rfc3339
from tests.andond.house import LIMIT, House, numbers, say
from tests.andond.portal_rig import (
    BLOCK,
    EVERYTHING,
    has_origin,
    hear,
    hear_text,
    hear_type,
    nulls_have_reasons,
    portal_house,
    settle,
)
from transport.dialects.portal import DOORS
from transport.dialects.portal_transactions import TEXT_CHANNELS


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """A gateway that lets the predecessor's clients, who have no token, look at everything of the chain."""
    house = portal_house(EVERYTHING, query_tokens=True)
    yield house
    house.close()


TX = {"txHash": "0x1234", "from": "0xaa", "to": "0xbb", "value": "42", "status": "SUCCESS", "gasUsed": 21000}
WHERE = {
    "source": "node1",
    "chain": "hub-4",
    "method": "NewBlock",
    "height": 77,
    "observedAt": "2026-11-21T06:00:00.000Z",
    "ageMs": 250,
    "confirmedBy": ["node1", "node2"],
}


# -- the live stream ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "type_", "names"),
    [
        ("tps_updates", "tps_update", {"currentTPS", "peakTPS", "averageTPS", "latency", "throughput"}),
        ("block_updates", "block_update", {"blockHeight", "blockTime", "transactions", "producer"}),
        ("network_status", "network_update", {"activeNodes", "totalNodes", "networkHealth", "avgLatency"}),
        (
            "validator_metrics",
            "validator_update",
            {"totalValidators", "activeValidators", "inactiveValidators", "jailedValidators"},
        ),
    ],
)
def test_each_update_of_the_live_stream_has_its_fields_thrice_and_says_where_from(house, channel, type_, names):
    with house.connect("/api/v11/live/stream") as client:
        greeting = hear_type(client, "connection_established")
        assert isinstance(greeting["connectionId"], str)
        # The seed's own client puts the channel into the payload.
        say(client, {"type": "subscribe", "payload": {"channel": channel}})
        confirmed = hear_type(client, "subscription_confirmed")
        assert confirmed["payload"] == {"channel": channel, "status": "subscribed"}
        update = hear_type(client, type_)
        assert names <= set(update)
        assert update["payload"] == update["data"]
        assert names <= set(update["payload"])
        assert isinstance(update["timestamp"], int)
        nulls_have_reasons(update["data"])
        has_origin(update)


def test_the_live_stream_answers_pings_and_says_what_is_wrong(house):
    with house.connect("/api/v11/live/stream") as client:
        say(client, {"type": "ping"})
        assert isinstance(hear_type(client, "pong")["payload"], dict)
        say(client, {"type": "subscribe"})
        assert hear_type(client, "error")["payload"]["error"] == "Channel not specified"
        say(client, "{")
        assert hear_type(client, "error")["payload"]["error"] == "Invalid message format"
        say(client, {"type": "unsubscribe", "channel": "tps_updates"})
        assert hear_type(client, "unsubscription_confirmed")["payload"]["status"] == "unsubscribed"


# -- the DTO streams ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "type_", "data", "names"),
    [
        (
            "/ws/transactions",
            "chain.transaction",
            TX,
            {"timestamp", "txHash", "from", "to", "value", "status", "gasUsed", "id", "hash", "amount", "fee"},
        ),
        ("/ws/transactions/legacy", "chain.transaction", {**TX, "to": None}, {"txHash", "from", "to", "value"}),
        (
            "/ws/validators",
            "validator.status",
            {"validator": "val-1", "status": "ACTIVE"},
            {"timestamp", "validator", "status", "votingPower", "uptime", "lastBlockProposed", "exactStatus"},
        ),
        (
            "/ws/consensus",
            "chain.consensus",
            {"leader": "val-1", "round": 3},
            {"timestamp", "leader", "epoch", "round", "term", "state", "performanceScore", "activeValidators"},
        ),
        (
            "/ws/network",
            "chain.peer",
            {"peerId": "p-1", "connected": True},
            {"timestamp", "peerId", "ip", "version", "connected", "latency"},
        ),
    ],
)
def test_each_event_stream_tells_its_fields_flat_and_in_data_and_says_where_from(house, path, type_, data, names):
    with house.connect(path) as client:
        settle(client)
        house.publish(type_, {**data, **WHERE})
        frame = hear(client, lambda frame: frame.get("provenance", {}).get("chain") == "hub-4")
        assert "type" not in frame
        assert "channel" not in frame
        assert names <= set(frame)
        assert names <= set(frame["data"])
        nulls_have_reasons(frame["data"])
        has_origin(frame)
        origin = frame["provenance"]
        assert {name: origin[name] for name in WHERE} == {**WHERE, "ageMs": origin["ageMs"]}
        # What the event said of its age was true when it was made.
        assert origin["ageMs"] >= 250


def test_the_metrics_come_each_second_with_both_vocabularies(house):
    with house.connect("/ws/metrics") as client:
        frame = hear(client, lambda frame: "tps" in frame)
        dto = {"timestamp", "tps", "cpu", "memory", "connections", "errorRate"}
        web = {"avgTps", "peakTps", "totalTransactions", "activeTransactions", "pendingTransactions", "avgLatencyMs"}
        more = {"p95LatencyMs", "p99LatencyMs", "memoryUsageMb", "cpuUsagePercent"}
        assert dto | web | more <= set(frame["data"])
        assert dto <= set(frame)
        nulls_have_reasons(frame["data"])
        has_origin(frame)


def test_a_transaction_has_the_chain_s_word_flat_and_the_web_client_s_in_data(house):
    with house.connect("/ws/transactions") as client:
        settle(client)
        for status, word in (("PENDING", "pending"), ("SUCCESS", "confirmed"), ("FAILED", "failed")):
            house.publish("chain.transaction", {"txHash": f"0x{status}", "status": status})
            frame = hear(client, lambda frame, status=status: frame.get("txHash") == f"0x{status}")
            assert (frame["status"], frame["data"]["status"]) == (status, word)
            assert (frame["id"], frame["data"]["hash"]) == (f"0x{status}", f"0x{status}")


@pytest.mark.parametrize(
    ("exact", "told", "more"),
    [
        ("ACTIVE", "ACTIVE", {}),
        ("INACTIVE", "INACTIVE", {}),
        ("JAILED", "JAILED", {}),
        ("TOMBSTONED", "JAILED", {"tombstoned": True}),
        ("UNKNOWN", None, {}),
    ],
)
def test_a_client_that_knows_three_statuses_gets_one_of_them_or_none_and_the_exact_one_beside(house, exact, told, more):
    with house.connect("/ws/validators") as client:
        settle(client)
        house.publish("validator.status", {"validator": f"val-{exact}", "status": exact})
        frame = hear(client, lambda frame: frame.get("validator") == f"val-{exact}")
        for place in (frame, frame["data"]):
            assert (place["status"], place["exactStatus"]) == (told, exact)
            assert {name: place.get(name) for name in more} == more
        nulls_have_reasons(frame["data"])


@pytest.mark.parametrize("word", ["confirmed", "retracted", "conflict"])
def test_what_is_said_of_a_status_is_told_with_the_status_that_it_has_then(house, word):
    with house.connect("/ws/validators") as client:
        settle(client)
        name = f"val-{word}"
        house.publish(f"validator.{word}", {"validator": name, "status": "ACTIVE", "previous": "JAILED", "why": None})
        frame = hear(client, lambda frame: frame.get("validator") == name)
        assert (frame["status"], frame["event"], frame["previous"]) == ("ACTIVE", f"validator.{word}", "JAILED")
        nulls_have_reasons(frame["data"])
        has_origin(frame)


def test_what_says_no_status_is_not_told_as_one(house):
    with house.connect("/ws/validators") as client:
        settle(client)
        house.publish("validator.risk", {"validator": "val-risk", "level": 1})
        house.publish("validator.status", {"validator": "val-after", "status": "ACTIVE"})
        assert hear(client, lambda frame: "validator" in frame)["validator"] == "val-after"


@pytest.mark.parametrize(
    "path", ["/ws/transactions/legacy", "/ws/validators", "/ws/consensus", "/ws/network", "/ws/metrics"]
)
def test_a_stream_that_only_tells_answers_nothing(house, path):
    with house.connect(path) as client:
        for message in ("PING", {"channel": "x", "data": {"tps": 1}, "timestamp": 1}, "{"):
            say(client, message)
        client.ping().wait(LIMIT)
        heard = []
        while True:
            try:
                heard.append(client.recv(timeout=0.05))
            except TimeoutError:
                break
        assert all("timestamp" in json.loads(each) for each in heard)


# -- the transactions' commands -----------------------------------------------------------------------------------


def test_the_transactions_door_takes_commands_in_text(house):
    with house.connect("/ws/transactions") as client:
        for line, answer in (
            ("PING", "PONG"),
            ("  ping ", "PONG"),
            ("SUBSCRIBE validators", "SUBSCRIBED validators"),
            ("SUBSCRIBE", "ERROR: SUBSCRIBE requires channel name"),
            ("UNSUBSCRIBE", "ERROR: UNSUBSCRIBE requires channel name"),
            (
                "SUBSCRIBE nowhere",
                f"ERROR: Unknown channel 'nowhere'. Channels: {', '.join(TEXT_CHANNELS)}",
            ),
            ("UNSUBSCRIBE blocks", "ERROR: Not subscribed to channel 'blocks'"),
            ("GREET", "ERROR: Unknown command 'GREET'. Valid commands: PING, SUBSCRIBE, UNSUBSCRIBE, LIST, STATS"),
        ):
            say(client, line)
            assert hear_text(client) == answer
        say(client, "LIST")
        assert hear_type(client, "SUBSCRIPTIONS")["channels"] == ["transactions", "validators"]
        house.publish("validator.status", {"validator": "val-text", "status": "JAILED"})
        assert hear(client, lambda frame: frame.get("validator") == "val-text")["status"] == "JAILED"
        say(client, "UNSUBSCRIBE validators")
        assert hear_text(client) == "UNSUBSCRIBED validators"


def test_the_transactions_door_tells_how_many_are_there(house):
    with house.connect("/ws/transactions") as client, house.connect("/ws/transactions"):
        say(client, "SUBSCRIBE blocks")
        assert hear_text(client) == "SUBSCRIBED blocks"
        say(client, "STATS")
        told = hear_type(client, "STATS")
        assert set(told) == {
            "type", "totalSessions", "authenticatedSessions", "uniqueUsers", "activeChannels", "queuedMessages",
        }  # fmt: skip
        assert told["totalSessions"] >= 2
        assert (told["authenticatedSessions"], told["uniqueUsers"], told["queuedMessages"]) == (0, 0, 0)


def test_what_happens_to_the_chain_and_its_blocks_can_be_followed_beside_the_transactions(house):
    with house.connect("/ws/transactions") as client:
        say(client, "SUBSCRIBE blocks")
        assert hear_text(client) == "SUBSCRIBED blocks"
        settle(client)
        house.publish("chain.block", BLOCK)
        block = hear_type(client, "block")
        assert (block["blockHeight"], block["data"]["producer"]) == (77, "val-1")
        has_origin(block)


def test_a_known_user_is_greeted_and_follows_the_system_too(house):
    with house.connect("/ws/transactions?token=anna") as client:
        welcome = hear_type(client, "WELCOME")
        assert (welcome["userId"], set(welcome)) == ("anna", {"type", "userId", "sessionId", "message"})
        assert [hear_text(client), hear_text(client)] == ["SUBSCRIBED transactions", "SUBSCRIBED system"]
        # They are counted once a second, and asked for more seldom than makes a client too fast.
        users = 0
        until = time.monotonic() + LIMIT
        while not users and time.monotonic() < until:
            with suppress(TimeoutError):
                client.recv(timeout=0.05)
            say(client, "STATS")
            users = hear_type(client, "STATS")["uniqueUsers"]
        assert users == 1


@pytest.mark.parametrize("token", ["bad", "late"])
def test_a_token_that_is_not_taken_closes_the_transactions_with_1008(house, token):
    with house.connect("/ws/transactions", token) as client:
        with pytest.raises(websockets.ConnectionClosedError):
            client.recv(timeout=LIMIT)
        assert client.close_code == 1008


# -- the ledger channels ------------------------------------------------------------------------------------------


def test_the_ledger_channel_tells_its_metrics_transactions_and_blocks(house):
    with house.connect("/ws/channels") as client:
        assert set(hear_type(client, "connected")) >= {"sessionId", "message"}
        say(client, {"action": "subscribe", "channels": ["main-channel", "finance"]})
        told = hear_type(client, "subscribed")
        assert (told["channels"], told["unknown"]) == (["main-channel"], ["finance"])
        update = hear_type(client, "channel_update")
        names = {"tps", "totalTransactions", "blockHeight", "latency", "throughput", "activeValidators"}
        assert set(update["metrics"]) >= names | {"consensusHealth"}
        assert (update["channelId"], update["data"]) == ("main-channel", update["metrics"])
        nulls_have_reasons(update["metrics"])
        has_origin(update)
        house.publish("chain.transaction", {**TX, "txHash": "0xledger"})
        frame = hear(client, lambda frame: frame.get("transaction", {}).get("id") == "0xledger")
        transaction = frame["transaction"]
        assert (transaction["amount"], transaction["status"], transaction["from"]) == (42, "confirmed", "0xaa")
        assert isinstance(transaction["timestamp"], int)
        nulls_have_reasons(frame)
        has_origin(frame)
        house.publish("chain.block", {**BLOCK, "blockHeight": 78, "parentHash": "0xa"})
        frame = hear_type(client, "block")
        block = frame["block"]
        assert (block["height"], block["hash"], block["prevHash"], block["transactionCount"]) == (
            78,
            "0xb10c",
            "0xa",
            5,
        )
        assert (block["validator"], block["size"]) == ("val-1", None)
        nulls_have_reasons(frame)


def test_who_leaves_the_ledger_channel_gets_nothing_of_it(house):
    with house.connect("/ws/channels") as client:
        hear_type(client, "channel_update")
        say(client, {"action": "unsubscribe", "channels": ["main-channel"]})
        hear_type(client, "unsubscribed")
        settle(client)
        house.publish("chain.transaction", {**TX, "txHash": "0xgone"})
        say(client, {"action": "dance"})
        error = json.loads(client.recv(timeout=LIMIT))
        assert (error["type"], error["error"]) == ("error", "Unknown action: dance")


# -- the dashboard ------------------------------------------------------------------------------------------------


def test_the_dashboard_tells_metrics_and_nodes_and_performance_to_who_asks(house):
    with house.connect("/ws/dashboard") as client:
        metrics = hear_type(client, "metrics")
        objects = {"transactionMetrics", "networkMetrics", "consensusMetrics", "nodeHealth", "systemPerformance"}
        assert objects | {"recentHistory", "timestamp", "updateIntervalMs"} <= set(metrics["data"])
        nulls_have_reasons(metrics["data"])
        has_origin(metrics)
        nodes = hear_type(client, "nodes")
        assert isinstance(nodes["data"], list)
        has_origin(nodes)
        say(client, {"action": "subscribe", "channels": ["performance"]})
        told = hear(client, lambda frame: frame.get("status") == "subscribed")
        assert told["channels"] == ["performance"]
        performance = hear_type(client, "performance")
        assert {"throughput", "latency", "reliability"} <= set(performance["data"])
        nulls_have_reasons(performance["data"])
        has_origin(performance)


# -- the console --------------------------------------------------------------------------------------------------


def test_the_console_shows_an_overview_and_metrics_each_second(house):
    with house.connect("/api/v11/portal/websocket") as client:
        first = json.loads(client.recv(timeout=LIMIT))
        assert first["type"] == "initial_data"
        names = {"currentTPS", "totalTransactions", "activeValidators", "chainHeight", "averageBlockTime"}
        assert set(first["data"]) >= names | {"networkHealth"}
        nulls_have_reasons(first["data"])
        has_origin(first)
        metrics = hear_type(client, "realtime_metrics")
        assert set(metrics["data"]) >= {"tps", "transactionsLastSecond", "memoryUsage", "cpuUsage", "timestamp"}
        nulls_have_reasons(metrics["data"])
        has_origin(metrics)


@pytest.mark.parametrize(
    ("request_", "type_", "kind"),
    [
        ("get_analytics", "analytics", dict),
        ("get_validators", "validators", list),
        ("get_transactions", "transactions", list),
    ],
)
def test_the_console_answers_what_its_clients_may_ask(house, request_, type_, kind):
    house.publish("validator.status", {"validator": "val-top", "status": "ACTIVE", "votingPower": 10**9})
    house.publish("chain.transaction", {**TX, "txHash": "0xconsole"})
    with house.connect("/api/v11/portal/websocket") as client:
        say(client, {"type": request_, "params": {"limit": "5"}})
        answer = hear_type(client, type_)
        assert isinstance(answer["data"], kind)
        assert answer["data"]
        nulls_have_reasons(answer)
        has_origin(answer)


def test_the_console_asks_for_a_token_where_users_and_configuration_are_meant(house):
    with house.connect("/api/v11/portal/websocket") as client:
        say(client, {"type": "update_config", "params": {"key": "a", "value": "b"}})
        assert hear_type(client, "auth_required")["data"]["request"] == "update_config"
        say(client, {"type": "dance"})
        assert hear_type(client, "error")["data"]["message"] == "Unknown request type: dance"


# -- the feed -----------------------------------------------------------------------------------------------------


def test_the_feed_tells_transactions_by_its_page_s_own_names(house):
    with house.connect("/api/v12/realtime") as client:
        settle(client)
        house.publish("chain.transaction", {**TX, "txHash": "0xfeed"})
        frame = hear(client, lambda frame: frame["data"].get("id") == "0xfeed")
        told = frame["data"]
        assert frame["type"] == "transaction"
        assert (told["sender"], told["receiver"], told["amount"], told["status"]) == ("0xaa", "0xbb", 42, "confirmed")
        assert isinstance(told["timestamp"], str)
        nulls_have_reasons(told)
        has_origin(frame)


# -- all of them --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [path for path, door in DOORS.items() if door.channels])
def test_two_clients_of_a_door_get_the_same_bytes(house, path):
    with house.connect(path) as one, house.connect(path) as other:
        settle(one)
        settle(other)
        mark = f"0x{next(numbers)}"
        house.publish("chain.transaction", {"txHash": mark, "status": "SUCCESS"})
        house.publish("validator.status", {"validator": mark, "status": "ACTIVE"})
        house.publish("chain.consensus", {"leader": mark})
        house.publish("chain.peer", {"peerId": mark, "connected": True})
        heard: list[set[str]] = [set(), set()]
        until = time.monotonic() + 4.5
        while not heard[0] & heard[1] and time.monotonic() < until:
            for client, texts in ((one, heard[0]), (other, heard[1])):
                try:
                    text = client.recv(timeout=0.2)
                except TimeoutError:
                    continue
                if isinstance(text, str) and "provenance" in text:
                    texts.add(text)
        assert heard[0] & heard[1]


def test_the_moment_of_an_event_is_its_own(house):
    with house.connect("/ws/network") as client:
        settle(client)
        then = time.time() - 5
        house.publish("chain.peer", {"peerId": "p-old", "connected": True}, time=rfc3339(then))
        frame = hear(client, lambda frame: frame.get("peerId") == "p-old")
        assert frame["timestamp"] == rfc3339(then)
        assert frame["provenance"]["ageMs"] >= 5000


@pytest.mark.parametrize("type_", ["chain.halted", "chain.resumed", "chain.stale", "chain.node.quarantined"])
def test_what_happens_to_the_chain_is_told_to_who_follows_the_system(house, type_):
    with house.connect("/ws/transactions") as client:
        say(client, "SUBSCRIBE system")
        assert hear_text(client) == "SUBSCRIBED system"
        settle(client)
        house.publish(type_, {"why": "planted", "headHeight": None, **WHERE})
        frame = hear(client, lambda frame: frame.get("event") == type_)
        assert (frame["type"], frame["data"]["why"]) == ("system", "planted")
        assert frame["severity"] in {"critical", "high", "normal", "low"}
        nulls_have_reasons(frame["data"])
        has_origin(frame)
