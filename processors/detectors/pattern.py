"""Pattern: all signals of a component together have moved in a way that none shows alone.

In: the fast means of residuals (robots × tracks) and the state. Out: the state and a Mark. Called by
`processors/detectors/watch.py`. The distance is Mahalanobis' (Hotelling's T² of exponential means: Lowry et al.
1992), with the covariance of all robots and all components of one kind, shrunk towards none. Its logarithm is held
against what it was in health, learned in commissioning.
"""

from typing import NamedTuple

import numpy as np

from processors.detectors.arrays import ONE, Arrays, Bools, Field, Mark, known, marked
from processors.detectors.baseline import Lesson, Residual
from processors.detectors.tracks import Wiring
from processors.detectors.tuning import Tuning
from schemas.columns import Float32, Int64

# A component's figures are kept at the place of its first track.
FIELDS = {
    "distance_mean": Field("<f2", 0),
    "distance_variance": Field("<f2", 0),
    "distance_peak": Field("<f2", 0),
    "out_of_pattern": Field("?", 0),
}

_SHRUNK = 0.02
_LEAST = np.float32(0.05)
_TINY = np.float32(1e-6)
_MANY = 4  # joints from which on their mean says something of the robot


class Covariance(NamedTuple):
    """Of the signals of one kind of component: how many lessons it has had, itself, and its inverse, shrunk."""

    lessons: int
    products: Float32
    inverse: Float32


def nothing(signals: int) -> Covariance:
    """Before the first lesson."""
    return Covariance(0, np.zeros((signals, signals), np.float32), np.eye(signals, dtype=np.float32))


def covariance(lessons: int, products: Float32) -> Covariance:
    """With its inverse: shrunk a little towards independence, so that it has one."""
    own = np.diag(np.diag(products) + 1e-6)
    inverse = np.linalg.inv((1 - _SHRUNK) * products + _SHRUNK * own)
    return Covariance(lessons, products.astype(np.float32), inverse.astype(np.float32))


def step(
    state: Arrays, kinds: tuple[Covariance, ...], residual: Residual, wiring: Wiring, tuning: Tuning
) -> tuple[Arrays, tuple[Covariance, ...], Mark]:
    """Judge one epoch, then learn from it. `kinds`: one for each group of `wiring`. `state` holds drift's means
    after this epoch.
    """
    shape = residual.z.shape
    score, flag = np.full(shape, np.nan, np.float32), np.zeros(shape, bool)
    state = state | {name: state[name].copy() for name in FIELDS}
    after = []
    for places, kind in zip(wiring.groups, kinds, strict=True):
        first = places[:, 0]
        means = state["fast"][:, places]
        matters = _matters(state["slow"][:, places], residual.scale[:, places], wiring.material[places])
        present: Bools = np.logical_and.reduce(~np.isnan(residual.z[:, places]), axis=2)
        squared: Float32 = np.einsum("rcp,pq,rcq->rc", means, kind.inverse, means)
        logarithm = np.where(present, np.log(np.maximum(squared, np.float32(1e-6))), np.float32(np.nan))
        found, active = _judged(state, first, logarithm, matters, residual, wiring, tuning)
        score[:, places], flag[:, places] = found[:, :, None], active[:, :, None]
        after.append(_taught(kind, means, residual.lesson, first, present) if residual.lesson else kind)
    if wiring.whole >= 0:
        score[:, wiring.whole], flag[:, wiring.whole] = _of_robots(state, residual, wiring, tuning)
    return state, tuple(after), Mark(score, flag, np.zeros(shape, np.int8))


def _of_robots(state: Arrays, residual: Residual, wiring: Wiring, tuning: Tuning) -> tuple[Float32, Bools]:
    """What all joints of a robot have in common: of each signal the mean lasting change."""
    most = np.zeros(len(residual.z), np.float32)
    for places in wiring.groups:
        material = wiring.material[places]
        if len(places) >= _MANY and material.all():
            changes = state["slow"][:, places] * residual.scale[:, places] / material
            counted = ~residual.learning[:, places]
            together = np.where(counted, changes, np.float32(0)).sum(axis=1)
            means = together / np.maximum(counted.sum(axis=1), _MANY).astype(np.float32)
            most = np.maximum(most, np.abs(means).max(axis=1))
    score, flag = marked(most, tuning.pattern_whole, state["out_of_pattern"][:, wiring.whole], tuning.release)
    state["out_of_pattern"][:, wiring.whole] = flag
    return score, flag


