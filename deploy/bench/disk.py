"""How much room readings take, and how long the questions take that people ask.

In: a stand and what to fill its tables with. Out: a report. Called by `robovitals bench disk`. A question is cold
after the database was restarted and its files were dropped from the system's memory.
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from deploy.bench import tables
from deploy.bench.filling import DAY_S, WINDOW_US, fill
from deploy.bench.fleet import READINGS
from deploy.bench.report import Line, Report
from deploy.bench.stand import Stand
from deploy.local.timescaledb import DatabaseServer
from schemas.errors import StopError

DAYS = 365


@dataclass(frozen=True, slots=True)
class Plan:
    """A fleet with its last `frames` frames; and `histories` robots with a day of frames and a year of vitals."""

    robots: int
    frames: int
    histories: int


@dataclass(frozen=True, slots=True)
class Question:
    """`rows` are due as its answer."""

    name: str
    label: str
    query: str
    parameters: Sequence[Any]
    rows: int


@dataclass(slots=True)
class Answers:
    """Seconds, by question, round by round."""

    cold_s: dict[str, list[float]] = field(default_factory=dict)
    warm_s: dict[str, list[float]] = field(default_factory=dict)


def measure(stand: Stand, plan: Plan, rounds: int) -> Report:
    """Raises StopError when an answer is not what was written."""
    end_us = (time.time_ns() // 1000 // WINDOW_US - 1) * WINDOW_US
    robot = asyncio.run(fill(stand.endpoints.database_url, plan.robots, plan.frames, plan.histories, end_us, DAYS))
    asked = questions(plan, robot, datetime.fromtimestamp(end_us / 1e6, UTC))
    answers = Answers()
    for number in range(1, rounds + 1):
        for question in asked:
            if stand.servers is not None:
                stand.restart_database(lambda: forget(stand.home / DatabaseServer.name))
                asyncio.run(_ask(stand.endpoints.database_url, question, answers.cold_s))
            asyncio.run(_ask(stand.endpoints.database_url, question, answers.warm_s))
        print(f"round {number} of {rounds}: all questions are answered", file=sys.stderr)
    with tables.connected(stand.endpoints.database_url) as connection:
        rows = {name: tables.rows(connection, name) for name in ("frame", "vitals")}
        sizes = {name: tables.size_bytes(connection, name) for name in rows}
    return report(plan, rounds, asked, answers, rows, sizes)


def questions(plan: Plan, robot: str, end: datetime) -> list[Question]:
    """As the page, the command line and `psql` ask them."""
    day = (robot, end - timedelta(days=1), end)
    of_day = "FROM frame WHERE robot_id = $1 AND time >= $2 AND time < $3 ORDER BY time"
    year = (robot, end - timedelta(days=DAYS + 1), end)
    of_year = f"FROM vitals WHERE robot_id = $1 AND start >= $2 AND start < $3 AND length_us = {WINDOW_US}"
    windows = DAYS * DAY_S * 1_000_000 // WINDOW_US
    return [
        Question(
            "state", "latest state of every robot", "SELECT * FROM robot_state", (), plan.robots + plan.histories
        ),
        Question("one", "latest state of one robot", "SELECT * FROM robot_state WHERE robot_id = $1", (robot,), 1),
        Question(
            "day", "one robot's day of frames, one joint signal", f"SELECT time, joint_temperature_c {of_day}",
            day, DAY_S,
        ),
        Question("day_all", "one robot's day of frames, all readings", f"SELECT * {of_day}", day, DAY_S),
        Question(
            "year", "one robot's year of vitals, two statistics",
            f"SELECT start, joint_temperature_c_max, battery_soc_last {of_year} ORDER BY start", year, windows,
        ),
        Question(
            "year_by_day", "the same year, the highest of a day",
            f"SELECT time_bucket('1 day', start, $3::timestamptz), max(battery_soc_min) {of_year} GROUP BY 1",
            year, DAYS,
        ),
    ]  # fmt: skip


async def _ask(database_url: str, question: Question, took_s: dict[str, list[float]]) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        began_s = time.monotonic()
        answer = await connection.fetch(question.query, *question.parameters)
        took_s.setdefault(question.name, []).append(time.monotonic() - began_s)
    finally:
        await connection.close()
    if len(answer) != question.rows:
        raise StopError(f"{question.label}: {len(answer)} rows in place of {question.rows}: this is a bug")


def forget(directory: Path) -> None:
    """Drop its files from the system's page cache."""
    os.sync()
    for path in _files(directory):
        file = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(file)


def _files(directory: Path) -> Iterator[Path]:
    return (path for path in directory.rglob("*") if path.is_file())


def report(
    plan: Plan,
    rounds: int,
    asked: Sequence[Question],
    answers: Answers,
    rows: dict[str, int],
    sizes: dict[str, int],
) -> Report:
    windows = rows["vitals"] / plan.histories
    what = (
        f"{rows['frame']} frames of {READINGS} readings: {plan.frames} of a fleet of {plan.robots}, and a day at "
        f"one a second of {plan.histories} robots, who have {windows:.0f} windows of {WINDOW_US // 1_000_000} s "
        f"each ({DAYS} days); {rounds} rounds."
    )
    notes = (
        "Frames, health and a day of vitals are written by the product's own encoders and statements, the other "
        "days are copies of that one. Cold: before each question the database was restarted, and its files "
        "dropped from the system's memory (a host of this machine may have kept them); warm is the same again. "
        "Times include the answer's way into Python.",
        "Rows lie in the order in which they came: the more robots, the more pages a robot's history is spread "
        f"over. Here those of {plan.histories} robots lie in turns; from 4 on each window has a page of its own.",
    )
    return Report("disk", what, _sections(plan, asked, answers, rows, sizes), notes)


def _sections(
    plan: Plan, asked: Sequence[Question], answers: Answers, rows: dict[str, int], sizes: dict[str, int]
) -> dict[str, list[Line]]:
    return {
        "room on disk, indexes included": [
            Line("bytes_a_reading", "bytes a reading", [sizes["frame"] / (rows["frame"] * READINGS)]),
            Line("bytes_a_frame", "bytes a frame", [sizes["frame"] / rows["frame"]]),
            Line("bytes_a_window", "bytes a robot's window", [sizes["vitals"] / rows["vitals"]]),
            Line("year_of_vitals_mib", "MiB a robot's year of vitals", [sizes["vitals"] / plan.histories / 2**20]),
        ],
        "ms, cold": [Line(f"{q.name}_cold_ms", q.label, _ms(answers.cold_s.get(q.name, []))) for q in asked],
        "ms, warm": [Line(f"{q.name}_warm_ms", q.label, _ms(answers.warm_s.get(q.name, []))) for q in asked],
    }


def _ms(times_s: Sequence[float]) -> list[float]:
    return [1000 * time_s for time_s in times_s]
