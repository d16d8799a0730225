from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.access import OPEN_RIGHTS
from transport.dialects.portal import DOORS, Setting, TellingSession
from transport.dialects.portal_frames import (
    encode_chain,
    encode_live,
    encode_metrics,
    encode_transaction,
)
from transport.dialects.portal_messages import encode_console, encode_dashboard, encode_feed, encode_ledger
from transport.session import Close, Send, Subscribe, Unsubscribe

AT = 1730000000.0
WORDS = [
    "type", "action", "channel", "channels", "filter", "priority", "token", "params", "limit", "data", "subscribe",
    "unsubscribe", "auth", "ping", "main-channel", "nodes", "transactions", "analytics", "bridge", "status:failed",
    "get_validators", "update_config",
]  # fmt: skip
LINES = ["PING", "LIST", "STATS", "SUBSCRIBE blocks", "UNSUBSCRIBE blocks", "SUBSCRIBE", "subscribe  metrics ", "GREET"]
words = st.sampled_from(WORDS)
leaves = words | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words | st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)
messages = st.text() | st.binary() | values.map(json.dumps) | st.sampled_from(LINES)


@pytest.mark.parametrize("path", DOORS)
@given(said=st.lists(messages, max_size=15))
@example(said=['{"type":"subscribe","channel":"\\ud800"}', '{"action":"subscribe","channels":["\\ud800"]}', "\ud800"])
def test_no_message_raises_ends_a_connection_or_has_a_channel_followed_twice(
    path: str, said: list[str | bytes]
) -> None:
    session = DOORS[path].open("c1")
    steps = session.opened(AT)
    for message in said:
        steps = [*steps, *session.received(message, AT)]
    followed: set[str] = set()
    for step in steps:
        assert not isinstance(step, Close)
        if isinstance(step, Subscribe):
            assert step.channel not in followed
            followed.add(step.channel)
        elif isinstance(step, Unsubscribe):
            followed.remove(step.channel)
        elif isinstance(step, Send):
            assert len(step.frame.data) < 4000


@given(messages)
def test_a_stream_that_only_tells_ignores_every_message(said: str | bytes) -> None:
    session = DOORS["/ws/metrics"].open("c1")
    assert session.received(said, AT) == []


def test_the_doors_are_the_contract_s_paths_with_their_channels() -> None:
    assert {path: (door.word, door.channels, door.encode) for path, door in DOORS.items()} == {
        "/api/v11/live/stream": ("live", ("portal/tps",), encode_live),
        "/ws/metrics": ("metrics", ("portal/metrics",), encode_metrics),
        "/ws/transactions": ("transactions", ("chain/transactions",), encode_transaction),
        "/ws/transactions/legacy": ("legacy", ("chain/transactions",), encode_transaction),
        "/ws/validators": ("validators", ("chain/validators",), encode_chain),
        "/ws/consensus": ("consensus", ("chain/consensus",), encode_chain),
        "/ws/network": ("network", ("chain/peers",), encode_chain),
        "/ws/channels": ("channels", ("panels/channel", "chain/transactions", "chain/blocks"), encode_ledger),
        "/ws/dashboard": ("dashboard", ("panels/dashboard", "panels/nodes"), encode_dashboard),
        "/ws/v11": ("v11", (), None),
        "/api/v11/portal/websocket": ("console", ("panels/realtime",), encode_console),
        "/api/v12/realtime": ("realtime", ("chain/transactions",), encode_feed),
    }


@pytest.mark.parametrize("path", DOORS)
def test_a_door_opens_sessions_that_follow_its_channels_at_once(path: str) -> None:
    door = DOORS[path]
    steps = door.open("c1", None, Setting(rights=OPEN_RIGHTS)).opened(AT)
    followed = [step for step in steps if isinstance(step, Subscribe)]
    assert tuple(step.channel for step in followed) == door.channels
    assert all(step.encode is door.encode for step in followed)


TELLING = ["/ws/transactions/legacy", "/ws/validators", "/ws/consensus", "/ws/network", "/api/v12/realtime"]


@pytest.mark.parametrize("path", TELLING)
def test_a_stream_of_events_has_no_welcome_and_repeats_no_old_event(path: str) -> None:
    session = DOORS[path].open("c1")
    assert isinstance(session, TellingSession)
    (step,) = session.opened(AT)
    assert isinstance(step, Subscribe)
    assert step.latest == 0


def test_the_metrics_begin_with_the_newest_ones() -> None:
    assert DOORS["/ws/metrics"].open("c1").opened(AT) == [Subscribe("portal/metrics", encode_metrics, latest=1)]
