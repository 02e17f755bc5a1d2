"""Whole lives of robots from a seed: the same seed and number, the same life.

In: a seed and numbers. Out: `SimulatedLife`. Called by `deploy/evaluate/`.

Other lives are drawn for another seed, so rules that were tuned on one are judged on another.
"""

from collections.abc import Iterator

import numpy as np

from ingest.lives import events, frauds
from ingest.lives.draft import Draft, draft
from ingest.lives.rows import Noise, finish
from ingest.lives.truth import SimulatedLife
from schemas.robot_code import make_code

HONEST_SHARE = 0.6
"""Of the lives in which nobody does anything wrong."""


def lives(seed: int, numbers: range) -> Iterator[SimulatedLife]:
    """In order of their numbers."""
    noise = Noise(seed)
    for number in numbers:
        yield _life(seed, number, noise)


def _life(seed: int, number: int, noise: Noise) -> SimulatedLife:
    rng = np.random.default_rng([seed, number])
    robot_id = make_code("ZZ", "SIMU", "HUMA29", f"{seed % 10**6:06d}{number:08d}")
    life = draft(rng, robot_id)
    events.begin(life)
    _honest(life)
    if rng.random() > HONEST_SHARE:
        _dishonest(life)
    elif rng.random() < 0.05:
        events.dismantled(life)
    events.write_changed(life)
    events.write_services(life)
    return finish(life, robot_id, noise)


def _honest(life: Draft) -> None:
    years = life.hours / 24 / 365
    happened = [event for event, rate in events.RATES.items() for _ in range(life.rng.poisson(rate * years))]
    for place in life.rng.permutation(len(happened)).tolist():
        happened[place](life)


def _dishonest(life: Draft) -> None:
    """One thing or two."""
    rng = life.rng
    kinds = list(frauds.SHARES)
    weights = np.array([frauds.SHARES[kind] for kind in kinds])
    count = 1 + int(rng.random() < 0.3)
    for place in sorted(rng.choice(len(kinds), count, replace=False, p=weights / weights.sum()).tolist()):
        before = len(life.truths)
        hour = kinds[place](life)
        if kinds[place] in frauds.FOR_A_SALE and len(life.truths) > before and rng.random() < 0.4:
            frauds.sold_after(life, hour)
