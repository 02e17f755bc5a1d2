"""`robovitals up` and its companions with the real servers and the real processes, as a user starts them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from deploy.local import children, kept, ports, state
from deploy.local.children import Identity
from deploy.local.kafka import KafkaServer, Kept
from deploy.local.servers import Servers
from deploy.settings import Endpoints, read_settings
from deploy.topics import check, ensure
from schemas.kafka import Kafka

SERVERS = ["kafka", "timescaledb"]
PROCESSES = ["land", "summarise", "assess", "retain", "notify", "serve"]
ATTEMPTS = 200
"""How often `status` is asked (about a second each) before a test gives up."""

Robovitals = Callable[..., subprocess.CompletedProcess[str]]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "deploy.cli", *arguments]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "ROBOVITALS_HOME": str(tmp_path / "home")}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def robovitals(environ: dict[str, str]) -> Iterator[Robovitals]:
    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command(*arguments), env=environ | more, capture_output=True, text=True, check=False)

    yield run
    run("down")


def status(robovitals: Robovitals) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(robovitals("status", "--json").stdout)
    return report


def identities(home: Path) -> dict[str, Identity]:
    """The supervisor and everything it runs."""
    stack = state.read(home)
    assert stack is not None
    members = {member.name: member.identity for member in stack.members if member.identity is not None}
    return {"supervisor": stack.supervisor, **members}


def until_ready(robovitals: Robovitals) -> dict[str, Any]:
    for _ in range(ATTEMPTS):
        report = status(robovitals)
        if report["ready"]:
            return report
    raise AssertionError(report)


def test_a_stack_comes_up_goes_down_and_keeps_its_data(robovitals: Robovitals, home: Path) -> None:
    up = robovitals("up", "--detach")
    assert up.returncode == 0, up.stdout + up.stderr
    report = status(robovitals)
    assert [process["name"] for process in report["processes"]] == [*SERVERS, *PROCESSES]
    assert report["ready"]
    assert robovitals("doctor").returncode == 0
    running = identities(home)
    assert robovitals("psql", "-c", "CREATE TABLE kept AS SELECT 42 AS answer").returncode == 0

    again = robovitals("up")
    assert (again.returncode, "running already" in again.stdout) == (0, True)
    assert identities(home) == running

    assert robovitals("down").returncode == 0
    assert [name for name, identity in running.items() if children.is_alive(identity)] == []
    assert state.read(home) is None
    assert robovitals("status").returncode == 1

    up = robovitals("up", "--detach")
    assert up.returncode == 0, up.stdout + up.stderr
    assert "42" in robovitals("psql", "-c", "SELECT answer FROM kept").stdout


def test_what_dies_is_restarted_and_a_killed_supervisors_leftovers_are_ended(
    robovitals: Robovitals, home: Path
) -> None:
    up = robovitals("up", "--detach")
    assert up.returncode == 0, up.stdout + up.stderr
    first = identities(home)
    for name in ("kafka", "timescaledb", "land"):
        os.kill(first[name].pid, signal.SIGKILL)
    assert children.wait_until_gone(first["land"], 30.0)
    report = until_ready(robovitals)
    shown = {process["name"]: process for process in report["processes"]}
    # A lander that comes back before the servers do may end once more, and then its exit code is another.
    assert [shown[name]["last_exit"] for name in SERVERS] == [-9, -9]
    assert min(shown[name]["restarts"] for name in (*SERVERS, "land")) >= 1

    second = identities(home)
    os.kill(second["supervisor"].pid, signal.SIGKILL)
    assert children.wait_until_gone(second["supervisor"], 30.0)
    up = robovitals("up", "--detach")
    assert up.returncode == 0, up.stdout + up.stderr
    assert up.stdout.count("left behind by an earlier run") == len(SERVERS + PROCESSES)
    assert [name for name, identity in second.items() if children.is_alive(identity)] == []
    assert until_ready(robovitals)["supervisor_pid"] != second["supervisor"].pid


@pytest.mark.parametrize(("moment", "number"), [("start Apache Kafka", signal.SIGTERM), ("up in ", signal.SIGINT)])
def test_a_stop_signal_ends_everything_in_order(
    environ: dict[str, str], robovitals: Robovitals, home: Path, moment: str, number: signal.Signals
) -> None:
    with subprocess.Popen(command("up"), env=environ, stdout=subprocess.PIPE) as up:
        assert up.stdout is not None
        said = b""
        while moment.encode() not in said:
            said += (part := os.read(up.stdout.fileno(), 1_000))
            assert part, said
        up.send_signal(number)
        rest = up.stdout.read().decode()
    stopped = [line.split()[1] for line in rest.splitlines() if line.startswith("stop ")]
    if moment == "up in ":
        assert (up.returncode, stopped) == (0, [*reversed(PROCESSES), "timescaledb", "kafka"])
    else:
        # The signal may come before Kafka's process is there.
        assert (up.returncode, stopped) in [(130, ["kafka"]), (130, [])]
    assert processes_of(home) == []


def test_servers_named_by_the_environment_are_used_and_none_is_started(
    robovitals: Robovitals, home: Path, topics: Kafka, database_url: str
) -> None:
    named = {"ROBOVITALS_KAFKA_BOOTSTRAP": str(topics), "ROBOVITALS_DATABASE_URL": database_url}
    up = robovitals("up", "--detach", **named)
    assert up.returncode == 0, up.stdout + up.stderr
    assert [process["name"] for process in status(robovitals)["processes"]] == PROCESSES
    assert not (home / "kafka").exists()
    assert robovitals("down").returncode == 0


def test_a_stack_that_cannot_start_says_why_and_leaves_nothing(robovitals: Robovitals, home: Path) -> None:
    up = robovitals(
        "up",
        "--detach",
        ROBOVITALS_KAFKA_BOOTSTRAP="127.0.0.1:1",
        ROBOVITALS_DATABASE_URL="postgresql://u@127.0.0.1:1/d",
    )
    assert up.returncode == 1
    assert "127.0.0.1:1" in up.stdout
    assert up.stderr.count("\n") == 1
    assert "Traceback" not in up.stdout + up.stderr
    assert processes_of(home) == []


async def test_servers_keep_their_data_and_port_when_they_crash(
    servers: Servers, stack: Endpoints, topics: Kafka
) -> None:
    with psycopg.connect(stack.database_url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS crashed AS SELECT 1 AS survived")
    servers.kafka.kill()
    servers.database.kill()
    servers.start()
    assert servers.endpoints == stack
    with psycopg.connect(stack.database_url) as connection:
        assert connection.execute("SELECT survived FROM crashed").fetchone() == (1,)
    assert [report for report in await check(stack.kafka) if report.differences] == []
    assert not any(report.created for report in await ensure(stack.kafka))


def processes_of(home: Path) -> list[str]:
    """Every process of this machine that works in that directory."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(home):
                found.append(process.name())
        except psutil.Error:
            continue
    return found


def test_a_cluster_id_that_looks_like_an_option_is_one_all_the_same(tmp_path: Path) -> None:
    kafka = KafkaServer(tmp_path, read_settings().cache)
    kept.write(tmp_path / "kafka" / "kept.json", Kept(ports.choose(), ports.choose(), "-jPsIsLOQeqcFHpfHrUUUA"))
    try:
        kafka.start()
    finally:
        kafka.stop()
