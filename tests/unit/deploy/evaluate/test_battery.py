"""Remaining life of cells: what is counted, and that the real ones are judged without looking ahead."""

import io
from pathlib import Path

import msgspec
import numpy as np
import pytest
from rich.console import Console

from deploy.evaluate import battery
from deploy.evaluate.battery import END_OF_LIFE_AH, cell_of, judge
from schemas.errors import SettingError, UnavailableError
from support.recorded import recording


def fading(cycles: int, rate: float) -> np.ndarray:
    """A cell that loses `rate` Ah a cycle from 1.9 Ah, with a little noise."""
    return 1.9 - rate * np.arange(cycles) + 0.002 * np.random.default_rng(5).normal(size=cycles)


def test_a_cell_that_fades_evenly_is_foretold() -> None:
    cell = cell_of("even", judge(fading(150, 0.005)))
    assert cell.end == pytest.approx(100, abs=1)
    assert [point.left for point in cell.points] == [cell.end - round(s * cell.end) for s in battery.SHARES]
    assert all(point.holds for point in cell.points)
    assert cell.error is not None
    assert cell.error < 0.1
    assert cell.known > 0.9
    assert cell.warned is not None
    assert 10 <= cell.warned <= 40


def test_a_cell_that_lives_on_has_no_error_but_can_be_contradicted() -> None:
    alive = cell_of("alive", judge(fading(60, 0.003)))
    assert (alive.end, alive.error, alive.points) == (None, None, [])
    assert alive.held is not None
    assert alive.held > 0.9
    recovering = cell_of("recovering", judge(np.concatenate([fading(60, 0.008), np.full(200, 1.6)])))
    assert recovering.end is None
    assert recovering.held is not None
    assert recovering.held < 0.9


def test_what_comes_later_changes_nothing_that_was_said() -> None:
    whole, part = judge(fading(100, 0.004)), judge(fading(100, 0.004)[:60])
    for name in ("remaining", "low", "high", "due"):
        np.testing.assert_array_equal(getattr(whole, name)[:60], getattr(part, name))


def test_a_missing_capacity_is_absent() -> None:
    capacity = fading(80, 0.004)
    capacity[40] = np.nan
    assert np.isfinite(judge(capacity).remaining[60])


def test_the_real_cells_print_and_travel_as_json() -> None:
    result = battery.run(recording("battery_nasa"))
    assert [(cell.name, cell.end) for cell in result.cells] == [("B0005", 123), ("B0006", 107), ("B0007", None)]
    printed = io.StringIO()
    console = Console(width=140, file=printed)
    console.print(result.table())
    assert "not reached in 167" in printed.getvalue()
    assert msgspec.json.decode(result.as_json())["end_of_life_ah"] == END_OF_LIFE_AH
    assert result.held is not None
    assert result.held >= 0.7, "an interval of 80 % that seldom holds misleads"


def test_a_wrong_folder_or_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="name the folder battery_nasa"):
        battery.run(tmp_path)
    file = tmp_path / "B0001_capacity_df.csv"
    file.write_text("cycle\n1\n")
    with pytest.raises(SettingError, match="no column 'capacity'; it has cycle"):
        battery.run(tmp_path)
    file.write_text("capacity\n1.8\nmuch\n")
    with pytest.raises(SettingError, match="line 3"):
        battery.run(tmp_path)
