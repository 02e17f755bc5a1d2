"""The live view shows what a snapshot holds."""

import io
from datetime import UTC, datetime, timedelta

from rich.console import Console

from deploy.view import Snapshot, draw
from schemas.health import ComponentHealth, Evidence, Status, Zone
from serve.database import AnomalyLine, RobotState
from support.frames import CODE

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOT = Evidence(
    rule="limit",
    signal="joint_temperature_c",
    value=95.0,
    unit="°C",
    limit=90.0,
    since_us=0,
    text="joint 2 is too hot",
)


def shown(snapshot: Snapshot) -> str:
    console = Console(width=160, record=True, file=io.StringIO())

    console.print(draw(snapshot, "hint"))
    return console.export_text()


def snapshot(**changes: object) -> Snapshot:
    fields = {
        "now": NOW,
        "counts": {"OFF_SPEC": 1, "NORMAL": 3},
        "worst": [],
        "anomalies": [],
        "rate": None,
        "lag": 0,
    }
    return Snapshot(**(fields | changes))


def test_counts_rate_and_lag_are_shown():
    text = shown(snapshot(rate=1234.4, lag=5))
    assert "OFF_SPEC 1" in text
    assert "4 robots, 1,234 frames/s landed, lag 5 frames" in text


def test_an_empty_fleet_has_no_anomalies_yet():
    assert "none yet" in shown(snapshot(counts={}))


def test_a_bad_robot_is_shown_with_the_reason():
    component = ComponentHealth(component="joint/2", status=Status.OFF_SPEC, zone=Zone.D, evidence=[HOT])
    robot = RobotState(
        robot_id=CODE, status="OFF_SPEC", zone="D", mode="working", software="1.0", open_episodes=1,
        last_seen=NOW - timedelta(seconds=252), received=NOW, components=[component],
    )  # fmt: skip
    text = shown(snapshot(worst=[robot]))
    assert "joint 2 is too hot" in text
    assert "4 m 12 s" in text


def test_a_robot_without_a_judgement_is_unknown():
    robot = RobotState(
        robot_id=CODE, status=None, zone=None, mode=None, software=None, open_episodes=None, last_seen=None,
        received=None, components=None,
    )  # fmt: skip
    assert "UNKNOWN" in shown(snapshot(worst=[robot]))


def test_an_anomaly_is_shown_with_its_age():
    line = AnomalyLine(
        robot_id=CODE, transition="opened", status="OFF_SPEC", component="joint/2", rule="limit", text="too hot",
        last_time=NOW - timedelta(seconds=3), live=True,
    )  # fmt: skip
    text = shown(snapshot(anomalies=[line]))
    assert "3.0 s ago" in text
    assert "too hot" in text
