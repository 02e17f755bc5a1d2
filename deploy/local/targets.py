"""`prometheus-targets.json` in a home: where Prometheus finds the metrics of what `robovitals up` runs.

Written beside `stack.json` at every change, since ports are chosen at each start; read by Prometheus's `file_sd`
(deploy/prometheus/prometheus.yml). It holds nothing secret, and another user runs Prometheus.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from deploy.local.kafka import KafkaServer
from deploy.local.timescaledb import DatabaseServer

FILE = "prometheus-targets.json"
SERVERS = (KafkaServer.name, DatabaseServer.name)


class Group(msgspec.Struct, frozen=True):
    """As `file_sd` reads it."""

    targets: list[str]
    labels: dict[str, str]


def groups(ports: Iterable[tuple[str, int]]) -> list[Group]:
    """From names and ports of members: servers have no /metrics of ours."""
    return [Group([f"127.0.0.1:{port}"], {"process": name}) for name, port in ports if name not in SERVERS]


def write(home: Path, ports: Iterable[tuple[str, int]]) -> None:
    path = home / FILE
    beside = path.with_name(f".{FILE}.new")
    beside.write_bytes(msgspec.json.encode(groups(ports)))
    beside.chmod(0o644)
    beside.rename(path)


def remove(home: Path) -> None:
    (home / FILE).unlink(missing_ok=True)
