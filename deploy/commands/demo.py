"""`robovitals demo`: all at once: a stack, a simulated fleet with a day behind it (docs/demo.md), and a live view.

`robovitals demo break ROBOT` in a second terminal breaks one of its robots, to watch an alert travel.
"""

import argparse
import asyncio
import time

from aiokafka import AIOKafkaConsumer
from rich.console import Console
from rich.live import Live

from deploy import page
from deploy.commands import demo_break
from deploy.local import control, state
from deploy.local.steps import Steps
from deploy.settings import Endpoints, Settings, endpoints
from deploy.view import Snapshot, Watcher, draw
from ingest.traits import MODELS, robot
from schemas.errors import UnavailableError
from schemas.topics import FRAMES
from serve import database, sites
from serve.sites import Placing

EXAMPLE = "robovitals demo --robots 500"

SEED = 1  # as `robovitals simulate` has it by default
SITES = ("Plant Graz", "Warehouse Lyon", "Campus Delft")

REFRESH_S = 1.0
ANOMALY_WITHIN_S = 60.0
HINT = (
    "try in another terminal:  robovitals demo break {robot} --fault battery   robovitals robot show {robot}"
    "   robovitals tail fleet.anomalies      Ctrl-C ends the demo; its data stays"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="break")
    breaking = actions.add_parser("break", help=demo_break.HELP, epilog=f"example: {demo_break.EXAMPLE}")
    demo_break.add_arguments(breaking)
    parser.add_argument("--robots", type=int, default=200, help="size of the simulated fleet (default 200)")
    parser.add_argument(
        "--once", action="store_true", help="draw the view once, as soon as it has an anomaly, then end the demo"
    )


def run(args: argparse.Namespace, settings: Settings) -> int:
    if args.action == "break":
        return demo_break.run(args, settings)
    began_s = time.monotonic()
    steps = Steps()
    was_running = state.running(settings.home) is not None
    control.start(settings, steps, simulate=args.robots)
    asyncio.run(_place(endpoints(settings).database_url, args.robots))
    try:
        asyncio.run(_watch(endpoints(settings), state.running(settings.home), args.once, began_s))
    except KeyboardInterrupt:
        pass
    finally:
        if was_running:
            steps.say("the stack was running before and goes on: `robovitals down` ends it")
        else:
            control.stop(settings, steps)
    return 0


async def _place(database_url: str, robots: int) -> None:
    """Each simulated robot has a site; where somebody has said another, that stays."""
    async with database.connected(database_url) as connection:
        placed = {row["robot_id"] for row in await connection.fetch("SELECT robot_id FROM robot_site")}
        new = [placing for placing in placings(robots) if placing.code not in placed]
        await sites.place(connection, new)


def placings(robots: int) -> list[Placing]:
    """By turns, so that every site has robots of every model."""
    codes = [robot(SEED, number).code for number in range(1, robots + 1)]
    return [Placing(code, SITES[number // len(MODELS) % len(SITES)]) for number, code in enumerate(codes)]


async def _watch(servers: Endpoints, stack: state.Stack | None, once: bool, began_s: float) -> None:
    where = (await page.invitation(stack) if stack else None) or ""
    connection = await database.connect(servers.database_url)
    consumer = AIOKafkaConsumer(FRAMES.name, **servers.kafka.client())
    try:
        await consumer.start()
        watcher = Watcher(connection, consumer)
        if once:
            await _one_view(watcher, began_s)
            print(where)
        else:
            await _live_view(watcher, where)
    finally:
        await consumer.stop()
        await connection.close()


async def _live_view(watcher: Watcher, where: str) -> None:
    console = Console()
    with Live(console=console, screen=console.is_terminal, auto_refresh=False) as live:
        while True:
            snapshot = await watcher.snapshot()
            live.update(draw(snapshot, f"{where}\n{_hint(snapshot)}"), refresh=True)
            await asyncio.sleep(REFRESH_S)


async def _one_view(watcher: Watcher, began_s: float) -> None:
    up_s = time.monotonic()
    while not (snapshot := await watcher.snapshot()).anomalies:
        if time.monotonic() - up_s > ANOMALY_WITHIN_S:
            raise UnavailableError(f"no anomaly within {ANOMALY_WITHIN_S:.0f} s of being up: `robovitals doctor`")
        await asyncio.sleep(REFRESH_S / 10)
    waited_s = time.monotonic() - began_s
    Console().print(draw(snapshot, f"the first anomaly was in view {waited_s:.1f} s after the command began"))


def _hint(snapshot: Snapshot) -> str:
    robot = snapshot.worst[-1].robot_id if snapshot.worst else "ROBOT"
    return HINT.format(robot=robot)
