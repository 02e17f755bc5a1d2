"""Step: a sudden lasting change of a track's level or of its scatter, up or down.

In: residuals (robots × tracks), their means over the fast span, and the state. Out: the state and a Mark. Called by
`processors/detectors/watch.py` after drift. Down matters: a part that was swapped without a word is better than the
old one. The fast mean is held against a slow one, and the logarithm of the mean of squared differences against what
it was in health; both in standard deviations learned in commissioning.
"""

import numpy as np

from processors.detectors.arrays import Arrays, Field, Mark, clipped, marked, sides, smoothed, weight
from processors.detectors.baseline import Lesson, Residual
from processors.detectors.tracks import Wiring
from processors.detectors.tuning import Tuning
from schemas.columns import Float32

FIELDS = {
    "reference": Field("<f2", 0),
    "apart_variance": Field("<f2", 0),
    "apart_peak": Field("<f2", 0),
    "previous": Field("<f2", np.nan),
    "rough": Field("<f2", 1),
    "rough_mean": Field("<f2", 0),
    "rough_variance": Field("<f2", 0),
    "rough_peak": Field("<f2", 0),
    "stepped": Field("?", 0),
}

_BOUND = np.float32(8)  # of residuals, in standard deviations
_FAR = np.float32(4)  # of differences, in what is usual for them: one spike is no scatter
_HELD = np.float32(0.1)
_LEAST = np.float32(0.05)  # what is taken for a standard deviation of either statistic at least
_ROUGH = np.float32(2.2 / 4.5)  # of a known signal: three times its scatter
_MOST = np.float32(1.4)  # thresholds
_STILL = np.float32(1e-6)  # of squared differences: what stands still is far below health, not infinitely far
_ANY = np.float32(100)


def step(state: Arrays, residual: Residual, wiring: Wiring, tuning: Tuning) -> tuple[Arrays, Mark]:
    """Judge one epoch, then learn from it. `state` holds drift's means after this epoch."""
    # What it is held against hardly moves while it is flagged: what lasts stays so, what does not ends cleanly.
    pace = np.where(state["stepped"], _HELD * weight(tuning.slow), weight(tuning.slow))
    bound, least, roughest = _floors(residual.material, tuning)
    reference = smoothed(state["reference"], clipped(residual.z, bound), pace)
    # Back where it was in commissioning it is over, whatever the level was when it began.
    back = state["stepped"] & (np.abs(state["fast"]) < np.maximum(np.sqrt(state["fast_variance"]), _LEAST))
    reference = np.where(back, state["fast"], reference)
    apart: Float32 = state["fast"] - reference
    usual = np.maximum(np.sqrt(state["apart_variance"]), least)
    level = np.asarray(np.abs(apart) / usual, np.float32)
    unit: Float32 = np.maximum(np.sqrt(state["rough_variance"]), np.where(wiring.known, _ROUGH, _LEAST))
    threshold = np.maximum(np.float32(tuning.scatter_threshold), tuning.guard * state["rough_peak"])
    rough, strayed = _roughness(state, residual, _MOST * threshold * unit, tuning)
    # Only more scatter says something: there is less at rest, and what is stuck is the sensor's business.
    matters = (strayed > 0) & (rough >= roughest)
    scatter: Float32 = np.where(matters, strayed / unit, np.float32(0))
    of_level = level / np.maximum(np.float32(tuning.step_threshold), tuning.guard * state["apart_peak"])
    of_scatter = scatter / threshold
    present = np.where(np.isnan(residual.z), state["previous"], residual.z)
    state = state | {"previous": present, "rough": rough, "reference": reference}
    if residual.lesson:
        state |= _learned(state, apart, level, strayed, scatter, residual.lesson)
    highest = np.where(np.isnan(residual.z), residual.z, np.maximum(of_level, of_scatter))
    score, flag = marked(highest, 1.0, state["stepped"], tuning.release)
    flag &= ~residual.learning
    state["stepped"] = flag
    return state, Mark(score, flag, sides(np.where(of_level >= of_scatter, apart, strayed)))


_Floor = Float32 | np.float32


def _floors(material: Float32 | None, tuning: Tuning) -> tuple[_Floor, _Floor, _Floor]:
    """What residuals are bounded by, the least unit of a step, and the least mean square difference that counts."""
    if material is None:
        return _BOUND, _LEAST, np.float32(0)
    least = np.maximum(_LEAST, material * np.float32(tuning.step_material / tuning.step_threshold))
    return np.maximum(_BOUND, 2 * material), least, np.square(np.float32(tuning.scatter_material) * material)


def _roughness(state: Arrays, residual: Residual, most: Float32, tuning: Tuning) -> tuple[Float32, Float32]:
    """The mean of squared differences from one epoch to the next, and how far its logarithm strayed from health: no
    farther than `most`, so that it is back soon after what raised it is over.
    """
    mean = state["rough_mean"]
    farthest = _FAR * np.exp(mean / 2)
    if residual.some_learn:
        farthest = np.where(residual.learning, _ANY, farthest)
        most = np.where(residual.learning, _ANY, most)
    difference = clipped(residual.z - state["previous"], farthest)
    rough = smoothed(state["rough"], difference * difference, weight(tuning.scatter))
    strayed = clipped(np.log(np.maximum(rough, _STILL)) - mean, most)
    return np.exp(strayed + mean), strayed


def _learned(
    state: Arrays, apart: Float32, level: Float32, strayed: Float32, scatter: Float32, lesson: Lesson
) -> Arrays:
    """How far both stray in health. Peaks count once the scatter is known a little."""
    variance = state["rough_variance"]
    return {
        "apart_variance": lesson.variance(state["apart_variance"], apart * apart),
        "apart_peak": lesson.peak(state["apart_peak"], level),
        "rough_mean": state["rough_mean"] + lesson.share * lesson.bounded(strayed, variance),
        "rough_variance": lesson.variance(variance, strayed * strayed),
        "rough_peak": lesson.peak(state["rough_peak"], scatter),
    }
