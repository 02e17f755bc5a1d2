"""`naive.py` as a child process. Called by `bench land`."""

import subprocess
import sys
from pathlib import Path

from deploy.bench.stand import Stand
from deploy.local import children, processes
from deploy.settings import DATABASE_URL, HOME, absolute_environ, kafka_environ

PROGRESS = "ROBOVITALS_BENCH_PROGRESS"
"""Names the file to which it writes how many rows it has inserted."""

BATCH = 1_000
"""So many frames it takes at a time."""


class Naive:
    name = "naive"
    port = 0

    def __init__(self, stand: Stand) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self._home: Path = stand.home / self.name
        self.log = self._home / "logs" / "naive.log"
        self._progress = self._home / "progress"
        self._environ = {
            **absolute_environ(),
            HOME: str(self._home),
            **kafka_environ(stand.endpoints.kafka),
            DATABASE_URL: stand.endpoints.database_url,
            PROGRESS: str(self._progress),
        }

    def launch(self) -> None:
        self._home.mkdir(parents=True, exist_ok=True)
        self._progress.write_text("0")
        command = [sys.executable, "-P", "-m", "deploy.bench.naive", "worker", "--loglevel", "warn"]
        self.process = children.spawn(command, self.log, self._home, self._environ)

    def wait_until_up(self) -> None:
        """Its progress says so."""

    def stop(self) -> None:
        if self.process is not None:
            children.stop(self.process, processes.STOP)

    def inserted(self) -> int:
        """Rows so far; a file that is just being written says nothing."""
        return int(self._progress.read_text() or 0)
