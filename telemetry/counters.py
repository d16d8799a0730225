"""What the daemon counts, as plain numbers.

Rules of this file:

* A hot path writes ``counters.frames_sent += n``, once a batch: 0.06 us against 0.4 us for a Prometheus counter.
* No lock. Adding to an attribute or to an element is not interrupted by a thread switch in CPython with its global
  lock, as long as nothing is called in between; ``Tally.add`` keeps to that.
* What is counted by a label is a ``Tally``: its labels are from a bounded set, never a client, an address or free
  text.
* Numbers only grow. What can fall is a gauge and is asked for when it is needed (``telemetry.gauges``).
* Every attribute is exposed by ``telemetry.metrics``; a test compares the two.
"""

from __future__ import annotations

from telemetry.histogram import CALL_BOUNDS, Histogram, Histograms

PRIORITIES = ("critical", "high", "normal", "low")
"""Words of the four priorities, by number."""

DOORS = (
    "stream", "live", "metrics", "transactions", "legacy", "validators", "consensus", "network", "channels",
    "dashboard", "v11", "console", "realtime", "tokens", "floor", "http",
)  # fmt: skip
"""Words of the front doors: what a connection was opened for."""

OTHER = "other"

CHAINS = 8
"""How many chains are counted by name."""


class Tally:
    """Counts by one label. Past ``limit`` label values the rest count together as ``other``."""

    __slots__ = ("_counts", "_limit")

    def __init__(self, *known: str, limit: int = 64) -> None:
        self._counts = dict.fromkeys((*known, OTHER), 0)
        self._limit = limit

    def add(self, value: str, count: int = 1) -> None:
        """Count ``value``, making its place when there is room for one more."""
        counts = self._counts
        if value not in counts:
            if len(counts) < self._limit:
                counts.setdefault(value, 0)
            else:
                value = OTHER
        counts[value] += count

    def __getitem__(self, value: str) -> int:
        """Return the count of ``value``, 0 when it was never counted."""
        return self._counts.get(value, 0)

    def items(self) -> dict[str, int]:
        """Return a copy of the counts; ``other`` only once it was needed."""
        counts = self._counts.copy()
        if not counts[OTHER]:
            del counts[OTHER]
        return counts

    @property
    def total(self) -> int:
        """Sum over all labels."""
        return sum(self._counts.copy().values())


class ByPriority(list[int]):
    """Four counts, indexed by priority: ``counters.published[priority] += 1``."""

    def __init__(self) -> None:
        super().__init__([0] * len(PRIORITIES))


def _by_priority() -> tuple[Histogram, ...]:
    return tuple(Histogram() for _ in PRIORITIES)


