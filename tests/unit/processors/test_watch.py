"""The slow detectors: what each finds, and that they never look ahead, nor take absence for anything."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.detectors.tracks import Track, wiring
from processors.detectors.tuning import Tuning, commissioned, rolling
from processors.detectors.watch import EPOCH_US, Marks, Seen, Watch, WatchState
from processors.findings import DRIFT, PATTERN, PEER, SENSOR, STEP
from schemas.columns import Float32

COMMISSIONING = 400
TUNING = Tuning(commissioning=COMMISSIONING)
ONE = (Track("level", 0),)
OF_A_JOINT = tuple(
    Track(name, 1)
    for name in ("joint_velocity_rad_s", "joint_torque_nm", "joint_current_a", "joint_vibration_mm_s")
)


def noise(epochs: int, tracks: int = 1, robots: int = 1, seed: int = 1) -> Float32:
    """Epochs × robots × tracks."""
    return np.random.default_rng(seed).normal(size=(epochs, robots, tracks)).astype(np.float32)


def run(
    values: Float32, tracks: tuple[Track, ...] = ONE, tuning: Tuning = TUNING, peers: bool = False
) -> tuple[WatchState, list[Marks]]:
    watch = Watch(tracks, tuning)
    state, told = watch.empty(values.shape[1]), []
    models = np.zeros(values.shape[1], np.int64) if peers else None
    for number, value in enumerate(values):
        state, marks = watch.step(state, Seen(number * EPOCH_US, value, models))
        told.append(marks)
    return state, told


def flagged(told: list[Marks], rule: str) -> list[int]:
    """The epochs in which anything is flagged."""
    return [epoch for epoch, marks in enumerate(told) if marks.flag[rule].any()]


def test_what_stays_as_it_was_is_never_flagged() -> None:
    _, told = run(noise(4000))
    assert [flagged(told, rule) for rule in (DRIFT, STEP, SENSOR)] == [[], [], []]


@pytest.mark.parametrize("side", [1, -1])
def test_a_level_that_leaves_its_baseline_is_drift_until_it_is_back(side: int) -> None:
    values = noise(1200)
    values[600:800] += side * 1.5
    _, told = run(values)
    found = flagged(told, DRIFT)
    assert 600 < found[0] < 640
    assert 800 <= found[-1] < 830
    assert told[found[0]].by_rule[DRIFT].side[0, 0] == side


def test_a_sudden_change_that_lasts_is_a_step_for_days() -> None:
    values = noise(1200)
    values[600:] -= 6
    _, told = run(values)
    found = flagged(told, STEP)
    assert 600 < found[0] < 615
    assert len(found) > 2 * 144
    assert told[found[0]].by_rule[STEP].side[0, 0] == -1


def test_more_scatter_is_a_step_and_less_is_not() -> None:
    values = noise(1200)
    values[600:800] *= 5
    values[1000:] *= 0.1
    found = flagged(run(values)[1], STEP)
    assert 600 < found[0] < 660
    assert found[-1] < 860


def test_a_value_that_stands_still_is_the_sensors() -> None:
    values = noise(1000)
    values[600:700] = values[600]
    found = flagged(run(values)[1], SENSOR)
    assert 600 < found[0] <= 600 + TUNING.stuck_epochs + 2
    assert found[-1] == 699


def test_a_signal_that_came_always_and_is_missing_is_the_sensors() -> None:
    values = noise(1000)
    values[600:700] = np.nan
    found = flagged(run(values)[1], SENSOR)
    assert (found[0], found[-1]) == (600 + TUNING.missing_epochs - 1, 699)


def test_one_reading_far_off_is_the_sensors_alone() -> None:
    values = noise(1000)
    values[700] = 40
    _, told = run(values)
    assert [flagged(told, rule) for rule in (DRIFT, STEP, SENSOR)] == [[], [], [700]]


def working(epochs: int, robots: int = 1, seed: int = 1) -> Float32:
    """A joint's speed, torque, current and vibration, each following the one before; epochs × robots × tracks."""
    told = np.exp(0.05 * noise(epochs, tracks=4, robots=robots, seed=seed))
    told[..., 1] *= 10 * told[..., 0]
    told[..., 2] *= 0.5 * told[..., 1]
    told[..., 3] *= 2 * told[..., 0]
    return told


def test_what_load_explains_is_no_drift_and_what_it_does_not_is() -> None:
    values = working(1600)
    values[1000:1200, :, 0] *= 1.2
    values[1000:1200, :, 1:] *= 1.5
    values[1000:1200, :, 3] /= 1.25
    assert [flagged(run(values, OF_A_JOINT)[1], rule) for rule in (DRIFT, STEP, SENSOR)] == [[], [], []]
    values[1300:, :, 2] *= 1.4
    assert 1300 < flagged(run(values, OF_A_JOINT)[1], DRIFT)[0] < 1340


