"""The agent on a robot: how large it is, how soon it runs, what it takes, what `publish` costs a control loop.

In: a stand, and seconds. Out: a report. Called by `robovitals bench agent`. The agent is a process of its own that
is fed ten messages a second of 29 joints through standard input; the Python class runs in a process of its own too,
with a control loop of 100 Hz beside it (`agent_loop.py`).
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from deploy.bench import usage
from deploy.bench.agent_loop import CODE, MESSAGE, Loop
from deploy.bench.report import Goal, Line, Report
from deploy.bench.stand import Stand
from deploy.settings import kafka_environ
from ingest.agent.status import Status, read_status
from schemas.errors import UnavailableError

HZ = 10
WARM_S = 3.0
SETTLE_WITHIN_S = 60.0
SOURCE = Path(__file__).parent.parent.parent


def measure(stand: Stand, seconds: float, rounds: int) -> Report:
    """Raises UnavailableError when the agent does not start, or nothing is acknowledged."""
    installed_mb = _installed_mb(stand.home / "clean")
    starts, resident, cpu, latency, publish = [], [], [], [], []
    for number in range(rounds):
        directory = stand.home / f"robot{number}"
        directory.mkdir()
        found = _run(stand, directory, seconds)
        starts.append(found.start_s)
        resident.append(found.resident_mb)
        cpu.append(found.cpu_share)
        latency.append(found.latency_ms)
        publish.append(_publish(stand, directory, seconds))
    own = [
        Line(
            "installed_mb", "base installation in a clean environment, without Python and pip, MB", [installed_mb]
        ),
        Line("start_s", "start until it takes readings, s", starts, Goal(at_most=1.0)),
        Line("resident_mb", "resident memory at its highest, MB", resident, Goal(at_most=60)),
        Line("cpu_percent", f"CPU at {HZ} Hz in and out, % of a core", cpu, Goal(at_most=2)),
        Line("latency_ms", "hand-over to acknowledgement, the last frame, ms", latency),
    ]
    loop = [
        Line("publish_p50_us", "publish of 29 joints' readings, median, µs", [one.p50_us for one in publish]),
        Line(
            "publish_p99_us", "the same, 99 % are quicker, µs", [one.p99_us for one in publish], Goal(at_most=1000)
        ),
        Line("publish_most_us", "the slowest of all, µs", [one.most_us for one in publish]),
    ]
    return Report(
        "agent",
        f"One robot's agent for {seconds:g} s a round, {HZ} messages a second of 29 joints with 9 signals each.",
        {"the process": own, "the Python class, in a control loop of 100 Hz": loop},
    )


class _Found(msgspec.Struct, frozen=True):
    start_s: float
    resident_mb: float
    cpu_share: float
    latency_ms: float


def _run(stand: Stand, directory: Path, seconds: float) -> _Found:
    config = directory / "robot.toml"
    config.write_text(f'robot = "{CODE}"\nrate_hz = {2 * HZ}.0\n', "utf-8")
    began_s = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.cli", "agent", "--config", str(config)],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **kafka_environ(stand.endpoints.kafka)},
    )
    assert process.stdin is not None
    try:
        _told(process, directory)
        start_s = time.monotonic() - began_s
        line = msgspec.json.encode({"readings": MESSAGE, "mode": "working"}) + b"\n"
        pids = {"agent": process.pid}
        _feed(process, line, WARM_S)
        before_s, since_s = usage.cpu_s(pids)["agent"], time.monotonic()
        _feed(process, line, seconds)
        cpu_share = 100 * (usage.cpu_s(pids)["agent"] - before_s) / (time.monotonic() - since_s)
        resident_mb = usage.peak_bytes(pids)["agent"] / 1e6
        status = _told(process, directory)
    finally:
        process.stdin.close()
        process.wait()
    if status.latency_ms is None:
        raise UnavailableError(f"nothing was acknowledged: {status.error}")
    return _Found(start_s, resident_mb, cpu_share, status.latency_ms)


def _feed(process: "subprocess.Popen[bytes]", line: bytes, seconds: float) -> None:
    assert process.stdin is not None
    began_s = time.monotonic()
    for number in range(int(seconds * HZ)):
        time.sleep(max(0.0, began_s + number / HZ - time.monotonic()))
        process.stdin.write(line)
        process.stdin.flush()


def _told(process: "subprocess.Popen[bytes]", directory: Path) -> Status:
    """Its status, as soon as there is one."""
    until_s = time.monotonic() + SETTLE_WITHIN_S
    while time.monotonic() < until_s and process.poll() is None:
        if (directory / "spool.db.status.json").exists():
            return read_status(directory / "spool.db.status.json")
        time.sleep(0.005)
    raise UnavailableError(f"the agent does not start in {directory}")


def _publish(stand: Stand, directory: Path, seconds: float) -> Loop:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.bench.agent_loop", str(directory / "loop.toml"), str(seconds)],
        env={**os.environ, **kafka_environ(stand.endpoints.kafka)},
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise UnavailableError(f"the control loop ended: {done.stderr.decode(errors='replace')[-500:]}")
    return msgspec.json.decode(done.stdout, type=Loop)


def _installed_mb(directory: Path) -> float:
    """What the base installation adds to an empty environment, installed from this checkout by pip."""
    subprocess.run([sys.executable, "-m", "venv", str(directory)], check=True)
    before = _size(directory)
    done = subprocess.run(
        [directory / "bin" / "pip", "install", "--quiet", "--no-compile", "--no-cache-dir", str(SOURCE)],
        capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise UnavailableError(f"pip cannot install it: {done.stderr.decode(errors='replace')[-300:]}")
    return (_size(directory) - before) / 1e6


def _size(directory: Path) -> int:
    return sum(path.lstat().st_size for path in directory.rglob("*"))
