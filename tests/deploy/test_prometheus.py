"""Scrape and alert rules: every metric they name is one that the daemon emits."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from telemetry import METRICS

RULES = Path(__file__).parents[2] / "deploy/prometheus"
ALERTS = (RULES / "alerts.yml").read_text(encoding="utf-8")
EXPRESSIONS = re.findall(r"expr: (?:>-\n\s+)?(.*(?:\n {10}\(.*)?)", ALERTS)
NAMES = re.findall(r"- alert: (\w+)", ALERTS)
OURS = {metric.name: metric for metric in METRICS}
# Emitted by prometheus_client and by Prometheus itself.
OTHERS = {"up", "process_start_time_seconds"}

needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")


def selectors(text):
    """Return each metric in an expression with its label matchers."""
    words = re.findall(r"\b((?:andond|aurigraph|process|python)_\w+|up)\b(?:\{([^}]*)\})?", text)
    return [(name, dict(re.findall(r'(\w+)=~?"([^"]*)"', labels))) for name, labels in words]


def metric_of(name):
    return OURS.get(name) or OURS.get(re.sub(r"_(bucket|sum|count)$", "", name))


def labels_of(row):
    return set((row.label or "").split(", "))


def test_there_is_an_expression_for_every_alert():
    assert len(EXPRESSIONS) == len(NAMES) == len(set(NAMES)) >= 10
    assert all(selectors(expression) for expression in EXPRESSIONS)


@pytest.mark.parametrize(("name", "expression"), list(zip(NAMES, EXPRESSIONS, strict=True)), ids=NAMES)
def test_an_alert_names_only_metrics_and_labels_that_exist(name, expression):
    for metric, labels in selectors(expression):
        if metric in OTHERS:
            continue
        row = metric_of(metric)
        assert row, metric
        assert set(labels) - {"job"} <= labels_of(row)
        assert (metric != row.name) == (row.kind == "histogram")


def test_every_metric_in_texts_exists_too():
    for word in re.findall(r"andond_\w+", ALERTS):
        assert metric_of(word), word


def test_labels_used_in_texts_are_there_after_the_expression():
    for block in ALERTS.split("- alert: ")[1:]:
        used = set(re.findall(r"\$labels\.(\w+)", block)) - {"instance"}
        expression = re.search(r"expr: ((?:.*\n)+?)\s+(?:for|labels):", block)[1]
        known = {label for name, _ in selectors(expression) if (row := metric_of(name)) for label in labels_of(row)}
        known |= {word.strip() for by in re.findall(r"by \(([^)]*)\)", expression) for word in by.split(",")}
        assert used <= known, block


def test_every_alert_has_a_severity_and_a_summary():
    for block in ALERTS.split("- alert: ")[1:]:
        assert re.search(r"labels: \{severity: (warning|critical)\}", block)
        assert "summary: " in block


def with_tls(text):
    """The scrape configuration with what it says about TLS in force, a certificate of the client too."""
    return re.sub(r"^( +)# (scheme|tls_config|  (?:# )?(?:ca|cert|key)_file)", _uncommented, text, flags=re.MULTILINE)


def _uncommented(match):
    return match[1] + match[2].replace("# ", "")


@needs_promtool
@pytest.mark.parametrize("change", [str, with_tls], ids=["plain", "tls"])
def test_prometheus_accepts_the_rules_and_the_scrape_configuration(tmp_path, change):
    shutil.copy(RULES / "alerts.yml", tmp_path)
    for name in ("andond.token", "andond.crt", "prometheus.crt", "prometheus.key"):
        (tmp_path / name).touch()
    text = change((RULES / "scrape.yml").read_text(encoding="utf-8"))
    assert ("\n      key_file: " in text) is (change is with_tls)
    (tmp_path / "scrape.yml").write_text(text, encoding="utf-8")
    for arguments in (["check", "rules", "alerts.yml"], ["check", "config", "scrape.yml"]):
        done = subprocess.run(["promtool", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


PORTAL = """
rule_files:
  - {rules}
