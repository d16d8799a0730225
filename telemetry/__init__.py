"""What the daemon says about itself: events, counts, gauges, metrics and logs."""

from telemetry import events
from telemetry.counters import DOORS, PRIORITIES, Counters, Tally, counters
from telemetry.gauges import Gauges, gauges
from telemetry.histogram import DELAY_BOUNDS, Histogram
from telemetry.logs import configure, context, set_level
from telemetry.metrics import METRICS, Metric, describe_build, render, render_sources, sample

__all__ = [
    "DELAY_BOUNDS",
    "DOORS",
    "METRICS",
    "PRIORITIES",
    "Counters",
    "Gauges",
    "Histogram",
    "Metric",
    "Tally",
    "configure",
    "context",
    "counters",
    "describe_build",
    "events",
    "gauges",
    "render",
    "render_sources",
    "sample",
    "set_level",
]
