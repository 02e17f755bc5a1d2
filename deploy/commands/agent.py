"""`robovitals agent`: the robot's process, its status, and a file to begin with."""

import argparse
import time
from pathlib import Path

import msgspec

from deploy.settings import Settings, endpoints
from deploy.shell import run_process
from ingest.agent.agent_metrics import AgentMetrics
from ingest.agent.config_file import Setup, load_setup
from ingest.agent.process import AgentProcess
from ingest.agent.status import read_status, unhealthy, words
from schemas.errors import SettingError, UnavailableError
from schemas.kafka import Kafka
from schemas.robot_code import checked_code

EXAMPLE = "robovitals agent --config robot.toml"

TEMPLATE = Path(__file__).parent.parent / "agent" / "robot.toml"
TEMPLATE_CODE = "ZZDEMOAGENT100000000000000001"
DO = "run: take readings and send them (default). status: how the running agent does; the exit code is 0 if well. "
DO += "init: write a robot.toml to begin with"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("do", nargs="?", choices=["run", "status", "init"], default="run", help=DO)
    parser.add_argument(
        "--config", default="robot.toml", metavar="FILE", help="default robot.toml; see docs/agent.md"
    )
    parser.add_argument("--robot", default="", metavar="CODE", help="the robot's code, where no file says it")
    parser.add_argument("--json", action="store_true", help="status as JSON")


def run(args: argparse.Namespace, settings: Settings) -> int:
    path = Path(args.config)
    if args.do == "init":
        return _init(path, args.robot)
    setup = load_setup(path, args.robot, _kafka(settings))
    if args.do == "status":
        return _status(setup, args.json)
    return run_process("agent", lambda registry: AgentProcess(setup, AgentMetrics.create(registry)))


def _kafka(settings: Settings) -> Kafka | None:
    """Of the stack on this machine, if there is one: what the agent's own files say goes before it."""
    try:
        return settings.kafka or endpoints(settings).kafka
    except UnavailableError:
        return None


def _init(path: Path, robot: str) -> int:
    if not robot:
        raise SettingError("init needs --robot CODE, the robot's 29 characters")
    text = TEMPLATE.read_text("utf-8").replace(TEMPLATE_CODE, checked_code(robot))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise SettingError(f"{path} is there already: give another --config") from None
    print(
        f"{path} is written: name your source and your credentials in it, then `robovitals agent --config {path}`"
    )
    return 0


def _status(setup: Setup, as_json: bool) -> int:
    status, now_us = read_status(setup.status_path), time.time_ns() // 1000
    wrong = unhealthy(status, now_us)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(status)).decode())
    else:
        told = [*words(status, now_us), ("health", wrong or "well")]
        width = max(len(what) for what, _ in told)
        print("\n".join(f"{what:{width}}  {how}" for what, how in told))
    return 1 if wrong else 0
