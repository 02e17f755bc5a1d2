"""The product's processes as a test runs them: real ones, against the test's own database and broker."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer

from deploy import settings
from deploy.local import ports
from deploy.shell import METRICS_PORT
from schemas.kafka import Kafka
from schemas.topics import ANOMALIES, FRAMES, HEALTH

WITHIN_S = 240.0  # long enough for a slow machine under load: only a test that fails waits for it
AT_REST = (FRAMES, HEALTH, ANOMALIES)
AT_REST_S = 12.0  # longer than a quiet partition waits before it emits its open windows as provisional
TABLES_AT_REST = """
SELECT (SELECT count(*) FROM late_window), (SELECT count(*) FROM vitals), (SELECT sum(frames) FROM vitals),
       (SELECT count(*) FROM anomaly)
"""


class Pipeline:
    """`land`, `summarise` and `assess`, each its own process with a home of its own."""

    def __init__(self, home: Path, kafka: Kafka, database_url: str, **environ: str) -> None:
        self.home = home
        self.kafka = kafka
        self.database_url = database_url
        self._environ = {
            **os.environ,
            settings.HOME: str(home),
            **settings.kafka_environ(kafka),
            settings.DATABASE_URL: database_url,
            **environ,
        }
        self._running: dict[str, tuple[subprocess.Popen[bytes], int]] = {}

    def start(self, name: str, *arguments: str) -> None:
        """Start one process and wait until it says that it is ready. One that does not is ended."""
        port = ports.choose()
        directory = self.home / "data" / name
        directory.mkdir(parents=True, exist_ok=True)
        log = (self.home / f"{name}.log").open("ab")
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "deploy.cli", name, *arguments],
            cwd=directory,
            env=self._environ | {METRICS_PORT: str(port)},
            stdout=log,
            stderr=log,
        )
        log.close()
        self._running[name] = (process, port)
        try:
            self._until_ready(name, process, port)
        except BaseException:
            self.kill(name)
            raise

    def _until_ready(self, name: str, process: "subprocess.Popen[bytes]", port: int) -> None:
        until_s = time.monotonic() + WITHIN_S
        while not self._answers(port, "/readyz"):
            if process.poll() is not None or time.monotonic() > until_s:
                raise AssertionError(f"{name} does not get ready: {self.log(name)[-3000:]}")
            time.sleep(0.05)

    def kill(self, name: str) -> None:
        """`kill -9`: no chance to finish anything."""
        process, _ = self._running.pop(name)
        process.kill()
        process.wait()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a process a signal: SIGSTOP makes a zombie of it, SIGCONT wakes it."""
        self._running[name][0].send_signal(number)

    def stop(self) -> dict[str, int]:
        """SIGTERM to all; the exit code of each."""
        codes = {}
        for name, (process, _) in reversed(self._running.items()):
            process.send_signal(signal.SIGTERM)
            codes[name] = process.wait(timeout=WITHIN_S)
        self._running.clear()
        return codes

    def wait(self, name: str) -> int:
        """Until a process ends by itself; its exit code."""
        process, _ = self._running.pop(name)
        return process.wait(timeout=WITHIN_S)

    def end(self) -> None:
        """Whatever is still there, end it: the last thing that a test does."""
        for process, _ in self._running.values():
            process.kill()
            process.wait()

    def log(self, name: str) -> str:
        """What the process has written."""
        return (self.home / f"{name}.log").read_text(errors="replace")

    def port(self, name: str) -> int:
        """Where it serves its metrics."""
        return self._running[name][1]

    def metrics(self, name: str) -> str:
        """Its /metrics page."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port(name)}/metrics") as page:
            return str(page.read().decode())

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `robovitals ARGUMENTS` against the same servers."""
        return subprocess.run(
            [sys.executable, "-P", "-m", "deploy.cli", *arguments],
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def send(self, path: Path, recording: str, *arguments: str) -> dict[str, Any]:
        """`robovitals replay … --json`; its summary."""
        done = self.command("replay", str(path), "--recording", recording, "--json", *arguments)
        assert done.returncode == 0, done.stderr
        summary: dict[str, Any] = msgspec.json.decode(done.stdout)
        return summary

    def replay(self, path: Path, recording: str, *arguments: str) -> dict[str, Any]:
        """The same, and waits until all of it is visible in the database."""
        return self.send(path, recording, "--wait", *arguments)

    async def settled(self) -> None:
        """Until what was sent has landed, nothing waits for repair, and the tables have come to rest."""
        until_s = time.monotonic() + WITHIN_S
        before, rest_began_s = None, time.monotonic()
        while True:
            behind, tables = await self._behind(), await self._tables()
            if behind or tables[0] or tables != before:
                before, rest_began_s = tables, time.monotonic()
            elif time.monotonic() - rest_began_s > AT_REST_S:
                return
            if time.monotonic() > until_s:
                raise AssertionError(f"not settled: behind {behind}, tables {tables}")
            await asyncio.sleep(0.2)

    async def _behind(self) -> dict[Any, int]:
        """Records that have not landed, by partition. The vitals topic never rests: it has pulses."""
        connection = await asyncpg.connect(self.database_url)
        consumer = AIOKafkaConsumer(*(topic.name for topic in AT_REST), **self.kafka.client())
        try:
            await consumer.start()
            rows = await connection.fetch("SELECT topic, partition, next_offset FROM landed")
            landed = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
            ends = await consumer.end_offsets(sorted(consumer.assignment()))
            return {place: end - landed.get(place, 0) for place, end in ends.items() if end > landed.get(place, 0)}
        finally:
            await consumer.stop()
            await connection.close()

    async def _tables(self) -> Any:
        connection = await asyncpg.connect(self.database_url)
        try:
            return tuple(await connection.fetchrow(TABLES_AT_REST))
        finally:
            await connection.close()

    @staticmethod
    def _answers(port: int, path: str) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as page:
                return bool(page.status == 200)
        except OSError:
            return False


@contextmanager
def pipeline(home: Path, kafka: Kafka, database_url: str, **environ: str) -> Iterator[Pipeline]:
    """A pipeline whose processes never outlive the test."""
    running = Pipeline(home, kafka, database_url, **environ)
    try:
        yield running
    finally:
        running.end()
