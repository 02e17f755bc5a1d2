"""Summariser and assessor together, without Kafka: the same frames make the same anomalies, whatever happens.

Temperatures wander across their limits. However the frames fall into batches, however often the partition is taken
for quiet, and wherever the summariser is restarted from its last checkpoint and repeats itself: every anomaly has
the same id and the same content as when the frames came one by one.
"""

import random
from typing import Any

import pytest

from processors.partition import Partition
from schemas.limits import Limits
from support.assessing import Assessed
from support.wandering import wandering
from support.windows import RULE


def one_by_one(log: list[Any]) -> Assessed:
    partition, assessed = Partition(RULE, Limits(), 0, 0, None), Assessed()
    for record in log:
        assessed.take(*partition.take([record]).messages)
    return assessed


def disturbed(log: list[Any], seed: int) -> Assessed:
    chance = random.Random(seed)
    partition, assessed = Partition(RULE, Limits(), 0, 0, None), Assessed()
    checkpoint = partition.checkpoint()
    at = 0
    while at < len(log):
        size = chance.choice([1, 3, 10, 100, 400])
        assessed.take(*partition.take(log[at : at + size]).messages)
        at += size
        if chance.random() < 0.2:
            assessed.take(*partition.quiet().messages)
        if chance.random() < 0.4:
            checkpoint = partition.checkpoint()
        if chance.random() < 0.2:
            at = checkpoint[0]
            partition = Partition(RULE, Limits(), 0, *checkpoint)
    return assessed


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_frames_make_the_same_anomalies(seed: int) -> None:
    log = wandering(seed, seconds=600, robots=2)
    expected = {anomaly.id: anomaly for anomaly in one_by_one(log).anomalies}
    assert len(expected) > 10
    for disturbance in range(3):
        found = disturbed(log, 10 * seed + disturbance).anomalies
        assert {anomaly.id: anomaly for anomaly in found} == expected
        assert len(found) == len(expected), "and each but once"
