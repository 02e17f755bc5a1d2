"""The two servers as a pair, for whoever needs just them: tests and benchmarks.

`with Servers(home, cache) as servers: servers.endpoints` starts a Kafka and a TimescaleDB with their data in
`home` and stops them at the end. `servers.kafka.kill()` and `.start()` crash one and bring it back on the same
port; likewise `servers.database`.
"""

from pathlib import Path
from types import TracebackType

from deploy.local.kafka import KafkaServer
from deploy.local.timescaledb import DatabaseServer
from deploy.settings import Endpoints


class Servers:
    def __init__(self, home: Path, cache: Path) -> None:
        self.kafka = KafkaServer(home, cache)
        self.database = DatabaseServer(home, cache)

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints(self.kafka.access, self.database.url)

    def start(self) -> Endpoints:
        """Install what is missing, start both. Raises UnavailableError; then neither runs."""
        try:
            self.kafka.start()
            self.database.start()
        except BaseException:
            self.stop()
            raise
        return self.endpoints

    def stop(self) -> None:
        self.database.stop()
        self.kafka.stop()

    def __enter__(self) -> "Servers":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