def test_a_change_that_is_not_material_is_left_alone() -> None:
    values = working(1600)
    values[..., 3] = 2 * values[..., 0] * np.exp(0.01 * noise(1600, seed=3)[..., 0])
    values[1000:, :, 3] *= 1.15
    assert [flagged(run(values, OF_A_JOINT)[1], rule) for rule in (DRIFT, STEP)] == [[], []]


def test_a_robot_that_rests_is_not_compared_with_one_that_works() -> None:
    values = working(1600)
    for begin in range(300, 1500, 100):
        values[begin : begin + 40] = np.float32([0, 3, 1.5, 0.1])
    _, told = run(values, OF_A_JOINT)
    assert [flagged(told, rule) for rule in (DRIFT, STEP)] == [[], []]
    assert np.isnan(told[1310].z).all()
    assert not np.isnan(told[1390].z[0, 2:]).any()


def test_robots_of_one_model_learn_from_each_others_loads() -> None:
    """Each works at one load while it is commissioned; what the other loads do, the others have shown."""
    values = working(900, robots=8)
    loads = np.float32(1.3) ** np.arange(-4, 4, dtype=np.float32)
    values[..., 1:3] *= np.where(np.arange(900)[:, None, None] % 200 < 100, loads[:, None], 1)
    values[600:, :, 1:3] *= 1.8
    values[..., 3] = 0.2 * values[..., 2] * np.exp(0.02 * noise(900, robots=8, seed=3)[..., 0])
    _, told = run(values, OF_A_JOINT, peers=True)
    assert flagged(told, DRIFT) == []


def test_what_all_joints_of_a_robot_have_in_common_is_said_of_the_robot() -> None:
    """Each of them a little: none is told alone."""
    robot = (Track("ambient_temperature_c", 0),)
    tracks = (*(Track(track.signal, joint) for joint in range(1, 9) for track in OF_A_JOINT), *robot)
    joints = [working(1200, seed=joint) for joint in range(8)]
    values = np.concatenate([*joints, 20 + noise(1200, seed=9)], axis=2)
    values[800:, :, 3:-1:4] *= np.float32(1.17)
    _, told = run(values, tracks)
    where = {int(track) for marks in told for track in np.nonzero(marks.flag[PATTERN].any(axis=0))[0]}
    assert where == {len(tracks) - 1}
    assert [flagged(told, rule) for rule in (DRIFT, STEP, SENSOR)] == [[], [], []]


def test_an_evidence_is_told_in_the_signals_own_unit() -> None:
    values = working(1000)
    values[700:, :, 3] *= 2
    _, told = run(values, OF_A_JOINT)
    marks, value = told[-1], float(values[-1, 0, 3])
    expected = marks.expected(0, 3, value)
    assert expected == pytest.approx(value / 2, rel=0.2)
    assert expected < marks.threshold(0, 3, value, 1) < value
    assert marks.threshold(0, 3, value, -1) < expected


def test_two_signals_that_part_are_out_of_pattern_though_each_is_as_it_was() -> None:
    common = noise(1400)
    values = np.concatenate([common, common, common], axis=2) + 0.1 * noise(1400, tracks=3, seed=2)
    values[900:, :, 0] = noise(500, seed=3)[..., 0]
    _, told = run(values, tuple(Track(name, 0) for name in "abc"))
    assert [flagged(told, rule) for rule in (DRIFT, SENSOR)] == [[], []]
    assert 900 < flagged(told, PATTERN)[0] < 960


def test_a_joint_unlike_its_peers_is_told_and_a_whole_fleet_is_not() -> None:
    values = noise(1000, robots=32)
    values[600:] += 1.0
    assert flagged(run(values, peers=True)[1], PEER) == []
    values[700:, 3] += 3.0
    _, told = run(values, peers=True)
    assert {robot for marks in told for robot in np.nonzero(marks.flag[PEER].any(axis=1))[0].tolist()} == {3}


def test_a_joint_that_was_bad_from_new_is_unlike_its_peers_and_its_own_baseline_cannot_know() -> None:
    values = working(700, robots=32)
    values[..., 3] *= np.exp(0.2 * noise(1, robots=32, seed=5)[..., 0])
    values[:, 7, 3] *= 4
    _, told = run(values, OF_A_JOINT, peers=True)
    assert flagged(told, DRIFT) == []
    assert {int(robot) for marks in told for robot in np.nonzero(marks.flag[PEER].any(axis=1))[0]} == {7}


def test_too_few_peers_say_nothing() -> None:
    values = noise(1000, robots=8)
    values[600:, 3] += 3.0
    assert flagged(run(values, peers=True)[1], PEER) == []


