"""Every Prometheus metric of the daemon, and the page that shows them.

Rules of this file:

* One table, ``METRICS``, says each metric's name, what it counts, its label and its meaning. The reference in the
  documents and the rules in deploy/prometheus are checked against it.
* Values are plain numbers kept elsewhere (``counters``, ``gauges``); nothing is counted here.
* Names begin with ``andond_`` and have base units. The predecessors' names stand beside ours, fed by the same values.
* Nobody else imports prometheus_client.
"""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Literal

import msgspec
from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.core import (
    Metric as Family,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from telemetry.counters import OTHER, PRIORITIES, ByPriority, Counters, Tally, counters
from telemetry.gauges import Gauges, Sample, gauges
from telemetry.histogram import Histogram, Histograms

CACHE_AGE = 1.0
"""Seconds for which a page is served again instead of being made anew."""


class Metric(msgspec.Struct, frozen=True):
    """One row: ``value`` names an attribute of ``Counters``, or a gauge."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    value: str
    meaning: str
    label: str = ""
    scale: float = 1.0
    is_counted: bool = True

    @property
    def family(self) -> str:
        """The name without the suffix that the exposition adds to a counter."""
        return self.name.removesuffix("_total") if self.kind == "counter" else self.name


def _counter(value: str, meaning: str, label: str = "") -> Metric:
    return Metric(f"andond_{value}_total", "counter", value, meaning, label)


def _gauge(name: str, value: str, meaning: str, label: str = "") -> Metric:
    return Metric(f"andond_{name}", "gauge", value, meaning, label, is_counted=False)


def _histogram(name: str, value: str, meaning: str, label: str = "") -> Metric:
    return Metric(f"andond_{name}_seconds", "histogram", value, meaning, label)


METRICS: tuple[Metric, ...] = (
    # What is now.
    _gauge("ready", "ready", "1 while /readyz says yes, else 0"),
    _gauge("connections", "connections", "Open connections by front door", "door"),
    _gauge("subscriptions", "subscriptions", "Subscriptions of all connections to channels"),
    _gauge("channels", "channels", "Channels that are alive"),
    _gauge("mailbox_depth", "mailbox_depth", "Messages waiting in all mailboxes", "priority"),
    _gauge("outbox_depth", "outbox_depth", "Frames waiting for all clients", "priority"),
    _gauge("outbox_age_seconds", "outbox_age", "For how long the oldest frame waits for its client", "priority"),
    _gauge("mailbox_age_seconds", "mailbox_age", "For how long the oldest message in any mailbox waits", "priority"),
    _gauge("source_fresh", "sources_fresh", "1 while a source's newest reading is current, else 0", "source"),
    _gauge("source_age_seconds", "source_age", "Age of a source's newest reading", "source"),
    _gauge("ledger_imbalance", "ledger_imbalance", "Publications for clients that cannot be accounted for; always 0"),
    _gauge("loop_lag_seconds", "loop_lag", "How late the loop's last turn was"),
    _gauge("journal_bytes", "journal_bytes", "What the journal takes on the disk"),
    _gauge("journal_critical", "journal_critical", "Number of the newest critical event that was published"),
    _gauge("journal_writable", "journal_writable", "1 while the journal can be written, else 0"),
    _gauge("audit_number", "audit_number", "Number of the newest entry of the audit on the disk"),
    _gauge("audit_fingerprint", "audit_fingerprint", "First 52 bits of the hash of that entry, as a number"),
    _gauge("audit_writable", "audit_writable", "1 while the audit can be written, else 0"),
    _gauge("certificate_end_seconds", "certificate_end", "When our certificate ends, Unix seconds; absent without TLS"),
    _gauge("tasks", "tasks", "Tasks on the loop"),
    _gauge("receipts_overdue", "receipts_overdue", "Clients that owe a receipt for too long, by kind", "kind"),
    _gauge("canary_clients", "canary_clients", "Native clients that the canary is sent to"),
    _gauge("canary_late", "canary_late", "Native clients whose critical canary took longer than its bound"),
    # Chains and their validators; a series for one validator there is only for those that are watched.
    _gauge("chain_validators", "chain_validators", "Validators of a chain by their state", "chain, status"),
    _gauge("chain_validators_jailed", "chain_validators_jailed", "Jailed and tombstoned validators", "chain"),
    _gauge("chain_node_height", "chain_node_height", "Newest block of a node", "chain, node"),
    _gauge(
        "chain_node_head_age_seconds", "chain_node_head_age", "Age of a node's newest block by its time", "chain, node"
    ),
    _gauge("chain_nodes_quarantined", "chain_nodes_quarantined", "Nodes whose word does not count now", "chain"),
    _gauge("chain_halted", "chain_halted", "1 while a chain stands still, else 0", "chain"),
    _gauge(
        "chain_watched_jailed",
        "chain_watched_jailed",
        "1 while a watched validator is jailed or tombstoned, else 0",
        "chain, validator",
    ),
    _gauge(
        "chain_blocks_to_jail",
        "chain_blocks_to_jail",
        "Blocks that a watched validator can miss in a row, the last of which jails it",
        "chain, validator",
    ),
    _counter("validator_jailings", "Jailings and tombstones told", "chain"),
    _counter("validator_conflicts", "Conflicts of what is said of a validator", "chain"),
    _counter("validator_retractions", "States of validators that were told and taken back", "chain"),
    _counter("chain_halts", "Times that a chain stood still", "chain"),
    _counter("chain_silences", "Times that no node of a chain could be relied on", "chain"),
    _counter("chain_node_quarantines", "Times that a node's word began not to count", "chain"),
    _counter("chain_heights_missed", "Heights that nobody could be asked about", "chain"),
    _counter("chain_answers", "What nodes of chains answered or told", "source"),
    _counter("chain_answers_missed", "What nodes did not answer, refused, or said unreadably", "source"),
    _counter("chain_streams_lost", "Subscriptions and streams of nodes that were refused or ended", "source"),
    _counter("chain_node_failures", "Missed answers by node and by what it was asked", "source, node, asked"),
    _counter("chain_blocks_filled", "Blocks that were read again because nobody had told them", "source"),
    # The chain, as the portal tells it.
    _gauge("chain_tps", "chain_tps", "Transactions a second, over portal.window; absent while not known"),
    _gauge("chain_tps_target", "chain_tps_target", "Transactions a second below which an alert is raised, if any"),
    _gauge("chain_silence_seconds", "chain_silence", "Since anything was heard of the chain; absent before the first"),
    _gauge("portal_alert", "portal_alerts", "1 while an alert of the portal is raised, else 0", "alert"),
    # Alarms, by operating position; the first eight have the names of AlarmMetricsType (OPC 10000-9, 9.2).
    _gauge("alarm_count", "alarm_count", "Alarms that came onto the operator's list since start_time", "position"),
    _gauge("start_time", "start_time", "When counting alarms began, Unix seconds", "position"),
    _gauge("maximum_active_state", "maximum_active_state", "Longest that an alarm was active, seconds", "position"),
    _gauge("maximum_un_ack", "maximum_un_ack", "Longest that an alarm was unacknowledged, seconds", "position"),
    _gauge("current_alarm_rate", "current_alarm_rate", "Alarms in the last ten minutes", "position"),
    _gauge("maximum_alarm_rate", "maximum_alarm_rate", "Most alarms in any ten minutes", "position"),
    _gauge("maximum_re_alarm_count", "maximum_re_alarm_count", "Most re-alarms of one occurrence", "position"),
    _gauge(
        "average_alarm_rate", "average_alarm_rate", "Alarms in ten minutes, on average since start_time", "position"
    ),
    _gauge("alarm_flood", "alarm_flood", "1 while there is a flood by the trailing window, else 0", "position"),
    _gauge("alarms", "alarms", "Known alarms by their state", "state"),
    _gauge("alarms_standing", "alarms_standing", "Alarms that are active and on the operator's list"),
    _gauge("alarms_stale", "alarms_stale", "Alarms that have been so for more than 24 hours"),
    _gauge("alarms_unrationalised", "alarms_unrationalised", "Known alarms that the list has not, or not wholly"),
    _gauge("andon_open", "andon_open", "Open Andon calls by their priority", "priority"),
    _counter("andon_calls", "Andon calls raised, by their type", "type"),
    _counter("andon_contests", "Acts that somebody else's had beaten, recorded with their calls"),
    _histogram("andon_interval", "andon_intervals", "What each interval of a call took", "interval"),
    _counter("alarm_activations", "Alarms that came onto an operator's list, by their priority", "priority"),
    _counter("alarm_signals_lost", "Words of sources on alarms for which the alarms' desk had no room"),
    # What was published and delivered.
    _counter("published", "Publications on all channels", "priority"),
    _counter("deliveries", "Publications handed to connections, one each", "priority"),
    _histogram("delivery_delay", "delivery_delay", "From receiving an event to handing it to a socket", "priority"),
    _histogram(
        "broadcast",
        "broadcast_latency",
        "From the publication on its channel until its frame was offered to the last follower",
    ),
    Metric("andond_broadcast_last_seconds", "gauge", "broadcast_last", "Duration of the newest broadcast"),
    _counter("subscriptions_made", "Subscriptions made"),
    _counter("channels_created", "Channels created"),
    _counter("channels_retired", "Channels retired when idle"),
    _counter("channels_refused", "Channels not made because there are too many"),
    # The wire.
    _counter("frames_sent", "WebSocket frames written to sockets"),
    _counter("bytes_sent", "Bytes written to sockets, without TLS"),
    _counter("frames_received", "WebSocket messages from clients"),
    _counter("bytes_received", "Bytes read from sockets, without TLS"),
    _counter("frames_conflated", "Waiting frames replaced by newer ones of their key", "priority"),
    _counter("frames_dropped", "Waiting frames given up", "priority"),
    _counter("frames_expired", "Waiting frames that became too old to be sent", "priority"),
    _counter("connections_opened", "Connections let in", "door"),
    _counter("connections_closed", "Connections ended, by close code", "code"),
    _counter("connections_dropped", "Connections found dead: nothing heard in time"),
    _counter("connections_failed", "Connections ended because something broke on our side"),
    _counter("outboxes_overflowed", "Connections closed for too many waiting critical frames"),
    _counter("connections_refused", "Clients refused at the handshake", "reason"),
    _counter("limits_reached", "Times that a client met a limit, by whose and of what", "limit"),
    _counter("certificates_taken", "Renewed certificates of our own that were put in force"),
    _counter("certificates_refused", "Renewed certificates of our own that could not be used"),
    _counter("tokens_verified", "Access tokens that were found good"),
    _counter("tokens_refused", "Access tokens that were not taken", "reason"),
    _counter("handshakes_failed", "Clients that did not get as far as a request", "reason"),
    _counter("frames_rejected", "Frames of clients that were not understood", "reason"),
    _counter("requests_answered", "HTTP requests answered, by status", "code"),
    _counter("requests_failed", "HTTP requests on which a handler broke"),
    _histogram("request_duration", "request_duration", "From a request's head to the end of its answer"),
    _counter("listener_pauses", "Times that accepting paused, out of something", "reason"),
    # The journal.
    _counter("journal_commits", "Transactions written to the journal"),
    _histogram("journal_commit", "journal_commit", "From the oldest record of a commit being told to it being on disk"),
    _counter("journal_records", "Events written to the journal", "priority"),
    _counter("journal_repeats", "Events that the journal had already"),
    _counter("journal_retired", "Events deleted from the journal for their age or their priority's size", "priority"),
    _counter("journal_shed", "Events given up for want of room or time, before they were written or after", "priority"),
    _counter("journal_unkept", "Urgent events published without being in the journal", "priority"),
    _counter("journal_failed", "Times that the journal could not be written or read"),
    _counter("receipts_received", "Words of clients that they received critical events"),
    _counter("receipts_shown", "Critical events that clients said they showed"),
    _counter("receipts_ignored", "Receipts for what was not handed over, or came again", "reason"),
    _histogram("canary_round_trip", "canary_round_trip", "A synthetic message to a native client and back", "priority"),
    # Actors.
    _counter("messages_conflated", "Waiting messages replaced by newer ones of their key", "priority"),
    _counter("messages_dropped", "Waiting messages given up by a full mailbox", "priority"),
    _counter("actor_failures", "Actors ended by an error, by kind of actor", "kind"),
    _counter("actor_restarts", "Actors restarted, by kind of actor", "kind"),
    _counter("actors_buried", "Failed actors that did not come back, by kind of actor", "kind"),
    _counter("messages_quarantined", "Messages put aside because they fail their actor, by kind of actor", "kind"),
    _counter("dead_letters", "Messages that found nobody", "reason"),
    _counter("escalations", "Supervisors that gave up and told their own"),
    _counter("actors_stuck", "Actors that did not answer in time"),
    # Sources.
    _counter("readings", "Readings taken", "source"),
    _counter("readings_rejected", "What a source said that was no reading", "source"),
    _counter("readings_duplicated", "Readings that were there already", "source"),
    _counter("source_connects", "Connections made by sources", "source"),
    _counter("source_losses", "Connections lost by sources", "source"),
    _counter("source_silences", "Silences of sources: nothing for twice the cadence", "source"),
    _counter("clock_quarantines", "Jumps of sources' clocks", "source"),
    _counter("notifications_sent", "Notifications of calls for which there is a receipt, by channel", "channel"),
    _counter("notifications_failed", "Notifications of calls for which there is none, by channel", "channel"),
    _counter("hooks_quarantined", "Parts of hooks that failed and are not called any more, by hook", "hook"),
    _counter("events_accepted", "Events taken in over HTTP"),
    _counter("events_refused", "Events refused over HTTP", "reason"),
    _counter("events_demoted", "Critical events past the budget of their source, now high", "source"),
    # The daemon.
    _counter("reloads", "Reloads of the settings, by result", "result"),
    _counter("audit_entries", "Entries written to the audit, by what came of what they tell", "outcome"),
    _counter("audit_failed", "Times that the audit could not be written"),
    _counter("audit_lost", "Entries that are not in the audit: there was no room for them"),
    _counter("keys_fetched", "Times that the public keys of an issuer of tokens were fetched"),
    _counter("keys_unfetched", "Times that they could not be; the last good ones stay in force"),
    _counter("logins", "Logins of local users and renewals of them, by what came of it", "outcome"),
    _counter("sign_ins", "Sign-ins on the page, their renewals and ends, by what came of it", "outcome"),
    _counter("sessions_ended", "Times that tokens of local users were taken back before their time", "reason"),
    _counter("watchdog_withheld", "Times the service manager's watchdog was not fed"),
    _counter("log_lines_suppressed", "Log lines left out because there were too many of one event"),
    _counter("log_lines_lost", "Log lines that could not be written"),
    # The predecessors' names for the same values.
    Metric(
        "aurigraph_websocket_connections_total",
        "gauge",
        "connections",
        "As andond_connections; a gauge, whatever its name says",
        "endpoint",
        is_counted=False,
    ),
    Metric(
        "aurigraph_websocket_broadcast_latency_ms",
        "gauge",
        "broadcast_last",
        "As andond_broadcast_last_seconds, in milliseconds",
        scale=1000.0,
    ),
    Metric("aurigraph_websocket_messages_sent_total", "counter", "frames_sent", "As andond_frames_sent_total"),
)

READY = "andond_ready"

Values = list[tuple[list[str], float | Histogram]]


class Page:
    """Makes the text of /metrics from counters and gauges."""

    def __init__(self, counts: Counters, levels: Gauges, clock: Callable[[], float] = time.monotonic) -> None:
        self._levels = levels
        self._clock = clock
        self._lock = threading.Lock()
        self._made: dict[str, tuple[float, bytes]] = {}
        self._collector = _Collector(counts)
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self._collector)
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def describe_build(self, version: str, commit: str) -> None:
        """Say what is running, in ``andond_build_info``."""
        self._collector.build = {"version": version, "commit": commit, "python": platform.python_version()}

    def sample(self) -> Sample:
        """Ask the gauges, on the thread that owns what they look at."""
        return self._levels.sample()

    def render(self, sample: Sample | None = None, accept: str = "") -> tuple[bytes, str]:
        """Return the page and its content type; takes milliseconds, so call it in a thread.

        ``accept`` is the request's header: OpenMetrics on request, else the text format. Without a sample the gauges
        are asked here, on the caller's thread.
        """
        encode, content_type = choose_encoder(accept)
        with self._lock:
            made_at, body = self._made.get(content_type, (-CACHE_AGE, b""))
            now = self._clock()
            if not body or now - made_at >= CACHE_AGE:
                self._collector.sample = self.sample() if sample is None else sample
                body = encode(self._registry)
                self._made[content_type] = (now, body)
        return body, content_type

    def render_sources(self, sample: Sample, names: Collection[str], accept: str = "") -> tuple[bytes, str]:
        """The same of the sources called ``names`` alone, and whether the gateway is ready: nothing else is named."""
        encode, content_type = choose_encoder(accept)
        with self._lock:
            before, self._collector.sample = self._collector.sample, sample
            registry = CollectorRegistry(auto_describe=False)
            registry.register(_OfSources(self._collector, names))
            body = encode(registry)
            self._collector.sample = before
        return body, content_type


class _Collector(Collector):
    """Turns the table and the plain numbers into what prometheus_client renders."""

    def __init__(self, counts: Counters) -> None:
        self._counts = counts
        self.sample: Sample = {}
        self.build: dict[str, str] = {}

    def collect(self) -> Iterator[Family]:
        if self.build:
            yield InfoMetricFamily("andond_build", "What is running", value=self.build)
        for metric in METRICS:
            if metric.is_counted:
                yield _family(metric, _counted(getattr(self._counts, metric.value)))
            elif metric.value in self.sample:
                yield _family(metric, _sampled(self.sample[metric.value]))


class _OfSources(Collector):
    """What ``whole`` says of the sources called ``names``."""

    def __init__(self, whole: _Collector, names: Collection[str]) -> None:
        self._whole = whole
        self._names = frozenset(names)

    def collect(self) -> Iterator[Family]:
        for family in self._whole.collect():
            family.samples = [each for each in family.samples if each.name == READY or self._is_of_them(each.labels)]
            if family.samples:
                yield family

    def _is_of_them(self, labels: Mapping[str, str]) -> bool:
        return labels.keys() == {"source"} and labels["source"] in self._names


def _counted(value: object) -> Values:
    if isinstance(value, Tally):
        return [(label.split("\t"), count) for label, count in value.items().items()]
    if isinstance(value, Histograms):
        return [([label], histogram) for label, histogram in value.items()]
    if isinstance(value, ByPriority | tuple):
        return [([label], item) for label, item in zip(PRIORITIES, value, strict=True)]
    if isinstance(value, int | float | Histogram):
        return [([], value)]
    raise TypeError(f"a {type(value).__name__} cannot be a metric")


def _sampled(value: float | Mapping[str, float]) -> Values:
    if isinstance(value, Mapping):
        return [(label.split("\t"), number) for label, number in value.items()]
    return [([], value)]


def _family(metric: Metric, values: Values) -> Family:
    labels = metric.label.split(", ") if metric.label else []
    if metric.kind == "histogram":
        histogram = HistogramMetricFamily(metric.family, metric.meaning, labels=labels)
        for names, value in values:
            if isinstance(value, Histogram):
                histogram.add_metric(names, _buckets(value), value.total)
        return histogram
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = kind(metric.family, metric.meaning, labels=labels)
    for names, value in values:
        if not isinstance(value, Histogram):
            # What was counted together as other has none of the labels.
            missing = [OTHER] * (len(labels) - len(names))
            family.add_metric([*names, *missing], value * metric.scale)
    return family


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    bounds = [*(str(bound) for bound in histogram.bounds), "+Inf"]
    return list(zip(bounds, histogram.cumulative(), strict=True))


page = Page(counters, gauges)
"""The page of this process."""

sample, render, render_sources = page.sample, page.render, page.render_sources
describe_build = page.describe_build
