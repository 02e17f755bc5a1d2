"""`robovitals export`: rows of some robots and a range of time to a CSV or Parquet file."""

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import BinaryIO

import asyncpg
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from deploy.settings import Settings, endpoints
from schemas.errors import SettingError
from serve import database
from serve.export import Export, Format, What, export, file_of, robots_of
from serve.export import Progress as Told
from serve.filters import Filter

EXAMPLE = "robovitals export vitals --robot ZZ… --start 2026-11-01 --out vitals.csv"
TO_STDOUT = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=[what.value for what in What])
    parser.add_argument("--out", required=True, metavar="FILE", help="where to; - is the standard output")
    parser.add_argument("--format", choices=[form.value for form in Format], help="default: by FILE's ending")
    parser.add_argument("--robot", default="", metavar="TEXT", help="robots whose code holds it; all without")
    parser.add_argument("--model", action="append", default=[], metavar="CODE", help="first 12 characters of codes")
    parser.add_argument("--site", action="append", default=[], metavar="NAME", help="robots that are there")
    parser.add_argument("--start", metavar="TIME", help="ISO 8601, UTC where it names no zone (default: a day ago)")
    parser.add_argument("--end", metavar="TIME", help="until before (default: now)")


def run(args: argparse.Namespace, settings: Settings) -> int:
    asked = _asked(args, datetime.now(UTC))
    file_of(asked.format)  # its extra is missing now, or never
    url = endpoints(settings).database_url
    if args.out == TO_STDOUT:
        if sys.stdout.isatty() and asked.format is Format.PARQUET:
            raise SettingError("Parquet is not for a terminal: give --out FILE")
        rows = asyncio.run(_export(url, asked, sys.stdout.buffer))
    else:
        # Whoever reads FILE never sees half of it.
        path = Path(args.out)
        part = path.with_name(f"{path.name}.part")
        try:
            with part.open("wb") as file:
                rows = asyncio.run(_export(url, asked, file))
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    print(f"{rows} rows", file=sys.stderr)
    return 0


def _asked(args: argparse.Namespace, now: datetime) -> Export:
    """Raises SettingError."""
    start = now - timedelta(days=1) if args.start is None else _time("--start", args.start)
    end = now if args.end is None else _time("--end", args.end)
    if start >= end:
        raise SettingError(f"--start {start.isoformat()} is not before --end {end.isoformat()}")
    form = args.format or ("parquet" if args.out.endswith(".parquet") else "csv")
    wanted = Filter(text=args.robot, models=tuple(args.model), sites=tuple(args.site))
    return Export(what=What(args.what), wanted=wanted, start=start, end=end, format=Format(form))


def _time(name: str, text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise SettingError(f"{name} {text!r}: give a time as 2026-11-24 or 2026-11-24T08:00Z") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


async def _export(database_url: str, asked: Export, file: BinaryIO) -> int:
    """Returns how many rows."""
    connection = await database.connect(database_url)
    columns = (
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[robots]} robots, {task.fields[rows]} rows"),
    )
    bar = Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True)
    rows = 0
    try:
        with bar:
            task = bar.add_task("", total=1.0, robots="", rows=0)

            def told(progress: Told) -> None:
                nonlocal rows
                rows = progress.rows
                robots = f"{progress.done} of {progress.robots}"
                bar.update(task, completed=progress.share, robots=robots, rows=rows)

            robots = await robots_of(connection, asked.wanted)
            async for piece in export(partial(_reading, connection), asked, robots, told):
                file.write(piece)
    finally:
        await connection.close()
    return rows


@asynccontextmanager
async def _reading(connection: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    async with connection.transaction(readonly=True):
        yield connection
