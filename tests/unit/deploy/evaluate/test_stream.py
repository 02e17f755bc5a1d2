"""Rows through the shipped detectors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.evaluate.stream import MOST, Ruler, Scorer
from processors.detectors.tracks import Track
from processors.detectors.tuning import commissioned

COLUMNS = (Track("a", 0), Track("b", 0))
ROWS = 240


def series() -> np.ndarray:
    """Healthy, then the first column is 20 standard deviations off from row 200 on."""
    values = np.random.default_rng(7).normal(size=(ROWS, 2)).astype(np.float32)
    values[200:, 0] += 20
    values[5, 1] = np.nan
    return values


def score(values: np.ndarray, cuts: tuple[int, ...] = ()) -> tuple[list[float], list[bool]]:
    scorer = Scorer(COLUMNS, commissioned(100))
    scores: list[float] = []
    flags: list[bool] = []
    for part in np.split(values, cuts):
        if len(part):
            told = scorer.score(np.arange(len(part), dtype=np.int64), part)
            scores += told.score.tolist()
            flags += told.flag.tolist()
    return scores, flags


def test_a_change_is_flagged_and_health_is_not() -> None:
    scores, flags = score(series())
    assert not any(flags[:200])
    assert all(flags[205:])
    assert max(scores[:200]) < 0.5 <= min(scores[205:])
    assert min(scores) >= 0
    assert max(scores) <= 1


def test_rows_fall_into_blocks_as_they_like() -> None:
    assert score(series(), (1, 50, 51, 203)) == score(series())


def test_one_that_is_absent_from_beginning_to_end_is_no_fault() -> None:
    values = series()[:200]
    values[:, 1] = np.nan
    scores, flags = score(values)
    assert not any(flags)
    assert np.isfinite(scores).all()


numbers = st.lists(st.sampled_from([np.nan, 0.0, 1.0, 1.5, 1e6, 1e6 + 0.25]), min_size=1, max_size=12)


@given(numbers, st.integers(0, 12), st.sampled_from([1.0, 1024.0, 2.0**-30]), st.sampled_from([0.0, 2.0]))
def test_a_ruler_neither_looks_ahead_nor_minds_the_unit(
    values: list[float], cut: int, unit: float, offset: float
) -> None:
    column = np.array(values)[:, None]
    whole = Ruler(1).measure(column)
    ruler = Ruler(1)
    parts = [ruler.measure(part) for part in np.split(column, [min(cut, len(column))]) if len(part)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    np.testing.assert_array_equal(Ruler(1).measure((column + offset) * unit), whole)


def test_a_ruler_keeps_what_is_small_beside_a_large_offset() -> None:
    values = 1.7e9 + np.array([[0.0], [0.5], [1.0], [np.nan], [-0.5]])
    np.testing.assert_array_equal(Ruler(1).measure(values), [[0], [1], [2], [np.nan], [-1]])


@pytest.mark.parametrize("far", [1e300, -1e300])
def test_a_ruler_bounds_what_is_absurd(far: float) -> None:
    assert abs(Ruler(1).measure(np.array([[0.0], [1.0], [far]]))[2, 0]) == np.float32(MOST)


def flagged(values: np.ndarray, learning: int) -> list[int]:
    """The rows of one column that are flagged, measured as a file's are."""
    ruler, scorer = Ruler(1, learning), Scorer((Track("a", 0),), commissioned(learning))
    measured = ruler.measure(values[:, None].astype(np.float64))
    told = scorer.score(np.arange(len(values), dtype=np.int64), measured)
    return np.nonzero(told.flag)[0].tolist()


@pytest.mark.parametrize("wild", [0, 10, 29])
def test_a_wild_reading_at_the_beginning_hides_nothing(wild: int) -> None:
    values = np.random.default_rng(5).normal(50, 1, 1200)
    values[wild] = -999
    values[800:900] += 5
    found = flagged(values, learning=400)
    assert set(range(805, 900)) <= set(found)
    assert not [row for row in found if row < 800 or row > 930]


def test_a_tiny_first_step_is_no_unit() -> None:
    values = np.random.default_rng(5).normal(50, 1, 1200)
    values[:2] = 0, 1e-9
    values[800:900] += 5
    assert set(range(805, 900)) <= set(flagged(values, learning=400)) <= set(range(800, 930))


def test_what_was_constant_and_is_so_again_is_no_fault_any_more() -> None:
    values = np.full(2000, 5.0)
    values[1000:1100] = 9
    found = flagged(values, learning=400)
    assert set(range(1001, 1100)) <= set(found) <= set(range(1000, 1150))
