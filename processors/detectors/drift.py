"""Drift: a level that leaves its baseline slowly, by a two-sided CUSUM (Page 1954).

In: residuals (robots × tracks) and the state. Out: the state and a Mark. Called by `processors/detectors/watch.py`.

A CUSUM's false alarm rate is known for independent values; a robot's hours are not independent. So residuals are
divided by their long-run scatter, learned in commissioning: that of means over a fast and a slow span, scaled up as
if values were independent; the worse one counts. One wrong reading cannot make an alarm: residuals are clipped.
"""

import numpy as np

from processors.detectors.arrays import ZERO, Arrays, Bools, Field, Mark, clipped, marked, smoothed, weight
from processors.detectors.baseline import Residual
from processors.detectors.tuning import Tuning
from schemas.columns import Float32

# Means of the residual over the fast and the slow span (the step detector reads them too), their variance in
# health; the sums upwards and downwards, the highest of them in health, and where it is flagged.
FIELDS = {
    "fast": Field("<f2", 0),
    "slow": Field("<f2", 0),
    "fast_variance": Field("<f2", 0),
    "slow_variance": Field("<f2", 0),
    "rising": Field("<f2", 0),
    "falling": Field("<f2", 0),
    "drift_peak": Field("<f2", 0),
    "drifting": Field("?", 0),
}

_CLIP = np.float32(4)
_BACK = np.float32(1)  # standard deviations of the fast mean in health


def step(state: Arrays, residual: Residual, tuning: Tuning) -> tuple[Arrays, Mark, Float32]:
    """Judge one epoch, then learn from it. Last comes the lasting residual that is found within the slow span."""
    z = residual.z
    scatter = long_run(state, tuning)
    most: Float32 | np.float32 = 2 * _CLIP
    if residual.material is not None:
        scatter = np.maximum(scatter, np.float32(tuning.drift_material) * residual.material)
        most = np.maximum(most, 2 * residual.material)
    bounded = clipped(z, most)
    fast = smoothed(state["fast"], bounded, weight(tuning.fast))
    slow = smoothed(state["slow"], bounded, weight(tuning.slow))
    steps = clipped(bounded / scatter, _CLIP)
    threshold = np.maximum(np.float32(tuning.drift_threshold), tuning.guard * state["drift_peak"])
    highest_sum = 2 * threshold
    back = state["drifting"] & (np.abs(fast) < _BACK * scatter * np.float32(tuning.fast**-0.5))
    rising = _sum(state["rising"], steps, highest_sum, back, tuning)
    falling = _sum(state["falling"], -steps, highest_sum, back, tuning)
    highest = np.maximum(rising, falling)
    state = state | {"fast": fast, "slow": slow, "rising": rising, "falling": falling}
    if residual.lesson:
        lesson = residual.lesson
        state["fast_variance"] = lesson.variance(state["fast_variance"], fast * fast)
        state["slow_variance"] = lesson.variance(state["slow_variance"], slow * slow)
        state["drift_peak"] = lesson.peak(state["drift_peak"], highest)
    score, flag = marked(
        np.where(np.isnan(z), np.float32(np.nan), highest), threshold, state["drifting"], tuning.release
    )
    flag &= ~residual.learning
    state["drifting"] = flag
    found_within = np.float32(tuning.drift_slack + tuning.drift_threshold / tuning.slow)
    return state, Mark(score, flag, np.where(rising >= falling, np.int8(1), np.int8(-1))), scatter * found_within


def _sum(before: Float32, steps: Float32, most: Float32, back: Bools, tuning: Tuning) -> Float32:
    """One side's sum: bounded, and anew once the fast mean is back where it was in health."""
    after = np.minimum(np.maximum(before + steps - np.float32(tuning.drift_slack), ZERO), most)
    return np.where(back, ZERO, np.where(np.isnan(after), before, after))


def long_run(state: Arrays, tuning: Tuning) -> Float32:
    """The residual's long-run standard deviation: 1 where values are independent."""
    fast = state["fast_variance"] * np.float32(tuning.fast)
    slow = state["slow_variance"] * np.float32(tuning.slow)
    scatter: Float32 = np.sqrt(np.maximum(np.maximum(fast, slow), np.float32(1)))
    return scatter
