"""`robovitals robot …`: one robot, its uses, the registry, robots' keys, and whose frames must be sealed."""

import argparse

from deploy.commands import robot_import, robot_keys, robot_show, robot_usage
from deploy.settings import Settings

EXAMPLE = f"{robot_show.EXAMPLE}\n  {robot_import.EXAMPLE}\n  {robot_keys.EXAMPLE}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    robot_show.add_parser(actions)
    robot_usage.add_parser(actions)
    robot_import.add_parser(actions)
    robot_keys.add_parsers(actions)


def run(args: argparse.Namespace, settings: Settings) -> int:
    code: int = args.acted(args, settings)
    return code
