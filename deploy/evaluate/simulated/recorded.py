"""The recordings as arrays, for measuring what their noise is like. Junk stays in: it is part of what is measured.

In: the folder of the recordings (`../shared/data`). Out: arrays by column. Called by `measured.py`.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from schemas.errors import SettingError

Float64 = NDArray[np.float64]
Table = dict[str, Float64]

UR3, ARMPI, NASA = "ur3/ur3_cobotops.csv", "armpi", "battery_nasa"
ARMPI_MOTORS = 6


@dataclass(frozen=True, slots=True)
class Motor:
    """One motor's file of one ArmPi session."""

    session: str
    number: int
    rows: Table


@dataclass(frozen=True, slots=True)
class Trajectory:
    """Commanded and measured counts of six motors; the first column is the time in seconds."""

    commands: Float64
    positions: Float64


def ur3(data: Path) -> Table:
    """The UR3's columns, `time_s` among them."""
    return _columns(data / UR3, "Timestamp")


def motors(data: Path) -> Iterator[Motor]:
    """Every motor of every ArmPi session."""
    for session in sorted((data / ARMPI / "sessions").iterdir()):
        for number in range(1, ARMPI_MOTORS + 1):
            yield Motor(session.name, number, _columns(session / f"data_motor_{number}.csv"))


def trajectories(data: Path) -> Iterator[Trajectory]:
    """The two runs of the same commands."""
    for run in sorted((data / ARMPI / "trajectories").iterdir()):
        commands, positions = (
            np.column_stack(list(_columns(run / f"trajectory_monitoring_{name}.csv").values()))
            for name in ("cmd", "position")
        )
        yield Trajectory(commands, positions)


def cells(data: Path) -> Iterator[Float64]:
    """The ageing cells' capacities, a value a cycle, Ah."""
    for name in ("B0005", "B0006", "B0007"):
        yield _columns(data / NASA / f"{name}_capacity_df.csv")["capacity"]


def _columns(path: Path, time: str = "") -> Table:
    """A file's columns; what is no number is NaN. Raises SettingError."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except OSError as error:
        raise SettingError(f"{path} cannot be read: {error.strerror}; name the folder of the recordings") from None
    columns = {name.strip(): [row[at] for row in rows[1:]] for at, name in enumerate(rows[0])}
    table = {name: np.array([_number(text) for text in texts]) for name, texts in columns.items()}
    if time:
        stamps = np.array([text.strip('"').rstrip("Z") for text in columns[time]], "datetime64[ms]")
        table["time_s"] = stamps.astype(np.float64) / 1000
    return table


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float(text == "True") if text in ("True", "False") else np.nan
