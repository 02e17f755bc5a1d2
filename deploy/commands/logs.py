"""`robovitals logs NAME`: what a server or process of this home has written."""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TextIO

from deploy.settings import Settings
from schemas.errors import SettingError

EXAMPLE = "robovitals logs land -f -n 100"
LOOK_EVERY_S = 0.2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="supervisor, kafka, timescaledb, land, summarise, assess or simulate")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what is added, until Ctrl-C")
    parser.add_argument("-n", "--lines", type=int, default=50, metavar="N", help="the last N lines (50)")


def run(args: argparse.Namespace, settings: Settings) -> int:
    if args.lines < 0:
        raise SettingError(f"--lines {args.lines}: give a number of lines, 0 or more")
    log = _find(settings.home / "logs", args.name)
    with log.open(errors="replace") as file:
        lines = file.readlines()
        sys.stdout.writelines(lines[-args.lines :] if args.lines else [])
        if args.follow:
            _follow(log, file)
    return 0


def _find(directory: Path, name: str) -> Path:
    known = sorted(path.stem for path in directory.glob("*.log"))
    if name in known:
        return directory / f"{name}.log"
    if not known:
        raise SettingError(f"there are no logs in {directory} yet: robovitals up")
    raise SettingError(f"no log of {name!r}: there are {', '.join(known)}")


def _follow(log: Path, file: TextIO) -> None:
    """Also across the moment at which a restart sets the log aside and begins a new one."""
    while True:
        sys.stdout.write(file.read())
        sys.stdout.flush()
        if log.exists() and log.stat().st_ino != os.fstat(file.fileno()).st_ino:
            with log.open(errors="replace") as newer:
                return _follow(log, newer)
        time.sleep(LOOK_EVERY_S)
