"""Charts as SVG, the same for HTML and PDF: curves with limits and gaps, and the life at a glance.

In: curves, spans and marks in UTC µs. Out: the text of an SVG. Pure. Called by `paper.py`. Colours stand in
attributes, for what has no style sheet (the PDF); classes beside them let the page's style sheet change them
for a dark screen. Texts are escaped here; numbers are rounded, so the same report gives the same bytes.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

import msgspec

from serve.report.model import Curve, Gap, Limit
from serve.report.words import axis, moment, number

WIDTH, HEIGHT = 720, 190
LEFT, RIGHT, TOP, BOTTOM = 62, 66, 10, 22
LANE, LANE_LEFT = 24, 104
FONT = "Libertinus Serif, system-ui, sans-serif"
COLOURS = ("#0a6187", "#a3510a", "#5b3f99", "#3d6b1f")
DASHES = ("", "6 2", "2 2", "8 2 2 2")
"""Beside colours, so that curves differ on paper without colour."""
INK, QUIET, LINE, WARN, ALARM, GAP = "#1a1f24", "#59636e", "#d5dae0", "#8a6100", "#b3261e", "#e3e6ea"


class Mark(msgspec.Struct, frozen=True):
    """A moment with a letter that the text below explains. `tone`: bad, warn or quiet."""

    at_us: int
    letter: str
    tone: str = "quiet"


class Bar(msgspec.Struct, frozen=True):
    """A stretch in a lane. `tone`: full, other, gap."""

    from_us: int
    until_us: int
    text: str
    tone: str = "full"


class Lane(msgspec.Struct, frozen=True):
    """A row of the life at a glance."""

    name: str
    bars: tuple[Bar, ...] = ()
    marks: tuple[Mark, ...] = ()


class Axes:
    """From times and values to places in the drawing."""

    def __init__(self, from_us: int, until_us: int, low: float, high: float, left: int = LEFT) -> None:
        self.from_us, self.until_us = from_us, max(until_us, from_us + 1)
        self.low, self.high = low, high if high > low else low + 1.0
        self._left = left

    def x(self, us: int) -> str:
        inside = min(max(us, self.from_us), self.until_us)
        width = WIDTH - self._left - RIGHT
        return _place(self._left + width * (inside - self.from_us) / (self.until_us - self.from_us))

    def y(self, value: float) -> str:
        height = HEIGHT - TOP - BOTTOM
        return _place(TOP + height * (self.high - value) / (self.high - self.low))


def curves(
    lines: Sequence[Curve],
    span_us: tuple[int, int],
    gaps: Iterable[Gap] = (),
    limits: Iterable[Limit] = (),
    falls_us: Sequence[int] = (),
    alt: str = "",
) -> str:
    """Curves with their envelopes, limits as lines, gaps as hatched bands, falls of a counter as dashed
    uprights.
    """
    limits = tuple(limits)
    axes = Axes(*span_us, *_values(lines, limits))
    body = [
        *_grid(axes),
        *(_band(axes, gap) for gap in gaps),
        *(_limit(axes, limit) for limit in limits),
        *(_fall(axes, us) for us in falls_us),
        *(shape for place, line in enumerate(lines) for shape in _curve(axes, line, place, falls_us)),
        *_names(axes, lines),
    ]
    return _svg(HEIGHT, body, alt)


def _values(lines: Iterable[Curve], limits: Iterable[Limit]) -> tuple[float, float]:
    """From nought, or from below what is there: never so that a little looks like much."""
    shown = [*(limit.value for limit in limits), *(v for line in lines for v in (*line.low, *line.high))]
    if not shown:
        return 0.0, 1.0
    low, high = min(shown), max(shown)
    low = 0.0 if low >= 0 and low < 0.75 * high else low
    room = 0.06 * (high - low or abs(high) or 1.0)
    return (low if low == 0.0 else low - room), high + room


def _grid(axes: Axes) -> Iterator[str]:
    for value in ticks(axes.low, axes.high):
        y = axes.y(value)
        yield f'<line class="c-line" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="{LINE}"/>'
        yield _text(LEFT - 6, float(y) + 4, axis(value), anchor="end")
    for us, name in years(axes.from_us, axes.until_us):
        yield _text(float(axes.x(us)), HEIGHT - 6, name, anchor="middle")
        yield (
            f'<line class="c-line" x1="{axes.x(us)}" x2="{axes.x(us)}" y1="{HEIGHT - BOTTOM}" '
            f'y2="{HEIGHT - BOTTOM + 4}" stroke="{QUIET}"/>'
        )


def ticks(low: float, high: float) -> list[float]:
    """Three to six round values."""
    step = 10.0 ** len(f"{int(high - low)}") if high - low >= 1 else 1.0
    while step > 0 and (high - low) / step < 3:
        step = next(step / by for by in (2, 4, 5, 10) if (high - low) / (step / by) >= 3 or by == 10)
    first = int(low / step) - 1
    return [float(f"{(first + k) * step:.10g}") for k in range(12) if low <= (first + k) * step <= high]


def years(from_us: int, until_us: int) -> list[tuple[int, str]]:
    """Where the axis of time is marked: years, months or days, at most ten."""
    first, last = moment(from_us), moment(until_us)
    months = (last.year - first.year) * 12 + last.month - first.month
    if months < 2:
        length = until_us - from_us
        return [(us, f"{moment(us):%m-%d}") for us in (from_us + length * k // 4 for k in range(5))]
    every = next((n for n in (1, 2, 3, 6, 12, 24, 60) if months / n <= 10), 120)
    found = []
    for month in range(first.year * 12 + first.month, last.year * 12 + last.month):
        if month % every == 0:
            at = first.replace(
                year=month // 12, month=month % 12 + 1, day=1, hour=0, minute=0, second=0, microsecond=0
            )
            us = from_us + int((at - first).total_seconds() * 1e6)
            found.append((us, f"{at:%Y}" if at.month == 1 else f"{at:%b %Y}" if every < 12 else f"{at:%Y}"))
    return found


def _band(axes: Axes, gap: Gap) -> str:
    x, end = float(axes.x(gap.from_us)), float(axes.x(gap.until_us))
    return (
        f'<rect class="c-gap" x="{_place(x)}" y="{TOP}" width="{_place(max(end - x, 0.8))}" '
        f'height="{HEIGHT - TOP - BOTTOM}" fill="{GAP}"/>'
    )


def _limit(axes: Axes, limit: Limit) -> str:
    y, colour = axes.y(limit.value), ALARM if limit.level == "alarm" else WARN
    dash = "" if limit.level == "alarm" else ' stroke-dasharray="5 3"'
    return (
        f'<line class="c-{limit.level}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" '
        f'stroke="{colour}"{dash}/>'
        + _text(LEFT + 4, float(y) - 4, f"{limit.level} {number(limit.value)}", colour, f"t-{limit.level}")
    )


def _fall(axes: Axes, us: int) -> str:
    x = axes.x(us)
    return (
        f'<line class="c-alarm" x1="{x}" x2="{x}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="{ALARM}" '
        f'stroke-dasharray="3 3"/>{_text(float(x) + 3, TOP + 10, "fell", ALARM, "t-alarm")}'
    )


def _curve(axes: Axes, line: Curve, place: int, falls_us: Sequence[int]) -> Iterator[str]:
    """A piece for each run of stretches without a hole or a fall: its envelope, and its highest."""
    colour, dash = COLOURS[place % 4], DASHES[place % 4]
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    for piece in pieces(line, falls_us):
        ends = [(us, low, high) for us, low, high in piece]
        us, low, high = ends[-1]
        ends.append((us + line.step_us, low, high))
        upper = [f"{axes.x(us)},{axes.y(high)}" for us, _, high in ends]
        lower = [f"{axes.x(us)},{axes.y(low)}" for us, low, _ in reversed(ends)]
        area = " ".join(upper + lower)
        yield f'<polygon class="f{place % 4}" points="{area}" fill="{colour}" fill-opacity="0.2"/>'
        yield (
            f'<polyline class="l{place % 4}" points="{" ".join(upper)}" fill="none" stroke="{colour}" '
            f'stroke-width="1.4"{dashed}/>'
        )


def pieces(line: Curve, falls_us: Sequence[int] = ()) -> list[list[tuple[int, float, float]]]:
    """Where a stretch has no reading, or a counter fell, nothing joins what was before and after."""
    found: list[list[tuple[int, float, float]]] = []
    before_us = None
    for us, low, high in zip(line.times_us, line.low, line.high, strict=True):
        fell = any(us - line.step_us <= fall < us + line.step_us for fall in falls_us)
        if before_us is None or us - before_us > line.step_us or fell:
            found.append([])
        found[-1].append((us, low, high))
        before_us = us
    return found


def _names(axes: Axes, lines: Sequence[Curve]) -> Iterator[str]:
    """Of several curves, at the right, below each other where they would lie over each other."""
    if len(lines) < 2:
        return
    wanted = sorted(
        (float(axes.y(line.high[-1])), place, line.name) for place, line in enumerate(lines) if line.high
    )
    last = -100.0
    for y, place, name in wanted:
        last = max(y + 4, last + 12)
        yield _text(WIDTH - RIGHT + 5, last, name.replace("/", " "), COLOURS[place % 4], f"t{place % 4}")


def life(lanes: Sequence[Lane], span_us: tuple[int, int], alt: str = "") -> str:
    """Lanes under each other over the whole life."""
    height = LANE * len(lanes) + 26
    axes = Axes(*span_us, 0.0, 1.0, LANE_LEFT)
    body = []
    for us, name in years(*span_us):
        x = axes.x(us)
        body.append(f'<line class="c-line" x1="{x}" x2="{x}" y1="0" y2="{height - 18}" stroke="{LINE}"/>')
        body.append(_text(float(x), height - 4, name, anchor="middle"))
    for place, lane in enumerate(lanes):
        body += _lane(axes, lane, place * LANE + 4)
    return _svg(height, body, alt)


def _lane(axes: Axes, lane: Lane, top: int) -> Iterator[str]:
    yield _text(LANE_LEFT - 8, top + 12, lane.name, INK, "t-ink", "end")
    fills = {"full": COLOURS[0], "other": "#7fa9bd", "gap": GAP}
    for bar in lane.bars:
        x, end = float(axes.x(bar.from_us)), float(axes.x(bar.until_us))
        width = max(end - x, 0.8)
        yield (
            f'<rect class="b-{bar.tone}" x="{_place(x)}" y="{top}" width="{_place(width)}" height="16" '
            f'fill="{fills[bar.tone]}"/>'
        )
        if width > 5.4 * len(bar.text) + 6:
            colour = "#ffffff" if bar.tone == "full" else INK
            yield _text(x + 4, top + 12, bar.text, colour, f"t-{bar.tone}")
    for mark in lane.marks:
        colour = {"bad": ALARM, "warn": WARN}.get(mark.tone, QUIET)
        middle = axes.x(mark.at_us)
        yield f'<circle class="m-{mark.tone}" cx="{middle}" cy="{top + 8}" r="7" fill="{colour}"/>'
        yield _text(float(middle), top + 12, mark.letter, "#ffffff", "t-mark", "middle")


def _text(x: float, y: float, text: str, colour: str = QUIET, kind: str = "t-quiet", anchor: str = "start") -> str:
    return (
        f'<text class="{kind}" x="{_place(x)}" y="{_place(y)}" text-anchor="{anchor}" fill="{colour}" '
        f'font-size="11" font-family="{FONT}">{escape(text)}</text>'
    )


def _svg(height: int, body: Iterable[str], alt: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(alt)}">{"".join(body)}</svg>'
    )


def _place(value: float) -> str:
    return f"{value:.1f}"
