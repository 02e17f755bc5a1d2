"""`robovitals up`: Kafka, TimescaleDB and every process of the product on this machine."""

import argparse
import asyncio

from deploy import page
from deploy.local import control, state
from deploy.local.stack import AlreadyRunning, LocalStack
from deploy.local.steps import Steps
from deploy.settings import HOME, KAFKA_BOOTSTRAP, Settings
from schemas.errors import SettingError

EXAMPLE = "robovitals up --detach"
INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--detach", action="store_true", help="return when all is ready; `robovitals down` ends it")
    parser.add_argument(
        "--simulate", type=int, metavar="N", help="with a fleet of N simulated robots, to have something to see"
    )
    parser.add_argument(
        "--secure",
        action="store_true",
        help="with a Kafka that lets in only users, by TLS and SCRAM, each with what it may do; a home stays so",
    )


def run(args: argparse.Namespace, settings: Settings) -> int:
    if args.simulate is not None and args.simulate < 1:
        raise SettingError(f"--simulate {args.simulate}: give a number of robots, 1 or more")
    steps = Steps()
    if args.secure:
        _check_secure(settings)
    if args.detach:
        already = state.running(settings.home)
        control.start(settings, steps, args.simulate, args.secure)
        steps.say(_already(settings) if already else "next: robovitals status, robovitals demo, robovitals down")
        if (stack := state.running(settings.home)) and (line := asyncio.run(page.invitation(stack))):
            steps.say(line)
        return 0
    try:
        return 0 if LocalStack(settings, steps, args.simulate, args.secure).run() else INTERRUPTED
    except AlreadyRunning:
        steps.say(_already(settings))
        return 0


def _check_secure(settings: Settings) -> None:
    if settings.kafka is not None:
        raise SettingError(
            f"--secure makes a Kafka: unset {KAFKA_BOOTSTRAP}, or secure that one as docs/security.md says"
        )
    running = state.running(settings.home)
    if running is not None and running.kafka is not None and running.kafka.user is None:
        raise SettingError(f"--secure: the stack that runs in {settings.home} lets in anybody: name another {HOME}")


def _already(settings: Settings) -> str:
    stack = state.running(settings.home)
    pid = f", supervisor {stack.supervisor.pid}" if stack else ""
    return f"a stack is running already in {settings.home}{pid}: robovitals status"
