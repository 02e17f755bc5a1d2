"""One drain of a preloaded topic by the whole pipeline: lander, summariser and assessor at once.

In: a stand whose tables are empty, whose topic holds frames, and whose assessor knows the robots. Out: how long
each took for its part, what each used. Called by `bench pipeline` and `bench scale`. The clock starts when all are
ready: a lock holds the lander back until the summariser, the last to be started, begins to read.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

import psycopg

from deploy.bench import broker, metrics, tables, usage
from deploy.bench.preload import Preloaded
from deploy.bench.stand import Stand
from deploy.bench.steady import STALLED_AFTER_S, Rate, between, mark
from deploy.local.processes import ProductProcess
from schemas.errors import StopError
from schemas.kafka import Kafka
from schemas.topics import ANOMALIES, FRAMES, HEALTH, VITALS

WINDOW_S = 60
WINDOW_US = WINDOW_S * 1_000_000
LOOK_EVERY_S = 0.25  # each look costs what is looked at a millisecond or two
LANDERS = "robovitals.land"
PARTS = ("land", "summarise", "assess")

# What there is to do.
LANDED, SUMMARISED = "frames landed", "frames summarised"
VITALS_LANDED, ASSESSED = "vitals landed", "vitals assessed"


@dataclass(frozen=True, slots=True)
class Drained:
    """`took_s`: from the start until each part was done; `windows` of robots came of the frames, all closed."""

    rate: Rate
    took_s: Mapping[str, float]
    peak_bytes: Mapping[str, int]
    windows: int


def drain(stand: Stand, preloaded: Preloaded) -> Drained:
    """Raises UnavailableError when a process ends, StopError when something stands still or is missing."""
    assess, land = stand.product("assess", as_left=True), stand.product("land")
    summarise = stand.product("summarise", ROBOVITALS_WINDOW_S=f"{WINDOW_S}")
    kafka, url = stand.endpoints.kafka, stand.endpoints.database_url
    with ExitStack() as held, tables.connected(url) as connection:
        before = _pass_over(kafka, connection)
        holding = held.enter_context(ExitStack())
        holding.enter_context(tables.landing_held(url))
        held.enter_context(stand.running(assess, land))
        stand.wait_until_ready(assess)
        stand.wait_until(broker.settled(kafka, LANDERS, 1), "the lander has its partitions")
        held.enter_context(stand.running(summarise))
        stand.wait_until_ready(summarise)
        holding.close()
        pids = {p.name: p.process.pid for p in (land, summarise, assess) if p.process} | stand.server_pids
        begin = mark(0, pids)
        progress = _Progress(stand, preloaded, connection, summarise, assess, before)
        took_s = _watch(stand, progress, begin.at_s)
        rate = between(begin, mark(preloaded.frames, pids))
        peaks = usage.peak_bytes(pids)
        if (there := tables.rows(connection, "frame")) != preloaded.frames:
            raise StopError(f"{there} of {preloaded.frames} frames are in the table: this is a bug")
    return Drained(rate, took_s, peaks, progress.windows)


def _pass_over(kafka: Kafka, connection: psycopg.Connection) -> int:
    """What came of learning the robots counts as landed. Returns the sum of the vitals' next offsets."""
    ends: dict[str, dict[int, int]] = {}
    for topic in (VITALS, HEALTH, ANOMALIES):
        spans = broker.watermarks(kafka, topic.name)
        ends[topic.name] = {partition: end for partition, (_, end) in spans.items()}
        tables.pass_over(connection, topic.name, ends[topic.name])
    return sum(ends[VITALS.name].values())


@dataclass
class _Progress:
    """How far each part is: what is done and what there is to do, or None while that is not known."""

    stand: Stand
    preloaded: Preloaded
    connection: psycopg.Connection
    summarise: ProductProcess
    assess: ProductProcess
    vitals_before: int
    windows: int = 0
    _vitals: int | None = field(default=None)
    _landed: dict[str, Callable[[], int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        firsts = {FRAMES.name: self.preloaded.first, VITALS.name: self.vitals_before}
        self._landed = {name: tables.landed(self.connection, name, first) for name, first in firsts.items()}

    def look(self) -> dict[str, tuple[int, int | None]]:
        total = self.preloaded.frames
        said = metrics.read(self.summarise.port)
        summarised = int(said[metrics.SUMMARISED_FRAMES])
        if summarised == total and self._vitals is None:
            self._all_summarised()
        windows = self.windows if self._vitals is not None else None
        return {
            LANDED: (self._landed[FRAMES.name](), total),
            SUMMARISED: (summarised, total),
            VITALS_LANDED: (self._landed[VITALS.name](), self._vitals),
            ASSESSED: (int(metrics.read(self.assess.port)[metrics.ASSESSED_WINDOWS]), windows),
        }

    def _all_summarised(self) -> None:
        """What came of the last frames may be on its way; what a quiet partition tells comes seconds later."""
        time.sleep(LOOK_EVERY_S)
        said = metrics.read(self.summarise.port)
        self.windows = int(said.get(metrics.FINAL_WINDOWS, 0))
        ends = broker.watermarks(self.stand.endpoints.kafka, VITALS.name)
        self._vitals = sum(end for _, end in ends.values()) - self.vitals_before


def _watch(stand: Stand, progress: _Progress, began_s: float) -> dict[str, float]:
    took_s: dict[str, float] = {}
    before, moved_s = None, time.monotonic()
    while True:
        stand.check()
        parts, now_s = progress.look(), time.monotonic()
        for name, (done, total) in parts.items():
            if total is not None and done >= total:
                took_s.setdefault(name, now_s - began_s)
        if len(took_s) == len(parts):
            return took_s
        if parts != before:
            before, moved_s = parts, now_s
        elif now_s - moved_s > STALLED_AFTER_S:
            raise StopError(f"it stands still ({parts}): see the logs in {stand.home}")
        time.sleep(LOOK_EVERY_S)