def test_nothing_is_flagged_while_it_is_commissioned() -> None:
    values = noise(COMMISSIONING + 1)
    values[COMMISSIONING - 20 :] += 30
    assert not any(flag.any() for marks in run(values)[1][:-1] for flag in marks.flag.values())


def test_a_series_that_begins_constant_learns_all_the_same() -> None:
    values = noise(1200)
    values[:100] = 0
    assert flagged(run(values)[1], DRIFT) == []


def test_a_rolling_baseline_gets_used_to_what_stays() -> None:
    values = noise(6000)
    values[1000:] += 5
    found = flagged(run(values, tuning=rolling())[1], DRIFT)
    assert 1000 < found[0] < 1020
    assert found[-1] < 5000


FAULTS: list[Callable[[Float32, int], None]] = [
    lambda values, at: values[at:].__iadd__(4),
    lambda values, at: values[at:].__imul__(6),
    lambda values, at: values[at:].fill(np.nan),
    lambda values, at: values[at:].fill(0.5),
    lambda values, at: values[at : at + 1].fill(1e9),
]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(60, 140), st.sampled_from(FAULTS))
def test_the_future_never_changes_the_past(seed: int, at: int, fault: Callable[[Float32, int], None]) -> None:
    tuning = commissioned(50)
    tracks = tuple(Track(name, 0) for name in "ab")
    values = noise(160, tracks=2, robots=2, seed=seed)
    other = values.copy()
    fault(other, at)
    for before, after in zip(run(values, tracks, tuning)[1][:at], run(other, tracks, tuning)[1][:at], strict=True):
        for rule, score in before.score.items():
            np.testing.assert_array_equal(score, after.score[rule])


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(FAULTS))
def test_a_robot_is_judged_alone_as_among_others(seed: int, fault: Callable[[Float32, int], None]) -> None:
    values = noise(120, robots=3, seed=seed)
    fault(values[:, 1], 70)
    together, alone = run(values, tuning=commissioned(50))[1], run(values[:, :1], tuning=commissioned(50))[1]
    for rule in (DRIFT, STEP, SENSOR):
        for all_of_them, one in zip(together, alone, strict=True):
            np.testing.assert_array_equal(all_of_them.score[rule][:1], one.score[rule])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 0.9))
def test_absent_values_neither_raise_nor_end_a_finding_about_the_machine(seed: int, share: float) -> None:
    values = noise(900, seed=seed)
    values[np.random.default_rng(seed).random(900) < share] = np.nan
    _, told = run(values, tuning=commissioned(200))
    for before, after, value in zip(told, told[1:], values[1:], strict=False):
        if np.isnan(value).all():
            for rule in (DRIFT, STEP):
                np.testing.assert_array_equal(before.flag[rule], after.flag[rule])


def test_joints_are_one_kind_and_context_is_found_by_joint() -> None:
    names = ("joint_torque_nm", "joint_current_a", "joint_vibration_mm_s")
    wires = wiring(tuple(Track(name, joint) for joint in (1, 2) for name in names))
    assert wires.kinds == (("joint_current_a", "joint_vibration_mm_s"),)
    assert wires.groups[0].tolist() == [[1, 2], [4, 5]]
    assert wires.context.tolist() == [[-1, 0, -1, -1, 3, -1], [-1, -1, 1, -1, -1, 4]]


def test_a_signal_that_came_with_an_update_is_missed_as_soon_as_any_other() -> None:
    tracks = (Track("battery_current_a", 0), Track("battery_cell_spread_mv", 0))
    watch, rng, comes, goes = (
        Watch(tracks, Tuning(commissioning=200, least_values=100)),
        np.random.default_rng(1),
        400,
        800,
    )
    state, flagged = watch.empty(1), []
    for number in range(goes + 20):
        value = rng.normal(10, 1, (1, 2)).astype(np.float32)
        if not comes <= number < goes:
            value[0, 1] = np.nan
        state, marks = watch.step(state, Seen(number * EPOCH_US, value))
        flagged += [number] if marks.flag["sensor"][0, 1] else []
    assert flagged[:1] == [goes + Tuning().missing_epochs - 1]


def test_a_context_that_never_moved_explains_nothing_once_it_does() -> None:
    tracks = tuple(Track(f"joint_{name}", 1) for name in ("velocity_rad_s", "torque_nm", "current_a"))
    watch, rng = Watch(tracks, Tuning(commissioning=200, least_values=100)), np.random.default_rng(5)
    state = watch.empty(1)
    for number in range(330):
        torque = 5 * np.exp((1e-4 if number < 300 else 1.0) * rng.normal())
        value = np.array([[np.exp(0.02 * rng.normal()), torque, 3 * np.exp(0.2 * rng.normal())]], np.float32)
        state, marks = watch.step(state, Seen(number * EPOCH_US, value))
        assert not any(flag[0, 2] for flag in marks.flag.values())
