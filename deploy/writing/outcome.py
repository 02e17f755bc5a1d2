"""What became of many lines, told: a number of each, and every line that was refused.

In: lines that were read and what the desk says of them. Out: text or JSON, and the exit code. Called by the
commands that write many entries.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator

import msgspec

from deploy.recording import progress
from deploy.settings import Endpoints
from deploy.writing.submit import Done, Line, desk

REFUSED = 1


class RefusedLine(msgspec.Struct, frozen=True):
    """`line` is its number in the file, or among the robots that were named; `robot_id` is empty where unread."""

    line: int
    text: str
    robot_id: str = ""


class Outcome(msgspec.Struct, kw_only=True):
    """`written`: lines of which at least one entry is new; `there`: lines that were written before."""

    lines: int = 0
    entries: int = 0
    written: int = 0
    there: int = 0
    refused: list[RefusedLine] = []
    seconds: float = 0.0

    def refuse(self, number: int, text: str, robot_id: str = "") -> None:
        self.lines += 1
        self.refused.append(RefusedLine(number, text, robot_id))


def submit(
    servers: Endpoints,
    read: Iterable[tuple[int, Line | str]],
    platforms: frozenset[str],
    checks_only: bool = False,
    whole: int | None = None,
) -> Outcome:
    """Write what can be. `read` has of each line its entries, or why there are none. Raises UnavailableError."""
    return asyncio.run(_submit(servers, read, platforms, checks_only, whole))


async def _submit(
    servers: Endpoints,
    read: Iterable[tuple[int, Line | str]],
    platforms: frozenset[str],
    checks_only: bool,
    whole: int | None,
) -> Outcome:
    outcome, began_s = Outcome(), time.monotonic()
    with progress() as show:
        async with desk(servers, platforms, sends=not checks_only) as taking:
            async for portion in taking.take(_readable(read, outcome)):
                for done in portion:
                    _count(outcome, done)
                show("checking" if checks_only else "writing", outcome.lines, whole)
    outcome.seconds = round(time.monotonic() - began_s, 2)
    outcome.refused.sort(key=lambda refused: refused.line)
    return outcome


def _readable(read: Iterable[tuple[int, Line | str]], outcome: Outcome) -> Iterator[Line]:
    for number, line in read:
        if isinstance(line, str):
            outcome.refuse(number, line)
        else:
            yield line


def _count(outcome: Outcome, done: Done) -> None:
    if done.refused:
        outcome.refuse(done.line.number, done.refused, done.line.robot_id)
        return
    outcome.lines += 1
    outcome.entries += done.written
    outcome.written += done.written > 0
    outcome.there += done.written == 0


def told(outcome: Outcome, what: str, as_json: bool, checks_only: bool = False) -> int:
    """Print it. Returns the exit code."""
    if as_json:
        print(msgspec.json.encode(outcome).decode())
    else:
        for refused in outcome.refused:
            robot = f"{refused.robot_id}: " if refused.robot_id else ""
            print(f"{what} {refused.line}: {robot}{refused.text}")
        would = "would be written" if checks_only else "written"
        print(
            f"{outcome.lines} {what}s in {outcome.seconds} s: {outcome.written} {would}, {outcome.entries} entries;"
            f" {outcome.there} were there already; {len(outcome.refused)} refused"
        )
    return REFUSED if outcome.refused else 0
