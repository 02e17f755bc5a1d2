"""What `robovitals replay` and `robovitals import` have in common: their arguments, the recording, the summary.

In: arguments. Out: a mapping with its sessions, a line that says what is being done, a summary as text or JSON.
"""

import argparse
import asyncio
import logging
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from deploy.bag_list import draft_of, list_of
from ingest.agent.config_file import load_credentials
from ingest.mapping import Mapping
from ingest.mapping_file import known_recordings, load_mapping
from ingest.publish import Acknowledged
from ingest.replay import Sent
from ingest.sealing import Sealing
from ingest.sessions import Session, find_sessions
from ingest.visible import Visible, wait_until_visible
from schemas.errors import SettingError
from schemas.frame import SEAL_REASONS
from schemas.robot_code import checked_code

Show = Callable[[str, int, int | None], None]


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints. `landed` and `rejected` are null without --wait; of refusals and damages the first.
    `reasons`: how many were rejected why."""

    recording: str
    sessions: int
    robots: int
    sent: int
    landed: int | None
    rejected: int | None
    reasons: dict[str, int]
    readings: int
    absent: int
    impossible: int
    refused: int
    refusals: list[str]
    damages: list[str]
    read_bytes: int
    seconds: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of both commands."""
    parser.add_argument("path", metavar="PATH", help="the recording's directory, or one of its files")
    parser.add_argument(
        "--recording",
        metavar="NAME|MAPPING.toml",
        help=f"{', '.join(known_recordings())}, or your own mapping file (docs/recordings.md)",
    )
    parser.add_argument("--robot", metavar="CODE", help="whose recording it is, in place of the mapping's robot")
    parser.add_argument(
        "--sessions", nargs="+", default=[], metavar="PATTERN", help="only these files or folders: '20240426_*'"
    )
    parser.add_argument(
        "--credentials", nargs="+", default=[], metavar="FILE", type=Path,
        help="seal the frames as their robots would: what `robovitals robot register` gave them",
    )  # fmt: skip
    parser.add_argument("--wait", action="store_true", help="until all of it is visible in the database")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.add_argument(
        "--list", action="store_true",
        help="send nothing: print a bag's topics, their types and joints, and which of them the mapping uses",
    )  # fmt: skip
    parser.add_argument(
        "--draft", metavar="MAPPING.toml",
        help="send nothing: write a mapping for a bag, to be looked over; the robot is --robot's",
    )  # fmt: skip


def only_looked_at(args: argparse.Namespace) -> bool:
    """Whether the recording was to be listed or a mapping to be drafted; then that is done."""
    if args.draft:
        if not args.robot:
            raise SettingError("--draft: give --robot CODE, whose recording it is")
        draft_of(Path(args.path), Path(args.draft), checked_code(args.robot))
    if args.list:
        mapping = _mapping(args) if args.recording else None
        print(list_of(Path(args.path), mapping, args.sessions))
    return bool(args.draft or args.list)


def recording_of(args: argparse.Namespace) -> tuple[Mapping, list[Session]]:
    """Raises SettingError."""
    mapping = _mapping(args)
    return mapping, find_sessions(mapping, Path(args.path), args.sessions)


def sealing_of(args: argparse.Namespace) -> Sealing:
    """Raises SettingError."""
    return Sealing(map(load_credentials, args.credentials))


def _mapping(args: argparse.Namespace) -> Mapping:
    if not args.recording:
        raise SettingError(
            f"--recording: name what it is, one of {', '.join(known_recordings())}, or a mapping file; --list "
            "shows what is in a bag, and --draft writes a mapping for it"
        )
    mapping = load_mapping(args.recording)
    if not args.robot:
        return mapping
    robot = msgspec.structs.replace(
        mapping.robot, code=checked_code(args.robot), enterprise="", model="", serial=""
    )
    return msgspec.structs.replace(mapping, robot=robot)


def summary_of(
    mapping: Mapping, sessions: list[Session], sent: Sent, visible: Visible | None, seconds: float
) -> Summary:
    account = sent.account
    return Summary(
        recording=mapping.title,
        sessions=len(sessions),
        robots=len({robot for robot, _ in sent.spans}),
        sent=account.frames,
        landed=visible.landed if visible else None,
        rejected=visible.rejected if visible else None,
        reasons=visible.reasons if visible else {},
        readings=account.readings,
        absent=account.absent,
        impossible=account.impossible,
        refused=account.refused,
        refusals=account.refusals,
        damages=account.damages,
        read_bytes=account.read_bytes - account.skipped_bytes,
        seconds=round(seconds, 2),
    )


def carried_out(
    args: argparse.Namespace,
    mapping: Mapping,
    sessions: list[Session],
    sending: Coroutine[Any, Any, tuple[Sent, Visible | None]],
) -> int:
    """Do it, and print what came of it. Returns the exit code."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # its errors are raised, and said in one line
    began_s = time.monotonic()
    sent, visible = asyncio.run(sending)
    return told(summary_of(mapping, sessions, sent, visible, time.monotonic() - began_s), args.path, args.json)


async def awaited(database_url: str | None, acknowledged: Acknowledged, sent: Sent) -> Visible | None:
    """Until all of it is visible in the database; None at once where that is not asked for."""
    if database_url is None:
        return None
    whole = acknowledged.records
    with progress() as show:
        return await wait_until_visible(
            database_url, acknowledged, sent, lambda missing: show("landing", whole - missing, whole)
        )


def told(summary: Summary, path: str, as_json: bool) -> int:
    """Print it. 1, with the reason, where something is missing."""
    print(msgspec.json.encode(summary).decode() if as_json else _text(summary, path))
    for damage in summary.damages:
        print(f"robovitals: {damage}; what can be read beside it was sent", file=sys.stderr)
    missing = (
        summary.landed is not None
        and summary.rejected is not None
        and summary.landed + summary.rejected != summary.sent
    )
    if missing:
        print(f"robovitals: {summary.sent} frames were sent, and {summary.landed} rows and "
              f"{summary.rejected} rejects are there", file=sys.stderr)  # fmt: skip
    if summary.rejected:
        print(f"robovitals: {_rejection(summary)}", file=sys.stderr)
    return 1 if missing or summary.rejected or summary.damages else 0


def _rejection(summary: Summary) -> str:
    why = ", ".join(f"{count} {reason}" for reason, count in sorted(summary.reasons.items()))
    text = f"{summary.rejected} of {summary.sent} frames were rejected ({why}), the page Pipeline shows them"
    if summary.reasons.keys() & set(SEAL_REASONS):
        text += (
            "; this maker's frames must be sealed: --credentials FILE of each robot (robovitals robot register). "
        )
        text += "Of those that are not sealed a part is kept, and all are counted"
    return text


@contextmanager
def progress(of_bytes: int = 0) -> Iterator[Show]:
    """A line that says what is being done; nothing where nobody watches. `of_bytes`: of so many, else of frames."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda what, done, whole: None
        return
    amount = (
        [DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()] if of_bytes else [MofNCompleteColumn()]
    )
    columns = (TextColumn("{task.description}"), BarColumn(), *amount, TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("reading", total=of_bytes or None)
        yield lambda what, done, whole: shown.update(task, description=what, completed=done, total=whole)


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
    lines.append(f"  {summary.seconds} s")
    if summary.read_bytes and summary.seconds:
        megabytes = summary.read_bytes / 1e6
        lines[-1] += f", {megabytes:.0f} MB at {megabytes / summary.seconds:.1f} MB/s"
    return "\n".join(lines)
