"""Many simulated lives, judged by several processes.

In: how many, and a seed. Out: `Figures`: tables for people and for docs/findings.md, and the same as JSON. Called
by `deploy/commands/evaluate.py`. A life follows from the seed and its number, so it does not matter who judges it.
"""

import os
import platform
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from itertools import repeat

from deploy.evaluate.lives.score import Scored, score
from deploy.evaluate.lives.tally import Figures, tally
from deploy.progress import Progress
from ingest.lives.lives import lives
from schemas.errors import SettingError

AT_ONCE = 50


def evaluate(count: int, seed: int, progress: Progress) -> Figures:
    """Raises SettingError for fewer lives than one."""
    if count < 1:
        raise SettingError(f"--lives {count}: give at least one")
    begun_s, scored = time.monotonic(), []
    progress(0, count)
    for some in _scored(count, seed):
        scored += some
        progress(len(scored), count)
    return tally(scored, seed, time.monotonic() - begun_s, _machine(), datetime.now(UTC))


def _scored(count: int, seed: int) -> Iterator[list[Scored]]:
    parts = [range(first, min(first + AT_ONCE, count)) for first in range(0, count, AT_ONCE)]
    with ProcessPoolExecutor(min(os.cpu_count() or 1, len(parts))) as pool:
        yield from pool.map(_some, repeat(seed), parts)


def _some(seed: int, numbers: range) -> list[Scored]:
    return [score(life, seed) for life in lives(seed, numbers)]


def _machine() -> str:
    return f"{os.cpu_count()} cores, Python {platform.python_version()}"
