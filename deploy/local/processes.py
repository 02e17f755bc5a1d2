"""The product's processes as children of the supervisor.

In: the endpoints. Out: `robovitals land`, `summarise` and `assess`, each with a port for its metrics, a
directory for its state and a log. Called by `deploy.local.stack`.
"""

import http.client
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy import settings
from deploy.local import children, ports
from deploy.local.children import Signalled
from deploy.settings import Endpoints
from deploy.shell import METRICS_PORT

PROCESSES = ("land", "summarise", "assess")
"""In the order in which a reading meets them. They stop in the reverse order."""
SIMULATE = "simulate"
"""A fleet to watch, where one was asked for."""
SIMULATION = ("--history", "1m", "--break-first-after", "2s")
"""With some past, and a fault that shows an anomaly at once."""
INSTANCE = "ROBOVITALS_INSTANCE"
"""A name in the consumer group that a restarted process has again, so that it goes on at once."""
STOP = (Signalled(signal.SIGTERM, 10.0),)


class ProductProcess:
    """`environ` holds settings that are to differ from ours."""

    def __init__(
        self,
        name: str,
        home: Path,
        endpoints: Endpoints,
        arguments: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._arguments = arguments
        self.process: subprocess.Popen[bytes] | None = None
        self.log = home / "logs" / f"{name}.log"
        self.port = ports.choose()
        self._directory = home / "data" / name
        self._environ = {
            **settings.absolute_environ(),
            settings.HOME: str(home),
            settings.KAFKA_BOOTSTRAP: endpoints.kafka_bootstrap,
            settings.DATABASE_URL: endpoints.database_url,
            METRICS_PORT: str(self.port),
            INSTANCE: f"{name}-local",
            "PYTHONUNBUFFERED": "1",
            **(environ or {}),
        }

    def launch(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        # -P: what lies in the working directory is data, not modules.
        command = [sys.executable, "-P", "-m", "deploy.cli", self.name, *self._arguments]
        self.process = children.spawn(command, self.log, self._directory, self._environ)

    def wait_until_up(self) -> None:
        """Whether it is ready, it says itself on /readyz: its being up is not waited for, as it may crash."""

    def stop(self) -> None:
        if self.process is not None:
            children.stop(self.process, STOP)


def not_ready(port: int) -> str | None:
    """Why the process that serves its health on `port` is not ready; None when it is."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2.0)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        text = response.read(1_000).decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as error:
        return f"/readyz does not answer ({error})"
    finally:
        connection.close()
    return None if response.status == 200 else text or f"/readyz answers {response.status}"
