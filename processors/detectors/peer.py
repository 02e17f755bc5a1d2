"""Peer: a robot's joint against the same joint of its model's other robots.

In: the baselines and the means of residuals (robots × tracks), which robots are of one model, and the state. Out:
the state and a Mark. Called by `processors/detectors/watch.py`. Held against each other are levels at the load that
the peers have in the middle: of the baseline, with the lasting change since. So a part that was bad from its first
day shows, which no baseline of its own can know. By median and MAD, which a few sick robots do not move. What all
share (a heat wave, a release) moves the median and nobody away from it.
"""

import numpy as np

from processors.detectors.arrays import Arrays, Bools, Field, Mark, clipped, marked, sides, smoothed, weight
from processors.detectors.baseline import Residual
from processors.detectors.tuning import Tuning
from schemas.columns import Float32, Int64

FIELDS = {"from_peers": Field("<f2", 0), "apart_from_peers": Field("?", 0)}

_TO_SIGMA = np.float32(1.4826)  # of a normal distribution's MAD
_LEAST = np.float32(0.2)  # in standard deviations of health: peers that agree better than that agree
_NAN = np.float32(np.nan)


def step(state: Arrays, residual: Residual, models: Int64, tuning: Tuning) -> tuple[Arrays, Mark]:
    """Judge one epoch. `models`: a number for the model of each robot. `state` holds drift's means after it."""
    told = ~residual.learning
    deviation = np.full(told.shape, _NAN)
    least = _LEAST * residual.scale
    if residual.material is not None:
        material = residual.material * residual.scale
        least = np.maximum(least, np.float32(tuning.peer_material / tuning.peer_threshold) * material)
    for model in np.unique(models) if len(models) >= tuning.peers else ():
        rows = np.nonzero(models == model)[0]
        if len(rows) >= tuning.peers:
            deviation[rows] = _from_peers(_levels(state, residual, told, rows), least[rows], tuning.peers)
    # Who is there changes with shifts, and the median with it: what is judged is the mean.
    bounded = clipped(deviation, np.float32(2 * tuning.peer_threshold))
    mean = smoothed(state["from_peers"], bounded, weight(tuning.slow))
    compared = np.where(np.isnan(deviation) | np.isnan(residual.z), _NAN, np.abs(mean))
    score, flag = marked(compared, tuning.peer_threshold, state["apart_from_peers"], tuning.release)
    return state | {"from_peers": mean, "apart_from_peers": flag}, Mark(score, flag, sides(mean))


def _levels(state: Arrays, residual: Residual, told: Bools, rows: Int64) -> Float32:
    """Each track's level, in the unit in which it is compared, at the peers' middle load; NaN where untold."""
    of = {name: np.where(told[rows], state[name][rows], _NAN) for name in ("mean", "first_mean", "second_mean")}
    levels = of["mean"] + state["slow"][rows] * residual.scale[rows]
    for context, slope in (("first_mean", "by_first"), ("second_mean", "by_second")):
        if state[slope].any():
            levels = levels - state[slope][rows] * (of[context] - _middle(of[context]))
    return np.asarray(levels, np.float32)


def _middle(values: Float32) -> Float32:
    """The median of each track, NaN where no robot has it."""
    told = ~np.isnan(values).all(axis=0)
    middle = np.full(values.shape[1], _NAN)
    middle[told] = np.nanmedian(values[:, told], axis=0)
    return middle


def _from_peers(means: Float32, least: Float32, peers: int) -> Float32:
    """Robust deviations; NaN where too few robots have the track."""
    enough = (~np.isnan(means)).sum(axis=0) >= peers
    deviation = np.full(means.shape, np.nan, np.float32)
    if enough.any():
        chosen = means[:, enough]
        apart = chosen - np.nanmedian(chosen, axis=0)
        scale = _TO_SIGMA * np.nanmedian(np.abs(apart), axis=0)
        deviation[:, enough] = apart / np.maximum(scale, least[:, enough])
    return deviation
