"""How long the questions take that the page asks, by the size of the fleet; and how fast vitals become hours.

In: a stand and how large the fleet is. Out: a report. Called by `robovitals bench query`. The questions are the
functions that the server calls. A question is cold after the database was restarted and its files were dropped from
the system's memory.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from deploy.bench import query_fill
from deploy.bench.disk import forget
from deploy.bench.filling import WINDOW_US
from deploy.bench.query_fill import Filled, Plan
from deploy.bench.report import Goal, Line, Report
from deploy.bench.stand import Stand
from deploy.local.timescaledb import DatabaseServer
from serve import database, fleet, series
from serve.filters import Filter
from serve.fleet import GroupBy, Sort

WARM = 20  # asked so often, cold once, in each round
FLEET_GOAL = Goal(at_most=100)
SERIES_GOAL = Goal(at_most=50)
DAY = timedelta(days=1)

Ask = Callable[[asyncpg.Connection], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Question:
    name: str
    label: str
    ask: Ask
    goal: Goal


@dataclass(slots=True)
class Answers:
    """Seconds, by question. `cpu_s`: of the server's backend and ours, warm, the mean of a round."""

    cold_s: dict[str, list[float]] = field(default_factory=dict)
    warm_s: dict[str, list[float]] = field(default_factory=dict)
    cpu_s: dict[str, list[float]] = field(default_factory=dict)


def measure(stand: Stand, plan: Plan, rounds: int) -> Report:
    """Of rounds, each asks each question once cold and WARM times warm."""
    end_us = (time.time_ns() // 1000 // WINDOW_US - 1) * WINDOW_US
    end = datetime.fromtimestamp(end_us / 1e6, UTC)
    filled = asyncio.run(query_fill.fill(stand.endpoints.database_url, plan, end))
    asked = questions(filled, end)
    answers = Answers()
    for number in range(1, rounds + 1):
        for question in asked:
            if stand.servers is not None:
                stand.restart_database(lambda: forget(stand.home / DatabaseServer.name))
                asyncio.run(_ask(stand.endpoints.database_url, question, answers.cold_s, 1))
            asyncio.run(_ask(stand.endpoints.database_url, question, answers.warm_s, WARM))
            if stand.servers is not None:
                asyncio.run(_cpu(stand.endpoints.database_url, question, answers.cpu_s))
        print(f"round {number} of {rounds}: all questions are answered", file=sys.stderr)
    return report(plan, rounds, asked, answers, filled)


def questions(filled: Filled, end: datetime) -> list[Question]:
    """As the page asks them."""
    return [*_of_the_fleet(filled, end), *_of_a_robot(filled, end)]


def _of_the_fleet(filled: Filled, end: datetime) -> list[Question]:
    everybody, some = Filter(), Filter(statuses=("OFF_SPEC", "FAILURE"), component="joint")
    asked: list[tuple[str, str, Ask]] = [
        ("overview", "counts by status, alarms", lambda c: fleet.overview(c, everybody)),
        ("overview_of", "the same of what is ill in a joint", lambda c: fleet.overview(c, some)),
        ("grid", "every robot, by model", lambda c: fleet.grid(c, everybody, GroupBy.MODEL)),
        ("grid_site", "every robot, by site", lambda c: fleet.grid(c, everybody, GroupBy.SITE)),
        ("overview_site", "counts of one site", lambda c: fleet.overview(c, Filter(sites=(query_fill.SITE,)))),
        ("worst", "the worst 50", lambda c: fleet.robots_page(c, everybody, Sort.WORST, None, 50)),
        ("codes", "the first 50 by code", lambda c: fleet.robots_page(c, everybody, Sort.CODE, None, 50)),
        ("sparklines", "24 hours of 50 robots", lambda c: fleet.sparklines(c, filled.page, SIGNAL, end)),
        ("facets", "what filters offer", lambda c: fleet.facets(c, None)),
        ("alarms", "the first 50 alarms", lambda c: database.alarms(c, None, False, 50)),
    ]
    return [Question(*one, FLEET_GOAL) for one in asked]


SIGNAL = "joint_temperature_c"
_WIDTHS = {"hour": timedelta(hours=1), "day": DAY, "month": 30 * DAY, "year": 365 * DAY}


def _of_a_robot(filled: Filled, end: datetime) -> list[Question]:
    def course(width: timedelta, joints: Sequence[int]) -> Ask:
        return lambda c: series.series(c, filled.robot, SIGNAL, joints, end - width, end)

    one = [
        Question(name, f"its {name}, one joint with its envelope", course(width, [3]), SERIES_GOAL)
        for name, width in _WIDTHS.items()
    ]
    every = [
        Question(f"{name}_all", f"its {name}, 29 joints", course(_WIDTHS[name], range(1, 30)), SERIES_GOAL)
        for name in ("day", "year")
    ]
    return [*one, *every]


async def _ask(database_url: str, question: Question, took_s: dict[str, list[float]], times: int) -> None:
    async with database.connected(database_url) as connection:
        for _ in range(times):
            began_s = time.monotonic()
            await question.ask(connection)
            took_s.setdefault(question.name, []).append(time.monotonic() - began_s)


async def _cpu(database_url: str, question: Question, took_s: dict[str, list[float]]) -> None:
    """What it costs, whatever else the machine does. Without helpers of the backend, which could not be asked."""
    async with database.connected(database_url) as connection:
        await connection.execute("SET max_parallel_workers_per_gather = 0")
        await question.ask(connection)
        began_s = query_fill.cpu_s(connection)
        for _ in range(WARM):
            await question.ask(connection)
        took_s.setdefault(question.name, []).append((query_fill.cpu_s(connection) - began_s) / WARM)


def report(plan: Plan, rounds: int, asked: Sequence[Question], answers: Answers, filled: Filled) -> Report:
    what = (
        f"{plan.robots} robots with their health, {filled.alarms} listed alarms; {plan.hours} of them with 24 "
        f"hours rolled up; two more with a day of frames, {plan.days} days of vitals (windows of "
        f"{WINDOW_US // 1_000_000} s) and a year of hours; {rounds} rounds."
    )
    notes = (
        "Asked through the functions that the server calls; times include the answer's way into Python. Cold: "
        "before each question the database was restarted, and its files dropped from the system's memory (a host "
        f"of this machine may have kept them). Warm: {WARM} times after that, on one connection. CPU is about the "
        "time that a question takes on a machine that does nothing else.",
    )
    per_day = plan.robots * 86_400 * 1_000_000 / WINDOW_US
    cpu = filled.roll_cpu_s / filled.windows
    sections = {
        "roll-up of vitals into hours": [
            Line("rolled_windows_s", "windows a second", [filled.windows / filled.roll_s]),
            Line("roll_cpu_us", "µs of CPU a window, ours and the server's", [1e6 * cpu]),
            Line("roll_day_min", "minutes of CPU for a day of this fleet", [per_day * cpu / 60]),
        ]
    }
    kinds = (("cold", answers.cold_s), ("warm", answers.warm_s), ("cpu", answers.cpu_s))
    for kind, took_s in kinds:
        heading = {"cpu": "ms of CPU, warm, ours and the server's"}.get(kind, f"ms, {kind}")
        sections[heading] = [
            Line(
                f"{q.name}_{kind}_ms",
                q.label,
                [1000 * s for s in took_s.get(q.name, [])],
                None if kind == "cold" else q.goal,
            )
            for q in asked
        ]
    return Report("query", what, sections, notes, with_p95=True)
