"""The audit: robots' lives from the database to findings, and findings that hold no more are closed.

In: hours, logbooks, parts and maintenance in the database. Out: rows of `finding`. Called by `robovitals audit`.

A robot is audited whole when it never was, when its logbook or its parts have something new, when hours came late,
and once a month. Else only its last days are read, and held against the weeks before, which `audit_state` keeps
packed: a fleet is audited every day for the price of its new hours. Each chunk of robots is one transaction, with
its findings and its state: a kill repeats a chunk.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from processors import audit_tables as tables
from processors import maintenance_tables
from processors.audit import context
from processors.audit.found import Finding, Rule
from processors.audit.judge import judge
from processors.audit.levels import Levels
from processors.audit.life import Life
from processors.audit_tables import Connection, Due, Open
from schemas import maintenance
from schemas.history import fold
from schemas.hours import DAY_US, Hours

WHOLE_AT_ONCE, RECENT_AT_ONCE = 4, 200
OVERLAP = timedelta(days=2)
"""So much is read again each time: what lands late is mostly late by hours."""
SETTLED_DAYS = 16
"""At the beginning of what is read of a life, so many days have nothing before them to be held against."""
NO_LONGER = "what is known by now does not bear it out: an entry or telemetry has come since"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Known = dict[str, tuple[Hours, Levels]]
Progress = Callable[[int, int], None]


class Tally(msgspec.Struct):
    """What an audit did."""

    robots: int = 0
    whole: int = 0
    hours: int = 0
    standing: int = 0
    closed: int = 0


async def audit(
    connection: Connection, now: datetime, robots: Sequence[str] | None, progress: Progress, *, whole: bool = False
) -> Tally:
    """These robots or the whole fleet; `whole`: whatever was audited before."""
    tally = Tally()
    todo = await tables.due(connection, now, robots)
    if whole:
        todo = [msgspec.structs.replace(one, is_whole=True) for one in todo]
    todo = [one for one in todo if one.is_whole or one.until is None or one.until < one.rolled_until]
    progress(0, len(todo))
    for chunk in _chunks(todo):
        async with connection.transaction():
            await _chunk(connection, now, chunk, tally)
        progress(tally.robots, len(todo))
    return tally


def _chunks(todo: Sequence[Due]) -> list[Sequence[Due]]:
    chunks: list[Sequence[Due]] = []
    for is_whole, size in ((False, RECENT_AT_ONCE), (True, WHOLE_AT_ONCE)):
        some = [one for one in todo if one.is_whole is is_whole]
        chunks += [some[first : first + size] for first in range(0, len(some), size)]
    return chunks


async def _chunk(connection: Connection, now: datetime, chunk: Sequence[Due], tally: Tally) -> None:
    robots = [one.robot_id for one in chunk]
    await tables.begin(connection, chunk)
    known = await _known(connection, chunk, tally)
    lives = await _lives(connection, now, chunk, known)
    await _with_logbooks(connection, lives, chunk)
    standing = await tables.open_findings(connection, robots)
    for one in chunk:
        await _store(connection, now, one, lives[one.robot_id], standing.get(one.robot_id, []), tally)
    packed = [(one, context.pack(lives[one.robot_id].hours, lives[one.robot_id].levels)) for one in chunk]
    await tables.finish(connection, packed, now)
    tally.robots += len(chunk)
    tally.whole += sum(one.is_whole for one in chunk)


async def _known(connection: Connection, chunk: Sequence[Due], tally: Tally) -> _Known:
    """What is new, joined to what was kept."""
    recent = [one.robot_id for one in chunk if not one.is_whole]
    packed = await tables.contexts(connection, recent) if recent else {}
    kept = {robot: context.unpack(data) for robot, data in packed.items()}
    since = [_since(one) if kept.get(one.robot_id) else _EPOCH for one in chunk]
    new = await tables.lives(connection, [one.robot_id for one in chunk], since)
    tally.hours += sum(len(hours) for hours, _ in new.values())
    known: _Known = {}
    for one in chunk:
        before, after = kept.get(one.robot_id), new.get(one.robot_id)
        if before and after:
            known[one.robot_id] = context.joined(before, after)
        elif found := before or after:
            known[one.robot_id] = found
    return known


def _since(one: Due) -> datetime:
    """From the beginning of a day on: its level is that of all its hours."""
    since = (one.until or _EPOCH) - OVERLAP
    return since.replace(hour=0, minute=0, second=0, microsecond=0)


async def _lives(connection: Connection, now: datetime, chunk: Sequence[Due], known: _Known) -> dict[str, Life]:
    """Without their logbooks: most have nothing that these could explain."""
    robots = [one.robot_id for one in chunk]
    sightings = await tables.sightings(connection, robots)
    elsewhere = await tables.elsewhere(connection, robots)
    tasks = await maintenance_tables.tasks(connection, robots)
    lives = {}
    for robot in robots:
        hours, levels = known.get(robot) or context.nothing()
        lives[robot] = Life(
            robot_id=robot, now_us=_us(now), hours=hours, levels=levels, history=fold(robot, []),
            sightings=sightings.get(robot, []), elsewhere=elsewhere.get(robot, []),
            overdue=[due for of, due in tasks if of == robot and due.state is maintenance.State.OVERDUE],
        )  # fmt: skip
    return lives


async def _with_logbooks(connection: Connection, lives: dict[str, Life], chunk: Sequence[Due]) -> None:
    """Read the logbooks of those whose findings depend on them."""
    robots = [one.robot_id for one in chunk]
    scrapped = await tables.scrapped(connection, robots)
    asked = [
        one.robot_id
        for one in chunk
        if one.entries and (one.is_whole or one.robot_id in scrapped or judge(lives[one.robot_id]))
    ]
    if not asked:
        return
    records = await tables.records(connection, asked)
    for robot in asked:
        life = lives[robot]
        lives[robot] = Life(
            robot_id=robot, now_us=life.now_us, hours=life.hours, levels=life.levels,
            history=fold(robot, records[robot]), sightings=life.sightings, elsewhere=life.elsewhere,
            overdue=life.overdue,
        )  # fmt: skip


async def _store(
    connection: Connection, now: datetime, one: Due, life: Life, standing: Sequence[Open], tally: Tally
) -> None:
    found = judge(life)
    reach_us = 0
    if not one.is_whole and len(life.hours):
        reach_us = int(life.hours.start_us[0]) + SETTLED_DAYS * DAY_US
        found = [finding for finding in found if finding.first_us >= reach_us or finding.rule is Rule.MISSED]
    ids = matched(found, standing)
    gone = [
        before.finding_id
        for before in standing
        if before.finding_id not in ids and (before.first_us >= reach_us or before.rule == Rule.MISSED)
    ]
    if found:
        await tables.put(connection, list(zip(ids, found, strict=True)), now)
    if gone:
        await tables.close(connection, gone, now, NO_LONGER)
    tally.standing += len(found)
    tally.closed += len(gone)


def matched(found: Sequence[Finding], standing: Sequence[Open]) -> list[str]:
    """The ids of findings: of one that stands already and is about the same matter at the same time, its own."""
    free = list(standing)
    ids = []
    for finding in found:
        same = [before for before in free if before.finding_id == finding.finding_id] or [
            before
            for before in free
            if (before.rule, before.component) == (finding.rule.value, finding.component)
            and before.first_us <= finding.last_us
            and finding.first_us <= before.last_us
        ]
        if same:
            free.remove(same[0])
        ids.append(same[0].finding_id if same else finding.finding_id)
    return ids


def _us(moment: datetime) -> int:
    return round((moment - _EPOCH).total_seconds() * 1e6)
