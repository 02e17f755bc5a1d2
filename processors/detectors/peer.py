"""Peer: a robot's joint against the same joint of its model's other robots.

In: the means of residuals (robots × tracks), which robots are of one model, and the state. Out: the state and a
Mark. Called by `processors/detectors/watch.py`. Held against each other are the slow means of the residuals, by
median and MAD, which a few sick robots do not move. What all share (a heat wave, a release) moves the median and
nobody away from it.
"""

import numpy as np

from processors.detectors.arrays import Arrays, Field, Mark, marked, sides
from processors.detectors.baseline import Residual
from processors.detectors.tuning import Tuning
from schemas.columns import Float32, Int64

FIELDS = {"apart_from_peers": Field("?", 0)}

_TO_SIGMA = np.float32(1.4826)  # of a normal distribution's MAD
_LEAST = np.float32(0.2)  # in standard deviations of health: peers that agree better than that agree


def step(state: Arrays, residual: Residual, models: Int64, tuning: Tuning) -> tuple[Arrays, Mark]:
    """Judge one epoch. `models`: a number for the model of each robot. `state` holds drift's means after it."""
    means = np.where(np.isnan(residual.z) | residual.learning, np.float32(np.nan), state["slow"])
    deviation = np.full(means.shape, np.nan, np.float32)
    least = np.full(means.shape, _LEAST)
    if residual.material is not None:
        least = np.maximum(least, np.float32(tuning.peer_material / tuning.peer_threshold) * residual.material)
    for model in np.unique(models) if len(models) >= tuning.peers else ():
        rows = np.nonzero(models == model)[0]
        if len(rows) >= tuning.peers:
            deviation[rows] = _from_peers(means[rows], least[rows], tuning.peers)
    score, flag = marked(np.abs(deviation), tuning.peer_threshold, state["apart_from_peers"], tuning.release)
    state = state | {"apart_from_peers": flag}
    return state, Mark(score, flag, sides(deviation))


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
