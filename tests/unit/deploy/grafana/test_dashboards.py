"""Dashboards hold together. That their queries run, tests/integration/test_dashboards.py says."""

import re
from pathlib import Path

import pytest

from deploy.grafana import DASHBOARDS
from deploy.grafana.panels import QUERIES, Source, dashboard_json, sql
from deploy.metrics_reference import described
from support import alert_rules, grafana

GRAFANA = Path(__file__).parents[4] / "deploy" / "grafana"
LISTED = {series for metric in described() for series in metric.series} | alert_rules.FOREIGN
PROMQL = [asked for asked in grafana.every_query() if asked.language == "promql"]


@pytest.mark.parametrize("asked", PROMQL, ids=lambda asked: asked.where)
def test_a_panel_asks_only_for_metrics_that_are_in_the_list(asked):
    metrics = alert_rules.metrics_in(asked.text.replace("$__rate_interval", "1m"))
    assert metrics
    assert metrics <= LISTED


def test_every_query_of_the_folder_is_used():
    used = "\n".join(asked.text.split("\n")[0] for asked in grafana.every_query())
    for path in QUERIES.glob("*.sql"):
        assert path.read_text().split("\n")[0] in used, path.name


def test_a_query_says_in_its_first_line_what_it_answers():
    assert all(path.read_text().startswith("-- ") for path in QUERIES.glob("*.sql"))


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.uid)
def test_panels_lie_side_by_side_and_never_upon_each_other(dashboard):
    taken: set[tuple[int, int]] = set()
    for panel in dashboard_json(dashboard)["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_what_a_dashboard_asks_is_provisioned():
    text = (GRAFANA / "provisioning" / "datasources" / "robovitals.yml").read_text()
    for source in Source:
        assert f"uid: {source}" in text
    types = {
        target["datasource"]["type"] for d in grafana.dashboards() for p in d["panels"] for target in p["targets"]
    }
    assert types == set(re.findall(r"^    type: (\S+)$", text, re.MULTILINE))


def test_a_link_to_a_robot_leads_to_its_dashboard():
    robot = next(d for d in grafana.dashboards() if d["uid"] == "robovitals-robot")
    assert [variable["name"] for variable in robot["templating"]["list"]] == ["robot"]
    fleet = (grafana.DASHBOARDS / "fleet.json").read_text()
    assert f"/d/{robot['uid']}?var-robot=$" in fleet


def test_limits_are_drawn_where_the_table_of_signals_has_them():
    robot = next(d for d in grafana.dashboards() if d["uid"] == "robovitals-robot")
    panel = next(p for p in robot["panels"] if p["title"] == "Temperature")
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [step["value"] for step in steps] == [None, 80, 90]
    assert panel["fieldConfig"]["defaults"]["custom"]["thresholdsStyle"] == {"mode": "line"}


def test_a_word_in_braces_is_replaced():
    assert "unnest(joint_wear_max)" in sql("joint_signal", column="joint_wear_max").text
