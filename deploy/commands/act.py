"""`robovitals act KIND CODE`: what an operator does about episodes, and about parts (out of service, replaced)."""

import argparse
import asyncio
import getpass
import time
from datetime import UTC, datetime, timedelta

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError

from deploy.durations import seconds
from deploy.settings import Endpoints, Settings, endpoints
from deploy.topics import check
from schemas.action import Action, Kind, encode_action
from schemas.anomaly import FLEET
from schemas.errors import UnavailableError
from schemas.kafka import Kafka
from schemas.robot_code import checked_code
from schemas.topics import ACTIONS
from serve import database
from serve.acting import Wish, actions_of
from serve.database import Deed

EXAMPLE = (
    'robovitals act shelve ZZ-SIM0-HUMAN1-00000000000000017 --component joint/3 --for 8h --note "part ordered"'
)

_KINDS = {kind.value.replace("_", "-"): kind for kind in Kind if kind not in (Kind.ADOPT, Kind.RELEASE)}
_SEEN_WITHIN_S = 15.0
_LOOK_EVERY_S = 0.2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=list(_KINDS), metavar="KIND", help=", ".join(_KINDS))
    parser.add_argument(
        "code",
        help="the 29-character robot code, hyphens and spaces are left out; or `fleet` for an episode of many",
    )
    parser.add_argument("--component", default="", metavar="PATH", help="only of joint/3, battery, accuracy, robot")
    parser.add_argument(
        "--episode", default="", metavar="ID", help="only this one; the beginning of its id will do"
    )
    parser.add_argument("--for", dest="shelf", metavar="TIME", help="shelve: how long (default 8h, at most 7d)")
    parser.add_argument("--note", default="", metavar="TEXT", help="why; it is kept with the episode")
    parser.add_argument("--actor", metavar="NAME", help="who acts (default: the user of this machine)")
    parser.epilog = (
        "Without --component and --episode it is about all of the robot. What is shelved calls again when its time "
        "is over; what is out of service calls nobody until in-service. A component that was replaced begins a new "
        "baseline, which takes a week to learn. `robovitals alarms` shows the list."
    )


def run(args: argparse.Namespace, settings: Settings) -> int:
    wish = Wish(
        kind=_KINDS[args.kind],
        robot_id=FLEET if args.code == FLEET else checked_code(args.code),
        actor=args.actor or getpass.getuser(),
        note=args.note,
        episode=args.episode,
        component=args.component,
        shelf_us=round(seconds("--for", args.shelf) * 1e6) if args.shelf else None,
    )
    return asyncio.run(_act(endpoints(settings), wish))


async def _act(servers: Endpoints, wish: Wish) -> int:
    async with database.connected(servers.database_url) as connection:
        await _check_robot(connection, wish.robot_id)
        alarms = await database.alarms(connection, wish.robot_id)
        actions, targets = actions_of(wish, alarms, time.time_ns() // 1000)
        await _publish(servers.kafka, actions)
        deeds = await _come_of(connection, actions[0], len(targets))
    for deed in deeds:
        print(f"{deed.component}  {deed.state.replace('_', ' ')}  {deed.text}")
    if not targets:
        print(f"{wish.kind.replace('_', ' ')}: {wish.robot_id} {actions[0].component or '(all of it)'}")
    elif len(deeds) < len(targets):
        missing = len(targets) - len(deeds)
        print(f"{missing} sent, and not in the database yet: see `robovitals alarms` later, or `robovitals status`")
    return 0


async def _check_robot(connection: asyncpg.Connection, code: str) -> None:
    if code != FLEET and await database.robot(connection, code) is None:
        similar = await database.similar_robots(connection, code[:12])
        known = f"; some that have: {', '.join(similar)}" if similar else ""
        raise UnavailableError(f"nothing of robot {code} has landed{known}")


async def _publish(kafka: Kafka, actions: list[Action]) -> None:
    # Asked of an administrator's client: a producer waits for ever for a topic that is not there.
    if not next(report.partitions for report in await check(kafka) if report.name == ACTIONS.name):
        raise UnavailableError(f"topic {ACTIONS.name} does not exist: `robovitals topics`")
    try:
        async with AIOKafkaProducer(**kafka.client(), enable_idempotence=True) as producer:
            for action in actions:
                await producer.send_and_wait(ACTIONS.name, encode_action(action), key=action.robot_id.encode())
    except KafkaConnectionError:
        raise UnavailableError(f"no Kafka answers at {kafka}: `robovitals doctor`") from None
    except KafkaError as error:
        raise UnavailableError(f"Kafka does not take the action ({error!r}): `robovitals status`") from None


async def _come_of(connection: asyncpg.Connection, action: Action, count: int) -> list[Deed]:
    """What has landed of the actions of one moment: `count` transitions, or as many as come before it takes too
    long.
    """
    acted = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=action.time_us)
    until_s = time.monotonic() + _SEEN_WITHIN_S
    found: list[Deed] = []
    while len(found) < count and time.monotonic() < until_s:
        await asyncio.sleep(_LOOK_EVERY_S)
        found = await database.deeds(connection, action.robot_id, action.actor, acted)
    return found
