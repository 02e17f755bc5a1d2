"""`robovitals maintenance …`: maintenance plans of models, and what is due of robots."""

import argparse
import asyncio
import tomllib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import msgspec
from rich.console import Console
from rich.table import Table

from deploy.settings import Settings, endpoints
from deploy.text import since
from processors import maintenance, maintenance_tables
from schemas.errors import SettingError
from schemas.maintenance import State
from schemas.maintenance_plan import Plan, plan_of, read_plan
from schemas.robot_code import checked_code, format_code
from serve import care, database
from serve.care import FleetMaintenance, TaskLine

EXAMPLE = "robovitals maintenance plan import docs/maintenance.toml"
SHOWN = 50
STYLE = {State.OVERDUE: "bold red", State.DUE: "yellow", State.UNKNOWN: "dim", State.OK: ""}

Work = Callable[[asyncpg.Connection, argparse.Namespace], Awaitable[None]]

_PUT = """
INSERT INTO maintenance_plan (prefix, plan) VALUES ($1, $2)
ON CONFLICT (prefix) DO UPDATE SET plan = excluded.plan, imported = clock_timestamp()"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "A plan is a TOML file of a maker's model (docs/maintenance.toml has every key). A task's clock begins "
        "when the robot was commissioned, its part installed or the task last done, as its logbook says."
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    plan = actions.add_parser("plan", help="what makers want done of their models").add_subparsers(
        dest="plan_action", metavar="ACTION", required=True
    )
    importing = _action(plan, "import", "let these plans hold, each in place of the one before", _import)
    importing.add_argument("file", type=Path, nargs="+", metavar="FILE")
    showing = _action(plan, "show", "every plan, or the one that is for a robot", _show)
    showing.add_argument("code", nargs="?", metavar="CODE")
    due = _action(actions, "due", "what is due of one robot, or in the fleet", _due)
    what = due.add_mutually_exclusive_group(required=True)
    what.add_argument("code", nargs="?", metavar="CODE")
    what.add_argument("--fleet", action="store_true", help="every robot: what is overdue, and what is due")
    due.add_argument("--json", action="store_true", help="print it as JSON")


def run(args: argparse.Namespace, settings: Settings) -> int:
    asyncio.run(_connected(endpoints(settings).database_url, args))
    return 0


def _action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str, work: Work
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=text)
    parser.set_defaults(work=work)
    return parser


async def _connected(database_url: str, args: argparse.Namespace) -> None:
    work: Work = args.work
    async with database.connected(database_url) as connection:
        await work(connection, args)


async def _import(connection: asyncpg.Connection, args: argparse.Namespace) -> None:
    """All of them or none."""
    plans = [_read(path) for path in args.file]
    async with connection.transaction():
        for plan in plans:
            await connection.execute(_PUT, plan.prefix, msgspec.json.encode(plan).decode())
    followed = await maintenance.follow(connection, datetime.now(UTC))
    names = ", ".join(f"{plan.prefix} ({len(plan.tasks)} tasks)" for plan in plans)
    print(f"{names}: worked out for {followed} robots with a logbook")


def _read(path: Path) -> Plan:
    try:
        return read_plan(tomllib.loads(path.read_text("utf-8")), str(path))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingError(f"{path} is not TOML: {error}") from None


async def _show(connection: asyncpg.Connection, args: argparse.Namespace) -> None:
    plans, _ = await maintenance_tables.plans(connection)
    if args.code:
        plan = plan_of(plans, checked_code(args.code))
        plans = [plan] if plan else []
    console = Console(highlight=False)
    for plan in sorted(plans, key=lambda plan: plan.prefix):
        table = Table("task", "component", "every", "grace", "text", box=None, title_justify="left")
        table.title = f"{plan.maker} {plan.model or '(every model)'}"
        for task in plan.tasks:
            every = {
                "h": task.every_hours, "cycles": task.every_cycles, "days": task.every_days, "wear": task.wear,
            }  # fmt: skip
            words = ", ".join(f"{number:g} {unit}" for unit, number in every.items() if number is not None)
            table.add_row(task.name, task.component, words, f"{task.grace:.0%}", task.text)
        console.print(table)
    if not plans:
        console.print("no plan: robovitals maintenance plan import FILE")


async def _due(connection: asyncpg.Connection, args: argparse.Namespace) -> None:
    now = datetime.now(UTC)
    await maintenance.follow(connection, now)
    if args.fleet:
        await maintenance.judge(connection, now)
        overdue = await care.fleet_maintenance(connection, State.OVERDUE.value, SHOWN)
        due = await care.fleet_maintenance(connection, State.DUE.value, SHOWN)
        _tell(args.json, {"overdue": overdue, "due": due}, lambda console: _print_fleet(console, overdue, due, now))
        return
    code = checked_code(args.code)
    await maintenance.judge(connection, now, [code])
    tasks = await care.maintenance(connection, code)
    _tell(args.json, tasks, lambda console: _print_robot(console, code, tasks, now))


def _tell(as_json: bool, what: object, show: Callable[[Console], None]) -> None:
    if as_json:
        print(msgspec.json.encode(what).decode())
    else:
        show(Console(highlight=False))


def _print_robot(console: Console, code: str, tasks: list[TaskLine], now: datetime) -> None:
    console.print(f"[bold]{format_code(checked_code(code))}[/bold]")
    table = Table("task", "component", "state", "used", "due", "last done", box=None)
    for task in tasks:
        state = State(task.state)
        done = "never" if task.done is None else f"{since(task.done, now)} ago (entry {task.done_entry})"
        beyond = f" since {task.overdue_since:%Y-%m-%d}" if task.overdue_since else ""
        table.add_row(
            task.task, task.component, state.value + beyond, _share(task.used), _when_due(task), done,
            style=STYLE[state],
        )  # fmt: skip
    nothing = "nothing is planned: neither its logbook nor a plan of its model says so, or it has no logbook"
    console.print(table if tasks else nothing)


def _print_fleet(console: Console, overdue: FleetMaintenance, due: FleetMaintenance, now: datetime) -> None:
    console.print(
        f"{overdue.robots} robots with a logbook: {overdue.overdue} have something overdue, {due.due} something due"
    )
    for state, found in ((State.OVERDUE, overdue), (State.DUE, due)):
        table = Table("task", "component", "used", "last done", box=None, title_justify="left")
        table.add_column("robot", no_wrap=True)
        table.title = f"{state.value}, the furthest first"
        for one in found.pressing:
            more = f" and {one.components - 1} more" if one.components > 1 else ""
            done = "never" if one.done is None else f"{since(one.done, now)} ago"
            table.add_row(one.task, one.component + more, _share(one.used), done, one.robot_id, style=STYLE[state])
        if found.pressing:
            console.print(table)


def _share(used: float | None) -> str:
    return "–" if used is None else f"{used:.0%}"


def _when_due(task: TaskLine) -> str:
    parts = (
        None if task.due_runtime_s is None else f"{task.due_runtime_s / 3600:.0f} h",
        None if task.due_cycles is None else f"{task.due_cycles:.0f} cycles",
        None if task.due_wear is None else f"wear {task.due_wear:.2f}",
        None if task.due_date is None else f"{task.due_date:%Y-%m-%d}",
    )
    return ", ".join(filter(None, parts)) or "–"
