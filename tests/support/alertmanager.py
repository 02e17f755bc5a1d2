"""A real Alertmanager for tests: Debian's own, unpacked into the cache beside the servers.

In: the cache. Out: where it listens, for as long as the block is entered. It needs a C library and nothing else, as
Prometheus does (`support/prometheus.py`).
"""

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.local import debian, downloads, ports
from support.prometheus import NOT_NEEDED, RELEASE

VERSION = "1"
PROGRAM = Path("usr/bin/prometheus-alertmanager")
WITHIN_S = 120.0
_CONFIG = "route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n"


def _fill(into: Path, final: Path) -> None:
    packages = into / "packages"
    packages.mkdir()
    for package in debian.download(("prometheus-alertmanager",), NOT_NEEDED, RELEASE, packages):
        debian.unpack(package, into)
        package.unlink()
    # Debian's looks for its templates where only root could put them: ours below the directory that it runs in.
    program = into / PROGRAM
    theirs, ours = b"/usr/share/prometheus/alertmanager", b"usr//share/prometheus/alertmanager"
    content = program.read_bytes()
    assert theirs in content
    program.write_bytes(content.replace(theirs, ours))


@contextmanager
def running(cache: Path, home: Path) -> Iterator[str]:
    """Its address."""
    root = downloads.install(cache, "alertmanager", VERSION, _fill).path
    port, log, config = ports.choose(), home / "alertmanager.log", home / "alertmanager.yml"
    config.write_text(_CONFIG)
    command = [
        root / PROGRAM, f"--config.file={config}", f"--storage.path={home / 'alertmanager'}",
        "--cluster.listen-address=", f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, cwd=root)
    url = f"http://127.0.0.1:{port}"
    try:
        until_s = time.monotonic() + WITHIN_S
        while not _answers(url):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until_s, log.read_text()
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=WITHIN_S)


def asked(url: str, path: str) -> Any:
    """What its API says."""
    with urllib.request.urlopen(f"{url}/api/v2/{path}", timeout=30) as answer:
        return json.load(answer)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=2):
            return True
    except OSError:
        return False
