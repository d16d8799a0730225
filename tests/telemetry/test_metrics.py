"""The page of metrics: complete, in both formats, cached, and as the reference says."""

import re
import threading
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from telemetry import METRICS, Counters, Gauges, Tally
from telemetry.gauges import NAMES
from telemetry.metrics import CACHE_AGE, Page
from telemetry.reference import metrics_page

ROOT = Path(__file__).parents[2]
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


class World:
    """A page with counts, gauges and a clock of its own."""

    def __init__(self):
        self.now = 100.0
        self.counts = Counters()
        self.gauges = Gauges()
        self.page = Page(self.counts, self.gauges, lambda: self.now)

    def values(self, accept=""):
        body, content_type = self.page.render(accept=accept)
        parse = parse_openmetrics if content_type.startswith("application/openmetrics-text") else parse_text
        return {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in parse(body.decode())
            for sample in family.samples
        }


@pytest.fixture
def world():
    return World()


def feed_everything(world):
    labels = {metric.value: metric.label for metric in METRICS if not metric.is_counted}
    for name in NAMES:
        label = "\t".join("x" for _ in labels[name].split(", "))
        world.gauges.feed(name, (lambda label=label: {label: 1.0}) if labels[name] else (lambda: 1.0))


def test_every_count_is_shown_and_every_shown_count_exists(world):
    assert {metric.value for metric in METRICS if metric.is_counted} == set(vars(world.counts))


def test_no_metric_is_named_twice():
    names = [metric.name for metric in METRICS]
    assert len(names) == len(set(names))
    families = [metric.family for metric in METRICS]
    assert len(families) == len(set(families))


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_is_named_as_the_house_names_metrics(metric):
    prefix = "aurigraph_websocket_" if metric.name.startswith("aurigraph") else "andond_"
    assert re.fullmatch(rf"{prefix}[a-z_]+", metric.name)
    assert metric.meaning[0].isupper() or metric.meaning[0].isdigit()
    if metric.kind == "counter":
        assert metric.name.endswith("_total")
    if metric.kind == "histogram":
        assert metric.name.endswith("_seconds")


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
def test_both_formats_are_read_by_their_parsers_with_every_metric(world, accept):
    feed_everything(world)
    world.counts.actor_failures.add("Channel")
    for name in ("actor_restarts", "actors_buried", "messages_quarantined", "readings", "readings_rejected"):
        getattr(world.counts, name).add("x")
    for name in (
        "readings_duplicated",
        "source_connects",
        "source_losses",
        "source_silences",
        "clock_quarantines",
        "events_demoted",
        "hooks_quarantined",
        "validator_jailings",
        "validator_conflicts",
        "validator_retractions",
        "chain_halts",
        "chain_silences",
        "chain_node_quarantines",
        "chain_heights_missed",
        "chain_answers",
        "chain_answers_missed",
        "chain_streams_lost",
        "chain_node_failures",
        "chain_blocks_filled",
    ):
        getattr(world.counts, name).add("x")
    shown = {name for name, *_ in world.values(accept)}
    for metric in METRICS:
        assert (f"{metric.name}_count" if metric.kind == "histogram" else metric.name) in shown, metric.name
    assert {"process_open_fds", "process_start_time_seconds", "python_gc_collections_total"} <= shown


def test_a_gauge_of_two_labels_is_shown_with_both(world):
    world.gauges.feed("chain_validators", lambda: {"cosmoshub-4\tJAILED": 3.0})
    values = world.values()
    assert values["andond_chain_validators", ("chain", "cosmoshub-4"), ("status", "JAILED")] == 3


def test_counts_are_shown_with_their_labels(world):
    world.counts.frames_sent += 7
    world.counts.published[0] += 2
    world.counts.connections_refused.add("limit", 3)
    values = world.values()
    assert values["andond_frames_sent_total",] == 7
    assert values["andond_published_total", ("priority", "critical")] == 2
    assert values["andond_published_total", ("priority", "low")] == 0
    assert values["andond_connections_refused_total", ("reason", "limit")] == 3
    assert values["andond_connections_refused_total", ("reason", "address")] == 0


