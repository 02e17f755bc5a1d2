"""What the real recordings show of noise, load, temperature, junk and ageing: the figures behind the simulator.

In: the folder of the recordings. Out: figures, each with its lowest, middle and highest value over joints, motors
or cells. `docs/simulated.md` says which parameter of `nature.py` came from which figure. Run it with
`python -m deploy.evaluate.simulated.measured ../shared/data`.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table as RichTable

from deploy.evaluate.simulated.recorded import Float64, Table, cells, motors, trajectories, ur3

UR3_JOINTS = 6
NOMINAL_AH = 2.0
POSSIBLE = {"temperature": (-40, 150), "position": (-100, 1100), "voltage": (1000, 20_000)}
LONG_GAP_S = 60
JUMP_C = 3  # from one reading to the next, a tenth of a second later
FEW = 20
JUMP = 0.01  # of nominal capacity: a cycle that gains more has regenerated
COMMANDS_IN_TEN_MINUTES = 20  # the UR3's cycle takes 28 s


@dataclass(frozen=True, slots=True)
class Figure:
    """`low`, `middle` and `high` are over what `over` names."""

    source: str
    name: str
    unit: str
    over: str
    low: float
    middle: float
    high: float


def measure(data: Path) -> list[Figure]:
    """Every figure. Raises SettingError when a recording is not there."""
    return [*_ur3(ur3(data)), *_armpi(data), *_trajectories(data), *_nasa(data)]


def _figure(source: str, name: str, unit: str, over: str, values: Iterable[float]) -> Figure:
    array = np.array(list(values))
    return Figure(source, name, unit, over, float(array.min()), float(np.median(array)), float(array.max()))


def _ur3(rows: Table) -> Iterator[Figure]:
    currents = [rows[f"Current_J{joint}"] for joint in range(UR3_JOINTS)]
    for seconds in (60, 600):
        scatter = [relative_scatter(window_rms(current, seconds)) for current in currents]
        yield _figure("ur3", f"scatter of rms current, means of {seconds} s", "of mean", "joints", scatter)
    by_cycle = [detrended(cycle_rms(current, rows["cycle"])) for current in currents]
    yield _figure("ur3", "scatter of rms current, cycles", "of mean", "joints", (cycle.std() for cycle in by_cycle))
    yield _figure("ur3", "autocorrelation of neighbouring cycles", "1", "joints", map(autocorrelation, by_cycle))
    yield _figure("ur3", "kurtosis of cycles (normal: 3)", "1", "joints", map(kurtosis, by_cycle))
    yield _figure("ur3", "cycles beyond four robust deviations", "of cycles", "joints", map(outliers, by_cycle))
    raw = [cycle_rms(current, rows["cycle"]) for current in currents]
    change = [abs(float(np.log(cycle[-FEW:].mean() / cycle[:FEW].mean()))) for cycle in raw]
    yield _figure("ur3", f"last {FEW} cycles against the first {FEW}", "|ln ratio|", "joints", change)
    yield from _ur3_heat(rows, currents)
    blank = float(np.isnan(rows["Speed_J0"]).mean())
    yield _figure("ur3", "rows with blank sensors", "of rows", "recording", [blank])
    stopped = float(np.nanmean(rows["Robot_ProtectiveStop"]))
    yield _figure("ur3", "rows in a protective stop", "of rows", "recording", [stopped])
    yield _figure("ur3", "longest time without rows", "s", "recording", [np.diff(rows["time_s"]).max()])


def _ur3_heat(rows: Table, currents: list[Float64]) -> Iterator[Figure]:
    """The first spell warms up from cold; the second is warm."""
    gap = int(np.nonzero(np.diff(rows["time_s"]) > LONG_GAP_S)[0][0])
    spell = slice(0, gap + 1)
    names = ["Temperature_T0", *(f"Temperature_J{joint}" for joint in range(1, UR3_JOINTS))]
    fits = [warm_up(rows["time_s"][spell], rows[name][spell]) for name in names]
    yield _figure("ur3", "time constant of warming up", "s", "joints", (fit.tau_s for fit in fits))
    yield _figure("ur3", "rise of temperature by working", "°C", "joints", (fit.rise_c for fit in fits))
    yield _figure("ur3", "scatter around the warming up", "°C", "joints", (fit.scatter_c for fit in fits))
    yield _figure("ur3", "resolution of temperature", "°C", "joints", (resolution(rows[name]) for name in names))
    slopes = []
    for name, current in zip(names, currents, strict=True):
        rms, warm = cycle_rms(current, rows["cycle"]), cycle_rms(rows[name], rows["cycle"])
        slopes.append(float(np.polyfit(warm, rms, 1)[0] / rms.mean()))
    yield _figure("ur3", "rms current by joint temperature", "of mean a °C", "joints", slopes)


def _armpi(data: Path) -> Iterator[Figure]:
    impossible = readings = jumps = rows = 0
    finest: list[float] = []
    warm: dict[int, list[float]] = {}
    supply: dict[int, list[float]] = {}
    for motor in motors(data):
        possible = {name: (motor.rows[name] >= low) & (motor.rows[name] <= high)
                    for name, (low, high) in POSSIBLE.items()}  # fmt: skip
        readings += sum(len(good) for good in possible.values())
        impossible += sum(int((~good).sum()) for good in possible.values())
        temperature = motor.rows["temperature"][possible["temperature"]]
        rows += len(temperature)
        jumps += int((np.abs(np.diff(temperature)) > JUMP_C).sum())
        finest += [resolution(temperature)] if np.ptp(temperature) else []
        for name, levels in (("temperature", warm), ("voltage", supply)):
            levels.setdefault(motor.number, []).append(float(np.median(motor.rows[name][possible[name]])))
    yield _figure("armpi", "impossible readings", "of readings", "recording", [impossible / readings])
    yield _figure("armpi", "possible readings that jump", "of readings", "recording", [jumps / rows])
    yield _figure("armpi", "resolution of temperature", "°C", "motors", finest)
    spread = [float(np.std(levels)) for levels in warm.values()]
    yield _figure("armpi", "a motor's median temperature, between sessions", "°C", "motors", spread)
    spread = [float(np.std(levels) / np.mean(levels)) for levels in supply.values()]
    yield _figure("armpi", "a motor's median voltage, between sessions", "of mean", "motors", spread)


def _trajectories(data: Path) -> Iterator[Figure]:
    """The error once a command's second is over, for the same commands on two days."""
    errors = []
    for run in trajectories(data):
        times_s = run.positions[:, 0]
        last = [
            run.positions[(times_s > command[0] + 1) & (times_s < after)][-1, 1:] - command[1:]
            for command, after in zip(run.commands, run.commands[1:, 0], strict=False)
        ]
        errors.append(np.sqrt(np.square(last).mean(axis=0)))
    before, after = errors
    change = np.abs(np.log(after / before))
    yield _figure("armpi", "tracking error, same commands on another day", "|ln ratio|", "motors", change)
    single = np.median(change) / np.sqrt(2) * np.sqrt(len(last))
    expected = single / np.sqrt(COMMANDS_IN_TEN_MINUTES)
    yield _figure("armpi", "from it: scatter of tracking error in ten minutes", "of mean", "recording", [expected])


