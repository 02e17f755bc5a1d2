"""A window that does not count all its rows is told with what is known of it."""

import numpy as np

from deploy.ledger.book import ACKNOWLEDGED, INTENDED, Records
from deploy.ledger.plan import SWAPS, Plan
from deploy.ledger.short import told

PLAN = Plan(seed=3, start_us=1_760_000_000_000_000, rate=100, seconds=10, robots=10)
NUMBERS = np.arange(PLAN.records)


def records(state=ACKNOWLEDGED) -> Records:
    """All at partition 2, at twice their number."""
    return Records(NUMBERS, np.full(PLAN.records, state), np.full(PLAN.records, 2), 2 * NUMBERS)


def row(**changes):
    return {
        "robot_id": PLAN.codes[SWAPS], "start_us": PLAN.start_us, "length_us": 2_000_000, "rows": 20, "frames": 19,
        "kind": 2, "reason": None, "frame_offset": None, "noted": True, **changes,
    }  # fmt: skip


def test_it_names_the_frames_that_came_out_of_order_and_what_the_tables_say():
    line = told(PLAN, records(), row())
    assert line.startswith(
        f"{PLAN.codes[SWAPS]} window of 2025-10-09T08:53:20+00:00 (2 s): repaired vitals count 19"
    )
    assert "of 20 rows; no mark, noted to be repaired again; partition 2, offsets 10 to 390" in line
    assert line.endswith("out of order: seq 4 at 110, seq 12 at 270")


def test_a_window_without_vitals_that_is_marked_says_so():
    line = told(PLAN, records(), row(kind=None, frames=None, reason="clock_ahead", frame_offset=7, noted=False))
    assert "no vitals count 0 of 20 rows; marked (clock_ahead, offset 7), no note" in line


def test_of_many_frames_out_of_order_some_are_named():
    line = told(PLAN, records(), row(length_us=10_000_000))
    assert line.endswith("seq 44 at 910, 6 more")


def test_what_was_never_acknowledged_has_no_place():
    assert told(PLAN, records(INTENDED), row()).endswith("no acknowledged frames")
