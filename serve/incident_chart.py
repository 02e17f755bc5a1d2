"""The window around an incident as SVG: a reading over 40 seconds, the moment, what came late, gaps as gaps.

In: times in seconds after the moment, and values. Out: the text of an SVG. Pure. Called by `incident_view.py`.
Colours stand in attributes, so that a report needs no style sheet and a page no inline style; a late frame is a
ring, not only another colour.
"""

import itertools
from collections.abc import Iterator, Sequence
from html import escape

import msgspec

WIDTH, HEIGHT = 640, 130
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 10, 20
FROM_S, UNTIL_S = -30.0, 10.0
GAP_STEPS = 3.0
INK, QUIET, LINE, LATE = "#0a6187", "#6b7580", "#c9d0d6", "#a3510a"


class Point(msgspec.Struct, frozen=True):
    """`late`: it was appended after the verdict."""

    after_s: float
    value: float
    late: bool = False


class Chart(msgspec.Struct, frozen=True):
    title: str
    unit: str
    svg: str


def chart(title: str, unit: str, points: Sequence[Point]) -> Chart:
    values = [point.value for point in points] or [0.0]
    low, high = min(values), max(values)
    if high == low:
        low, high = low - 0.5, high + 0.5
    body = [*_frame(low, high), *_line(points, low, high), *_late(points, low, high)]
    alt = f"{title}, {low:.4g} to {high:.4g} {unit}, from 30 s before until 10 s after the incident"
    svg = (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(alt)}" '
        f'xmlns="http://www.w3.org/2000/svg" font-size="11" font-family="system-ui, sans-serif">'
        f"{''.join(body)}</svg>"
    )
    return Chart(title, unit, svg)


def _x(after_s: float) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * (after_s - FROM_S) / (UNTIL_S - FROM_S), 1)


def _y(value: float, low: float, high: float) -> float:
    return round(TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low), 1)


def _frame(low: float, high: float) -> Iterator[str]:
    for value in (low, high):
        y = _y(value, low, high)
        yield f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="{LINE}" fill="none"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end" fill="{QUIET}">{value:.4g}</text>'
    for second in (-30, -20, -10, 0, 10):
        name = "0 s" if second == 0 else f"{second:+d} s"
        yield f'<text x="{_x(second)}" y="{HEIGHT - 5}" text-anchor="middle" fill="{QUIET}">{name}</text>'
    yield f'<path d="M{_x(0)} {TOP}V{HEIGHT - BOTTOM}" stroke="{QUIET}" stroke-dasharray="4 3" fill="none"/>'


def _line(points: Sequence[Point], low: float, high: float) -> Iterator[str]:
    """Pieces, each as long as nothing is missing."""
    known = [point for point in points if not point.late]
    steps = sorted(b.after_s - a.after_s for a, b in itertools.pairwise(known))
    longest = GAP_STEPS * steps[len(steps) // 2] if steps else 0.0
    path, before_s = [], None
    for point in known:
        move = "M" if before_s is None or point.after_s - before_s > longest else "L"
        path.append(f"{move}{_x(point.after_s)} {_y(point.value, low, high)}")
        before_s = point.after_s
    yield f'<path d="{"".join(path)}" stroke="{INK}" stroke-width="1.5" fill="none"/>'


def _late(points: Sequence[Point], low: float, high: float) -> Iterator[str]:
    for point in points:
        if point.late:
            x, y = _x(point.after_s), _y(point.value, low, high)
            yield f'<circle cx="{x}" cy="{y}" r="2.5" stroke="{LATE}" fill="none"/>'
