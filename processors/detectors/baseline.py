"""Baseline: what a track's value should be, learned while its part was new, at the same load and temperature.

In: values and contexts as they are compared (`matched.py`; robots × tracks) and the state. Out: the state, and the
residual in standard deviations of health. Called by `processors/detectors/watch.py` before every other detector;
all of them judge the residual.

While it is commissioned a track learns its mean and variance, and its covariance with its contexts. A value far
off is clipped, so that one wrong reading teaches little. In the second half of that time residuals are given
already: by them the other detectors learn how far they stray in health, on data that the baseline had not seen.
The prediction is the linear regression x̂ = m + β·(u - m_u), solved in closed form for two contexts. Its slopes β
are those of all robots of the model that are there, and stay as they are when the robot's commissioning ends.
"""

from typing import NamedTuple

import numpy as np

from processors.detectors.arrays import ONE, ZERO, Arrays, Bools, Field, clipped
from processors.detectors.matched import Matched
from processors.detectors.tracks import Wiring
from processors.detectors.tuning import Tuning
from schemas.columns import Float32, Int64

NEVER = -1

# Since which epoch (its number) it is seen, and how many values were; mean and variance of the value; the least
# difference between two values that are not the same (what the sensor can tell apart); means of the contexts, the
# value's covariance with each, their variances and their own covariance; the slopes on them; lessons given.
FIELDS = {
    "since": Field("<i4", NEVER),
    "seen": Field("<f4", 0),
    "mean": Field("<f4", 0),
    "variance": Field("<f4", 0),
    "grain": Field("<f4", np.inf),
    "first_mean": Field("<f4", 0),
    "second_mean": Field("<f4", 0),
    "with_first": Field("<f4", 0),
    "with_second": Field("<f4", 0),
    "first_variance": Field("<f4", 0),
    "second_variance": Field("<f4", 0),
    "contexts": Field("<f4", 0),
    "by_first": Field("<f4", 0),
    "by_second": Field("<f4", 0),
    "lessons": Field("<f2", 0),
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
    """`z`: NaN where it cannot be told; `scale`: one of it, in the unit in which the track is compared; `material`:
    what is material, in standard deviations too, None where nothing is known of that; `learning`: not commissioned
    yet (`some_learn`: any); `lesson`: what the others learn from.
    """

    z: Float32
    scale: Float32
    material: Float32 | None
    learning: Bools
    some_learn: bool
    lesson: "Lesson | None"


class Lesson(NamedTuple):
    """Residuals of the second half of commissioning, and later ones where the baseline is a rolling one: with which
    weight each teaches (0: it does not), whether it is one whose extremes count, and how many times what was
    learned before a square may be, since a rolling baseline must not learn a fault.
    """

    share: Float32
    known: Bools
    most: Float32
    any_known: bool = True

    def variance(self, before: Float32, square: Float32) -> Float32:
        """A variance after one more square, which is not NaN."""
        bounded: Float32 = np.minimum(square, self.most * (before + _TINY))
        after: Float32 = before + self.share * (bounded - before)
        return after

    def bounded(self, strayed: Float32, variance: Float32) -> Float32:
        """What teaches a mean."""
        return clipped(strayed, np.sqrt(self.most * (variance + _TINY)))

    def peak(self, before: Float32, now: Float32) -> Float32:
        """The highest in health, of what is not NaN."""
        return np.where(self.known, np.maximum(before, now), before) if self.any_known else before


def step(
    state: Arrays, matched: Matched, epoch: int, models: Int64 | None, wiring: Wiring, tuning: Tuning
) -> tuple[Arrays, Residual]:
    """Judge one epoch (its number is `epoch`), then learn from it."""
    if wiring.any_known:
        begun = (state["since"] == NEVER) & ~np.isnan(matched.value)
        state = state | {"since": np.where(begun, epoch, state["since"])}
    learning, told = _phase(state, epoch, wiring, tuning)
    deviation = matched.value - state["mean"]
    contexts = _contexts(state, matched)
    some_learn = bool(np.count_nonzero(learning))
    if contexts and some_learn:
        state = _sloped(state, learning, models, wiring)
    z, scale = _residual(state, deviation, contexts, wiring)
    if np.count_nonzero(told) < told.size:
        z = np.where(told, z, np.float32(np.nan))
    lesson = None
    if some_learn or tuning.memory:
        state, lesson = _lesson(state, told & ~np.isnan(z), learning, some_learn, wiring, tuning)
        state = _learned(
            state, matched.value, deviation, contexts, learning if some_learn else None, wiring, tuning
        )
    material = wiring.material / scale if wiring.any_known else None
    return state, Residual(z, scale, material, learning, some_learn, lesson)


def _phase(state: Arrays, epoch: int, wiring: Wiring, tuning: Tuning) -> tuple[Bools, Bools]:
    """Which are in commissioning, and which of all are past the half of it. A series that the signal table does not
    know is commissioned by values; the others by days, and a minimum of values, since a joint may work one shift.
    """
    seen = state["seen"]
    if not wiring.any_known:
        return seen < tuning.commissioning, seen >= tuning.commissioning // 2
    by_count = seen / np.float32(tuning.commissioning)
    days = np.where(state["since"] == NEVER, 0, epoch - state["since"]).astype(np.float32)
    by_days = np.minimum(days / np.float32(tuning.commissioning), seen / np.float32(tuning.least_values))
    done = np.where(wiring.known, by_days, by_count)
    return done < 1, done >= np.float32(0.5)


def _lesson(
    state: Arrays, told: Bools, learning: Bools, some_learn: bool, wiring: Wiring, tuning: Tuning
) -> tuple[Arrays, "Lesson | None"]:
    if not np.count_nonzero(told):
        return state, None
    rolling = np.float32(1 / tuning.memory if tuning.memory else 0)
    share = np.where(told, rolling, ZERO)
    if not some_learn:
        return state, Lesson(share, learning, np.full(share.shape, _BOUNDED), any_known=False)
    teaches = told & learning
    lessons = state["lessons"] + teaches
    share = np.where(teaches, ONE / np.maximum(lessons, ONE), share)
    most = np.where(learning, _UNBOUNDED, _BOUNDED)
    enough = np.where(wiring.known, np.float32(tuning.least_values / 4), np.float32(tuning.commissioning / 4))
    return state | {"lessons": lessons}, Lesson(share, teaches & (lessons >= enough), most)


_Contexts = tuple[Float32, Float32] | None


def _contexts(state: Arrays, matched: Matched) -> _Contexts:
    """What the contexts of each track deviate by."""
    if matched.first is None or matched.second is None:
        return None
    return matched.first - state["first_mean"], matched.second - state["second_mean"]


def _residual(state: Arrays, deviation: Float32, contexts: _Contexts, wiring: Wiring) -> tuple[Float32, Float32]:
    """The deviation that the contexts do not explain, in standard deviations, and what one of these is."""
    variance = state["variance"]
    if contexts:
        # A context that its robot has no more explains nothing.
        one: Float32 = np.where(wiring.has_context[0], state["by_first"], ZERO)
        two: Float32 = np.where(wiring.has_context[1], state["by_second"], ZERO)
        deviation = deviation - one * contexts[0] - two * contexts[1]
        unexplained = (
            variance - 2 * (one * state["with_first"] + two * state["with_second"])
            + one * one * state["first_variance"] + two * two * state["second_variance"]
            + 2 * one * two * state["contexts"]
        )  # fmt: skip
        variance = np.maximum(unexplained, variance * _RIDGE * _RIDGE)
    grain = np.where(np.isinf(state["grain"]), np.float32(0), _OF_GRAIN * state["grain"])
    least = np.maximum(wiring.resolution, grain) + np.abs(state["mean"]) * _OF_MEAN + _TINY
    scale: Float32 = np.maximum(np.sqrt(variance), least)
    return clipped(deviation / scale, _FARTHEST), scale


def _sloped(state: Arrays, learning: Bools, models: Int64 | None, wiring: Wiring) -> Arrays:
    """The regression on each context, of tracks in commissioning. Robots of one model share it: one robot sees a
    few programs in a week, its model sees many. Levels and scatter stay each robot's own.
    """
    weight = state["seen"]
    names = ("with_first", "with_second", "first_variance", "second_variance", "contexts")
    if models is None:
        own = {name: state[name] for name in names}
        one, two = _slopes(own, wiring.least)
    else:
        one, two = np.empty_like(weight), np.empty_like(weight)
        for model in np.unique(models):
            rows = models == model
            pooled = {name: (state[name][rows] * weight[rows]).sum(axis=0) for name in names}
            one[rows], two[rows] = _slopes(pooled, wiring.least * weight[rows].sum(axis=0))
    return state | {
        "by_first": np.where(learning, one, state["by_first"]),
        "by_second": np.where(learning, two, state["by_second"]),
    }


def _slopes(of: Arrays, least: Float32) -> tuple[Float32, Float32]:
    """The two normal equations solved, with a ridge; a variance below `least` says nothing."""
    first = np.maximum(of["first_variance"] * (1 + _RIDGE), least[0]) + _TINY
    second = np.maximum(of["second_variance"] * (1 + _RIDGE), least[1]) + _TINY
    both, with_first, with_second = of["contexts"], of["with_first"], of["with_second"]
    determinant = np.maximum(first * second - both * both, first * second * _RIDGE * _RIDGE)
    by_first: Float32 = (with_first * second - with_second * both) / determinant
    by_second: Float32 = (with_second * first - with_first * both) / determinant
    return by_first, by_second


def _learned(
    state: Arrays, value: Float32, deviation: Float32, contexts: _Contexts, learning: Bools | None,
    wiring: Wiring, tuning: Tuning,
) -> Arrays:  # fmt: skip
    """Mean, variance and covariances after one more value (West 1979: an incremental weighted mean)."""
    seen, mean, variance = state["seen"], state["mean"], state["variance"]
    here = ~np.isnan(value)
    if contexts:
        here &= ~np.isnan(contexts[0]) & ~np.isnan(contexts[1])
    share = np.where(here, np.float32(1 / tuning.memory if tuning.memory else 0), ZERO)
    if learning is not None:
        teaches = here & learning
        seen = np.where(teaches, seen + 1, seen)
        share = np.where(teaches, ONE / np.maximum(seen, ONE), share)
    # What has not varied yet, or is hardly known, has nothing that a value could be far from.
    far = np.where(
        (state["seen"] < _TRUSTED) | (variance <= 0), _UNBOUNDED, _CLIP * np.sqrt(variance) + wiring.resolution
    )
    kept = np.where(here, clipped(deviation, far), ZERO)
    more = share * kept
    rest = 1 - share
    learned = {
        "seen": seen,
        "mean": mean + more,
        "variance": rest * (variance + more * kept),
    }
    if learning is not None:
        # `last` is as the sensor said it.
        moved = np.where(wiring.logarithmic, ZERO, np.abs(value - state["last"]))
        learned["grain"] = np.where(learning & (moved > 0), np.minimum(state["grain"], moved), state["grain"])
    if contexts:
        first, second = (np.where(here, context, np.float32(0)) for context in contexts)
        learned["first_mean"] = state["first_mean"] + share * first
        learned["second_mean"] = state["second_mean"] + share * second
        products = {
            "with_first": kept * first,
            "with_second": kept * second,
            "first_variance": first * first,
            "second_variance": second * second,
            "contexts": first * second,
        }
        for name, product in products.items():
            learned[name] = rest * (state[name] + share * product)
    return state | learned
