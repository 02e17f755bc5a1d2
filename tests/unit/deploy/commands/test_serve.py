"""`robovitals serve` takes the fleet's own limits from where the processes that judge take them."""

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from deploy.commands import serve
from deploy.settings import read_settings
from schemas.errors import SettingError
from schemas.kafka import Kafka
from serve.context import Context
from serve.server import Server

MODEL = "ZZHIWOARMPI6"


@pytest.fixture
def arguments(monkeypatch: pytest.MonkeyPatch) -> argparse.Namespace:
    monkeypatch.setenv("ROBOVITALS_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("ROBOVITALS_DATABASE_URL", "postgresql://u@127.0.0.1:1/d")
    parser = argparse.ArgumentParser()
    serve.add_arguments(parser)
    return parser.parse_args([])


def test_charts_have_the_limits_file(
    arguments: argparse.Namespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    file = tmp_path / "limits.toml"
    file.write_text(f'["{MODEL}".joint_temperature_c.above]\nwarn = 55\nalarm = 65\ndeadband = 2\n')
    monkeypatch.setenv("ROBOVITALS_LIMITS", str(file))
    contexts: list[Context] = []
    monkeypatch.setattr(serve, "Server", lambda _, context: contexts.append(context))

    def process(name: str, build: Callable[[CollectorRegistry], Server], kafka: Kafka) -> int:
        build(CollectorRegistry())
        return 0

    monkeypatch.setattr(serve, "run_process", process)
    assert serve.run(arguments, read_settings()) == 0
    limit = contexts[0].limits.limit(MODEL, "joint_temperature_c", "above")
    assert limit is not None
    assert (limit.warn, limit.alarm) == (55, 65)


def test_a_limits_file_that_is_not_there_is_told_before_anything_starts(
    arguments: argparse.Namespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("ROBOVITALS_LIMITS", str(tmp_path / "nowhere.toml"))
    with pytest.raises(SettingError, match=r"nowhere\.toml"):
        serve.run(arguments, read_settings())