def _nasa(data: Path) -> Iterator[Figure]:
    capacities = [capacity / NOMINAL_AH for capacity in cells(data)]
    noise = [detrended(capacity) for capacity in capacities]
    steps = [np.diff(capacity) for capacity in capacities]
    rose = [step[step > JUMP] for step in steps]
    fade = (-float(np.median(step)) for step in steps)
    yield _figure("nasa", "first capacity", "of nominal", "cells", (float(capacity[0]) for capacity in capacities))
    yield _figure("nasa", "fade, between regenerations", "of nominal a cycle", "cells", fade)
    yield _figure("nasa", "scatter around the fade", "of value", "cells", (n.std() for n in noise))
    yield _figure("nasa", "autocorrelation of it", "1", "cells", map(autocorrelation, noise))
    apart = (len(c) / len(up) for c, up in zip(capacities, rose, strict=True))
    yield _figure("nasa", "cycles from one regeneration to the next", "cycles", "cells", apart)
    yield _figure("nasa", "size of regenerations", "of nominal", "all of them", np.concatenate(rose))


def window_rms(values: Float64, length: int) -> Float64:
    """Root mean square of each whole window of so many rows; NaN left out."""
    windows = values[: len(values) // length * length].reshape(-1, length)
    windows = windows[~np.isnan(windows).all(axis=1)]
    return np.asarray(np.sqrt(np.nanmean(windows**2, axis=1)))


def cycle_rms(values: Float64, cycle: Float64) -> Float64:
    """Root mean square of each cycle that has values."""
    numbers = np.unique(cycle[~np.isnan(cycle) & ~np.isnan(values)])
    return np.array([np.sqrt(np.nanmean(values[cycle == number] ** 2)) for number in numbers])


def detrended(values: Float64, half: int = 15) -> Float64:
    """The share by which each value differs from the running median around it."""
    medians = [np.median(values[max(0, at - half) : at + half + 1]) for at in range(len(values))]
    return np.asarray(values / np.array(medians) - 1)


def relative_scatter(values: Float64) -> float:
    return float(values.std() / values.mean())


def autocorrelation(values: Float64) -> float:
    """Of neighbours."""
    centred = values - values.mean()
    return float((centred[:-1] * centred[1:]).mean() / (centred**2).mean())


def kurtosis(values: Float64) -> float:
    centred = values - values.mean()
    return float((centred**4).mean() / (centred**2).mean() ** 2)


def outliers(values: Float64) -> float:
    """The share beyond four robust deviations."""
    away = np.abs(values - np.median(values))
    return float((away > 4 * 1.4826 * np.median(away)).mean())


@dataclass(frozen=True, slots=True)
class WarmUp:
    """A rise by `rise_c` with the time constant `tau_s`, and what is left around it."""

    tau_s: float
    rise_c: float
    scatter_c: float


def warm_up(times_s: Float64, values_c: Float64) -> WarmUp:
    """The exponential that fits best, by trying time constants from two minutes to five hours."""
    there = ~np.isnan(values_c)
    passed_s, values_c = times_s[there] - times_s[there][0], values_c[there]
    fits = []
    for tau_s in np.geomspace(120, 18_000, 120):
        shape = np.column_stack([np.ones_like(passed_s), np.exp(-passed_s / tau_s)])
        factors = np.linalg.lstsq(shape, values_c, rcond=None)[0]
        fits.append(WarmUp(float(tau_s), float(-factors[1]), float((values_c - shape @ factors).std())))
    return min(fits, key=lambda fit: fit.scatter_c)


def resolution(values: Float64) -> float:
    """The least difference between two readings in a row that are not the same."""
    steps = np.abs(np.diff(values[~np.isnan(values)]))
    return float(steps[steps > 0].min())


def main() -> None:
    table = RichTable("recording", "figure", "unit", "over", "low", "middle", "high", box=None, pad_edge=False)
    for figure in measure(Path(sys.argv[1])):
        numbers = (f"{value:.3g}" for value in (figure.low, figure.middle, figure.high))
        table.add_row(figure.source, figure.name, figure.unit, figure.over, *numbers)
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
