"""What a link does about the driver's errors while it opens."""

import ssl
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from ingest.agent.config import Config
from ingest.agent.config_file import Setup
from ingest.agent.link import Failure, Kind, Link
from ingest.throttle import Throttle
from schemas.kafka import Kafka
from schemas.robot_code import RobotCode
from support.frames import CODE


@pytest.fixture
def link(tmp_path: Path) -> Link:
    setup = Setup(Config(), RobotCode(CODE), Kafka("127.0.0.1:1"), b"", 0, tmp_path / "spool.db", None)
    return Link(setup, lambda told: None, lambda: None, Throttle())


@pytest.mark.parametrize("error", [ssl.SSLError("handshake"), EOFError("half"), ConnectionResetError("reset")])
async def test_a_network_that_fails_while_it_opens_is_tried_again(
    link: Link, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AIOKafkaProducer, "start", failing(error))
    with pytest.raises(Failure) as failed:
        await link.open()
    await link.close()
    assert failed.value.kind is Kind.UNREACHABLE


async def test_a_fault_of_ours_while_it_opens_is_none_of_the_brokers(
    link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AIOKafkaProducer, "start", failing(TypeError("ours")))
    with pytest.raises(TypeError, match="ours"):
        await link.open()
    await link.close()


def failing(error: Exception) -> Any:
    async def start(_: AIOKafkaProducer) -> None:
        raise error

    return start
