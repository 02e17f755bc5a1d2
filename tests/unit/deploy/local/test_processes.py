"""The product's processes as children: the page's port. A port is taken here by really listening on it."""

import socket
from pathlib import Path

import pytest

from deploy.local import children
from deploy.local.processes import PageProcess
from deploy.settings import Endpoints
from schemas.kafka import Kafka


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What would be started."""
    started: list[list[str]] = []
    monkeypatch.setattr(children, "spawn", lambda command, *_: started.append(command))
    return started


def test_the_page_keeps_its_port_until_another_program_has_it(tmp_path: Path, commands: list[list[str]]):
    page = PageProcess(tmp_path, Endpoints(Kafka("127.0.0.1:1"), "postgresql://u@127.0.0.1:1/d"))
    for _ in range(2):
        page.launch()
    assert page.page_port is not None
    first = page.page_port
    with socket.create_server(("127.0.0.1", first)):
        page.launch()
    second = page.page_port
    page.launch()
    assert second != first
    assert [command[-2:] for command in commands] == [
        ["--port", str(port)] for port in (first, first, second, second)
    ]
