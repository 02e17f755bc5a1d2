"""The ledger of a round, in a process of its own that nobody disturbs.

In: a world and what to send. Out: a book. Called by `faults/rounds.py`, which ends it in order.
"""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from deploy import settings
from deploy.ledger.book import Book
from deploy.local import children
from faults.world import World

LONGEST_RECORDS = 10_000_000


class LedgerProcess:
    def __init__(self, world: World, name: str, seed: int, rate: float, robots: int) -> None:
        self.path = world.home / f"book-{name}.db"
        self._log = world.home / "logs" / "ledger.log"
        self._arguments = [
            "--book", str(self.path), "--rate", f"{rate:g}", "--seconds", f"{LONGEST_RECORDS // rate:g}",
            "--robots", f"{robots}", "--seed", f"{seed}",
        ]  # fmt: skip
        self._environ = {
            **os.environ, **settings.kafka_environ(world.endpoints.kafka),
            settings.DATABASE_URL: world.endpoints.database_url,
        }  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-P", "-m", "deploy.cli", "ledger", *self._arguments]
        self._process = children.spawn(command, self._log, Path.cwd(), self._environ)

    async def end(self) -> Book:
        """Stop intending, wait until all is acknowledged. An exit code that is not 0 fails the round."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(self._process.wait)
        assert code == 0, f"the ledger ended with {code}: {children.last_words(self._log)}"
        return Book.open_book(self.path)

    def kill(self) -> None:
        """Where a round is broken off."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
