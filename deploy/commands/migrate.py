"""`robovitals migrate`: bring the database to the present schema."""

import argparse

import msgspec

from deploy.migrate import migrate
from deploy.settings import Settings, endpoints

EXAMPLE = "robovitals migrate"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the names of the applied migrations as JSON")


def run(args: argparse.Namespace, settings: Settings) -> int:
    applied = migrate(endpoints(settings).database_url)
    if args.json:
        print(msgspec.json.encode({"applied": applied}).decode())
    elif applied:
        for name in applied:
            print(f"applied {name}")
    else:
        print("nothing to apply: the database is up to date")
    return 0
