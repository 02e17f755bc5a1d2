"""What a route matches."""

from typing import Any

import pytest

from processors.notify.receivers import Match, Route
from processors.notify.routing import group_of, matches
from schemas.anomaly import FLEET, About
from schemas.health import SEVERITY, Status
from support.anomalies import CODE, anomaly


@pytest.mark.parametrize(
    ("match", "yes"),
    [
        ({}, True),
        ({"about": (About.MACHINE,)}, True),
        ({"about": (About.DATA, About.FLEET)}, False),
        ({"robots": ("ZZTEST",)}, True),
        ({"robots": ("AATEST", "ZZTE")}, True),
        ({"robots": ("TEST",)}, False),
        ({"makers": ("TEST",)}, True),
        ({"makers": ("T*",)}, True),
        ({"makers": ("ZZTE",)}, False),
        ({"models": ("ZZTESTMODEL1",)}, True),
        ({"models": ("MODEL1",)}, False),
        ({"components": ("joint/*",)}, True),
        ({"components": ("battery", "joint/3")}, True),
        ({"components": ("joint/?",)}, True),
        ({"components": ("joint",)}, False),
        ({"rules": ("limit",)}, True),
        ({"rules": ("trend",)}, False),
        ({"software": ("2.*",)}, True),
        ({"software": ("3.*",)}, False),
        ({"components": ("joint/*",), "rules": ("trend",)}, False),
    ],
)
def test_all_that_a_match_asks_for_must_hold(match: dict[str, Any], yes: bool) -> None:
    assert matches(Match(**match), anomaly()) is yes


@pytest.mark.parametrize("least", list(Status))
def test_a_status_is_matched_from_the_one_that_is_given(least: Status) -> None:
    found = {status for status in Status if matches(Match(status=least), anomaly(status=status))}
    assert found == {status for status in Status if SEVERITY[status] >= SEVERITY[least]}


def test_an_episode_of_the_fleet_is_matched_by_its_word() -> None:
    fleet = anomaly(robot_id=FLEET, component=FLEET, rule="fleet", cause="")
    assert matches(Match(robots=(FLEET,), about=(About.FLEET,)), fleet)
    assert not matches(Match(makers=("TEST",)), fleet)


def test_a_group_is_made_of_the_fields_of_the_route() -> None:
    fields = ("maker", "model", "robot", "rule", "status", "site", "scenario")
    route = Route(name="r", receivers=("m",), group_by=fields)
    of = anomaly(scenario="classroom")
    assert group_of(route, of, "Plant Graz") == f"TEST|ZZTESTMODEL1|{CODE}|limit|FAILURE|Plant Graz|classroom"
