"""Keeps children running: who dies is started again, after a pause that grows while it keeps dying.

In: children that can start and stop. Out: their records, for `stack.json`. Called by `deploy.local.stack`,
which owns the loop and the clock.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from deploy.local import children
from deploy.local.children import Identity
from deploy.local.state import Member
from schemas.errors import UnavailableError

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
HEALTHY_AFTER_S = 60.0
"""Who ran that long before it died gets the first pause again."""


class Managed(Protocol):
    """A server or a process of the product. `launch` and `wait_until_up` raise UnavailableError."""

    name: str
    log: Path

    @property
    def port(self) -> int: ...
    @property
    def process(self) -> subprocess.Popen[bytes] | None: ...

    def launch(self) -> None: ...
    def wait_until_up(self) -> None: ...
    def stop(self) -> None: ...


def next_pause_s(last_pause_s: float | None, ran_s: float) -> float:
    if last_pause_s is None or ran_s >= HEALTHY_AFTER_S:
        return FIRST_PAUSE_S
    return min(last_pause_s * 2, LONGEST_PAUSE_S)


class Supervised:
    """One child and what became of it. `now_s` is monotonic time; `changed` is called at every change."""

    def __init__(self, managed: Managed, changed: Callable[[], None]) -> None:
        self.managed = managed
        self.restarts = 0
        self.last_exit: int | None = None
        self._changed = changed
        self._identity: Identity | None = None
        self._began_s = 0.0
        self._pause_s: float | None = None
        self._retry_s: float | None = None

    def start(self, now_s: float) -> None:
        """Returns when it is up. Raises UnavailableError."""
        self._launch(now_s)
        self.managed.wait_until_up()

    def watch(self, now_s: float) -> list[str]:
        """Look at it once, restart it if its time has come. What happened, a line each; [] when nothing did."""
        if self._retry_s is not None:
            return self._restart(now_s) if now_s >= self._retry_s else []
        process = self.managed.process
        if process is None or process.poll() is None:
            return []
        self.last_exit = process.returncode
        return [self._pause(f"{self.managed.name} ended ({_how(process.returncode)})", now_s)]

    def member(self) -> Member:
        return Member(self.managed.name, self._identity, self.restarts, self.last_exit, self.managed.port)

    def _restart(self, now_s: float) -> list[str]:
        self.restarts += 1
        try:
            self._launch(now_s)
        except UnavailableError as error:
            return [self._pause(f"{self.managed.name}: {error}", now_s)]
        return [f"{self.managed.name} restarted"]

    def _launch(self, now_s: float) -> None:
        """Its id is written down at once: if we crash while it starts, the next `up` will know it."""
        self._retry_s = None
        self._began_s = now_s
        self.managed.launch()
        if self.managed.process is not None:
            self._identity = children.identify(self.managed.process.pid)
        self._changed()

    def _pause(self, what: str, now_s: float) -> str:
        self._identity = None
        self._pause_s = next_pause_s(self._pause_s, now_s - self._began_s)
        self._retry_s = now_s + self._pause_s
        self._changed()
        return f"{what}; restart in {self._pause_s:g} s"


def _how(returncode: int) -> str:
    return f"exit code {returncode}" if returncode >= 0 else f"signal {-returncode}"
