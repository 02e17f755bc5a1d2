"""How each robot stands with its maintenance: `maintenance_task` follows logbooks, plans and counters.

In: logbooks and plans that changed, and the counters that robots have told. Out: rows of `maintenance_task`.
Called by `robovitals retain` and by `robovitals maintenance`. What a logbook and a plan say is worked out when one
of them changes (`follow`); how that stands by the counters, for every robot now and then (`judge`).
"""

from datetime import UTC, datetime, timedelta

from processors import maintenance_tables as tables
from processors.maintenance_tables import Connection
from schemas.history import History, fold
from schemas.maintenance import Counted, Counters, Due, Standing, due, moments, standing
from schemas.maintenance_plan import Plan, plan_of

ROBOTS_AT_ONCE = 500
LEAST_CHANGE = 0.005
"""Of an interval: less is not worth a row that is written again. Ours."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def follow(connection: Connection, now: datetime) -> int:
    """Work out the tasks of robots whose logbooks or plans have changed. Returns how many robots that were."""
    async with tables.alone(connection):
        return await _follow(connection, now)


async def judge(connection: Connection, now: datetime, robots: list[str] | None = None) -> int:
    """Hold tasks of these robots, or of all, against their counters. Returns how many stand otherwise by now."""
    async with tables.alone(connection):
        chosen = await tables.robots_with_tasks(connection) if robots is None else robots
        return await _judge(connection, now, chosen)


async def _follow(connection: Connection, now: datetime) -> int:
    plans, plans_changed = await tables.plans(connection)
    entries = await tables.stale(connection, plans_changed)
    robots = [*entries]
    for first in range(0, len(robots), ROBOTS_AT_ONCE):
        chosen = robots[first : first + ROBOTS_AT_ONCE]
        found = await _worked_out(connection, plans, chosen, now)
        await tables.put(connection, found, {robot: entries[robot] for robot in chosen}, plans_changed, now)
    return len(robots)


async def _judge(connection: Connection, now: datetime, robots: list[str]) -> int:
    now_us, changed = _us(now), 0
    for first in range(0, len(robots), ROBOTS_AT_ONCE):
        chosen = robots[first : first + ROBOTS_AT_ONCE]
        counters = await tables.latest(connection, chosen)
        counted = {robot: Counters(points).at(now_us) for robot, points in counters.items()}
        nothing = Counters().at(now_us)
        news = []
        for robot, before in await tables.tasks(connection, chosen):
            after = standing(before, counted.get(robot, nothing), now_us)
            if _differs(before, after):
                news.append((robot, before, after))
        await tables.judge(connection, chosen, news, now)
        changed += len(news)
    return changed


async def _worked_out(
    connection: Connection, plans: list[Plan], robots: list[str], now: datetime
) -> dict[str, list[Due]]:
    histories = [fold(robot, found) for robot, found in (await tables.records(connection, robots)).items()]
    points = await tables.counted(connection, {history.robot_id: moments(history) for history in histories})
    for robot, found in (await tables.latest(connection, robots)).items():
        points[robot] += found
    return {history.robot_id: _tasks(plans, history, points[history.robot_id], _us(now)) for history in histories}


def _tasks(plans: list[Plan], history: History, points: list[Counted], now_us: int) -> list[Due]:
    plan = plan_of(plans, history.robot_id)
    return due(plan.tasks if plan else (), history, Counters(points), now_us)


def _differs(before: Due, after: Standing) -> bool:
    if before.state is not after.state or (before.used is None) is not (after.used is None):
        return True
    return abs((before.used or 0.0) - (after.used or 0.0)) >= LEAST_CHANGE


def _us(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
