"""Robots whose joints warm and cool at random across their limits, for tests of the whole way without Kafka."""

import random
from typing import Any

from support.windows import S, Sent, records


def wandering(seed: int, seconds: int, robots: int, joints: int = 2) -> list[Any]:
    """Records with frames and readings missing."""
    chance = random.Random(seed)
    celsius = [[70.0] * joints for _ in range(robots)]
    seqs = [0] * robots
    sent = []
    for second in range(seconds):
        for robot in range(robots):
            celsius[robot] = [min(99.0, max(50.0, c + chance.gauss(0, 4))) for c in celsius[robot]]
            if chance.random() < 0.05:
                continue
            readings = {"joint_temperature_c": [None if chance.random() < 0.02 else c for c in celsius[robot]]}
            at_us = second * S + chance.randrange(S)
            sent.append(Sent(robot=robot, time_us=at_us, seq=seqs[robot], readings=readings))
            seqs[robot] += 1
    return records(sent)
