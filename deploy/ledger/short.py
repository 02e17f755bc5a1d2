"""Windows that do not count as many frames as they have rows, each in a line: what is known of it and its frames.

In: the tables, and a ledger's book. Out: text. Called by `deploy/ledger/check.py` where a stack has not come to
rest, for then the numbers alone say nothing of where the frames went.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from deploy.ledger.book import ACKNOWLEDGED, Records
from deploy.ledger.plan import Plan
from deploy.ledger.rows import Connection
from schemas.vitals import WINDOW_KINDS

WINDOWS_NAMED, FRAMES_NAMED = 9, 6

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# A row that came twice is another check's, as it is in `deploy/ledger/rest.py`.
_SHORT = """
WITH lengths AS (
    SELECT DISTINCT length_us FROM vitals WHERE robot_id = ANY($1::text[])
), expected AS (
    SELECT robot_id, length_us, count(*) AS rows,
           time_bucket(length_us * interval '1 us', time, origin => to_timestamp(0)) AS start
    FROM (SELECT DISTINCT robot_id, time, seq, boot_id FROM frame WHERE robot_id = ANY($1::text[])) AS own
    CROSS JOIN lengths
    GROUP BY robot_id, length_us, start
)
SELECT robot_id, length_us, (extract(epoch FROM start) * 1000000)::bigint AS start_us, rows, vitals.frames,
       vitals.kind, late_window.reason, late_window.frame_offset, repair_again.robot_id IS NOT NULL AS noted
FROM expected
LEFT JOIN vitals USING (robot_id, start, length_us)
LEFT JOIN late_window USING (robot_id, start, length_us)
LEFT JOIN repair_again USING (robot_id, start, length_us)
WHERE vitals.frames IS DISTINCT FROM rows
ORDER BY robot_id, start LIMIT $2"""


async def windows(connection: Connection, plan: Plan, records: Records) -> list[str]:
    """The first of them."""
    found = await connection.fetch(_SHORT, plan.codes, WINDOWS_NAMED)
    return [told(plan, records, dict(row)) for row in found]


def told(plan: Plan, records: Records, row: Mapping[str, Any]) -> str:
    """A line for one window."""
    kind = "no" if row["kind"] is None else WINDOW_KINDS[row["kind"]]
    mark = f"marked ({row['reason']}, offset {row['frame_offset']})" if row["reason"] else "no mark"
    noted = "noted to be repaired again" if row["noted"] else "no note"
    start = (_EPOCH + timedelta(microseconds=row["start_us"])).isoformat()
    return (
        f"{row['robot_id']} window of {start} ({row['length_us'] / 1e6:g} s): {kind} vitals count "
        f"{row['frames'] or 0} of {row['rows']} rows; {mark}, {noted}; {_frames(plan, records, row)}"
    )


def _frames(plan: Plan, records: Records, row: Mapping[str, Any]) -> str:
    """Where the window's frames are in Kafka, and which of them no window counts when they come."""
    robot = plan.codes.index(row["robot_id"])
    own = (records.state == ACKNOWLEDGED) & (records.number % plan.robots == robot)
    own &= ~plan.is_poison(records.number)
    boot_id, seq, time_us = plan.identity(plan.place(records.number[own]))
    within = (time_us >= row["start_us"]) & (time_us < row["start_us"] + row["length_us"])
    if not within.any():
        return "no acknowledged frames"
    partition, offset = records.partition[own][within], records.offset[own][within]
    order = np.argsort(offset, kind="stable")
    behind = _behind(boot_id[within][order].tolist(), seq[within][order].tolist(), offset[order].tolist())
    if len(behind) > FRAMES_NAMED:
        behind[FRAMES_NAMED:] = [f"{len(behind) - FRAMES_NAMED} more"]
    return (
        f"partition {partition[0]}, offsets {offset.min()} to {offset.max()}; sent again or out of order: "
        f"{', '.join(behind) or 'none'}"
    )


def _behind(boot_id: Sequence[int], seq: Sequence[int], offset: Sequence[int]) -> list[str]:
    highest: dict[int, int] = {}
    found = []
    for boot, number, at in zip(boot_id, seq, offset, strict=True):
        if number <= highest.get(boot, -1):
            found.append(f"seq {number} at {at}")
        highest[boot] = max(number, highest.get(boot, -1))
    return found
