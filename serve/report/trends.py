"""Signals of health over a life: what wears, what drifts, what ages.

In: facts. Out: trends with their curves, figures and limits. Pure. Called by `build.py`. A stretch keeps its lowest
and its highest reading, so no peak is lost by drawing ten years in two hundred of them.
"""

from itertools import pairwise

from schemas.logbook import Commissioned
from schemas.signals import SIGNAL, Component
from serve.report.facts import Facts, Range
from serve.report.model import Curve, Limit, Trend, TrendRow

SIGNALS = (
    "joint_wear",
    "joint_backlash_arcmin",
    "pose_accuracy_mm",
    "pose_repeatability_mm",
    "battery_soh",
)
DRAWN = 4
"""Joints that one chart has; the table has them all."""
FALL = 0.25
"""Ours: what wears does not mend. Where it fell by so much, something else is in its place, or began anew."""
DIGITS = 4
_BASELINE_FACTORS = (("warn", 2.0), ("alarm", 3.0))
"""Ours, of the commissioned value, for accuracies (`processors/detectors/level.py` judges by the same)."""


def trends_of(facts: Facts) -> tuple[Trend, ...]:
    """In the order of SIGNALS, those with a reading."""
    trends = (_trend(facts, name) for name in SIGNALS)
    return tuple(trend for trend in trends if trend.rows)


def _trend(facts: Facts, name: str) -> Trend:
    limits = _limits(facts, name)
    falls = any(limit.side == "below" for limit in limits)
    series = _series(facts, name)
    rows = [_row(component, points, falls, SIGNAL[name].monotone) for component, points in series.items()]
    # Those that fell before those that are worst: a new part where an old one was is what a buyer must see.
    worst_first = sorted(rows, key=lambda row: (row.fell_us is None, row.worst if falls else -row.worst))
    drawn = [row.component for row in worst_first[:DRAWN]]
    return Trend(
        signal=name,
        unit="" if SIGNAL[name].unit == "1" else SIGNAL[name].unit,
        estimate=SIGNAL[name].estimate,
        limits=limits,
        curves=tuple(_curve(facts, component, series[component]) for component in drawn),
        left_out=len(rows) - len(drawn),
        rows=tuple(rows),
    )


Points = list[tuple[int, float, float]]


def _series(facts: Facts, name: str) -> dict[str, Points]:
    """By component its readings: time, lowest, highest."""
    series: dict[str, Points] = {}
    joints = SIGNAL[name].component is Component.JOINT
    for stretch in facts.stretches:
        for number, ranged in enumerate(stretch.signals.get(name, ()), 1):
            component = f"joint/{number}" if joints else SIGNAL[name].component.value
            if (point := _point(stretch.start_us, ranged)) is not None:
                series.setdefault(component, []).append(point)
    return series


def _point(us: int, ranged: Range) -> tuple[int, float, float] | None:
    if ranged.low is None or ranged.high is None:
        return None
    return us, significant(ranged.low), significant(ranged.high)


def significant(value: float) -> float:
    """To DIGITS digits: readings are no better, and JSON is shorter."""
    return float(f"{value:.{DIGITS}g}")


def _row(component: str, points: Points, falls: bool, rises_only: bool) -> TrendRow:
    """Of each end the worse value of its stretch."""
    bad = [low if falls else high for _, low, high in points]
    return TrendRow(
        component=component,
        first=bad[0],
        latest=bad[-1],
        worst=min(bad) if falls else max(bad),
        first_us=points[0][0],
        latest_us=points[-1][0],
        fell_us=_fell(points) if rises_only else None,
    )


def _fell(points: Points) -> int | None:
    """The first stretch whose readings are that much below those of the one before."""
    pairs = ((before[2], us, high) for before, (us, _, high) in pairwise(points))
    return next((us for before, us, high in pairs if high < (1 - FALL) * before), None)


def _curve(facts: Facts, component: str, points: Points) -> Curve:
    return Curve(
        name=component,
        step_us=facts.step_us,
        times_us=tuple(us for us, _, _ in points),
        low=tuple(low for _, low, _ in points),
        high=tuple(high for _, _, high in points),
    )


def _limits(facts: Facts, name: str) -> tuple[Limit, ...]:
    """Of its model; of an accuracy, multiples of what was measured when it was commissioned."""
    if name in facts.limits:
        return facts.limits[name]
    commissioned = facts.history.of(Commissioned)
    baseline = commissioned[0].what.baselines.get(name) if commissioned else None
    if SIGNAL[name].component is not Component.ACCURACY or not baseline:
        return ()
    return tuple(
        Limit(level=level, side="above", value=significant(factor * baseline))
        for level, factor in _BASELINE_FACTORS
    )
