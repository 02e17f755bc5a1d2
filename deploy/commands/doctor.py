"""`robovitals doctor`: everything that is needed, one line each, and what to type where something is missing."""

import argparse
from collections.abc import Iterator

import msgspec

from deploy import checks
from deploy.checks import Check
from deploy.settings import Settings

EXAMPLE = "robovitals doctor --json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the checks as JSON")


def run(args: argparse.Namespace, settings: Settings) -> int:
    done: list[Check] = []
    for check in _checks(settings):
        done.append(check)
        if not args.json:
            print(_line(check), flush=True)
    if args.json:
        print(msgspec.json.encode(done).decode())
    return 0 if all(check.ok for check in done) else 1


def _line(check: Check) -> str:
    mend = f"  -> {check.next}" if check.next else ""
    return f"{'OK' if check.ok else 'FAIL':5} {check.name:12} {check.detail}{mend}"


def _checks(settings: Settings) -> Iterator[Check]:
    """In the order in which one thing needs another: what cannot be looked at yet is left out."""
    yield checks.python()
    extras = checks.extras()
    yield from extras
    yield checks.disk("home disk", settings.home)
    yield checks.disk("cache disk", settings.cache)
    if all(extra.ok for extra in extras):
        from deploy.local import examine

        yield from examine.stack(settings)
