"""Alert rules, runbook and metrics speak of the same things. What fires when, the integration tests say."""

import re

import pytest

from deploy.cli import COMMANDS
from deploy.metrics_reference import described
from support import alert_rules

LISTED = {series for metric in described() for series in metric.series}


def test_every_alert_has_one_entry_in_the_runbook_and_every_entry_an_alert():
    alerts = alert_rules.alerts()
    assert len(alerts) == len(set(alerts)) > 30
    assert sorted(alert_rules.entries()) == sorted(alerts)


def test_every_alert_says_how_grave_it_is_what_is_the_matter_and_where_to_read_on():
    for path in alert_rules.RULES:
        for rule in path.read_text().split("- alert: ")[1:]:
            name = rule.split("\n")[0]
            assert re.search(r"severity: (critical|warning)$", rule, re.MULTILINE), name
            assert re.search(r"summary: '.+'$", rule, re.MULTILINE), name
            assert re.search(r"description: '.+'$", rule, re.MULTILINE), name
            assert f"runbook_url: docs/runbook.md#{name.lower()}\n" in rule + "\n", name


def test_every_entry_says_what_it_means_how_to_look_and_what_to_do():
    for entry in re.split(r"^### ", alert_rules.RUNBOOK.read_text(), flags=re.MULTILINE)[1:]:
        points = re.findall(r"^- \*\*(\w+)\*\*\s+\S", entry, re.MULTILINE)
        assert points == ["Means", "Look", "Do"], entry.split("\n")[0]


@pytest.mark.parametrize("name", alert_rules.alerts())
def test_a_rule_asks_only_for_metrics_that_are_in_the_list(name):
    asked = alert_rules.metrics_in(alert_rules.expressions()[name])
    assert asked
    assert asked <= LISTED | alert_rules.FOREIGN


def test_metrics_are_found_in_an_expression_whatever_stands_around_them():
    text = 'sum by (robovitals_no) (rate(robovitals_a_total{topic="robovitals_b"}[5m])) > up and robovitals_c == 1'
    assert alert_rules.metrics_in(text) == {"robovitals_a_total", "up", "robovitals_c"}


def test_the_runbook_names_only_metrics_that_are_in_the_list():
    names = set(re.findall(r"robovitals_[a-z_]+", alert_rules.RUNBOOK.read_text()))
    assert names <= {metric.name for metric in described()}


def test_the_runbook_says_to_type_only_what_is_a_command():
    assert {command.split()[0] for command in alert_rules.commands()} <= COMMANDS.keys()


def test_links_within_the_runbook_lead_somewhere():
    text = alert_rules.RUNBOOK.read_text()
    anchors = {heading.lower() for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([a-z]+)\)", text)) <= anchors
