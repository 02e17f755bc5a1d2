"""Matching: what is compared, when, and against which contexts."""

import numpy as np
import pytest

from processors.detectors import matched
from processors.detectors.arrays import Arrays
from processors.detectors.matched import Matched
from processors.detectors.tracks import Track, Wiring, wiring
from schemas.columns import Float32

AMBIENT = Track("ambient_temperature_c", 0)
SPEED, CURRENT, WINDING, SHAKING = (
    "joint_velocity_rad_s", "joint_current_a", "joint_temperature_c", "joint_vibration_mm_s"
)  # fmt: skip
TRACKS = (*(Track(name, joint) for joint in (1, 2) for name in (SPEED, CURRENT, WINDING, SHAKING)), AMBIENT)
WORK = [1.0, 4.0, 40.0, 2.0]
REST = [0.0, 1.0, 30.0, 0.1]
WIRES = wiring(TRACKS)


def row(*joints: list[float], ambient: float = 20.0) -> Float32:
    return np.array([[*joints[0], *joints[1], ambient]], np.float32)


def fresh(wires: Wiring = WIRES, tracks: int = len(TRACKS)) -> Arrays:
    return {name: np.full((1, tracks), field.initial, field.kind) for name, field in matched.FIELDS.items()}


def after(*rows: Float32) -> Matched:
    """What is compared of the last row."""
    state = fresh()
    for values in rows:
        state, found = matched.step(state, values, WIRES)
    return found


def at(track: Track) -> int:
    return TRACKS.index(track)


def test_what_nobody_knows_is_compared_as_it_is() -> None:
    wires, value = wiring((Track("pressure", 0),)), np.float32([[3.0]])
    _, found = matched.step(fresh(wires, 1), value, wires)
    assert found == Matched(value, None, None)


def test_what_scatters_by_a_share_of_itself_is_compared_as_a_logarithm() -> None:
    found = after(*[row(WORK, WORK)] * 3)
    assert found.value[0, at(Track(SHAKING, 1))] == pytest.approx(np.log(2), rel=1e-5)
    assert found.value[0, at(Track(WINDING, 1))] == 40


def test_what_is_not_above_zero_has_no_logarithm_and_is_absent() -> None:
    found = after(*[row(WORK, WORK)] * 2, row(WORK, [1.0, 0.0, 40.0, 2.0]))
    assert np.isnan(found.value[0, at(Track(CURRENT, 2))])
    assert not np.isnan(found.value[0, at(Track(CURRENT, 1))])


def test_a_robot_at_rest_is_compared_by_its_temperatures_alone() -> None:
    found = after(*[row(WORK, WORK)] * 5, row(REST, REST))
    assert np.isnan(found.value[0, [at(Track(SHAKING, 1)), at(Track(CURRENT, 2))]]).all()
    assert found.value[0, at(Track(WINDING, 1))] == 30


def test_the_first_epoch_of_work_is_a_part_of_one_and_left_out() -> None:
    work, rest = row(WORK, WORK), row(REST, REST)
    place = at(Track(SHAKING, 1))
    assert np.isnan(after(work, work, rest, rest, work).value[0, place])
    assert not np.isnan(after(work, work, rest, rest, work, work).value[0, place])


def test_one_joint_that_stands_while_the_others_work_is_compared() -> None:
    """A program may leave a joint at rest; the robot works all the same."""
    fleet = wiring((*(Track(SPEED, joint) for joint in range(1, 11)), Track(SHAKING, 1), Track(CURRENT, 1)))
    state, value = fresh(fleet, 12), np.ones((1, 12), np.float32)
    for _ in range(3):
        state, _ = matched.step(state, value, fleet)
    value[0, 0] = 0.1
    _, found = matched.step(state, value, fleet)
    assert not np.isnan(found.value[0, 10])


def test_a_robot_that_is_slower_for_good_is_compared_again_some_day() -> None:
    state, slow = fresh(), row([0.6, *WORK[1:]], [0.6, *WORK[1:]])
    for values in [row(WORK, WORK)] * 50 + [slow] * 50:
        state, found = matched.step(state, values, WIRES)
    assert np.isnan(found.value[0, at(Track(SHAKING, 1))])
    for _ in range(1000):
        state, found = matched.step(state, slow, WIRES)
    assert not np.isnan(found.value[0, at(Track(SHAKING, 1))])


def test_a_winding_is_held_against_the_heat_that_its_current_has_left() -> None:
    place = at(Track(WINDING, 1))
    state, heats = fresh(), []
    for values in [row(REST, REST)] * 3 + [row(WORK, WORK)] * 20 + [row(REST, REST)] * 20:
        state, found = matched.step(state, values, WIRES)
        assert found.first is not None
        assert found.second is not None
        heats.append(float(found.first[0, place]))
        assert found.second[0, place] == 20
    assert heats[2] == pytest.approx(1)
    assert heats[3] == pytest.approx(1 + 15 / 4)  # a quarter of the way to 16 A² in the first epoch
    assert heats[22] == pytest.approx(16, rel=0.01)
    assert heats[-1] == pytest.approx(1, rel=0.1)


def test_an_epoch_that_is_absent_changes_nothing_but_lets_heat_go() -> None:
    state = fresh()
    for values in [row(WORK, WORK)] * 5:
        state, _ = matched.step(state, values, WIRES)
    gone, found = matched.step(state, np.full((1, len(TRACKS)), np.nan, np.float32), WIRES)
    assert np.isnan(found.value).all()
    for name in ("usual", "worked"):
        np.testing.assert_array_equal(gone[name], state[name])
    assert (gone["heat"][0, at(Track(WINDING, 1))]) < state["heat"][0, at(Track(WINDING, 1))]
