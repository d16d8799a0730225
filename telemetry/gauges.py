"""What can rise and fall, asked for when somebody wants to know.

Rules of this file: a gauge is fed by a function that returns numbers at once, without waiting; it is called on the
trio thread by ``sample``. A gauge that nobody feeds is absent from the metrics, never zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

Value = float | Mapping[str, float] | None
"""One number, or numbers by the gauge's label; None while there is nothing to tell.

The values of several labels stand in one text, a tab between.
"""

NAMES = frozenset(
    {
        "alarm_count",
        "alarm_flood",
        "alarms",
        "alarms_stale",
        "alarms_standing",
        "alarms_unrationalised",
        "andon_open",
        "audit_fingerprint",
        "audit_number",
        "audit_writable",
        "average_alarm_rate",
        "canary_clients",
        "canary_late",
        "certificate_end",
        "chain_blocks_to_jail",
        "chain_halted",
        "chain_node_head_age",
        "chain_node_height",
        "chain_nodes_quarantined",
        "chain_validators",
        "chain_validators_jailed",
        "chain_watched_jailed",
        "chain_silence",
        "chain_tps",
        "chain_tps_target",
        "channels",
        "connections",
        "current_alarm_rate",
        "journal_bytes",
        "journal_critical",
        "journal_writable",
        "ledger_imbalance",
        "loop_lag",
        "mailbox_age",
        "maximum_active_state",
        "maximum_alarm_rate",
        "maximum_re_alarm_count",
        "maximum_un_ack",
        "outbox_age",
        "outbox_depth",
        "mailbox_depth",
        "portal_alerts",
        "ready",
        "receipts_overdue",
        "source_age",
        "sources_fresh",
        "start_time",
        "subscriptions",
        "tasks",
    }
)
"""Every gauge; ``telemetry.metrics`` says what each one means."""

Sample = Mapping[str, float | dict[str, float]]
"""All gauges at one moment."""


class Gauges:
    """Functions that tell the present value of something, by name."""

    def __init__(self) -> None:
        self._reads: dict[str, Callable[[], Value]] = {}

    def feed(self, name: str, read: Callable[[], Value]) -> None:
        """Let ``read`` tell the value of ``name`` from now on, in place of an earlier one.

        Raises:
            KeyError: if there is no such gauge.
        """
        if name not in NAMES:
            raise KeyError(name)
        self._reads[name] = read

    def forget(self, name: str) -> None:
        """Leave ``name`` out from now on."""
        self._reads.pop(name, None)

    def read(self, name: str) -> Value:
        """Ask one gauge, on the caller's thread; None if nobody feeds it."""
        read = self._reads.get(name)
        return None if read is None else read()

    def sample(self) -> Sample:
        """Ask every gauge once, on the caller's thread."""
        taken: dict[str, float | dict[str, float]] = {}
        for name, read in self._reads.items():
            value = read()
            if value is not None:
                taken[name] = dict(value) if isinstance(value, Mapping) else value
        return taken


gauges = Gauges()
"""The gauges of this process."""
