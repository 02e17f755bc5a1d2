"""The alert rules, judged by Debian's promtool and by a Prometheus that scrapes the real processes.

What each alert must fire on and must not is in `support/alert_cases.py`.
"""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy.settings import read_settings
from support import alert_rules
from support.alert_cases import CASES, Case, Series
from support.prometheus import programs

VALUES = re.compile(r"x(\d+)")


@pytest.fixture(scope="session")
def promtool() -> Path:
    return programs(read_settings().cache) / "promtool"


def run(promtool: Path, *arguments: str | Path) -> str:
    done = subprocess.run([promtool, *arguments], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def a_test(series: Series, looks: list[tuple[str, int]], name: str) -> dict[str, Any]:
    """One of promtool's: at each time of `looks` so many alerts of that name fire, 0 for none."""
    return {
        "interval": "1m",
        "input_series": [{"series": one, "values": values} for one, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f'count by (alertname) (ALERTS{{alertname="{name}", alertstate="firing"}}) > bool 0',
                "eval_time": at,
                "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1}] * fires,
            }
            for at, fires in looks
        ],
    }


def minutes(series: Series) -> int:
    """How long the longest series is."""
    return max(sum(int(n) + 1 for n in VALUES.findall(values)) for values in series.values())


def promtool_tests(name: str, case: Case) -> list[dict[str, Any]]:
    never = [(f"{minute}m", 0) for minute in range(minutes(case.quiet))]
    return [a_test(case.fires, [(case.after, 1)], name), a_test(case.quiet, never, name)]


def test_prometheus_takes_the_rules_and_the_configuration(promtool):
    run(promtool, "check", "rules", *alert_rules.RULES)
    run(promtool, "check", "config", alert_rules.PROMETHEUS / "prometheus.yml")


def test_every_alert_has_a_case():
    assert sorted(CASES) == sorted(alert_rules.alerts())


@pytest.mark.parametrize("name", CASES)
def test_an_alert_fires_when_it_should_and_not_when_it_should_not(name, promtool, tmp_path):
    (path,) = [path for path in alert_rules.RULES if f"- alert: {name}\n" in path.read_text()]
    document = {"rule_files": [str(path)], "evaluation_interval": "1m", "tests": promtool_tests(name, CASES[name])}
    test = tmp_path / f"{name}.json"
    test.write_text(json.dumps(document))
    run(promtool, "test", "rules", test)


def test_what_an_alert_says_is_for_people(promtool, tmp_path):
    labels = {"severity": "warning", "topic": "telemetry.frames"}
    says = {
        "summary": "telemetry.frames lands 2m 5s late",
        "description": "What people see in tables and pages is that old.",
        "runbook_url": "docs/runbook.md#landingdelayed",
    }
    series = [{"series": 'robovitals_land_lag_seconds{topic="telemetry.frames"}', "values": "125x20"}]
    expected = {
        "eval_time": "10m",
        "alertname": "LandingDelayed",
        "exp_alerts": [{"exp_labels": labels, "exp_annotations": says}],
    }
    tests = [{"interval": "1m", "input_series": series, "alert_rule_test": [expected]}]
    path = tmp_path / "says.json"
    path.write_text(json.dumps({"rule_files": [str(alert_rules.PROMETHEUS / "rules" / "lag.yml")], "tests": tests}))
    run(promtool, "test", "rules", path)
