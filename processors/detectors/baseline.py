"""Baseline: what a track's value should be, learned while its part was new, at the same load and temperature.

In: values (robots × tracks) and the state. Out: the state, and the residual in standard deviations of health.
Called by `processors/detectors/watch.py` before every other detector; all of them judge the residual.

While it is commissioned a track learns its mean and variance, and its covariance with its context (`tracks.py`). A
value far off is clipped, so that one wrong reading teaches little. In the second half of that time residuals are
given already: by them the other detectors learn how far they stray in health, on data that the baseline had not
seen. The prediction is the linear regression x̂ = m + β·(u - m_u), solved in closed form for two contexts.
"""

from typing import NamedTuple

import numpy as np

from processors.detectors.arrays import ONE, Arrays, Bools, Field, clipped
from processors.detectors.tracks import Wiring
from processors.detectors.tuning import Tuning
from schemas.columns import Float32

# `seen` values; mean and variance of the value; the least difference between two values that are not the same (what
# the sensor can tell apart); the first context after its inertia; the covariance with each context, their variances
# and their own covariance.
FIELDS = {
    "seen": Field("<f4", 0),
    "mean": Field("<f4", 0),
    "variance": Field("<f4", 0),
    "grain": Field("<f4", np.inf),
    "lagged": Field("<f4", np.nan),
    "with_first": Field("<f4", 0),
    "with_second": Field("<f4", 0),
    "first_variance": Field("<f4", 0),
    "second_variance": Field("<f4", 0),
    "contexts": Field("<f4", 0),
}

_CLIP = 6.0  # standard deviations; less would cut off what works in bursts
_TRUSTED = 30  # values after which a deviation can be called far off
_FARTHEST = np.float32(1000)  # standard deviations
_OF_GRAIN = np.float32(0.5)  # a sensor's last digit is no finding
_OF_MEAN = np.float32(1e-6)  # what float32 cannot tell apart
_RIDGE = np.float32(0.01)  # of a context's variance: what hardly varied predicts little
_TINY = np.float32(1e-12)
_UNBOUNDED, _BOUNDED = np.float32(1e30), np.float32(4)  # times the variance


class Residual(NamedTuple):
    """`z`: NaN where it cannot be told; `scale`: one of it, in the signal's unit; `learning`: not commissioned yet;
    `lesson`: what the others learn from.
    """

    z: Float32
    scale: Float32
    learning: Bools
    lesson: "Lesson | None"


class Lesson(NamedTuple):
    """Residuals of the second half of commissioning, and later ones where the baseline is a rolling one: with which
    weight each teaches (0: it does not), whether it is one whose extremes count, and how many times what was
    learned before a square may be, since a rolling baseline must not learn a fault.
    """

    share: Float32
    known: Bools
    most: Float32

    def variance(self, before: Float32, square: Float32) -> Float32:
        """A variance after one more square."""
        bounded: Float32 = np.minimum(_known(square), self.most * (before + _TINY))
        after: Float32 = before + self.share * (bounded - before)
        return after

    def bounded(self, strayed: Float32, variance: Float32) -> Float32:
        """What teaches a mean."""
        return clipped(_known(strayed), np.sqrt(self.most * (variance + _TINY)))


def _known(value: Float32) -> Float32:
    """Zero where it is absent: that teaches nothing."""
    return np.where(np.isnan(value), np.float32(0), value)


def step(state: Arrays, value: Float32, wiring: Wiring, tuning: Tuning) -> tuple[Arrays, Residual]:
    """Judge one epoch, then learn from it."""
    seen = state["seen"]
    half = tuning.commissioning // 2
    deviation = value - state["mean"]
    state, contexts = _context(state, deviation, wiring)
    z, scale = _residual(state, deviation, contexts, wiring)
    learning = seen < tuning.commissioning
    some_learn = learning.any()
    told = seen >= half
    if not told.all():
        z = np.where(told, z, np.float32(np.nan))
    lesson = _lesson(seen, told & ~np.isnan(z), learning, tuning) if some_learn or tuning.memory else None
    if some_learn or tuning.memory:
        state = _learned(state, value, deviation, contexts, wiring, tuning)
    return state, Residual(z, scale, learning, lesson)


