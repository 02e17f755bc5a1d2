"""`robovitals replay`: a recording through the pipeline, as if its robots were sending now."""

import argparse
import asyncio
import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.settings import Settings, endpoints
from ingest.mapping import Mapping, known_recordings, load_mapping
from ingest.publish import Publisher
from ingest.replay import Pace, Sent, Times, replay
from ingest.sessions import Session, find_sessions
from ingest.visible import Visible, wait_until_visible
from schemas.errors import RetryError, SettingError, UnavailableError
from schemas.kafka import Kafka

EXAMPLE = "robovitals replay ../shared/data/ur3 --recording ur3 --times end-now --wait"

TIMES_HELP = (
    "original: as recorded (default). end-now: all moved alike, so that the last row is now. live: each row at the "
    "time it is sent. A second replay at original times adds nothing, for boot id and sequence follow from the "
    "file; at other times each replay is new rows"
)


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints. `landed` and `rejected` are null without --wait; `refusals` has the first few."""

    recording: str
    sessions: int
    robots: int
    sent: int
    landed: int | None
    rejected: int | None
    readings: int
    absent: int
    impossible: int
    refused: int
    refusals: list[str]
    seconds: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", help="the recording's directory, or one of its files")
    parser.add_argument(
        "--recording",
        required=True,
        metavar="NAME|MAPPING.toml",
        help=f"{', '.join(known_recordings())}, or your own mapping file (docs/recordings.md)",
    )
    parser.add_argument("--times", choices=[t.value for t in Times], default=Times.ORIGINAL.value, help=TIMES_HELP)
    parser.add_argument("--speed", help="1, 10, any number of recorded seconds a second, or max; "
                        "default: max, and 1 with --times live")  # fmt: skip
    parser.add_argument(
        "--sessions", nargs="+", default=[], metavar="PATTERN", help="only these files or folders: '20240426_*'"
    )
    parser.add_argument("--wait", action="store_true", help="until all of it is visible in the database")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def run(args: argparse.Namespace, settings: Settings) -> int:
    pace = pace_of(args.times, args.speed)
    mapping = load_mapping(args.recording)
    sessions = find_sessions(mapping, Path(args.path), args.sessions)
    servers = endpoints(settings)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # its errors are raised, and said in one line
    began_s = time.monotonic()
    sent, visible = asyncio.run(
        _replay(mapping, sessions, pace, servers.kafka, servers.database_url if args.wait else None)
    )
    account = sent.account
    summary = Summary(
        recording=mapping.title,
        sessions=len(sessions),
        robots=len({robot for robot, _ in sent.spans}),
        sent=account.frames,
        landed=visible.landed if visible else None,
        rejected=visible.rejected if visible else None,
        readings=account.readings,
        absent=account.absent,
        impossible=account.impossible,
        refused=account.refused,
        refusals=account.refusals,
        seconds=round(time.monotonic() - began_s, 2),
    )
    print(msgspec.json.encode(summary).decode() if args.json else _text(summary, args.path))
    if visible and visible.landed + visible.rejected != account.frames:
        print(f"robovitals: {account.frames} frames were sent, and {visible.landed} rows and "
              f"{visible.rejected} rejects are there", file=sys.stderr)  # fmt: skip
        return 1
    return 0


def pace_of(times: str, speed: str | None) -> Pace:
    """The options as a pace. Raises SettingError."""
    live = times == Times.LIVE
    text = speed or ("1" if live else "max")
    if text == "max":
        if live:
            raise SettingError("--speed max: --times live sends each row at its time; give a number, such as 10")
        return Pace(Times(times), None)
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise SettingError(f"--speed {text}: give 1, 10, another number above 0, or max")
    return Pace(Times(times), number)


async def _replay(
    mapping: Mapping, sessions: list[Session], pace: Pace, kafka: Kafka, database_url: str | None
) -> tuple[Sent, Visible | None]:
    with _progress() as show:
        try:
            async with Publisher(kafka, "robovitals.replay") as publisher:
                sent = await replay(
                    mapping, sessions, pace, publisher,
                    lambda sent, session: show(f"sending {session.name}", sent.account.frames, None),
                )  # fmt: skip
        except RetryError as error:
            raise UnavailableError(f"{error}: run the same again, what is there already is not doubled") from None
        if database_url is None:
            return sent, None
        whole = publisher.acknowledged.records
        visible = await wait_until_visible(
            database_url, publisher.acknowledged, sent, lambda missing: show("landing", whole - missing, whole)
        )
        return sent, visible


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int | None], None]]:
    """A line that says what is being done; nothing where nobody watches."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda what, done, whole: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("reading", total=None)
        yield lambda what, done, whole: progress.update(task, description=what, completed=done, total=whole)


def _text(summary: Summary, path: str) -> str:
    lines = [
        f"{summary.recording}: {summary.sessions} sessions of {summary.robots} robots from {path}",
        f"  {summary.sent} frames sent",
    ]
    if summary.landed is not None:
        lines.append(f"  {summary.landed} rows in frame, {summary.rejected} in reject")
    lines += [
        f"  {summary.readings} readings, {summary.absent} of them absent and {summary.impossible} impossible",
        f"  {summary.refused} rows refused",
        *(f"    {refusal}" for refusal in summary.refusals),
    ]
    if summary.refused > len(summary.refusals):
        lines.append(f"    and {summary.refused - len(summary.refusals)} more")
    return "\n".join([*lines, f"  {summary.seconds} s"])
