"""The product's processes as children of the supervisor.

In: the endpoints. Out: `robovitals land` and the others below, each with a port for its metrics, a directory for
its state and a log. Called by `deploy.local.stack`.
"""

import http.client
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from deploy import settings
from deploy.local import children, kept, ports
from deploy.local.children import Signalled
from deploy.settings import Endpoints
from deploy.shell import METRICS_PORT

SERVE = "serve"
PROCESSES = ("land", "summarise", "assess", "retain", "notify", SERVE)
"""In the order in which a reading meets them. They stop in the reverse order."""
PAGE_PORT = 8080
"""Where the page is, if nobody else is there."""
SIMULATE = "simulate"
"""A fleet to watch, where one was asked for."""
SIMULATION = ("--demo",)
"""With a day of past that has alarms of its own, so that there is something to see at once."""
INSTANCE = "ROBOVITALS_INSTANCE"
"""A name in the consumer group that a restarted process has again, so that it goes on at once."""
STOP = (Signalled(signal.SIGTERM, 10.0),)


class _KeptPage(msgspec.Struct, frozen=True):
    port: int


def page_port(home: Path) -> int:
    """The one it had before, so that an open page finds it again; else, if both are taken, any."""
    file = home / "page.json"
    before = kept.read(file, _KeptPage)
    port = ports.choose(before.port if before is not None else PAGE_PORT)
    kept.write(file, _KeptPage(port))
    return port


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
            **settings.kafka_environ(endpoints.kafka),
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


class PageProcess(ProductProcess):
    """`robovitals serve`. Each start chooses its port: another program may have taken the last one meanwhile, as a
    second stack does that starts in the same second.
    """

    def __init__(self, home: Path, endpoints: Endpoints) -> None:
        super().__init__(SERVE, home, endpoints)
        self._home = home
        self.page_port: int | None = None

    def launch(self) -> None:
        self.page_port = page_port(self._home)
        self._arguments = ("--port", str(self.page_port))
        super().launch()


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
