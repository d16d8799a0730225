"""The ledger portal's dialect: the doors to its streams, and who speaks behind each.

Rules of this file:

* One table, ``DOORS``. A door says what it is counted as, what is followed at once, and how that is written.
* A stream that only tells follows its channel and ignores what its clients say.
* Who is behind a connection is said in its ``Setting``; without one it is a guest who showed no token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

import msgspec

from domain import Recollection
from transport.dialects.portal_channels import DashboardSession, LedgerSession
from transport.dialects.portal_console import ANALYTICS, OVERVIEW, ConsoleQuestion, ConsoleSession
from transport.dialects.portal_frames import encode_chain, encode_live, encode_metrics, encode_transaction
from transport.dialects.portal_guests import Crowd, Guest, Setting, Tokens, guest_of
from transport.dialects.portal_live import LIVE_CHANNELS, LiveStreamSession
from transport.dialects.portal_messages import (
    LEDGER_CHANNELS,
    encode_console,
    encode_dashboard,
    encode_feed,
    encode_ledger,
)
from transport.dialects.portal_tokens import TOKENS_PATH, TOKENS_WORD, TokenEnd, TokensSession
from transport.dialects.portal_transactions import TransactionsSession
from transport.dialects.portal_v11 import V11Session
from transport.encoder import Encoder
from transport.session import Session, Step, Subscribe

__all__ = [
    "ANALYTICS",
    "DOORS",
    "LIVE_CHANNELS",
    "OVERVIEW",
    "TOKENS_PATH",
    "TOKENS_WORD",
    "ConsoleQuestion",
    "Crowd",
    "Door",
    "Guest",
    "LiveStreamSession",
    "Setting",
    "TellingSession",
    "TokenEnd",
    "Tokens",
    "TokensSession",
    "guest_of",
]


class TellingSession:
    """One connection to a stream that only tells: follows its channel, ignores what the client says."""

    __slots__ = ("_subscription",)

    def __init__(self, subscription: Subscribe) -> None:
        self._subscription = subscription

    def opened(self, at: float) -> list[Step]:
        """Follow the stream's channel."""
        del at
        return [self._subscription]

    def received(self, message: str | bytes, at: float) -> list[Step]:
        """Nothing: this stream takes no commands."""
        del message, at
        return []


class Opening(Protocol):
    """Makes the session of a new connection."""

    def __call__(
        self, connection_id: str, recollection: Recollection | None = None, setting: Setting = ..., /
    ) -> Session:
        """The session, given the connection's id, what is known of its client, and where it finds itself."""


class Door(msgspec.Struct, frozen=True):
    """A path that clients connect to: what it is counted as, what is followed at once, and who speaks there.

    ``waits_for_word`` says that a client which has neither followed anything nor shown a token in time is closed;
    ``needs_valid_token`` that a token which is not taken is one more reason to.
    """

    path: str
    word: str
    channels: tuple[str, ...]
    encode: Encoder | None
    open: Opening
    waits_for_word: bool = False
    needs_valid_token: bool = False


def _telling_door(path: str, word: str, channel: str, encode: Encoder, latest: int = 0) -> Door:
    subscription = Subscribe(channel, encode, latest)
    return Door(path, word, (channel,), encode, _opening(lambda _id, _setting: TellingSession(subscription)))


def _opening(make: Callable[[str, Setting], Session]) -> Opening:
    """For sessions that remember nobody."""

    def opening(
        connection_id: str, recollection: Recollection | None = None, setting: Setting | None = None, /
    ) -> Session:
        del recollection
        return make(connection_id, setting or Setting())

    return opening


def _live(
    connection_id: str, recollection: Recollection | None = None, setting: Setting | None = None, /
) -> LiveStreamSession:
    del setting
    return LiveStreamSession(connection_id, recollection)


DOORS: Mapping[str, Door] = MappingProxyType(
    {
        door.path: door
        for door in (
            Door("/api/v11/live/stream", "live", ("portal/tps",), encode_live, _live),
            # Periodic, so its newest publication is now; on the others an old event would look like a new one.
            _telling_door("/ws/metrics", "metrics", "portal/metrics", encode_metrics, latest=1),
            Door(
                "/ws/transactions",
                "transactions",
                ("chain/transactions",),
                encode_transaction,
                _opening(TransactionsSession),
                needs_valid_token=True,
            ),
            _telling_door("/ws/transactions/legacy", "legacy", "chain/transactions", encode_transaction),
            _telling_door("/ws/validators", "validators", "chain/validators", encode_chain),
            _telling_door("/ws/consensus", "consensus", "chain/consensus", encode_chain),
            _telling_door("/ws/network", "network", "chain/peers", encode_chain),
            Door(
                "/ws/channels",
                "channels",
                tuple(LEDGER_CHANNELS),
                encode_ledger,
                _opening(lambda connection_id, _setting: LedgerSession(connection_id)),
            ),
            Door(
                "/ws/dashboard",
                "dashboard",
                ("panels/dashboard", "panels/nodes"),
                encode_dashboard,
                _opening(lambda _id, _setting: DashboardSession()),
            ),
            Door("/ws/v11", "v11", (), None, _opening(lambda _id, setting: V11Session(setting)), waits_for_word=True),
            Door(
                "/api/v11/portal/websocket",
                "console",
                ("panels/realtime",),
                encode_console,
                _opening(lambda _id, _setting: ConsoleSession()),
            ),
            _telling_door("/api/v12/realtime", "realtime", "chain/transactions", encode_feed),
        )
    }
)
"""The portal's doors by path."""
