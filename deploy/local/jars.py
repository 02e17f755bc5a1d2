"""Kafka's jar files from Maven Central, each pinned by version and SHA-256 in `kafka.lock`.

In: an empty directory. Out: the jars in it. Called by `deploy.local.kafka`. `python -m deploy.local.jars`
resolves the coordinates afresh and prints a new `kafka.lock` (`make lock`).
"""

import hashlib
import logging
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jgo
from jgo.maven import MavenContext

from schemas.errors import UnavailableError

KAFKA_VERSION = "4.4.0"
# Without a logger of its own the broker says nothing, not even its errors.
COORDINATES = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-simple:1.7.36"
LOCK = Path(__file__).with_name("kafka.lock")
DOWNLOADS_AT_ONCE = 6


def download(into: Path) -> None:
    """Fill `into` with the jars of the lock. Raises UnavailableError."""
    logging.getLogger("jgo").setLevel(logging.ERROR)
    wanted = [line.split() for line in LOCK.read_text().splitlines() if line and not line.startswith("#")]
    with tempfile.TemporaryDirectory(dir=into) as repository:
        maven = MavenContext(repo_cache=Path(repository), timeout=60)
        with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
            jars = list(pool.map(lambda line: _fetch(maven, *line), wanted))
        for jar in jars:
            shutil.move(jar, into / jar.name)


def _fetch(maven: MavenContext, coordinate: str, sha256: str) -> Path:
    group, name, version = coordinate.split(":")
    try:
        path = Path(maven.project(group, name).at_version(version).artifact().resolve())
    except (RuntimeError, OSError) as error:
        raise UnavailableError(
            f"{coordinate} cannot be had from Maven Central ({_first_line(error)}): check the network, "
            f"or set ROBOVITALS_KAFKA_BOOTSTRAP to a Kafka that runs"
        ) from None
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise UnavailableError(f"{coordinate} has SHA-256 {found} instead of {sha256}: not installed")
    return path


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _lock_lines() -> list[str]:
    return sorted(
        f"{artifact.groupId}:{artifact.artifactId}:{artifact.version} "
        f"{hashlib.sha256(Path(artifact.resolve()).read_bytes()).hexdigest()}"
        for artifact in jgo.resolve(COORDINATES)
    )


if __name__ == "__main__":
    sys.stdout.write("\n".join([f"# {COORDINATES}, by python -m deploy.local.jars", *_lock_lines()]) + "\n")