evaluation_interval: 15s
tests:
  - interval: 15s
    input_series:
      - {{series: 'up{{job="andond",instance="a"}}', values: '1x60'}}
      - {{series: 'andond_chain_silence_seconds{{instance="a"}}', values: '0x10 45x10 0x40'}}
      - {{series: 'andond_chain_tps{{instance="a"}}', values: '900x19 1000 900x40'}}
      - {{series: 'andond_chain_tps_target{{instance="a"}}', values: '1000x60'}}
      - {{series: 'andond_frames_rejected_total{{instance="a",reason="json"}}', values: '0x20 6x40'}}
      - {{series: 'andond_handshakes_failed_total{{instance="a",reason="tls"}}', values: '0x20 6x40'}}
      - {{series: 'andond_connections_failed_total{{instance="a"}}', values: '0x60'}}
      - {{series: 'andond_outboxes_overflowed_total{{instance="a"}}', values: '0x60'}}
      - {{series: 'andond_request_duration_seconds_bucket{{instance="a",le="0.1"}}', values: '0x20 0+90x40'}}
      - {{series: 'andond_request_duration_seconds_bucket{{instance="a",le="0.25"}}', values: '0x20 0+100x40'}}
      - {{series: 'andond_request_duration_seconds_bucket{{instance="a",le="+Inf"}}', values: '0x20 0+100x40'}}
    alert_rule_test:
{tests}
"""

# The moment, the alert, and whether it fires then.
COURSE = (
    ("2m", "AurigraphServiceDown", False),
    ("4m", "AurigraphServiceDown", True),
    ("7m", "AurigraphServiceDown", False),
    ("4m30s", "LowTransactionThroughput", False),
    # One good sample after five minutes less fifteen seconds begins the five minutes anew.
    ("9m30s", "LowTransactionThroughput", False),
    ("10m30s", "LowTransactionThroughput", True),
    ("4m", "WebSocketErrors", False),
    ("5m30s", "WebSocketErrors", True),
    ("9m", "WebSocketErrors", False),
    ("5m", "HighLatency", False),
    ("8m", "HighLatency", True),
)

BOB = 'instance="a",chain="hub",validator="bob"'
CHAIN = """
rule_files:
  - {rules}
evaluation_interval: 15s
tests:
  - interval: 15s
    input_series:
      - {{series: 'andond_chain_watched_jailed{{{bob}}}', values: '0x10 1x20 0x30'}}
      - {{series: 'andond_chain_blocks_to_jail{{{bob}}}', values: '900x20 400-50x6 100x60'}}
      - {{series: 'andond_chain_blocks_to_jail{{instance="a",chain="hub",validator="ann"}}', values: '50x80'}}
      - {{series: 'andond_chain_halted{{instance="a",chain="hub"}}', values: '0x10 1x20 0x30'}}
      - {{series: 'andond_chain_nodes_quarantined{{instance="a",chain="hub"}}', values: '0x10 1x10 0x4 1x40'}}
      - {{series: 'andond_chain_node_head_age_seconds{{instance="a",chain="hub",node="n1"}}', values: '5x10 20+15x40'}}
      - {{series: 'andond_chain_node_head_age_seconds{{instance="a",chain="hub",node="n2"}}', values: '5x20 20+15x40'}}
    alert_rule_test:
{tests}
"""
CHAIN_COURSE = (
    ("2m", "ValidatorJailed", False),
    ("4m", "ValidatorJailed", True),
    ("9m", "ValidatorJailed", False),
    # Ann has few blocks left for long and misses none; Bob comes nearer, then signs again.
    ("4m", "ValidatorNearJail", False),
    ("6m30s", "ValidatorNearJail", True),
    ("18m", "ValidatorNearJail", False),
    ("2m", "ChainHalted", False),
    ("4m", "ChainHalted", True),
    ("9m", "ChainHalted", False),
    ("5m", "ChainNodesQuarantined", False),
    ("10m", "ChainNodesQuarantined", False),
    ("12m", "ChainNodesQuarantined", True),
    # One node has new blocks.
    ("5m15s", "ChainHeadOld", False),
    ("9m", "ChainHeadOld", True),
)


# It ends 14 days and 10 minutes after the beginning, and is renewed an hour later.
CERTIFICATE = """
rule_files:
  - {rules}
evaluation_interval: 15s
tests:
  - interval: 1m
    input_series:
      - {{series: 'andond_certificate_end_seconds{{instance="a"}}', values: '1210200x70 9999999x60'}}
    alert_rule_test:
{tests}
"""
CERTIFICATE_COURSE = (
    ("15m", "AndondCertificateEnds", False),
    ("25m", "AndondCertificateEnds", True),
    ("80m", "AndondCertificateEnds", False),
)
STORIES = {"portal": (PORTAL, COURSE), "chain": (CHAIN, CHAIN_COURSE), "certificate": (CERTIFICATE, CERTIFICATE_COURSE)}


@needs_promtool
@pytest.mark.parametrize(("story", "course"), STORIES.values(), ids=STORIES)
def test_alerts_fire_when_they_should_and_not_before(tmp_path, story, course):
    for moment, alert, is_firing in course:
        test = f"      - {{eval_time: {moment}, alertname: {alert}, exp_alerts: []}}"
        file = tmp_path / "test.yml"
        file.write_text(story.format(bob=BOB, rules=RULES / "alerts.yml", tests=test), encoding="utf-8")
        done = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False)
        assert (done.returncode != 0) is is_firing, f"{alert} at {moment}: {done.stdout}{done.stderr}"
        assert not is_firing or "exp:[]" in done.stdout + done.stderr
