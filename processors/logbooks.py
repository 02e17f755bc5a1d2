"""Logbooks of many robots, as they are read for work on a whole fleet.

In: rows of `logbook_entry`. Out: records by robot. Called by `audit_tables.py` and `maintenance_tables.py`.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from schemas.entry import Record, readable

_log = logging.getLogger(__name__)


def by_robot(robots: Sequence[str], rows: Iterable[Any]) -> dict[str, list[Record]]:
    """Of each of these robots its records, in the order of the rows. One that cannot be read is put aside, and
    told: a row that somebody tampered with must not stop the work on all the others.
    """
    lines: dict[str, list[bytes]] = {robot: [] for robot in robots}
    for row in rows:
        lines[row["robot_id"]].append(row["record"])
    found = {}
    for robot, some in lines.items():
        found[robot], all_are = readable(some)
        if not all_are:
            _log.warning("robot %s: its logbook has an entry that cannot be read: `robovitals verify-log %s`",
                         robot, robot)  # fmt: skip
    return found
