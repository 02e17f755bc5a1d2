"""Faults: who breaks and when, and that each reaches what it is said to reach."""

from dataclasses import replace

import numpy as np
import pytest

from deploy.evaluate.simulated import faults
from deploy.evaluate.simulated.faults import Case, Kind, Plan
from deploy.evaluate.simulated.fleet import Fleet
from deploy.evaluate.simulated.nature import EPOCHS_A_DAY, WAVE_C
from processors.detectors.tracks import Track

ROBOTS, JOINTS, DAYS = 60, 4, 60
NEVER = (10**6, 10**6)


def planned(seed: int = 1) -> Plan:
    return faults.plan(np.random.default_rng(seed), ROBOTS, JOINTS, DAYS * EPOCHS_A_DAY)


def alone(kind: Kind, epochs: int = 100, dice: float = 0.3) -> Case:
    return Case(kind, row=3, joint=1, onset=0, epochs=epochs, dice=dice)


def told(case: Case, signal: str, epochs: range, joint: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """A series of the broken robot, and of the same robot if it were healthy, working round the clock."""
    series = []
    for cases in ((case,), ()):
        fleet, rng = Fleet(8, JOINTS, seed=5), np.random.default_rng(1)
        fleet.own.shifts[:], fleet.own.free_weekend[:], fleet.own.switched_off[:] = 3, 0, 0
        found = [fleet.step(faults.effects(fleet, Plan(cases, NEVER), epoch, rng)) for epoch in range(epochs.stop)]
        series.append(np.array(found)[epochs.start :, 3, fleet.lines.at[Track(signal, joint)]])
    return series[0], series[1]


@pytest.mark.parametrize("seed", range(5))
def test_every_kind_has_its_robots_and_nobody_breaks_twice(seed: int):
    cases = planned(seed).cases
    assert {case.kind for case in cases} == set(Kind)
    assert len({case.row for case in cases}) == len(cases)
    assert len(cases) < 0.6 * ROBOTS


def test_nothing_breaks_before_two_weeks_have_been_healthy():
    """But what was bad from new."""
    onsets = {case.kind: case.onset for case in planned().cases}
    assert onsets.pop(Kind.NEW) == 0
    assert min(onsets.values()) >= faults.HEALTHY_DAYS * EPOCHS_A_DAY


def test_what_was_bad_from_new_never_was_otherwise():
    broken, well = told(alone(Kind.NEW, epochs=0), "joint_vibration_mm_s", range(20))
    assert np.nanmin(broken / well) == pytest.approx(4, rel=0.4)


def test_one_release_comes_to_all_of_its_robots_at_once():
    onsets = {case.onset for case in planned().cases if case.kind is Kind.SOFTWARE}
    assert len(onsets) == 1


def test_a_case_grows_from_its_onset_to_its_limit():
    case = replace(alone(Kind.BEARING), onset=50)
    assert [case.grown(epoch) for epoch in (0, 49, 50, 100, 150, 10_000)] == [0, 0, 0, 0.5, 1, 1.5]
    assert case.limit_epoch == 150
    assert alone(Kind.SWAP, epochs=0).grown(1) == 1
    assert alone(Kind.SWAP, epochs=0).limit_epoch is None


def test_an_overheating_joint_comes_to_its_alarm_limit():
    broken, well = told(alone(Kind.OVERHEAT), "joint_temperature_c", range(100, 200))
    assert np.nanmax(well) < 75
    assert 85 < np.nanmax(broken) < 130


def test_a_bad_bearing_shakes_three_times_as_much():
    broken, well = told(alone(Kind.BEARING), "joint_vibration_mm_s", range(100, 110))
    assert np.nanmedian(broken / well) == pytest.approx(3, rel=0.15)


def test_new_friction_shows_in_current_and_in_the_torque_that_is_estimated_from_it():
    for signal in ("joint_current_a", "joint_torque_nm"):
        broken, well = told(alone(Kind.BEARING), signal, range(100, 130))
        assert np.nanmedian(broken / well) > 1.05


def test_backlash_comes_to_its_alarm_limit():
    broken, _ = told(alone(Kind.BACKLASH), "joint_backlash_arcmin", range(98, 103))
    assert np.nanmedian(broken) == pytest.approx(6, rel=0.1)


def test_an_ageing_battery_comes_to_the_end_of_its_life():
    broken, well = told(alone(Kind.AGEING, epochs=10), "battery_soh", range(300, 310), joint=0)
    assert np.nanmedian(well) > 0.9
    assert np.nanmedian(broken) < 0.81


def test_a_weak_cell_comes_to_its_alarm_limit():
    broken, _ = told(alone(Kind.CELL), "battery_cell_spread_mv", range(90, 110), joint=0)
    assert 70 < np.nanmedian(broken) < 130


def test_a_slipping_belt_follows_worse_now_and_then():
    broken, well = told(alone(Kind.BELT), "joint_tracking_error_rad", range(100, 160))
    ratio = broken / well
    slipped = np.nanmean(ratio > 1.8)
    assert 0.25 < slipped < 0.75


def test_a_swapped_part_brings_its_own_levels_once():
    broken, well = told(alone(Kind.SWAP, epochs=0, dice=0.9), "joint_wear", range(200))
    assert broken[199] < well[199]
    assert broken[199] - broken[1] == pytest.approx(well[199] - well[1], abs=0.01)


def test_a_used_part_has_more_backlash():
    broken, _ = told(alone(Kind.SWAP, epochs=0, dice=0.1), "joint_backlash_arcmin", range(50))
    assert np.nanmedian(broken) > 1


def test_a_bad_release_is_in_every_joint():
    for joint in (1, 2, 3, 4):
        broken, well = told(alone(Kind.SOFTWARE, epochs=0), "joint_tracking_error_rad", range(20), joint)
        assert np.nanmedian(broken / well) == pytest.approx(1.4, rel=0.02)


def test_a_heat_wave_is_over_everybody_and_goes_again():
    plan = Plan((), (0, 5 * EPOCHS_A_DAY))
    fleet, rng = Fleet(2, 2, seed=1), np.random.default_rng(1)
    waves = [faults.effects(fleet, plan, epoch, rng).wave_c for epoch in range(0, 6 * EPOCHS_A_DAY, 72)]
    assert max(waves) == WAVE_C
    assert waves[0] == waves[-1] == 0


def test_clocks_run_off_both_ways():
    early, late = (faults.clock_ahead_s(replace(alone(Kind.CLOCK), dice=dice), 144) for dice in (0.0, 1.0))
    assert early == pytest.approx(-17.28, rel=0.01)
    assert late == pytest.approx(17.28, rel=0.01)