def _matters(slow: Float32, scale: Float32, material: Float32) -> Float32:
    """The lasting change of all signals together, over what is material; infinite where nothing is said of that."""
    if not material.any():
        return np.full(slow.shape[:2], np.inf, np.float32)
    changes = np.where(material > 0, slow * scale / np.where(material > 0, material, ONE), np.float32(0))
    return np.asarray(np.sqrt((changes * changes).sum(axis=2)))


def _judged(
    state: Arrays,
    first: Int64,
    logarithm: Float32,
    matters: Float32,
    residual: Residual,
    wiring: Wiring,
    tuning: Tuning,
) -> tuple[Float32, Bools]:
    """Score and flag, robots × components; what is learned is written into `state`, which is the caller's own."""
    strayed: Float32 = logarithm - state["distance_mean"][:, first]
    deviations: Float32 = strayed / np.maximum(np.sqrt(state["distance_variance"][:, first]), _LEAST)
    threshold = np.maximum(np.float32(tuning.pattern_threshold), tuning.guard * state["distance_peak"][:, first])
    was = state["out_of_pattern"][:, first]
    least = np.where(was, np.float32(tuning.release * tuning.pattern_material), np.float32(tuning.pattern_material))
    share = np.minimum(deviations / threshold, matters / least)
    # What lasts goes on until the lasting changes are back, however the newest epochs scatter.
    share = np.where(was & (matters >= least) & np.isfinite(matters), np.maximum(share, ONE), share)
    found, active = marked(share, 1.0, was, tuning.release)
    active &= ~residual.learning[:, first]
    state["out_of_pattern"][:, first] = active
    if residual.lesson:
        _learn(state, first, strayed, deviations, _later(residual.lesson, first, wiring, tuning))
    return np.maximum(found, 0), active


def _later(lesson: Lesson, first: Int64, wiring: Wiring, tuning: Tuning) -> Lesson:
    """The lessons of the last quarter of commissioning: before, the covariance is not known well enough."""
    share = lesson.share[:, first]
    lessons = np.where(wiring.known[first], np.float32(tuning.least_values), np.float32(tuning.commissioning)) / 2
    late = ONE / np.maximum(share, _TINY) - lessons / 2
    taught = (share > 0) & (late > 0)
    known = lesson.known[:, first] & (late > lessons / 8)
    later = np.where(taught, ONE / np.maximum(late, ONE), np.float32(0))
    return Lesson(later, known, lesson.most[:, first])


def _learn(state: Arrays, first: Int64, strayed: Float32, deviations: Float32, lesson: Lesson) -> None:
    mean, variance, peak = (
        state[name][:, first] for name in ("distance_mean", "distance_variance", "distance_peak")
    )
    state["distance_mean"][:, first] = mean + lesson.share * lesson.bounded(known(strayed), variance)
    state["distance_variance"][:, first] = lesson.variance(variance, known(strayed * strayed))
    state["distance_peak"][:, first] = np.where(lesson.known, np.fmax(peak, deviations), peak)


def _taught(kind: Covariance, means: Float32, lesson: Lesson, first: Int64, present: Bools) -> Covariance:
    taught = means[(lesson.share[:, first] > 0) & present]
    if not len(taught):
        return kind
    lessons = kind.lessons + len(taught)
    share = np.float32(len(taught) / lessons)
    if not lesson.any_known:
        # A rolling baseline learns slowly, and must not learn a fault.
        squared = np.einsum("np,pq,nq->n", taught, kind.inverse, taught)
        taught = taught * np.sqrt(np.minimum(ONE, 4 * taught.shape[1] / np.maximum(squared, _TINY)))[:, None]
        share = min(share, lesson.share.max())
    newest: Float32 = (taught.T @ taught) / np.float32(len(taught))
    return covariance(lessons, kind.products + share * (newest - kind.products))