class Counters:
    """One number, list or tally for each thing that is counted. A test may make its own."""

    def __init__(self) -> None:
        self._count_transport()
        self._count_channels()
        self._count_journal()
        self._count_actors()
        self._count_sources()
        self._count_calls()
        self._count_daemon()

    def _count_transport(self) -> None:
        # Sizes are bytes on the wire without TLS.
        self.frames_sent = 0
        self.bytes_sent = 0
        self.frames_received = 0
        self.bytes_received = 0
        self.frames_conflated = ByPriority()
        self.frames_dropped = ByPriority()
        self.frames_expired = ByPriority()
        self.connections_opened = Tally(*DOORS)
        self.connections_closed = Tally("1000", "1001", "1006", "1009", "1011", "1012", "4102", "4201", "4202")
        self.connections_dropped = 0
        self.connections_failed = 0
        self.outboxes_overflowed = 0
        self.connections_refused = Tally("limit", "address", "draining", "origin", "unauthorised")
        self.limits_reached = Tally(
            "connection.messages", "connection.frames", "address.handshakes", "address.commands",
            "address.subscriptions", "user.connections", "user.commands", "user.subscriptions", "tenant.connections",
            "tenant.commands", "tenant.subscriptions", limit=11,
        )  # fmt: skip
        self.certificates_taken = 0
        self.certificates_refused = 0
        self.tokens_verified = 0
        self.tokens_refused = Tally("malformed", "signature", "expired", "issuer", "revoked", limit=13)
        self.handshakes_failed = Tally("timeout", "tls", "malformed", "upgrade", "lost")
        self.frames_rejected = Tally("size", "utf8", "binary", "json", "protocol")
        self.requests_answered = Tally("200", "202", "400", "404", "405", "408", "413", "429", "431", "500", "503")
        self.requests_failed = 0
        self.request_duration = Histogram()
        self.listener_pauses = Tally("descriptors", "memory")

    def _count_channels(self) -> None:
        self.published = ByPriority()
        self.deliveries = ByPriority()
        self.delivery_delay = _by_priority()
        self.broadcast_latency = Histogram()
        self.broadcast_last = 0.0  # seconds, of the newest broadcast; the one number here that may fall
        self.subscriptions_made = 0
        self.channels_created = 0
        self.channels_retired = 0
        self.channels_refused = 0

    def _count_journal(self) -> None:
        self.journal_commits = 0
        self.journal_commit = Histogram()
        self.journal_records = ByPriority()
        self.journal_repeats = 0
        self.journal_retired = ByPriority()
        self.journal_shed = ByPriority()
        self.journal_unkept = ByPriority()
        self.journal_failed = 0

    def _count_actors(self) -> None:
        self.messages_conflated = ByPriority()
        self.messages_dropped = ByPriority()
        self.actor_failures = Tally()
        self.actor_restarts = Tally()
        self.actors_buried = Tally()
        self.messages_quarantined = Tally()
        self.dead_letters = Tally("stopped", "refused", "unknown", "overflow")
        self.escalations = 0
        self.actors_stuck = 0

    def _count_sources(self) -> None:
        self.readings = Tally()
        self.readings_rejected = Tally()
        self.readings_duplicated = Tally()
        self.source_connects = Tally()
        self.source_losses = Tally()
        self.source_silences = Tally()
        self.clock_quarantines = Tally()
        self.receipts_received = 0
        self.receipts_shown = 0
        self.receipts_ignored = Tally("old", "epoch", "ahead", "unknown")
        self.canary_round_trip = _by_priority()
        self.events_accepted = 0
        self.events_refused = Tally("invalid", "duplicate", "overloaded", "unkept")
        self.events_demoted = Tally()
        self.validator_jailings = Tally(limit=CHAINS)
        self.validator_conflicts = Tally(limit=CHAINS)
        self.validator_retractions = Tally(limit=CHAINS)
        self.chain_halts = Tally(limit=CHAINS)
        self.chain_silences = Tally(limit=CHAINS)
        self.chain_node_quarantines = Tally(limit=CHAINS)
        self.chain_heights_missed = Tally(limit=CHAINS)
        self.chain_answers = Tally(limit=CHAINS)
        self.chain_answers_missed = Tally(limit=CHAINS)
        self.chain_streams_lost = Tally(limit=CHAINS)
        self.chain_node_failures = Tally(limit=40)
        self.chain_blocks_filled = Tally(limit=CHAINS)
        self.alarm_activations = Tally("critical", "high", "medium", "low", limit=5)
        self.alarm_signals_lost = 0
        self.hooks_quarantined = Tally()
        self.notifications_sent = Tally("mail", "webhook", "mqtt", "websocket", limit=16)
        self.notifications_failed = Tally("mail", "webhook", "mqtt", "websocket", limit=16)

    def _count_calls(self) -> None:
        self.andon_calls = Tally("safety", "quality", "maintenance", "material", "supervisor", "changeover", "it")
        self.andon_contests = 0
        self.andon_intervals = Histograms(
            (
                "raise_to_deliver",
                "raise_to_acknowledge",
                "acknowledge_to_arrive",
                "raise_to_arrive",
                "arrive_to_resolve",
                "resolve_to_close",
                "raise_to_close",
            ),
            CALL_BOUNDS,
        )

    def _count_daemon(self) -> None:
        self.reloads = Tally("applied", "refused")
        self.audit_entries = Tally("done", "refused", "failed", limit=3)
        self.audit_failed = 0
        self.audit_lost = 0
        self.logins = Tally("succeeded", "renewed", "credentials", "held_off", "busy", "ended", "away", limit=8)
        self.sign_ins = Tally("succeeded", "renewed", "postponed", "refused", "ended", limit=5)
        self.keys_fetched = 0
        self.keys_unfetched = 0
        self.sessions_ended = Tally(
            "logout", "reused", "password", "locked", "removed", "changed", "crowded", "everywhere", limit=9
        )
        self.watchdog_withheld = 0
        self.log_lines_suppressed = 0
        self.log_lines_lost = 0


counters = Counters()
"""The counts of this process."""
