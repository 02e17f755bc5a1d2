"""What vitals should be, computed from the rows of `frame`: a second way, which shares nothing with the product's.

In: rows and vitals of the same robots by columns. Out: where they differ. Called by `deploy/ledger/check.py` and by
tests. Rows are sorted by robot, window, boot and number, and reduced a window at a time. Pure, but for
`differences`.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from deploy.ledger import rows
from deploy.ledger.rows import Cells, Columns, Connection, Int64, padded
from schemas.signals import MODE_FAULT, SIGNALS

# A sum's order may change the last place of a float32.
TOLERANCE = 2.4e-7
NO_LENGTH_US = 10_000_000  # where there are no windows at all
_EXTREME = {"min": " lowest", "max": " highest"}  # where frames are of means, these are of what lies behind them
_LAST = ("boot_id", "mode", "runtime_s", "energy_wh", "cycles")
_COUNTED = ("frames", "missing", "first_seq", "last_seq", "last_time_us", "fault_frames", "backfill_frames", *_LAST)


async def differences(connection: Connection, limit: int = 10) -> list[str]:
    """Where `vitals` is not what the rows say, of all robots; the first `limit`."""
    codes = [row["robot_id"] for row in await connection.fetch("SELECT DISTINCT robot_id FROM frame ORDER BY 1")]
    found = compare(await rows.frames(connection, codes), await rows.vitals(connection, codes), codes)
    return [text for _, text in zip(range(limit), found, strict=False)]


def compare(frames: Columns, vitals: Columns, codes: list[str]) -> Iterator[str]:
    """A line for each window that is missing, too much, or different in a column."""
    lengths = np.unique(vitals.integers["length_us"]).tolist() or [NO_LENGTH_US]
    for length_us in lengths:
        chosen = np.nonzero(vitals.integers["length_us"] == length_us)[0]
        yield from _of_length(frames, vitals, chosen, length_us, codes)


def _of_length(frames: Columns, vitals: Columns, chosen: Int64, length_us: int, codes: list[str]) -> Iterator[str]:
    expected = windows(frames, length_us)
    found_key = _keys(vitals.robot[chosen], vitals.integers["start_us"][chosen])
    key = _keys(expected.robot, expected.integers["start_us"])
    for text, names in (("missing", np.setdiff1d(key, found_key)), ("too much", np.setdiff1d(found_key, key))):
        yield from (f"{text}: {_name(name, codes)}" for name in names)
    common, at, found_at = np.intersect1d(key, found_key, return_indices=True)
    places = chosen[found_at]
    for name in ("software", "scenario"):
        yield from _unequal(name, common, expected.texts[name][at], vitals.texts[name][places], codes)
    for name in _COUNTED:
        yield from _unequal(name, common, expected.integers[name][at], vitals.integers[name][places], codes)
    for name, cells in expected.cells.items():
        other = vitals.cells[name]
        wrong = np.nonzero(~_same(cells, at, other, places))[0]
        yield from (
            f"{_name(common[w], codes)} {name}: {other.values[places[w]]} instead of {cells.values[at[w]]}"
            for w in wrong
        )


def windows(frames: Columns, length_us: int) -> Columns:
    """The vitals of all robots and windows in these rows; statistics of signals that no row has are NULL."""
    start_us = frames.integers["time_us"] // length_us * length_us
    order = _order(frames, start_us)
    robot, start_us = frames.robot[order], start_us[order]
    firsts = np.nonzero((np.diff(robot, prepend=-1) != 0) | (np.diff(start_us, prepend=-1) != 0))[0]
    lasts = np.append(firsts[1:], len(order))[: len(firsts)] - 1
    ordered = {name: column[order] for name, column in frames.integers.items()}
    cells: dict[str, Cells] = {}
    for signal in SIGNALS:
        for statistic in signal.statistics:
            own = frames.cells[signal.name + _EXTREME.get(statistic, "")]
            sorted_cells = Cells(own.values[order], own.length[order])
            cells[f"{signal.name}_{statistic}"] = _reduced(sorted_cells, firsts, str(statistic))
    return Columns(
        robot=robot[firsts],
        integers={"start_us": start_us[firsts], **_counts(ordered, firsts, lasts)},
        texts={name: column[order][lasts] for name, column in frames.texts.items()},
        cells=cells,
    )


def _order(frames: Columns, start_us: Int64) -> Int64:
    """By robot and window; in a window by boot, and in a boot by number. Of two boots the one whose last frame is
    later comes later, however they lie over each other."""
    by, robot = frames.integers, frames.robot
    order = np.lexsort((by["seq"], by["boot_id"], start_us, robot))
    keys = np.stack([column[order] for column in (robot, start_us, by["boot_id"])])
    begins = np.nonzero((np.diff(keys, prepend=-1) != 0).any(axis=0))[0]
    lengths = np.diff(np.append(begins, len(order)))
    last_us = np.empty(len(order), np.int64)
    last_us[order] = np.repeat(by["time_us"][order][begins + lengths - 1], lengths)
    return np.lexsort((by["seq"], by["boot_id"], last_us, start_us, robot))


def _counts(ordered: dict[str, Int64], firsts: Int64, lasts: Int64) -> dict[str, Int64]:
    """What a window says of its frames; `ordered` is sorted by window, then time."""
    window = np.repeat(np.arange(len(firsts)), np.diff(np.append(firsts, len(ordered["seq"]))))
    boots = np.lexsort((ordered["seq"], ordered["boot_id"], window))
    boot_window, boot, seq = window[boots], ordered["boot_id"][boots], ordered["seq"][boots]
    begins = np.nonzero((np.diff(boot_window, prepend=-1) != 0) | (np.diff(boot, prepend=-1) != 0))[0]
    ends = np.append(begins[1:], len(boots))[: len(begins)] - 1
    gaps = seq[ends] - seq[begins] - (ends - begins)
    last_boot = ordered["boot_id"][lasts]
    is_last = boot[begins] == last_boot[boot_window[begins]]
    return {
        "frames": lasts - firsts + 1,
        "missing": np.bincount(boot_window[begins], gaps, len(firsts)).astype(np.int64),
        "first_seq": seq[begins[is_last]],
        "last_seq": seq[ends[is_last]],
        "last_time_us": ordered["time_us"][lasts],
        "fault_frames": _sums(ordered["mode"] == MODE_FAULT, firsts),
        "backfill_frames": _sums(ordered["backfill"], firsts),
        **{name: ordered[name][lasts] for name in _LAST},
    }


def _sums(flags: NDArray[np.int64] | NDArray[np.bool_], firsts: Int64) -> Int64:
    return np.add.reduceat(flags.astype(np.int64), firsts) if len(firsts) else np.empty(0, np.int64)


def _reduced(cells: Cells, firsts: Int64, statistic: str) -> Cells:
    """One statistic of one signal, a row a window."""
    values = cells.values.astype(np.float64)
    if not len(firsts) or not values.shape[1]:
        return Cells(np.full((len(firsts), values.shape[1]), np.nan, np.float32), np.zeros(len(firsts), np.int64))
    present = ~np.isnan(values)
    length = np.maximum.reduceat(cells.length, firsts)
    return Cells(_statistic(values, present, firsts, statistic).astype(np.float32), length)


def _statistic(
    values: NDArray[np.float64], present: NDArray[np.bool_], firsts: Int64, statistic: str
) -> NDArray[np.float64]:
    if statistic in ("min", "max"):
        reduce = np.fmin if statistic == "min" else np.fmax
        extreme: NDArray[np.float64] = reduce.reduceat(values, firsts)
        return extreme
    if statistic == "last":
        at = np.maximum.reduceat(np.where(present, np.arange(len(values))[:, None], -1), firsts)
        return np.where(at < 0, np.nan, np.take_along_axis(values, np.maximum(at, 0), axis=0))
    powers = np.where(present, values if statistic == "mean" else values * values, 0.0)
    count = np.add.reduceat(present.astype(np.int64), firsts)
    mean = np.add.reduceat(powers, firsts) / np.where(count, count, np.nan)
    return mean if statistic == "mean" else np.sqrt(mean)


def _same(one: Cells, at: Int64, other: Cells, places: Int64) -> NDArray[np.bool_]:
    width = max(one.values.shape[1], other.values.shape[1])
    a, b = padded(one.values[at], width), padded(other.values[places], width)
    close = np.isclose(a, b, rtol=TOLERANCE, atol=1e-30, equal_nan=True).all(axis=1)
    same: NDArray[np.bool_] = close & (one.length[at] == other.length[places])
    return same


def _unequal(
    name: str, common: Int64, expected: NDArray[np.generic], found: NDArray[np.generic], codes: list[str]
) -> Iterator[str]:
    for wrong in np.nonzero(expected != found)[0]:
        yield f"{_name(common[wrong], codes)} {name}: {found[wrong]!r} instead of {expected[wrong]!r}"


# A robot and a window's start as one number: no time is beyond 2^53 µs, and windows last a second or more.
_STEP_US, _STEPS = 10_000, 10**12


def _keys(robot: Int64, start_us: Int64) -> Int64:
    return robot * _STEPS + start_us // _STEP_US


def _name(key: np.int64, codes: list[str]) -> str:
    robot, step = divmod(int(key), _STEPS)
    return f"{codes[robot]} window of {np.datetime64(step * _STEP_US, 'us')}"
