"""Prometheus and promtool for tests: Debian's own, unpacked into the cache beside the servers.

In: the cache. Out: a directory with both programs; a missing one is a failure. They need a C library of 2022 or
later and nothing else, so they run as they are on Debian 12 and 13.
"""

import json
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.local import debian, downloads, ports

RELEASE = "trixie"
VERSION = "2"
PACKAGES = ("prometheus", "promtool")
# The rest is its own web page's and Debian's service's.
NOT_NEEDED = (
    "adduser", "daemon", "fonts-glyphicons-halflings", "init-system-helpers", "libc6", "libjs-bootstrap4",
    "libjs-eonasdan-bootstrap-datetimepicker", "libjs-jquery", "libjs-jquery-hotkeys", "libjs-moment",
    "libjs-moment-timezone", "libjs-mustache", "libjs-popper.js", "libjs-rickshaw",
)  # fmt: skip
WITHIN_S = 120.0


def programs(cache: Path) -> Path:
    """The directory of `prometheus` and `promtool`."""
    return downloads.install(cache, "prometheus", VERSION, _fill).path / "usr" / "bin"


def _fill(into: Path, final: Path) -> None:
    packages = into / "packages"
    packages.mkdir()
    for package in debian.download(PACKAGES, NOT_NEEDED, RELEASE, packages):
        debian.unpack(package, into)
        package.unlink()


class Prometheus:
    """One that runs. `query` answers as its API does, and fails the test where that is an error."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1"

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The result of an instant query."""
        result: list[dict[str, Any]] = self._get("query", query=expression)["result"]
        return result

    def query_range(self, expression: str, start_s: float, end_s: float) -> list[dict[str, Any]]:
        """The result of a query over a range, in steps of 15 s."""
        found = self._get("query_range", query=expression, start=f"{start_s}", end=f"{end_s}", step="15")
        result: list[dict[str, Any]] = found["result"]
        return result

    def rules(self) -> list[dict[str, Any]]:
        """Every alert rule, with its state and the alerts that it raises."""
        return [rule for group in self._get("rules")["groups"] for rule in group["rules"]]

    def names(self) -> set[str]:
        """Every metric that it has."""
        return set(self._get("label/__name__/values"))

    def _get(self, path: str, **parameters: str) -> Any:
        url = f"{self._url}/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from None


@contextmanager
def running(cache: Path, home: Path, config: Path) -> Iterator[Prometheus]:
    """A Prometheus of one's own on `config`, ended with the block."""
    port = ports.choose()
    log = home / "prometheus.log"
    command = [
        programs(cache) / "prometheus", f"--config.file={config}", f"--storage.tsdb.path={home / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
    ]  # fmt: skip
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, cwd=home)
    try:
        _wait(port, process, log)
        yield Prometheus(port)
    finally:
        process.terminate()
        process.wait(timeout=WITHIN_S)


def _wait(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until_s = time.monotonic() + WITHIN_S
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=2):
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > until_s:
                raise AssertionError(f"Prometheus does not start: {log.read_text()[-2000:]}") from None
        time.sleep(0.05)
