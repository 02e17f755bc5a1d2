"""`robovitals bench` against real servers, with few frames."""

from datetime import UTC, datetime

import psycopg
import pytest

from deploy.bench import land
from deploy.bench.machine import this_machine
from deploy.bench.report import figures
from deploy.bench.stand import stand
from deploy.settings import Settings, read_settings
from schemas.errors import UnavailableError
from schemas.kafka import Kafka


@pytest.fixture
def settings(topics: Kafka, database_url: str, tmp_path) -> Settings:
    return Settings(tmp_path, read_settings().cache, topics, database_url)


def test_landing_is_measured_against_raw_and_naive_and_leaves_the_servers_empty(settings: Settings):
    with stand(settings) as on:
        report = land.measure(on, frames=20_000, robots=100, rounds=1)
    told = figures(report, this_machine(), datetime.now(UTC))
    for name in ("share_of_raw", "share_of_raw_one", "times_naive", "raw_bytes_a_reading"):
        assert told[name] > 0
    with stand(settings):
        pass


def test_servers_that_hold_frames_are_refused(settings: Settings):
    with psycopg.connect(settings.database_url) as connection:
        connection.execute(
            "INSERT INTO frame (robot_id, time, seq, boot_id, mono_us, received, mode, backfill, scenario, "
            "software) VALUES ('ZZ', now(), 0, 0, 0, now(), 0, false, '', '')"
        )
    with pytest.raises(UnavailableError, match="the table frame holds rows"), stand(settings):
        pass
