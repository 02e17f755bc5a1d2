"""A robot's life for tests of findings: hours that count evenly, and what the test changes about them."""

from typing import Any

import numpy as np

from processors.audit.levels import Levels
from processors.audit.life import Life
from schemas.columns import Texts
from schemas.entry import Entry
from schemas.history import History, Stated
from schemas.hours import DAY_US, HOUR_US, Hours
from schemas.logbook import Role, What

BEGIN_US = 1_700_006_400_000_000
HALF_S = 1800
ROBOT = "ZZTESTMODEL100000000000000001"


def hours(count: int = 240) -> dict[str, Any]:
    """Columns of an hour after the other, half of each worked, each received when it was made."""
    start_us = BEGIN_US + np.arange(count) * HOUR_US
    last_us = start_us + HOUR_US - 10_000_000
    worked = np.arange(1, count + 1)
    return {
        "start_us": start_us, "last_us": last_us, "received_us": last_us + 1_000_000,
        "seen_s": np.full(count, 3600, np.float32), "active_s": np.full(count, HALF_S, np.float32),
        "boots": np.ones(count, np.int64), "runtime_s": HALF_S * worked, "energy_wh": 200 * worked,
        "cycles": 100 * worked, "software": Texts(np.zeros(count, np.int32), ["fw 1"]),
        "scenario": Texts(np.zeros(count, np.int32), ["line"]),
    }  # fmt: skip


def levels(days: int = 60, joints: int = 4) -> dict[str, Any]:
    """Columns of days: worn parts, with a little noise."""
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((4, days, joints)).astype(np.float32)
    return {
        "day": BEGIN_US // DAY_US + np.arange(days), "wear": 0.5 + 0.002 * noise[0],
        "backlash": 2 + 0.02 * noise[1], "friction": 3 + 0.03 * noise[2],
        "soh": 0.8 + 0.002 * noise[3, :, 0], "resistance": 60 + 0.3 * noise[3, :, 1],
    }  # fmt: skip


def life(
    columns: dict[str, Any], *entries: tuple[int, What], days: dict[str, Any] | None = None, **more: Any
) -> Life:
    """`entries`: when, and what they say. It is judged half a year after its last hour, if nothing else is said."""
    robot = Hours(**columns)
    more.setdefault("now_us", int(robot.last_us[-1]) + 180 * DAY_US)
    return Life(
        robot_id=ROBOT, hours=robot, levels=Levels(**(levels(0) if days is None else days)),
        history=history(*entries), **more,
    )  # fmt: skip


def history(*entries: tuple[int, What]) -> History:
    stated = [_stated(number, us, what) for number, (us, what) in enumerate(entries, 1)]
    return History(robot_id=ROBOT, stated=tuple(stated), corrected={}, names={})


def _stated(number: int, us: int, what: What) -> Stated[What]:
    entry = Entry(
        v=1, id=f"{number:032x}", robot_id=ROBOT, author=f"{number:064x}", happened_us=us, written_us=us,
        what=what,  # type: ignore[arg-type]
    )  # fmt: skip
    return Stated(number=number, entry=entry, what=what, role=Role.WORKSHOP, holder="", received_us=us)
