"""What `robovitals bench pipeline` drains, and what it reads off the processes."""

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from deploy.bench import metrics
from deploy.bench.drain import WINDOW_S, WINDOW_US
from deploy.bench.known import FOLLOWING, Sent, following, windows_before
from deploy.bench.pipeline import APART_S, fleet_before
from ingest.land_metrics import LandMetrics
from processors.assess_metrics import AssessMetrics
from processors.summarise_metrics import SummariseMetrics
from schemas.topics import shard_key
from schemas.vitals import FINAL, decode_vitals, unpack_columns
from support.frames import TIME_US
from support.messages import vitals


@pytest.mark.parametrize(("robots", "frames"), [(100_000, 1_400_000), (1_000, 700_000), (10_000, 10_000)])
def test_a_fleets_frames_begin_in_the_middle_of_a_window_and_no_clock_is_ahead(robots: int, frames: int):
    fleet = fleet_before(TIME_US, robots, frames)
    assert fleet.start_us % (WINDOW_S * 1_000_000) == WINDOW_S * 500_000
    assert fleet.frame(frames - 1).time_us < TIME_US - WINDOW_S * 1_000_000
    assert fleet.frame(robots).time_us - fleet.frame(0).time_us == pytest.approx(APART_S * 1e6, abs=1)


def test_a_window_that_follows_is_of_the_same_robots_with_later_times_and_sequences():
    first = Sent(2, b"2/3", vitals())
    later = following(first, 2)
    assert (later.partition, later.key, later.windows) == (2, b"2/3", 1)
    assert later.vitals.start_us == first.vitals.start_us + 2 * first.vitals.length_us
    before, after = unpack_columns(first.vitals), unpack_columns(later.vitals)
    assert after["last_time_us"] - before["last_time_us"] == 2 * first.vitals.length_us
    assert after["first_seq"] - before["first_seq"] == 2 * before["frames"]
    assert np.array_equal(after["robot_id"], before["robot_id"])
    assert first.vitals.start_us == vitals().start_us


def test_a_fleet_is_known_by_a_window_of_each_robot_that_leaves_room_for_those_that_follow():
    fleet = fleet_before(TIME_US, robots=500, frames=5_000)
    first = windows_before(fleet, WINDOW_US, partitions=8)
    assert sum(sent.windows for sent in first) == 500
    assert {sent.vitals.kind for sent in first} == {FINAL}
    assert {sent.key for sent in first} == {shard_key(sent.partition, sent.vitals.shard) for sent in first}
    last = {following(sent, FOLLOWING).vitals.start_us for sent in first}
    assert last == {fleet.start_us // WINDOW_US * WINDOW_US - WINDOW_US}
    assert all(decode_vitals(sent.value) == sent.vitals for sent in first)


def test_what_is_read_off_a_process_is_what_the_process_tells():
    registry = CollectorRegistry()
    assess = AssessMetrics.create(registry)
    for what in ("outputs", "episodes", "states"):
        assess.settle_seconds.labels(what).observe(1)
    SummariseMetrics.create(registry).windows.labels("final").inc(3)
    LandMetrics.create(registry).batch_records.labels("telemetry.frames").observe(8_000)
    told = metrics.parse(generate_latest(registry).decode())
    assert told[metrics.FINAL_WINDOWS] == 3
    assert [told[name] for name in metrics.BATCHES_LANDED] == [8_000, 1]
    names = {metrics.SUMMARISED_FRAMES, metrics.ASSESSED_WINDOWS}
    assert names | {metrics.ASSESSED_HANDLED_S, metrics.ASSESSED_STEPPED_S} <= told.keys()
    assert [told[name] for name in metrics.ASSESSED_SETTLED_S] == [1, 1, 1]