def _lesson(seen: Float32, told: Bools, learning: Bools, tuning: Tuning) -> "Lesson | None":
    if not told.any():
        return None
    half = tuning.commissioning // 2
    teaches = told & learning
    rolling = np.float32(1 / tuning.memory if tuning.memory else 0)
    share = np.where(
        teaches, ONE / np.maximum(seen - np.float32(half - 1), ONE), np.where(told, rolling, np.float32(0))
    )
    most = np.where(learning, _UNBOUNDED, _BOUNDED)
    return Lesson(share, teaches & (seen >= np.float32(half + half // 4)), most)


_Contexts = tuple[Float32, Float32] | None


def _context(state: Arrays, deviation: Float32, wiring: Wiring) -> tuple[Arrays, _Contexts]:
    """What the contexts of each track deviate by; 0 for a track that has none."""
    if not wiring.has_context:
        return state, None
    padded = np.concatenate([deviation, np.zeros((len(deviation), 1), np.float32)], axis=1)
    first, second = padded[:, wiring.context[0]], padded[:, wiring.context[1]]
    # After a gap what is slow is taken to have followed.
    before = np.where(np.isnan(state["lagged"]), first, state["lagged"])
    lagged = before + wiring.pace * (first - before)
    return state | {"lagged": lagged}, (lagged, second)


def _residual(state: Arrays, deviation: Float32, contexts: _Contexts, wiring: Wiring) -> tuple[Float32, Float32]:
    """The deviation that the contexts do not explain, in standard deviations, and what one of these is."""
    variance = state["variance"]
    if contexts:
        by_first, by_second = _slopes(state)
        deviation = deviation - by_first * contexts[0] - by_second * contexts[1]
        explained = by_first * state["with_first"] + by_second * state["with_second"]
        variance = np.maximum(variance - explained, variance * _RIDGE)
    grain = np.where(np.isinf(state["grain"]), np.float32(0), _OF_GRAIN * state["grain"])
    least = np.maximum(wiring.resolution, grain) + np.abs(state["mean"]) * _OF_MEAN + _TINY
    scale: Float32 = np.maximum(np.sqrt(variance), least)
    return clipped(deviation / scale, _FARTHEST), scale


def _slopes(state: Arrays) -> tuple[Float32, Float32]:
    """The regression on each context: the two normal equations solved, with a ridge."""
    first = state["first_variance"] * (1 + _RIDGE) + _TINY
    second = state["second_variance"] * (1 + _RIDGE) + _TINY
    both, with_first, with_second = state["contexts"], state["with_first"], state["with_second"]
    determinant = np.maximum(first * second - both * both, first * second * _RIDGE * _RIDGE)
    by_first: Float32 = (with_first * second - with_second * both) / determinant
    by_second: Float32 = (with_second * first - with_first * both) / determinant
    return by_first, by_second


def _learned(
    state: Arrays, value: Float32, deviation: Float32, contexts: _Contexts, wiring: Wiring, tuning: Tuning
) -> Arrays:
    """Mean, variance and covariances after one more value (West 1979: an incremental weighted mean)."""
    seen, mean, variance = state["seen"], state["mean"], state["variance"]
    here = ~np.isnan(value)
    after = np.minimum(seen + here, np.float32(tuning.commissioning))
    rolling = np.float32(1 / tuning.memory if tuning.memory else 0)
    learning = seen < tuning.commissioning
    share = np.where(here, np.where(learning, ONE / np.maximum(after, ONE), rolling), np.float32(0))
    # What has not varied yet, or is hardly known, has nothing that a value could be far from.
    far = np.where((seen < _TRUSTED) | (variance <= 0), _UNBOUNDED, _CLIP * np.sqrt(variance) + wiring.resolution)
    kept = np.where(here, clipped(deviation, far), np.float32(0))
    more = share * kept
    rest = 1 - share
    moved = np.abs(value - state["last"])
    learned = {
        "seen": after,
        "mean": mean + more,
        "variance": rest * (variance + more * kept),
        "grain": np.where(learning & (moved > 0), np.minimum(state["grain"], moved), state["grain"]),
    }
    if contexts:
        whole = here & ~np.isnan(contexts[0]) & ~np.isnan(contexts[1])
        first, second = (np.where(whole, context, np.float32(0)) for context in contexts)
        products = {
            "with_first": kept * first,
            "with_second": kept * second,
            "first_variance": first * first,
            "second_variance": second * second,
            "contexts": first * second,
        }
        for name, product in products.items():
            learned[name] = np.where(whole, rest * (state[name] + share * product), state[name])
    return state | learned
