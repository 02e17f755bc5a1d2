"""A stack seen from outside: started in the background, looked at, taken down.

In: settings. Out: a running stack, none, or a report of it. Called by `robovitals up --detach`, `down`,
`status`, `doctor` and `demo`.
"""

import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from deploy.local import children, ports, processes, state
from deploy.local.children import Signalled
from deploy.local.kafka import KafkaServer
from deploy.local.stack import AlreadyRunning, end_leftovers, only_supervisor
from deploy.local.state import Member, Stack
from deploy.local.steps import Steps
from deploy.local.timescaledb import DatabaseServer
from deploy.settings import CACHE, HOME, Settings, absolute_environ
from schemas.errors import UnavailableError

DOWN_TIMEOUT_S = 120.0
LOOK_EVERY_S = 0.1


class Condition(msgspec.Struct, frozen=True):
    """One server or process, as `status` shows it."""

    name: str
    state: str
    pid: int | None
    uptime_s: float | None
    restarts: int
    last_exit: int | None
    port: int
    metrics_url: str | None
    not_ready: str | None


def start(settings: Settings, steps: Steps, simulate: int | None = None, secure: bool = False) -> None:
    """Returns when all is ready, at once if it is already. Raises UnavailableError, and then nothing runs.

    With `simulate`, a fleet of that many simulated robots runs along; a stack that runs without one is restarted.
    """
    log = settings.home / "logs" / "supervisor.log"
    children.rotate(log)
    seen = log.stat().st_size if log.exists() else 0
    running = state.running(settings.home)
    if running is not None and simulate is not None and running.simulate is None:
        steps.say("the stack runs without a simulated fleet: it is restarted with one, its data stays")
        stop(settings, steps)
    elif running is not None:
        _follow(settings.home, None, log, seen, steps)
        return
    command = [sys.executable, "-P", "-m", "deploy.cli", "up"]
    if simulate is not None:
        command += ["--simulate", str(simulate)]
    if secure:
        command.append("--secure")
    environ = {**absolute_environ(), HOME: str(settings.home), CACHE: str(settings.cache)}
    supervisor = children.spawn(command, log, settings.home, environ)
    try:
        _follow(settings.home, supervisor, log, seen, steps)
    except BaseException:
        supervisor.terminate()
        supervisor.wait()
        raise


def stop(settings: Settings, steps: Steps) -> bool:
    """Take the stack down; whether there was one, or what a killed one left behind.

    Raises UnavailableError when a supervisor runs that `stack.json` does not name: its stack is left as it is.
    """
    if not settings.home.is_dir():
        return False
    stack = state.read(settings.home)
    if stack is not None and children.is_alive(stack.supervisor):
        with steps.step(f"stop the stack in {settings.home}"):
            children.end_by_identity(stack.supervisor, (Signalled(signal.SIGTERM, DOWN_TIMEOUT_S),))
    try:
        with only_supervisor(settings.home):
            end_leftovers(settings.home, steps)
    except AlreadyRunning:
        raise UnavailableError(
            f"another `robovitals up` or `down` is at work in {settings.home}: run `robovitals down` again"
        ) from None
    return stack is not None


def look(stack: Stack) -> list[Condition]:
    return [_condition(member) for member in stack.members]


def _condition(member: Member) -> Condition:
    alive = member.identity is not None and children.is_alive(member.identity)
    is_process = member.name not in (KafkaServer.name, DatabaseServer.name)
    not_ready: str | None
    if not alive:
        not_ready = "it does not run"
    elif is_process:
        not_ready = processes.not_ready(member.port)
    else:
        not_ready = None if ports.accepts(member.port) else f"port {member.port} does not answer"
    return Condition(
        name=member.name,
        state="running" if alive else "restarting",
        pid=member.identity.pid if member.identity and alive else None,
        uptime_s=children.uptime_s(member.identity) if member.identity and alive else None,
        restarts=member.restarts,
        last_exit=member.last_exit,
        port=member.port,
        metrics_url=f"http://127.0.0.1:{member.port}/metrics" if is_process else None,
        not_ready=not_ready,
    )


def _follow(home: Path, supervisor: subprocess.Popen[bytes] | None, log: Path, seen: int, steps: Steps) -> None:
    """Show what the supervisor writes until the stack is ready."""
    while True:
        ended = supervisor is not None and supervisor.poll() is not None
        seen += _relay(log, seen, steps)
        stack = state.running(home)
        if stack is not None and stack.ready:
            return
        if ended or (supervisor is None and stack is None):
            raise UnavailableError(f"the stack did not come up (see {log})")
        time.sleep(LOOK_EVERY_S)


def _relay(log: Path, seen: int, steps: Steps) -> int:
    """Pass on what was added to the log; how many bytes."""
    try:
        with log.open("rb") as file:
            file.seek(seen)
            added = file.read()
    except FileNotFoundError:
        return 0
    steps.write(added.decode(errors="replace"))
    return len(added)
