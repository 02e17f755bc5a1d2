"""A robot's agent as a test runs it: its own process, fed through standard input, with files of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from deploy import settings
from ingest.agent.status import Status, read_status
from schemas.kafka import Kafka
from schemas.topics import FRAMES
from support.frames import CODE

WITHIN_S = 240.0
EAGER = """
[send]
backlog_frames_per_s = 1e6
backlog_within_s = 0.0
reconnect_most_s = 1.0
"""


class RunningAgent:
    """`directory` keeps its spool between a `kill` and the next `start`."""

    def __init__(
        self,
        directory: Path,
        kafka: Kafka,
        text: str = EAGER,
        code: str = CODE,
        program: str = "deploy.cli",
        **environ: str,
    ) -> None:
        self._program = program
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.config = directory / "robot.toml"
        self.config.write_text(f'robot = "{code}"\nrate_hz = 1000.0\n{text}', "utf-8")
        self._environ = {**os.environ, settings.HOME: str(directory), **settings.kafka_environ(kafka), **environ}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.directory / "agent.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", self._program, "agent", "--config", str(self.config)],
                stdin=subprocess.PIPE, stdout=log, stderr=log, env=self._environ, cwd=self.directory,
            )  # fmt: skip
        pid = self._process.pid
        self.until(lambda status: status.pid == pid)

    def say(self, readings: dict[str, Any], **fields: Any) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"readings": readings, **fields}).encode() + b"\n")
        self._process.stdin.flush()

    def say_raw(self, line: bytes) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(line)
        self._process.stdin.flush()

    def end_input(self) -> int:
        """Close standard input; the exit code."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self._process.wait(WITHIN_S)

    def terminate(self) -> int:
        """SIGTERM; the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(WITHIN_S)
        self._close_pipe()
        return code

    def kill(self) -> None:
        """`kill -9`, or nothing if it has ended."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._close_pipe()

    def _close_pipe(self) -> None:
        """What was not read goes with it."""
        assert self._process is not None
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()

    def status(self) -> Status:
        return read_status(self.directory / "spool.db.status.json")

    def until(self, holds: Callable[[Status], bool]) -> Status:
        """Wait until the status says so."""
        assert self._process is not None
        until_s = time.monotonic() + WITHIN_S
        while self._process.poll() is None and time.monotonic() < until_s:
            if (self.directory / "spool.db.status.json").exists() and holds(status := self.status()):
                return status
            time.sleep(0.05)
        raise AssertionError(f"it does not come to that: {self.log()[-3000:]}")

    def until_made(self, frames: int) -> Status:
        return self.until(lambda status: status.frames_made == frames)

    def log(self) -> str:
        return (self.directory / "agent.log").read_text(errors="replace")


async def all_frames(kafka: Kafka) -> list[ConsumerRecord]:
    """All records of the frames' topic that are there, in the order of their partitions."""
    consumer = AIOKafkaConsumer(**kafka.client(), auto_offset_reset="earliest")
    await consumer.start()
    try:
        await consumer._client.force_metadata_update()
        partitions = [TopicPartition(FRAMES.name, p) for p in consumer.partitions_for_topic(FRAMES.name) or ()]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        records: list[ConsumerRecord] = []
        for partition in partitions:
            while await consumer.position(partition) < ends[partition]:
                records += (await consumer.getmany(partition, timeout_ms=1000)).get(partition, [])
        return records
    finally:
        await consumer.stop()
