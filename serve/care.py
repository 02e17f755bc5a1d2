"""What is in a robot, what it was used for, and what is to be done of it.

In: an asyncpg connection and a robot's code. Out: structs. Called by the API, the page and the command line. What
is due was worked out by `robovitals retain`; what a robot was used for follows from its hours when somebody asks.
"""

from datetime import UTC, datetime

import asyncpg
import msgspec
import numpy as np

from schemas.columns import Texts
from schemas.usage import Hours, Usage, usage
from serve.database import ask, rows

CHANGES_AT_MOST = 200
EVER = datetime(1970, 1, 1, tzinfo=UTC)
_LOAD = "(SELECT avg(value) FROM unnest(coalesce(joint_torque_nm_rms, joint_current_a_rms)) AS value)"
_NO_LOAD = "NULL::double precision"


class PartIn(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a component. `serial`: as the robot tells, from `first` until `last`, null where it tells of none.
    `declared`: as its logbook says, `installed` when, null where it says nothing. `elsewhere`: robots that told of
    the same serial since.
    """

    component: str
    serial: str | None
    first: datetime | None
    last: datetime | None
    declared: str | None
    part: str | None
    installed: datetime | None
    elsewhere: list[str]


class PartSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A run of a robot's reports with one serial in a component."""

    component: str
    serial: str
    first: datetime
    last: datetime


class RobotParts(msgspec.Struct, frozen=True):
    """Parts now, and the newest changes that the robot told of, newest first."""

    parts: list[PartIn]
    seen: list[PartSeen]


class TaskLine(msgspec.Struct, frozen=True, kw_only=True):
    """How a task of a robot stands, as of `judged`. `planned`: the entry of its logbook that plans it; null: its
    model's plan. `since_entry`, `done_entry`: entries too. It is due at the first of `due_date`, `due_runtime_s`
    and `due_cycles` (in what its counters say today) and `due_wear`. `used`: how much of the interval is over, 1
    when due. `overdue_since` is an estimate where a counter decides.
    """

    robot_id: str
    task: str
    component: str
    planned: int | None
    text: str
    since: datetime | None
    since_entry: int | None
    done: datetime | None
    done_entry: int | None
    closed: bool
    due_date: datetime | None
    due_runtime_s: float | None
    due_cycles: float | None
    due_wear: float | None
    state: str
    used: float | None
    overdue_since: datetime | None
    judged: datetime


class PressingTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task of one robot that is due or overdue, of so many `components`; `component` is the furthest beyond."""

    robot_id: str
    task: str
    text: str
    components: int
    component: str
    used: float | None
    overdue_since: datetime | None
    done: datetime | None


class TaskCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many robots have a task due, and overdue."""

    task: str
    text: str
    overdue: int
    due: int


class FleetMaintenance(msgspec.Struct, frozen=True, kw_only=True):
    """`robots`: whose maintenance is followed, as they have a logbook; `due` and `overdue`: how many of them have
    such a task. `judged`: all that is said is at least as new; null without robots. `pressing`: the furthest first.
    """

    robots: int
    overdue: int
    due: int
    judged: datetime | None
    tasks: list[TaskCount]
    pressing: list[PressingTask]


async def parts(connection: asyncpg.Connection, code: str) -> RobotParts:
    """By component: joints in order, then what else there is."""
    found = await rows(connection, PartIn, "parts_in", code)
    seen = await rows(connection, PartSeen, "parts_seen", code, CHANGES_AT_MOST)
    return RobotParts(sorted(found, key=lambda part: (len(part.component), part.component)), seen)


async def maintenance(connection: asyncpg.Connection, code: str) -> list[TaskLine]:
    """Of one robot, worst first; nothing where it has no logbook."""
    return await rows(connection, TaskLine, "robot_maintenance", code)


async def fleet_maintenance(
    connection: asyncpg.Connection, state: str, count: int, task: str | None = None
) -> FleetMaintenance:
    """Of every robot that who asks may see. `state`: due or overdue."""
    totals = (await ask(connection, "maintenance_states"))[0]
    return FleetMaintenance(
        **dict(totals),
        tasks=await rows(connection, TaskCount, "maintenance_counts"),
        pressing=await rows(connection, PressingTask, "fleet_maintenance", state, count, task),
    )


async def used(
    connection: asyncpg.Connection, code: str, start: datetime = EVER, *, with_load: bool = True
) -> Usage:
    """What a robot was used for, over its hours since `start`. Load takes long: it is every joint's, every hour."""
    (row,) = await ask(connection, "robot_usage", code, start, load=_LOAD if with_load else _NO_LOAD)
    if row["start_us"] is None:
        return Usage()
    return usage(
        Hours(
            np.array(row["start_us"], np.int64),
            np.array(row["runtime_s"], np.int64),
            Texts.of(row["scenario"]),
            np.array(row["load"], np.float64),
        )
    )
