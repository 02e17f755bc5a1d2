"""The simulated fleet: seeded, possible, and as noisy as the recordings."""

import numpy as np
import pytest

from deploy.evaluate.simulated import nature
from deploy.evaluate.simulated.effects import Effects, healthy
from deploy.evaluate.simulated.fleet import Fleet
from deploy.evaluate.simulated.joints import rounded_mean
from processors.detectors.tracks import Track
from schemas.columns import Float32
from schemas.signals import SIGNAL

ROBOTS, JOINTS = 12, 5
DAY = nature.EPOCHS_A_DAY


def days(fleet: Fleet, effects: Effects, epochs: int = DAY) -> Float32:
    """Epochs × robots × tracks."""
    return np.array([fleet.step(effects) for _ in range(epochs)])


@pytest.fixture(scope="module")
def week() -> tuple[Fleet, Float32]:
    fleet = Fleet(ROBOTS, JOINTS, seed=7)
    return fleet, days(fleet, healthy(ROBOTS, JOINTS), 7 * DAY)


def test_the_same_seed_is_the_same_fleet():
    one, again = (days(Fleet(4, 2, seed=3), healthy(4, 2), 50) for _ in range(2))
    np.testing.assert_array_equal(one, again)


def test_another_squad_is_other_robots_of_the_same_model():
    one, other = Fleet(4, 2, seed=3), Fleet(4, 2, seed=3, squad=1)
    assert not np.allclose(one.joints.parts.friction_nm, other.joints.parts.friction_nm)
    np.testing.assert_array_equal(one.joints.parts.load_nm[0], other.joints.parts.load_nm[0])


def test_every_value_is_possible(week):
    fleet, values = week
    for track, series in zip(fleet.lines.tracks, values.reshape(-1, len(fleet.lines.tracks)).T, strict=True):
        there = series[~np.isnan(series)]
        assert len(there)
        assert there.min() >= SIGNAL[track.signal].low, track
        assert there.max() <= SIGNAL[track.signal].high, track


def test_a_robot_that_is_switched_off_says_nothing_and_others_stand(week):
    fleet, values = week
    absent = np.isnan(values).all(axis=2).mean(axis=0)
    at_night = fleet.own.shifts < 3
    off = (fleet.own.switched_off == 1) & at_night
    assert (absent[off] > 0.05).all()
    assert (absent[fleet.own.switched_off == 0] < 5 * nature.OFFLINE_SHARE).all()


def test_work_scatters_as_the_recordings_do(week):
    """In a working epoch against the one before: the UR3's ten minutes scatter by 2 to 12 %, by joint."""
    fleet, values = week
    speed = values[:, :, fleet.lines.joint_signal("joint_velocity_rad_s")]
    current = values[:, :, fleet.lines.joint_signal("joint_current_a")]
    work = speed > 0.8 * np.nanquantile(speed, 0.9, axis=0)
    change = np.where(work[1:] & work[:-1], np.log(current[1:] / current[:-1]), np.nan)
    scatter = 1.4826 * np.nanmedian(np.abs(change), axis=0) / np.sqrt(2)
    assert 0.01 < np.median(scatter) < 0.12


def test_a_joint_warms_up_with_its_lag():
    fleet = Fleet(40, JOINTS, seed=1)
    places = fleet.lines.joint_signal("joint_temperature_c")
    values = days(fleet, healthy(40, JOINTS), 4 * DAY)
    speed = values[:, :, fleet.lines.joint_signal("joint_velocity_rad_s")]
    begun = (speed[1:-9] > 0.3) & (speed[:-10] == 0)
    rise = [np.nanmean((values[k : len(values) - 9 + k, :, places][:-1])[begun]) for k in (0, 1, 3, 9)]
    assert rise[0] < rise[1] < rise[2] < rise[3] + 1
    assert rise[2] - rise[0] > 3


def test_a_stuck_sensor_repeats_what_it_said_first():
    effects = healthy(ROBOTS, JOINTS)
    effects.stuck.append((2, Track("joint_current_a", 3)))
    fleet = Fleet(ROBOTS, JOINTS, seed=7)
    series = days(fleet, effects)[:, 2, fleet.lines.at[Track("joint_current_a", 3)]]
    assert len(np.unique(series[~np.isnan(series)])) == 1


@pytest.mark.parametrize(("mean", "width", "expected"), [
    (20.3, 0.2, 20.0), (20.5, 0.2, 20.5), (20.5, 4.0, 20.5), (20.45, 0.2, 20.25), (-3.7, 0.1, -4.0),
])  # fmt: skip
def test_readings_of_whole_degrees_have_the_mean_that_counting_gives(mean: float, width: float, expected: float):
    one = np.ones(1, np.float32)
    found = rounded_mean(mean * one, width * one, one)
    assert found[0] == pytest.approx(expected, abs=1e-4)
    counted = np.round(np.linspace(mean - width / 2, mean + width / 2, 100_001)).mean()
    assert found[0] == pytest.approx(counted, abs=1e-3)
