"""Every query of the dashboards and every alert rule, asked of a real TimescaleDB and a real Prometheus.

Both look at the real processes, which a few simulated robots keep busy; one of them is made to overheat.
"""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from deploy.settings import read_settings
from support import alert_rules, grafana
from support.pipeline import WITHIN_S, Pipeline, pipeline
from support.prometheus import Prometheus, running

PROCESSES = ("land", "summarise", "assess", "simulate")
FLEET = ("--robots", "4", "--hz", "2", "--history", "2m")
# What these robots and this stack must fill; elsewhere nothing may be right (no rejects, no floods, no actions).
FILLED = (
    "Robots by status", "Robots seen", "Alarms by state", "What calls somebody, and what somebody knows of",
    "Alarms by model and software", "Alarms opened, by rule", "Frames in windows, and missing", "Robot",
    "Components, worst first", "Alarms", "Wear", "Temperature", "Battery: charge and health", "Frames",
)  # fmt: skip
ABOUT_WHAT_RUNS = {"LanderDown", "SummariserDown", "AssessorDown", "ProcessStuck", "RecordsRejected"}
ABOUT_WHAT_DOES_NOT = {"NotifierDown", "ServerDown", "RetainDown"}
ROBOT = "SELECT robot_id FROM episode WHERE component LIKE 'joint/%' ORDER BY opened LIMIT 1"


def wait_for(what: str, holds: Any) -> Any:
    until_s = time.monotonic() + WITHIN_S
    while not (found := holds()):
        assert time.monotonic() < until_s, what
        time.sleep(0.1)
    return found


def prometheus_config(home: Path, stack: Pipeline) -> Path:
    """Ours, with the targets that the stack has, looked at every second."""
    groups = [{"targets": [f"127.0.0.1:{stack.port(name)}"], "labels": {"process": name}} for name in PROCESSES]
    (home / "targets.json").write_text(json.dumps(groups))
    text = (alert_rules.PROMETHEUS / "prometheus.yml").read_text()
    for ours, here in (
        ("../../.robovitals/prometheus-targets.json", str(home / "targets.json")),
        ("rules/*.yml", str(alert_rules.PROMETHEUS / "rules" / "*.yml")),
        ("15s", "1s"),
    ):
        assert ours in text
        text = text.replace(ours, here)
    config = home / "prometheus.yml"
    config.write_text(text)
    return config


def ask_the_database(url: str) -> None:
    """Each query as Grafana would send it, for the last hour and the robot that overheats."""
    now = datetime.now(UTC)
    since, until = (now - timedelta(hours=1)).isoformat(), (now + timedelta(minutes=1)).isoformat()
    with psycopg.connect(url, autocommit=True) as connection:
        models = [row[0] for row in connection.execute("SELECT DISTINCT enterprise || model FROM robot")]
        ((robot,),) = connection.execute(ROBOT).fetchall()
        for asked in grafana.every_query():
            if asked.language != "sql":
                continue
            text = grafana.expanded(asked, since, until, {"model": models, "robot": [robot]})
            try:
                rows = connection.execute(text).fetchall()
            except psycopg.Error as error:
                raise AssertionError(f"{asked.where}: {error}") from None
            filled = [row for row in rows if any(value is not None for value in row[1:])]
            assert filled or asked.where.split(", ", 1)[1][:-3] not in FILLED, f"{asked.where} shows nothing"


def ask_prometheus(prometheus: Prometheus) -> None:
    """Each query of a panel, and each rule: `_get` fails where one is wrong."""
    now_s = time.time()
    for asked in grafana.every_query():
        if asked.language == "promql":
            prometheus.query_range(grafana.expanded(asked, "", "", {}, rate="30s"), now_s - 60, now_s)
    for expression in alert_rules.expressions().values():
        prometheus.query(expression)

    def judged() -> list[dict[str, Any]]:
        rules = prometheus.rules()
        return [] if any(rule["health"] == "unknown" for rule in rules) else rules

    rules = wait_for("all rules judged", judged)
    assert len(rules) == len(alert_rules.alerts())
    assert not [rule for rule in rules if rule["health"] != "ok"]


@pytest.fixture
def busy(topics, database_url, tmp_path):
    with pipeline(tmp_path, topics, database_url) as stack:
        for name in PROCESSES[:3]:
            stack.start(name)
        stack.start("simulate", *FLEET)
        assert stack.command("demo", "break", "1", "--fault", "overheat").returncode == 0
        yield stack


def test_every_panel_and_every_rule_gets_an_answer_from_the_real_servers(busy, tmp_path):
    with running(read_settings().cache, tmp_path, prometheus_config(tmp_path, busy)) as prometheus:
        with psycopg.connect(busy.database_url, autocommit=True) as connection:
            wait_for("an episode of a joint", lambda: connection.execute(ROBOT).fetchall())
            wait_for("vitals", lambda: connection.execute("SELECT 1 FROM vitals LIMIT 1").fetchall())
        ask_the_database(busy.database_url)
        up = 'count(up{job="robovitals"} == 1) == 4'
        wait_for("four processes that are up", lambda: prometheus.query(up))
        wait_for("all ready", lambda: prometheus.query("count(robovitals_ready == 1) == 4"))
        alarm = 'robovitals_assess_event_latency_seconds_count{rule="limit"} > 0'
        wait_for("an alarm's latency", lambda: prometheus.query(alarm))
        wait_for("a reading's latency", lambda: prometheus.query("robovitals_land_event_latency_seconds_count > 0"))
        ask_prometheus(prometheus)

        def raised() -> set[str]:
            return {alert["metric"]["alertname"] for alert in prometheus.query("ALERTS")}

        # Rules are judged from the first second on, when no target had been asked yet.
        wait_for("no alert about what runs", lambda: not raised() & ABOUT_WHAT_RUNS)
        assert raised() >= ABOUT_WHAT_DOES_NOT
