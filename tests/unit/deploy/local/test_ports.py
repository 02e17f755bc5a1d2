"""Ports that are free, and stay the same while they are."""

import os
import socket
from collections.abc import Iterator

import pytest

from deploy.local import ports


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_free_port_is_kept_and_a_taken_one_replaced(taken: int) -> None:
    port = ports.choose()
    assert ports.choose(port) == port
    assert ports.choose(taken) != taken


def test_a_chosen_port_is_not_one_that_clients_are_given() -> None:
    lowest_outgoing = int(ports.OUTGOING_RANGE.read_text().split()[0])
    assert all(ports.LOWEST <= ports.choose() < lowest_outgoing for _ in range(100))


def test_who_listens_is_named(taken: int) -> None:
    assert ports.accepts(taken)
    assert f"(process {os.getpid()})" in (ports.listener(taken) or "")
    free = ports.choose()
    assert not ports.accepts(free)
    assert ports.listener(free) is None
