"""Where wearing values end: for each track that has a remaining life, its bad side and its limit.

In: tracks, robots' models, and the limits. Out: `Ends`, which `processors/detectors/trend.py` judges by. Called by
`processors/assessor.py`. Where the limits have an alarm threshold, that is the end, so that life ends where the
alarm begins; a signal without one ends at a multiple of its own value when new (DOMAIN.md: accuracy at three times
what was commissioned, resistance at twice).
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from schemas.columns import Float32
from schemas.limits import Limits


class Wears(NamedTuple):
    """`side`: where it gets worse. `factor`: its end as a multiple of its value when new, None where only a limit
    of the model ends it.
    """

    side: str
    factor: float | None = None


WEARING: dict[str, Wears] = {
    "joint_backlash_arcmin": Wears("above"),
    "joint_wear": Wears("above"),
    "pose_accuracy_mm": Wears("above", 3.0),
    "pose_repeatability_mm": Wears("above", 3.0),
    "path_accuracy_mm": Wears("above", 3.0),
    "battery_soh": Wears("below"),
    "battery_resistance_mohm": Wears("above", 2.0),
}


class Ends(NamedTuple):
    """`sign` (K): +1 grows worse upwards, -1 downwards. `limit` (R or 1 × K): the alarm limit, NaN where there is
    none; then the end is `factor` (K) times the track's value when new. NaN in both: no end, nothing is said.
    """

    sign: Float32
    limit: Float32
    factor: Float32


def ends(signals: tuple[str, ...], models: tuple[str, ...], limits: Limits) -> Ends:
    """The ends of tracks of these `signals`, all in WEARING: a row a robot, whose model is in `models`."""
    known = tuple(limits.known_model(model) for model in models)
    distinct = tuple(sorted(set(known)))
    found = _ends(signals, distinct, limits)
    return found if len(distinct) <= 1 else found._replace(limit=found.limit[[distinct.index(m) for m in known]])


@lru_cache(maxsize=256)
def _ends(signals: tuple[str, ...], models: tuple[str, ...], limits: Limits) -> Ends:
    wears = [WEARING[signal] for signal in signals]
    rows = [[_alarm(limits, model, signal) for signal in signals] for model in models or ("",)]
    return Ends(
        np.array([1 if w.side == "above" else -1 for w in wears], np.float32),
        np.array(rows, np.float32).reshape(-1, len(signals)),
        np.array([np.nan if w.factor is None else w.factor for w in wears], np.float32),
    )


def _alarm(limits: Limits, model: str, signal: str) -> float:
    limit = limits.limit(model, signal, WEARING[signal].side)
    return limit.alarm if limit else np.nan
