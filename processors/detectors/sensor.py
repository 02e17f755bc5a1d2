"""Sensor: readings that say more about the sensor than about the machine: stuck, jumping, missing.

In: values and residuals (robots × tracks) and the state. Out: the state and a Mark. Called by
`processors/detectors/watch.py`. Each is held against what the commissioning time showed, since a coarse thermometer
repeats itself and some signals come seldom. A reading far from the last good one is a spike while it is alone; once
the third in a row is out there, it is a new level and no business of the sensor's.
"""

import numpy as np

from processors.detectors.arrays import Arrays, Field, Mark, clipped, known, marked, sides
from processors.detectors.baseline import Residual
from processors.detectors.tracks import Wiring
from processors.detectors.tuning import Tuning
from schemas.columns import Float32

# The last value, how many epochs it has not moved and has been absent, and the most in health of both; the last
# good residual, the spikes in a row since, the variance of differences and the farthest spike in health.
FIELDS = {
    "last": Field("<f4", np.nan),
    "still": Field("<f2", 0),
    "gone": Field("<f2", 0),
    "still_peak": Field("<f2", 0),
    "absent_peak": Field("<f2", 0),
    "good": Field("<f2", np.nan),
    "spikes": Field("i1", 0),
    "jump_variance": Field("<f2", 0),
    "jump_peak": Field("<f2", 0),
    "faulty": Field("?", 0),
}

_IN_A_ROW = 3
_CLIP = np.float32(6)


def step(state: Arrays, value: Float32, residual: Residual, wiring: Wiring, tuning: Tuning) -> tuple[Arrays, Mark]:
    """Judge one epoch, then learn from it."""
    here = ~np.isnan(value)
    still, gone, score = _still(state, value, here, residual, wiring, tuning)
    jump = residual.z - state["good"]
    scatter = np.maximum(np.sqrt(state["jump_variance"]), np.float32(0.05))
    if residual.material is not None:
        ratio = np.float32(tuning.spike_material / tuning.spike_threshold)
        scatter = np.maximum(scatter, residual.material * ratio)
    size = np.abs(jump) / scatter
    share_of = size / np.maximum(np.float32(tuning.spike_threshold), tuning.guard * state["jump_peak"])
    spike = share_of >= 1
    spikes = np.where(spike, state["spikes"] + np.int8(1), np.int8(0))
    settled = spikes >= _IN_A_ROW
    spikes = np.where(settled, np.int8(0), spikes)
    good = np.where((spike & ~settled) | np.isnan(residual.z), state["good"], residual.z)
    state = state | {
        "last": np.where(here, value, state["last"]),
        "still": still,
        "gone": gone,
        "good": good,
        "spikes": spikes,
    }
    if residual.lesson:
        lesson = residual.lesson
        kept = clipped(jump, _CLIP)
        most = np.maximum(lesson.most, np.square(state["jump_peak"]))
        state["jump_variance"] = lesson._replace(most=most).variance(state["jump_variance"], known(kept * kept))
        if lesson.any_known:
            peak = np.fmax(state["jump_peak"], size)
            state["jump_peak"] = np.where(lesson.known & ~spike, peak, state["jump_peak"])
    # A spike is told with its reading alone, and what is stuck or missing until it moves: no hysteresis.
    score, flag = marked(np.fmax(score, share_of), 1.0, np.zeros_like(here), tuning.release)
    flag &= ~residual.learning
    state["faulty"] = flag
    return state, Mark(score, flag, sides(jump))


def _still(
    state: Arrays, value: Float32, here: np.ndarray, residual: Residual, wiring: Wiring, tuning: Tuning
) -> tuple[Float32, Float32, Float32]:
    """For how long nothing has moved, and nothing has come; and that as a share of what would be a fault."""
    same = here & (value == state["last"])
    # What is absent for a while and comes back as it was has not moved.
    still = np.where(same, state["still"] + 1, np.where(here, np.float32(0), state["still"]))
    # What has never come is not missing: it may come with an update.
    gone = np.where(here | np.isnan(state["last"]), np.float32(0), state["gone"] + 1)
    # What never moved while it was commissioned may rest as long as it likes.
    varies = (state["variance"] > 0) & (np.isfinite(state["grain"]) | wiring.logarithmic)
    longest = 2 * state["still_peak"] + np.float32(tuning.stuck_epochs)
    if wiring.any_known:
        rests = np.float32(tuning.stuck_times) * state["still_peak"] + np.float32(2 * tuning.stuck_epochs)
        longest = np.where(wiring.known, rests, longest)
    stuck = np.where(varies, still / longest, np.float32(0))
    missing = gone / (2 * state["absent_peak"] + np.float32(tuning.missing_epochs))
    if residual.some_learn:
        state["still_peak"] = np.where(
            residual.learning, np.maximum(state["still_peak"], still), state["still_peak"]
        )
        state["absent_peak"] = np.where(
            residual.learning, np.maximum(state["absent_peak"], gone), state["absent_peak"]
        )
    return still, gone, np.maximum(stuck, missing)
