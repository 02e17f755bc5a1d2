"""What a benchmark of several rounds tells."""

from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest
from rich.console import Console

from deploy.bench.machine import Machine
from deploy.bench.report import Goal, Line, Report, drawn, figures

MACHINE = Machine(cores=2, cpu="some processor", memory_bytes=8 * 2**30, system="Linux 6", python="3.11")
NOW = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)


def report(*lines: Line) -> Report:
    return Report("land", "so and so much was sent", {"one lander": lines}, ("a note",))


def text(told: Report) -> str:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(drawn(told, MACHINE, NOW))
    return capture.get()


def test_a_figure_is_its_median_and_its_spread_over_the_rounds():
    shown = text(report(Line("frames_per_s", "frames/s", [90_000, 70_000, 80_000])))
    assert "frames/s 80 000 70 000 90 000" in " ".join(shown.split())


def test_the_figures_have_the_names_that_goals_are_set_by_and_every_round():
    told = figures(report(Line("share_of_raw", "share", [0.9, 0.7, 0.8], Goal(at_least=0.75))), MACHINE, NOW)
    assert told["share_of_raw"] == 0.8
    assert told["rounds"] == {"share_of_raw": [0.9, 0.7, 0.8]}
    assert told["goals_missed"] == []
    assert msgspec.json.decode(msgspec.json.encode(told))["machine"]["cores"] == 2


@pytest.mark.parametrize(
    ("goal", "value", "verdict"),
    [
        (Goal(at_least=0.9), 0.9, "≥ 0.90: met"),
        (Goal(at_least=0.9), 0.89, "≥ 0.90: MISSED"),
        (Goal(at_most=1.2), 1.2, "≤ 1.20: met"),
        (Goal(at_most=1.2), 1.3, "≤ 1.20: MISSED"),
        (Goal(at_least=50_000), 49_000, "≥ 50 000: MISSED"),
    ],
)
def test_a_goal_stands_beside_its_figure_and_one_that_is_missed_is_said_so(goal: Goal, value: float, verdict: str):
    told = report(Line("figure", "a figure", [value], goal))
    assert verdict in text(told)
    assert figures(told, MACHINE, NOW)["goals_missed"] == (["figure"] if "MISSED" in verdict else [])


def test_what_could_not_be_measured_is_a_dash_and_no_number():
    told = report(Line("broker_cpu_us", "CPU", []), Line("ratio", "a ratio", [], Goal(at_least=1)))
    assert "≥ 1: not measured" in text(told)
    assert "–" in text(told)
    assert figures(told, MACHINE, NOW)["broker_cpu_us"] is None


def test_the_text_stands_by_itself():
    shown = text(report(Line("a", "a", [1])))
    for part in (
        "bench land",
        "2026-05-01 12:30 UTC",
        "2 cores some processor",
        "so and so much was sent",
        "a note",
    ):
        assert part in shown


def test_of_many_values_the_slow_ones_stand_beside_the_median_and_of_few_nothing_is_made_up():
    many, few = Line("many", "many", list(range(1, 41))), Line("few", "few", [1, 2, 3])
    told = replace(report(many, few), with_p95=True)
    assert "many 20.5 1 40 38" in " ".join(text(told).split())
    assert "few 2 1 3 –" in " ".join(text(told).split())
    assert figures(told, MACHINE, NOW)["p95"] == {"many": 38, "few": None}
