"""Counting what the detectors made of the simulated fleet."""

import json

import numpy as np
import pytest

from deploy.evaluate import ablation, cost
from deploy.evaluate.simulated.detect import RULES, Chosen, Detectors, Flags
from deploy.evaluate.simulated.effects import healthy
from deploy.evaluate.simulated.faults import Case, Kind, Plan
from deploy.evaluate.simulated.fleet import Fleet
from deploy.evaluate.simulated.result import Result
from deploy.evaluate.simulated.run import clock_rule, run
from deploy.evaluate.simulated.tally import Healthy, Outcome, Tally
from deploy.evaluate.simulated.tracks import component_starts
from processors.detectors.tracks import Track
from schemas.errors import SettingError

COMPONENTS = ("joint/1", "joint/2", "battery")
BEARING = Case(Kind.BEARING, row=0, joint=1, onset=10, epochs=288, dice=0.5)
AGEING = Case(Kind.AGEING, row=1, joint=0, onset=10, epochs=288, dice=0.5)


def flags(*on: tuple[str, int, int], learning: bool = False) -> Flags:
    """(rule, robot, component) that are on, of four robots."""
    by_rule = {rule: np.zeros((4, 3), bool) for rule in ("drift", "step")}
    for rule, row, component in on:
        by_rule[rule][row, component] = True
    return Flags(by_rule, np.full(4, learning))


@pytest.fixture
def tally() -> Tally:
    return Tally(Plan((BEARING, AGEING), (1000, 1001)), COMPONENTS, 4)


def test_a_fault_is_found_by_the_first_flag_on_what_is_broken(tally: Tally):
    tally.see(12, flags(("drift", 0, 1)))
    tally.see(13, flags(("drift", 0, 1), ("step", 0, 1), ("step", 1, 2)))
    bearing, ageing = tally.outcomes
    assert bearing.first == {"drift": 12, "step": 13}
    assert ageing.first == {"step": 13}


def test_what_was_flagged_before_the_onset_or_elsewhere_finds_nothing(tally: Tally):
    tally.see(9, flags(("drift", 0, 1)))
    tally.see(12, flags(("drift", 0, 1), ("step", 0, 0)))
    assert tally.outcomes[0].first == {}


def test_a_run_of_one_rule_on_one_component_is_one_false_episode(tally: Tally):
    on = ("drift", 2, 0)
    for epoch, now in enumerate([(), (on,), (on,), (), (on,), (on, ("step", 2, 0))]):
        tally.see(epoch, flags(*now))
    assert tally.healthy.episodes == {("drift", "joint"): 2, ("step", "joint"): 1}


def test_days_count_for_healthy_robots_that_are_commissioned(tally: Tally):
    for _ in range(72):
        tally.see(1, flags(learning=True))
        tally.see(2, flags())
    assert tally.healthy.robot_days == pytest.approx(1.0)


def result(*outcomes: Outcome, **false: int) -> Result:
    counted = Healthy({(rule, "joint"): count for rule, count in false.items()}, {}, robot_days=2000.0)
    return Result.of(4, 30, 1, outcomes, [counted], ("limit", "drift", "step"))


def test_figures_of_a_kind_are_those_one_counts_by_hand():
    early = Outcome(BEARING, {"drift": 10 + 144, "step": 10 + 200})
    late = Outcome(BEARING, {"step": 10 + 300})
    never = Outcome(BEARING, {})
    [found] = [kind for kind in result(early, late, never).kinds if kind.kind == "bearing"]
    assert (found.cases, found.found, found.in_time) == (3, 2, 1)
    assert found.delay_days == pytest.approx((144 + 300) / 2 / 144)
    assert found.delay_worst_days == pytest.approx(300 / 144)
    assert found.lead_days == pytest.approx((144 - 12) / 2 / 144)
    assert found.first_rules == {"drift": 1, "step": 1}


def test_false_episodes_are_told_by_the_thousand_days_and_a_true_limit_is_none():
    found = result(drift=3, limit=5)
    assert found.false_per_1000 == pytest.approx(1.5)
    assert found.truly_beyond == 5


def test_the_json_holds_numbers_that_every_reader_takes():
    told = json.loads(json.dumps(result(Outcome(BEARING, {})).as_json(), allow_nan=False))
    assert told["found_share"] == 0
    assert {"kind", "cases", "delay_days"} <= set(told["faults"][0])


def test_without_a_rule_its_findings_and_its_episodes_are_gone():
    whole = result(Outcome(BEARING, {"drift": 11, "step": 155}), Outcome(AGEING, {"drift": 20}), drift=2, step=4)
    by_rule = {row.rule: row for row in ablation.ablate(whole)}
    assert by_rule["drift"].missed == {"battery ageing": 1}
    assert by_rule["drift"].delay_days == pytest.approx(1.0)
    assert by_rule["drift"].false_saved == pytest.approx(1.0)
    assert by_rule["step"].missed == {}
    assert by_rule["step"].false_saved == pytest.approx(2.0)
    assert by_rule["drift"].earns
    assert not by_rule["limit"].earns


def test_flags_of_tracks_come_together_by_component():
    tracks = (
        Track("joint_current_a", 1),
        Track("joint_wear", 1),
        Track("joint_current_a", 2),
        Track("battery_soh", 0),
    )
    chosen = Chosen(tracks, frozenset({"joint_current_a", "battery_soh"}))
    assert component_starts(tracks)[0] == ("joint/1", "joint/2", "battery")
    found = chosen.by_component(np.array([[False, True, False], [True, False, True]]))
    assert found.tolist() == [[False, True, False], [True, False, True]]


def test_the_limit_rule_holds_on_until_inside_its_deadband():
    fleet = Fleet(2, 1, seed=1)
    detectors = Detectors(fleet.lines.tracks, 2, ("limit",))
    values = fleet.step(healthy(2, 1))
    seen = []
    for hot_c in (79.0, 80.5, 78.0, np.nan, 76.0):
        values[:, fleet.lines.at[Track("joint_temperature_c", 1)]] = hot_c
        seen.append(bool(detectors.step(len(seen), values).by_rule["limit"][0, 0]))
    assert seen == [False, True, True, True, False]


def test_every_rule_says_something_of_every_robot():
    fleet = Fleet(6, 2, seed=1)
    detectors = Detectors(fleet.lines.tracks, 6)
    for epoch in range(3):
        told = detectors.step(epoch, fleet.step(healthy(6, 2)))
    assert set(told.by_rule) <= set(RULES)
    assert all(flag.shape == (6, len(detectors.components)) for flag in told.by_rule.values())
    assert told.learning.all()


@pytest.mark.parametrize(
    ("ahead_s", "rule"), [(0, None), (1.9, None), (2.1, "clock"), (-14, None), (-16, "silence")]
)
def test_a_clock_that_runs_off_is_found_as_the_pipeline_finds_it(ahead_s: float, rule: str | None):
    assert clock_rule(ahead_s) == rule


def test_too_few_robots_are_refused_with_what_to_do():
    with pytest.raises(SettingError, match="at least 50 robots"):
        run(10, 60, 1, lambda done, of: None)


def test_cost_is_told_for_the_shard_that_was_asked():
    found = cost.measure(robots=10, joints=2, epochs=2)
    assert (found.robots, found.joints) == (10, 2)
    assert found.windows_per_s > 0
    assert 0 < found.fast_share <= 1
    assert found.as_json()["goal"] == cost.GOAL
