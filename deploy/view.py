"""The terminal view of `robovitals demo`: counts by status, worst robots, latest anomalies, rate and lag.

In: a `Snapshot` of the database and the topics. Out: something that rich draws. `Watcher` takes the snapshots; the
drawing reads no clock.
"""

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from deploy.text import STATUS_STYLE, age, since
from schemas.health import Status
from schemas.robot_code import CODE_LENGTH
from schemas.topics import FRAMES
from serve import database
from serve.words import matter

WORST, LATEST = 8, 8
RATE_OVER_S = 10.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is true at `now`. `rate` in frames/s, None at first; `lag` in frames not landed yet."""

    now: datetime
    counts: dict[str, int]
    worst: list[database.RobotState]
    anomalies: list[database.AnomalyLine]
    rate: float | None
    lag: int


class Watcher:
    """Takes snapshots; keeps what it needs to tell a rate."""

    def __init__(self, connection: asyncpg.Connection, consumer: AIOKafkaConsumer) -> None:
        self._connection = connection
        self._consumer = consumer
        self._landed: deque[tuple[datetime, int]] = deque()

    async def snapshot(self) -> Snapshot:
        """Ask the database and the broker."""
        now = datetime.now(UTC)
        landed = await database.landed_offsets(self._connection, FRAMES.name)
        end = await self._consumer.end_offsets([TopicPartition(FRAMES.name, number) for number in landed])
        return Snapshot(
            now=now,
            counts=await database.status_counts(self._connection),
            worst=await database.worst_robots(self._connection, WORST),
            anomalies=await database.latest_anomalies(self._connection, LATEST),
            rate=self._rate(now, sum(landed.values())),
            lag=sum(offset - landed[partition.partition] for partition, offset in end.items()),
        )

    def _rate(self, now: datetime, landed: int) -> float | None:
        self._landed.append((now, landed))
        while (now - self._landed[0][0]).total_seconds() > RATE_OVER_S:
            self._landed.popleft()
        then, before = self._landed[0]
        seconds = (now - then).total_seconds()
        return (landed - before) / seconds if seconds > 0 else None


def draw(snapshot: Snapshot, hint: str) -> RenderableType:
    """The whole view; `hint` is the line at the bottom that says what to try next."""
    return Group(
        Panel(_counts(snapshot), title="robovitals", title_align="left"),
        Panel(_worst(snapshot), title="worst robots first", title_align="left"),
        Panel(_anomalies(snapshot), title="latest anomalies", title_align="left"),
        Text(hint, style="dim"),
    )


def _counts(snapshot: Snapshot) -> Text:
    line = Text()
    for name, count in snapshot.counts.items():
        line.append(f"{name} {count}", style=STATUS_STYLE[Status(name)] if count else "dim").append("   ")
    rate = "…" if snapshot.rate is None else f"{snapshot.rate:,.0f}"
    line.append(f"\n{sum(snapshot.counts.values())} robots, {rate} frames/s landed, lag {snapshot.lag:,} frames")
    return line


def _worst(snapshot: Snapshot) -> Table:
    table = Table(box=None, expand=True)
    table.add_column("robot", no_wrap=True, min_width=CODE_LENGTH)
    for title in ("status", "zone", "mode", "last seen", "why"):
        table.add_column(title)
    for robot in snapshot.worst:
        status = Status(robot.status or Status.UNKNOWN)
        evidence = [e.text for component in robot.components or [] for e in component.evidence]
        table.add_row(
            robot.robot_id,
            Text(status.value, style=STATUS_STYLE[status]),
            robot.zone or "–",
            robot.mode or "–",
            since(robot.last_seen, snapshot.now),
            evidence[0] if evidence else "",
        )
    return table


def _anomalies(snapshot: Snapshot) -> Table | Text:
    if not snapshot.anomalies:
        return Text("none yet", style="dim")
    table = Table("when", "robot", "what", "component", "text", box=None, expand=True)
    for anomaly in snapshot.anomalies:
        style = STATUS_STYLE[Status(anomaly.status)] if anomaly.transition != "cleared" else "dim"
        table.add_row(
            f"{age((snapshot.now - anomaly.last_time).total_seconds())} ago",
            anomaly.robot_id[-8:],
            Text(anomaly.transition, style=style),
            anomaly.component,
            matter(anomaly.text),
        )
    return table
