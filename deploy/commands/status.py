"""`robovitals status`: each server and process of this home. Exit code 0 when all of them are ready."""

import argparse
import asyncio

import msgspec

from deploy import page
from deploy.local import control, state
from deploy.local.control import Condition
from deploy.settings import Settings

EXAMPLE = "robovitals status --json"


class Status(msgspec.Struct, frozen=True):
    home: str
    supervisor_pid: int | None
    ready: bool
    processes: list[Condition]
    page: str | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def run(args: argparse.Namespace, settings: Settings) -> int:
    stack = state.running(settings.home)
    conditions = control.look(stack) if stack else []
    status = Status(
        home=str(settings.home),
        supervisor_pid=stack.supervisor.pid if stack else None,
        ready=bool(stack and stack.ready) and all(c.not_ready is None for c in conditions),
        page=page.address(stack) if stack else None,
        processes=conditions,
    )
    print(msgspec.json.encode(status).decode() if args.json else "\n".join(_lines(status)))
    if status.ready and not args.json and stack and (line := asyncio.run(page.invitation(stack))):
        print(line)
    return 0 if status.ready else 1


def _lines(status: Status) -> list[str]:
    if status.supervisor_pid is None:
        return [f"no stack is running in {status.home}: robovitals up"]
    head = f"{'':12} {'STATE':11} {'PID':>8} {'UPTIME':>9} {'RESTARTS':>8} {'LAST EXIT':>9}  READY"
    lines = [f"{status.home}, supervisor {status.supervisor_pid}", head]
    for c in status.processes:
        uptime = "-" if c.uptime_s is None else _duration(c.uptime_s)
        last_exit = "-" if c.last_exit is None else str(c.last_exit)
        ready = c.not_ready or (f"yes, {c.metrics_url}" if c.metrics_url else f"yes, port {c.port}")
        lines.append(
            f"{c.name:12} {c.state:11} {c.pid or '-':>8} {uptime:>9} {c.restarts:8} {last_exit:>9}  {ready}"
        )
    return lines


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