def test_a_histogram_is_shown_with_its_buckets(world):
    world.counts.delivery_delay[0].observe(0.003, 4)
    world.counts.delivery_delay[0].observe(100.0)
    values = world.values()
    critical = ("priority", "critical")
    assert values["andond_delivery_delay_seconds_bucket", ("le", "0.0025"), critical] == 0
    assert values["andond_delivery_delay_seconds_bucket", ("le", "0.005"), critical] == 4
    assert values["andond_delivery_delay_seconds_bucket", ("le", "+Inf"), critical] == 5
    assert values["andond_delivery_delay_seconds_count", critical] == 5
    assert values["andond_delivery_delay_seconds_sum", critical] == pytest.approx(100.012)


def test_the_predecessors_names_have_the_same_values(world):
    world.gauges.feed("connections", lambda: {"metrics": 10, "live": 2})
    world.counts.frames_sent = 15_234
    world.counts.broadcast_last = 0.035
    values = world.values()
    assert values["aurigraph_websocket_connections_total", ("endpoint", "metrics")] == 10
    assert values["andond_connections", ("door", "metrics")] == 10
    assert values["aurigraph_websocket_messages_sent_total",] == 15_234
    assert values["aurigraph_websocket_broadcast_latency_ms",] == pytest.approx(35)


def test_a_gauge_that_nothing_feeds_is_absent(world):
    assert ("andond_loop_lag_seconds",) not in world.values()


def test_the_build_is_shown_once_it_is_known(world):
    assert not any(name == "andond_build_info" for name, *_ in world.values())
    world.page.describe_build("0.1.0", "abc")
    world.now += CACHE_AGE
    (build,) = [dict(labels) for name, *labels in world.values() if name == "andond_build_info"]
    assert (build["version"], build["commit"]) == ("0.1.0", "abc")
    assert build["python"].startswith("3.")


def test_a_page_is_made_anew_after_a_second_and_not_before(world):
    assert world.values()["andond_frames_sent_total",] == 0
    world.counts.frames_sent += 1
    world.now += CACHE_AGE - 0.01
    assert world.values()["andond_frames_sent_total",] == 0
    assert world.values(OPENMETRICS)["andond_frames_sent_total",] == 1
    world.now += 0.01
    assert world.values()["andond_frames_sent_total",] == 1


def test_a_sample_taken_elsewhere_is_what_is_shown(world):
    world.gauges.feed("loop_lag", lambda: 1 / 0)
    body, content_type = world.page.render({"loop_lag": 0.25})
    assert b"andond_loop_lag_seconds 0.25\n" in body
    assert content_type.startswith("text/plain")


def test_threads_that_render_at_once_get_whole_pages(world):
    feed_everything(world)
    pages = []
    threads = [threading.Thread(target=lambda: pages.append(world.page.render()[0])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(pages)) == 1


def test_a_count_of_an_unknown_kind_is_a_bug_that_is_told(world):
    world.counts.frames_sent = "seven"
    with pytest.raises(TypeError, match="str cannot be a metric"):
        world.page.render()


def test_what_is_counted_by_several_labels_has_them_all_and_the_rest_together_is_other_by_each(world):
    tally = world.counts.chain_node_failures
    for number in range(200):
        tally.add(f"hub\tnode{number}\tstatus")
    values = world.values()
    name = "andond_chain_node_failures_total"
    assert values[name, ("asked", "status"), ("node", "node0"), ("source", "hub")] == 1
    assert values[name, ("asked", "other"), ("node", "other"), ("source", "other")] > 100


def test_the_reference_of_metrics_is_what_the_table_generates():
    assert (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8") == metrics_page()


def test_all_series_stay_within_the_budget_even_when_every_label_is_used_up(world):
    feed_everything(world)
    for value in vars(world.counts).values():
        if isinstance(value, Tally):
            for number in range(1000):
                value.add(f"label{number}")
    assert len(world.values()) <= 2300
