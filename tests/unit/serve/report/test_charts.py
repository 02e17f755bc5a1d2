import re
import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from serve.report.charts import Bar, Lane, Mark, curves, life, pieces, ticks, years
from serve.report.model import Curve, Gap, Limit
from support.logbooks import DAY_US, START_US

LINE = Curve(
    name="joint/1", step_us=DAY_US, times_us=tuple(START_US + day * DAY_US for day in (0, 1, 2, 5, 6)),
    low=(1, 1, 2, 2, 3), high=(1, 2, 9, 2, 3),
)  # fmt: skip
SPAN = (START_US, START_US + 10 * DAY_US)


def test_nothing_joins_what_was_before_and_after_a_hole():
    before, after = pieces(LINE)
    assert [us for us, _, _ in after] == [START_US + 5 * DAY_US, START_US + 6 * DAY_US]
    assert max(high for _, _, high in before) == 9


def test_nothing_joins_what_was_before_and_after_a_fall():
    assert len(pieces(LINE, [START_US + DAY_US + 1])) == 4


def test_a_peak_of_one_stretch_is_drawn():
    drawn = curves([LINE], SPAN)
    ys = [
        float(y)
        for line in re.findall(r'<polyline[^>]*points="([^"]+)"', drawn)
        for y in re.findall(r",([\d.]+)", line)
    ]
    assert min(ys) < 25  # of the drawing's height; the top of what is drawn is at 10


def test_limits_gaps_and_falls_are_in_the_drawing():
    drawn = curves(
        [LINE],
        SPAN,
        gaps=[Gap(from_us=START_US + 3 * DAY_US, until_us=START_US + 5 * DAY_US)],
        limits=[Limit(level="alarm", side="above", value=8), Limit(level="warn", side="above", value=6)],
        falls_us=[START_US + 2 * DAY_US],
    )
    assert drawn.count('class="c-gap"') == 1
    assert "alarm 8" in drawn
    assert "warn 6" in drawn
    assert ">fell<" in drawn


def test_a_chart_without_a_reading_is_a_chart_all_the_same():
    ET.fromstring(curves([Curve(name="x", step_us=1)], SPAN))
    ET.fromstring(life([Lane("Owners")], SPAN))


def test_names_in_a_drawing_are_text():
    drawn = life([Lane("A <b>", (Bar(*SPAN, "<script>"),), (Mark(START_US, "&"),))], SPAN, alt='"><script>')
    ET.fromstring(drawn)
    assert "<script>" not in drawn


@given(st.floats(-1e6, 1e6), st.floats(0.01, 1e7))
def test_an_axis_has_a_few_round_values_within_it(low, width):
    values = ticks(low, low + width)
    assert 1 <= len(values) <= 12
    assert all(low <= value <= low + width for value in values)


@given(st.integers(1, 40 * 365))
def test_the_axis_of_time_has_at_most_a_dozen_names(days):
    marks = years(START_US, START_US + days * DAY_US)
    assert len(marks) <= 13
    assert all(START_US <= us <= START_US + days * DAY_US for us, _ in marks)
