"""What runs in a home, as its supervisor writes it down: `stack.json`, there while the stack is up.

Written by the supervisor at every change; read by `down`, `status`, `doctor`, by the next `up` after a crash,
and, for the endpoints, by `deploy.settings`.
"""

from pathlib import Path

import msgspec

from deploy.local import children, kept
from deploy.local.children import Identity
from deploy.settings import stack_file
from schemas.kafka import Kafka


class Member(msgspec.Struct, frozen=True):
    """A server or a process of the product."""

    name: str
    identity: Identity | None
    """None while it is down and waits to be restarted."""
    restarts: int
    last_exit: int | None
    """As `subprocess` tells it: negative is the number of the signal that ended it."""
    port: int
    """Kafka's or the database's own; for a process of the product the one of /metrics."""


class Stack(msgspec.Struct, frozen=True):
    supervisor: Identity
    ready: bool
    kafka: Kafka | None
    database_url: str | None
    simulate: int | None
    """The number of simulated robots that run along."""
    members: list[Member]
    page_port: int | None = None
    """Of `robovitals serve`; None while it was not started."""


def read(home: Path) -> Stack | None:
    return kept.read(stack_file(home), Stack)


def write(home: Path, stack: Stack) -> None:
    kept.write(stack_file(home), stack)


def remove(home: Path) -> None:
    stack_file(home).unlink(missing_ok=True)


def running(home: Path) -> Stack | None:
    """The stack whose supervisor lives; None when none does, even if it left processes behind."""
    stack = read(home)
    return stack if stack is not None and children.is_alive(stack.supervisor) else None
