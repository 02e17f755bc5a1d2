"""The slow state of some robots: taken out, computed on, and put back."""

from dataclasses import replace

import numpy as np
import pytest

from processors import slow
from processors.detectors.tracks import Track
from processors.slow import Slow
from support.assess import robot

TRACKS = tuple(Track("joint_current_a", joint) for joint in range(1, 5))
WORN = (Track("joint_wear", 1),)
SOME = [[0, 1, 2], [2, 0, 1], [1], []]


def a_state() -> Slow:
    robots = np.array([robot(number).encode() for number in range(3)])
    state = slow.widened(slow.empty_slow(), np.sort(robots), TRACKS, WORN)
    for number, array in enumerate(state.arrays.values()):
        array[:] = np.arange(array.size).reshape(array.shape) % 2 + number % 2
    state.judged_us[:] = [5, 6, 7]
    return state


def packed(state: Slow) -> dict[int, bytes]:
    return slow.snapshots(state)


@pytest.mark.parametrize("rows", SOME)
@pytest.mark.parametrize("tracks", [TRACKS, TRACKS[1:3]])
def test_what_is_taken_out_and_put_back_changes_nothing(rows: list[int], tracks: tuple[Track, ...]) -> None:
    state, at = a_state(), np.array(rows, np.int64)
    some = slow.part(state, at, tracks)
    assert some.robots.tolist() == state.robots[at].tolist()
    assert packed(slow.with_part(state, at, some)) == packed(state)


@pytest.mark.parametrize("rows", SOME[:3])
@pytest.mark.parametrize("tracks", [TRACKS, TRACKS[1:3]])
def test_what_has_changed_is_put_back_where_it_was_and_the_state_before_stays(
    rows: list[int], tracks: tuple[Track, ...]
) -> None:
    state, at = a_state(), np.array(rows, np.int64)
    before = packed(state)
    some = slow.part(state, at, tracks)
    changed = {name: array + array.dtype.type(1) for name, array in some.arrays.items() if array.dtype != bool}
    some = replace(some, arrays=some.arrays | changed, judged_us=some.judged_us + 10)
    after = slow.with_part(state, at, some)
    assert after.judged_us.tolist() == [us + 10 * (row in rows) for row, us in enumerate([5, 6, 7])]
    among = [TRACKS.index(track) for track in tracks]
    for name, array in changed.items():
        assert after.arrays[name].dtype == state.arrays[name].dtype
        assert (after.arrays[name][np.ix_(at, among)] == array).all()
        others = np.ones(state.arrays[name].shape, bool)
        others[np.ix_(at, among)] = False
        assert (after.arrays[name][others] == state.arrays[name][others]).all()
    assert packed(state) == before
