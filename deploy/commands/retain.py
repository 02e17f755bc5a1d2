"""`robovitals retain`: the process that makes hours and checkpoints, keeps incidents, and drops old rows."""

import argparse
import asyncio
import os
from datetime import UTC, datetime, timedelta

import asyncpg
from prometheus_client import CollectorRegistry
from rich.console import Console

from deploy.checkpoints import checkpointer
from deploy.incidents import RetainerAndKeeper, keeper
from deploy.settings import CHECKPOINTS, PLATFORM_KEY, Settings, endpoints
from deploy.shell import run_process
from processors import drop, retain, roll_tables
from processors.retain import KeepTimes, Retainer
from processors.retain_metrics import RetainMetrics
from processors.retention import TABLES, Verdict, keep_times
from processors.roll_tables import Progress
from schemas.errors import UnavailableError

EXAMPLE = "ROBOVITALS_KEEP_FRAMES=14d robovitals retain --dry-run"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    once = parser.add_mutually_exclusive_group()
    once.add_argument("--dry-run", action="store_true", help="show what would go now, and change nothing")
    once.add_argument("--once", action="store_true", help="roll up and drop what is due, and end")
    times = ", ".join(f"{kept.setting} ({kept.default})" for kept in TABLES)
    parser.epilog = (
        f"Environment: how long rows are kept, as 36h, 7d, 2y or forever: {times}. A chunk that a repair or the "
        f"roll-up still needs stays longer. What people did and what alarms became stays. {PLATFORM_KEY} names the "
        f"file of the key that checkpoints of logbooks are signed with, {CHECKPOINTS} the file that they go to."
    )


def run(args: argparse.Namespace, settings: Settings) -> int:
    keep = keep_times(os.environ)
    servers = endpoints(settings)
    url = servers.database_url
    if args.dry_run:
        return asyncio.run(_dry_run(url, keep))
    if args.once:
        return asyncio.run(_once(url, keep))
    makes = checkpointer(settings)

    def make(registry: CollectorRegistry) -> RetainerAndKeeper:
        metrics = RetainMetrics.create(registry)
        return RetainerAndKeeper(Retainer(url, keep, metrics, makes), keeper(settings, servers, metrics))

    return run_process("retain", make)


async def _once(database_url: str, keep: KeepTimes) -> int:
    retainer = Retainer(database_url, keep, RetainMetrics.create(CollectorRegistry()))
    try:
        done = await retainer.once()
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise UnavailableError(f"the database does not answer ({error}): `robovitals doctor`") from None
    if not done:
        raise UnavailableError("another `robovitals retain` is at it: it does so by itself")
    return await _dry_run(database_url, keep)


async def _dry_run(database_url: str, keep: KeepTimes) -> int:
    now = datetime.now(UTC)
    try:
        connection = await retain.connect(database_url)
        try:
            found = await drop.look(connection, keep, now)
            rows = await drop.old_rows(connection, keep, now)
            progress = await roll_tables.progress(connection)
        finally:
            await connection.close()
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise UnavailableError(f"the database does not answer ({error}): `robovitals doctor`") from None
    _print(Console(highlight=False), keep, found, rows, progress)
    return 0


def _print(
    console: Console, keep: KeepTimes, found: list[Verdict], rows: dict[str, int], progress: Progress
) -> None:
    until = "nothing yet" if progress.rolled_until is None else f"until {progress.rolled_until:%Y-%m-%d %H:%M} UTC"
    console.print(f"rolled up: {until}; {progress.due} robots' hours are due", soft_wrap=True)
    times = ", ".join(f"{table} {_said(time)}" for table, time in keep.items())
    console.print(f"kept: {times}", soft_wrap=True)
    for verdict in found:
        chunk = verdict.chunk
        what = f"stays: {verdict.because}" if verdict.because else "goes"
        size = f"about {chunk.rows} rows, {chunk.size_bytes / 2**20:.1f} MiB"
        console.print(
            f"{chunk.table} {chunk.start:%Y-%m-%d} to {chunk.end:%Y-%m-%d}, {size}: {what}", soft_wrap=True
        )
    for name, count in rows.items():
        if count:
            console.print(f"{name}, {count} rows: go", soft_wrap=True)
    if not found and not any(rows.values()):
        console.print("nothing is old enough")


def _said(time: timedelta | None) -> str:
    if time is None:
        return "for ever"
    return f"{time.days} d" if time.days else f"{time.total_seconds() / 3600:g} h"
