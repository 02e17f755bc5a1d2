"""Rows of `frame` against what the book says must be there. Pure.

In: the rows of some robots by columns, and the places that the broker acknowledged or may have had. Out: counts and
names of what is lost, doubled, unknown, or not as it was sent. Called by `deploy/ledger/check.py`.
"""

from dataclasses import dataclass

import numpy as np

from deploy.ledger.frames import IMPOSSIBLE_C, TEMPERATURE, Contents, contents, layout_of
from deploy.ledger.plan import Flags, Int64, Plan
from deploy.ledger.rows import Cells, Columns, Float32, padded
from deploy.ledger.verdict import Check
from schemas.signals import SIGNALS

LOST, DOUBLED, UNKNOWN, PAYLOAD = (
    "acknowledged frames are rows",
    "no row twice",
    "no row that was not sent",
    "rows are as sent, in every column",
)


@dataclass(frozen=True, slots=True)
class Known:
    """Places of good frames: acknowledged (sorted), and all that were attempted, acknowledged or not (sorted)."""

    acknowledged: Int64
    attempted: Int64

    def of(self, robots: range, plan: Plan) -> "Known":
        """Those of some robots."""
        return Known(*(p[np.isin(p % plan.robots, robots)] for p in (self.acknowledged, self.attempted)))


def compare(plan: Plan, robots: range, rows: Columns, known: Known, checks: dict[str, Check]) -> None:
    """Note what differs. `rows.robot` counts from the first of `robots`; `known` is of these robots."""
    robot, get = rows.robot + robots.start, rows.integers
    place = plan.place_of(robot, get["boot_id"], get["seq"])
    boot_id, seq, time_us = plan.identity(place)
    ours = (boot_id == get["boot_id"]) & (seq == get["seq"]) & (time_us == get["time_us"])
    ours &= np.isin(place, known.attempted)
    strange = np.nonzero(~ours)[0]
    checks[UNKNOWN].count(len(rows))
    checks[UNKNOWN].add(
        len(strange),
        (
            f"{plan.codes[robot[i]]} boot {get['boot_id'][i]} seq {get['seq'][i]} at {get['time_us'][i]}"
            for i in strange
        ),
    )
    present, times = np.unique(place[ours], return_counts=True)
    lost = np.setdiff1d(known.acknowledged, present)
    checks[LOST].count(len(known.acknowledged))
    checks[LOST].add(len(lost), (name(plan, p) for p in lost.tolist()))
    doubled = present[times > 1]
    checks[DOUBLED].count(len(present))
    checks[DOUBLED].add(int((times - 1).sum()), (name(plan, p) for p in doubled.tolist()))
    for joints in {plan.joints(r) for r in robots}:
        chosen = np.nonzero(ours & np.isin(robot, [r for r in robots if plan.joints(r) == joints]))[0]
        _compare_payload(plan, rows, chosen, contents(plan, place[chosen], joints), checks[PAYLOAD])


def name(plan: Plan, place: int) -> str:
    boot_id, seq, time_us = (int(column[0]) for column in plan.identity(np.array([place])))
    return f"{plan.codes[place % plan.robots]} boot {boot_id} seq {seq} at {time_us} (record {place})"


def _compare_payload(plan: Plan, rows: Columns, chosen: Int64, sent: Contents, check: Check) -> None:
    check.count(len(chosen))
    integers = {
        "mono_us": sent.mono_us, "runtime_s": sent.mono_us // 1_000_000, "energy_wh": sent.energy_wh,
        "cycles": np.full(len(chosen), -1), "dropped": sent.dropped, "mode": sent.mode,
        "backfill": sent.backfill.astype(np.int64),
    }  # fmt: skip
    wrong = {column: rows.integers[column][chosen] != value for column, value in integers.items()}
    for column, texts in (("scenario", sent.scenario), ("software", sent.software)):
        wrong[column] = rows.texts[column][chosen] != np.array(texts, object)
    for suffix, stored in screened(sent).items():
        for signal in SIGNALS:
            first, end = sent.layout.spans.get(signal.name, (0, 0))
            column = signal.name + suffix
            wrong[column] = _differs(rows.cells[column], chosen, stored[:, first:end])
    bad = np.nonzero(np.logical_or.reduce(list(wrong.values())))[0]
    check.add(
        len(bad),
        (f"{name(plan, int(sent.place[i]))}: {', '.join(c for c, w in wrong.items() if w[i])}" for i in bad),
    )


def _differs(cells: Cells, chosen: Int64, stored: Float32) -> Flags:
    """Which rows of one signal are not `stored`, rows × elements."""
    width = stored.shape[1]
    # A plain column that is absent is NULL; an array has its length, whatever is in it.
    length = (~np.isnan(stored[:, 0])).astype(np.int64) if width == 1 else np.int64(width)
    found = padded(cells.values[chosen], width)[:, :width]
    same = (found == stored) | (np.isnan(found) & np.isnan(stored))
    differs: Flags = (cells.length[chosen] != length) | ~same.all(axis=1)
    return differs


def screened(sent: Contents) -> dict[str, Float32]:
    """What must be stored, NULL where it is impossible: the values, and with a suffix their lowest and highest."""
    first, end = sent.layout.spans[TEMPERATURE]
    stored = sent.values.copy()
    temperatures = stored[:, first:end]
    temperatures[temperatures == IMPOSSIBLE_C] = np.nan
    means = sent.downsampled[:, None] & ~np.isnan(stored)
    lowest, highest = (np.where(means, side, stored) for side in (sent.lowest, sent.highest))
    return {"": stored, " lowest": lowest, " highest": highest}


def impossible(plan: Plan, places: Int64) -> set[tuple[str, int, int, int, str, int, float]]:
    """The rows that `impossible_reading` must have of these places."""
    found = set()
    joints = np.array([plan.joints(r) for r in range(plan.robots)])[places % plan.robots]
    for count in np.unique(joints).tolist():
        sent = contents(plan, places[joints == count], count)
        first, end = layout_of(count).spans[TEMPERATURE]
        rows, slots = np.nonzero(sent.values[:, first:end] == IMPOSSIBLE_C)
        found |= {
            (
                plan.codes[int(sent.robot[row])],
                int(sent.time_us[row]),
                int(sent.seq[row]),
                int(sent.boot_id[row]),
                TEMPERATURE,
                slot + 1,
                IMPOSSIBLE_C,
            )
            for row, slot in zip(rows.tolist(), slots.tolist(), strict=True)
        }
    return found
