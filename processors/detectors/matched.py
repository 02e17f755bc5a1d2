"""Matching: what a value and its contexts are compared as, so that they mean the same at every load.

In: an epoch's values (robots × tracks) and the state. Out: the state, the values as they are judged, and two
contexts of each track. Called by `processors/detectors/watch.py` before `baseline.py`.

A joint that stands says nothing of its gears, so what depends on work is judged only while the robot works: its
joints move on average nearly as fast as usual, in this epoch and in the one before (a part of an epoch is no load
that compares). Current, torque, vibration and tracking error scatter by a share of themselves: they are judged as
logarithms. A winding warms by the square of its current, half an hour later. What the table does not know is judged
as it is.
"""

from typing import NamedTuple

import numpy as np

from processors.detectors.arrays import ONE, Arrays, Bools, Field
from processors.detectors.tracks import Wiring
from schemas.columns import Float32

# At the place of a joint's speed: what it usually is at work. Of a robot, at the places of all of its tracks:
# whether it worked in the epoch before. The heat that a track's current has left.
FIELDS = {
    "usual": Field("<f4", 0),
    "worked": Field("?", 0),
    "heat": Field("<f4", np.nan),
}

_WORKING = np.float32(0.85)  # of the usual speed, over all joints
_MOVING = np.float32(0.7)  # from here on it teaches what is usual
_PACE = np.float32(0.02)
_FADING = np.float32(0.9995)  # an epoch: a robot that is slower for good is judged again after a week


class Matched(NamedTuple):
    """`value` as it is judged; `first` and `second` contexts, 0 where a track has none."""

    value: Float32
    first: Float32 | None
    second: Float32 | None


def step(state: Arrays, value: Float32, wiring: Wiring) -> tuple[Arrays, Matched]:
    """One epoch. NaN: absent, or not comparable."""
    if not wiring.any_known:
        return state, Matched(value, None, None)
    state, open_ = _at_work(state, value, wiring)
    logarithm = np.log(np.where(value > 0, value, np.float32(np.nan)))
    judged = np.where(wiring.logarithmic, logarithm, value)
    judged = np.where(wiring.at_work & ~open_[:, None], np.float32(np.nan), judged)
    padded = np.concatenate([judged, np.zeros((len(value), 1), np.float32)], axis=1)
    first, second = padded[:, wiring.context[0]], padded[:, wiring.context[1]]
    driven = value[:, wiring.heated_by]
    before = np.where(np.isnan(state["heat"]), driven * driven, state["heat"])
    heat = before + wiring.pace * (np.where(np.isnan(driven), np.float32(0), driven * driven) - before)
    state["heat"] = heat
    first = np.where(wiring.heated, np.where(np.isnan(driven), driven, heat), first)
    return state, Matched(judged, first, second)


def _at_work(state: Arrays, value: Float32, wiring: Wiring) -> tuple[Arrays, Bools]:
    """Which robots work, as in the epoch before."""
    speed, usual = value[:, wiring.speeds], state["usual"][:, wiring.speeds]
    here = ~np.isnan(speed)
    moving = here & (usual > 0)
    activity = np.where(moving, speed / np.where(usual > 0, usual, ONE), np.float32(0)).sum(axis=1)
    activity = activity / np.maximum(moving.sum(axis=1), 1)
    works = activity > _WORKING
    learned = np.where((activity > _MOVING)[:, None], usual + _PACE * (speed - usual), usual * _FADING)
    learned = np.where(speed > 2 * usual, speed, learned)
    all_usual = state["usual"].copy()
    all_usual[:, wiring.speeds] = np.where(here, learned, usual)
    before = state["worked"][:, 0]
    there = here.any(axis=1)
    after = np.where(there, works, before)
    worked = np.broadcast_to(after[:, None], value.shape)
    return state | {"usual": all_usual, "worked": worked}, works & before
