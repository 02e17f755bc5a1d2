"""Small curves in a table: a value an hour as the points of an SVG path. Pure.

In: values, oldest first, None where nothing came. Out: a `Spark`, whose path breaks where nothing came. Called by
the pages that list robots.
"""

from collections.abc import Iterable, Sequence

import msgspec

WIDTH = 96.0
HEIGHT = 22.0
MARGIN = 2.0


class Scale(msgspec.Struct, frozen=True):
    """The values at the bottom and at the top: one for all curves of a table, so that they can be compared."""

    low: float
    high: float

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(HEIGHT - MARGIN - min(1.0, max(0.0, share)) * (HEIGHT - 2 * MARGIN), 1)


class Spark(msgspec.Struct, frozen=True):
    """`path` for lines, `dots` for values that stand alone, `last` the newest value."""

    path: str
    dots: list[tuple[float, float]]
    last: float | None
    low: float | None
    high: float | None


def scale_of(rows: Iterable[Sequence[float | None]], limit: float | None) -> Scale:
    """From the least to the greatest value; up to the limit where the values come near to it."""
    values = [value for row in rows for value in row if value is not None] or [0.0]
    low, high = min(values), max(values)
    if limit is not None and low - (high - low) <= limit <= high + max(high - low, abs(high) * 0.25):
        low, high = min(low, limit), max(high, limit)
    return Scale(low, high) if high > low else Scale(low - 1, high + 1)


def spark_of(values: Sequence[float | None], scale: Scale) -> Spark:
    """A curve of WIDTH by HEIGHT."""
    step = (WIDTH - 2 * MARGIN) / max(1, len(values) - 1)
    path, dots, run = [], [], list[tuple[float, float]]()
    for i, value in enumerate([*values, None]):
        if value is not None:
            run.append((round(MARGIN + i * step, 1), scale.y(value)))
            continue
        if len(run) == 1:
            dots += run
        elif run:
            path.append("M" + "L".join(f"{x} {y}" for x, y in run))
        run = []
    present = [value for value in values if value is not None]
    return Spark(
        path="".join(path),
        dots=dots,
        last=values[-1] if values else None,
        low=min(present, default=None),
        high=max(present, default=None),
    )
