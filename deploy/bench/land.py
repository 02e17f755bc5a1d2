"""How fast frames land, against the database's own speed and against what a user would write.

In: a stand, how many frames and rounds. Out: a report. Called by `robovitals bench land`. A round is: raw COPY, one
lander, two landers, and (over fewer frames) the naive consumer, each into empty tables from the same topic.
Sealed: one and two landers, without verifying the frames' seals and verifying each.
"""

import asyncio
import gc
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from deploy.bench import broker, metrics, raw, tables
from deploy.bench.fleet import READINGS, Fleet
from deploy.bench.peer import BATCH, Naive
from deploy.bench.preload import Preloaded, preload
from deploy.bench.raw import Buffers
from deploy.bench.report import Goal, Line, Report
from deploy.bench.stand import Stand
from deploy.bench.steady import Rate, drained
from deploy.local.processes import ProductProcess
from deploy.seal_master import create_master
from schemas.errors import StopError
from schemas.topics import FRAMES

GROUP = "robovitals.land"
NAIVE_APP = "robovitals.bench.naive"
NAIVE_SHARE = 10  # it gets through a tenth as many frames in the time
BACK_S = 300.0  # so long ago the frames begin: no clock of theirs is ahead

SERVERS = ("database", "broker")
RAW, ONE, TWO, NAIVE = "raw", "one", "two", "naive"
ONE_VERIFIES, TWO_VERIFY = "one_verifies", "two_verify"
HEADINGS = {
    RAW: "raw: ready COPY buffers, one connection",
    ONE: "one lander",
    TWO: "two landers",
    NAIVE: "naive: a Faust agent, asyncpg executemany",
    ONE_VERIFIES: "one lander that verifies seals",
    TWO_VERIFY: "two landers that verify seals",
}
GOALS = {
    "share_of_raw": ("share of raw, two landers", TWO, RAW, Goal(at_least=0.9)),
    "share_of_raw_one": ("share of raw, one lander", ONE, RAW, Goal(at_least=0.6)),
    "times_naive": ("times naive, two landers", TWO, NAIVE, Goal(at_least=15)),
    "times_naive_one": ("times naive, one lander", ONE, NAIVE, None),
    "share_verifying": ("share of the speed without, two landers", TWO_VERIFY, TWO, Goal(at_least=0.85)),
    "share_verifying_one": ("share of the speed without, one lander", ONE_VERIFIES, ONE, Goal(at_least=0.85)),
}


Contenders = dict[str, Callable[[], "Landed"]]


@dataclass(frozen=True, slots=True)
class Landed:
    """What one contender did in one round: the rate of its steady part, and of all `frames` the rest."""

    rate: Rate
    frames: int
    rows_a_transaction: float
    size_bytes: int


def measure(stand: Stand, frames: int, robots: int, rounds: int, sealed: bool = False) -> Report:
    """Raises UnavailableError when something does not run, StopError when not all landed."""
    fleet = Fleet(robots, time.time_ns() // 1000 - round(BACK_S * 1e6), BACK_S / 2 * 1e6 / frames)
    contenders = _sealed(stand, fleet, frames) if sealed else _plain(stand, fleet, frames)
    found: dict[str, list[Landed]] = {name: [] for name in contenders}
    for number in range(1, rounds + 1):
        for name, run in contenders.items():
            found[name].append(run())
            said = f"{name}: {found[name][-1].rate.per_s:.0f} frames/s"
            print(f"round {number} of {rounds}, {said}", file=sys.stderr)
    return report(found, frames, robots)


def _plain(stand: Stand, fleet: Fleet, frames: int) -> Contenders:
    preloaded = preload(stand, fleet, frames)
    ready = raw.buffers(stand, preloaded)
    gc.freeze()  # so many buffers would else be looked through while something is measured
    bench = _Bench(stand, preloaded)
    return {
        RAW: lambda: bench.raw(ready),
        ONE: lambda: bench.landers(1),
        TWO: lambda: bench.landers(2),
        NAIVE: bench.naive,
    }


def _sealed(stand: Stand, fleet: Fleet, frames: int) -> Contenders:
    """All read the same records, so that what a header costs to read is in both."""
    master = stand.home / "seal_master"
    create_master(master)
    preloaded = preload(stand, fleet, frames, bytes.fromhex(master.read_text("ascii")))
    bench = _Bench(stand, preloaded)
    return {
        ONE: lambda: bench.landers(1),
        ONE_VERIFIES: lambda: bench.landers(1, master),
        TWO: lambda: bench.landers(2),
        TWO_VERIFY: lambda: bench.landers(2, master),
    }


class _Bench:
    """Each run begins with empty tables."""

    def __init__(self, stand: Stand, preloaded: Preloaded) -> None:
        self._stand = stand
        self._preloaded = preloaded
        self._url = stand.endpoints.database_url

    def raw(self, ready: Buffers) -> Landed:
        self._empty()
        rate = asyncio.run(raw.copy_in(self._stand, ready))
        return self._landed(rate, ready.frames / len(ready.batches))

    def landers(self, count: int, master: Path | None = None) -> Landed:
        """`master`: the key that they verify with."""
        self._empty()
        if master is not None:
            with tables.connected(self._url) as connection:
                tables.require_seals(connection)
        stand, total, kafka = self._stand, self._preloaded.frames, self._stand.endpoints.kafka
        processes = [self._lander(f"-{number}", master) for number in range(1, count + 1)]
        with ExitStack() as held, tables.connected(self._url) as connection:
            holding = held.enter_context(ExitStack())
            holding.enter_context(tables.landing_held(self._url))
            held.enter_context(stand.running(*processes))
            stand.wait_until(broker.settled(kafka, GROUP, count), "all landers have partitions")
            holding.close()
            pids = {f"land-{p.port}": p.process.pid for p in processes if p.process} | stand.server_pids
            done = tables.landed(connection, FRAMES.name, self._preloaded.first)
            rate = drained(done, total, pids, stand.check)
            said = [metrics.read(process.port) for process in processes]
        rows, batches = (sum(one.get(name, 0) for one in said) for name in metrics.BATCHES_LANDED)
        landed = self._landed(rate, rows / batches)
        if landed.frames != total:
            raise StopError(f"{landed.frames} of {total} frames are in the table: this is a bug, no figure counts")
        return landed

    def _lander(self, replica: str, master: Path | None) -> ProductProcess:
        if master is None:
            return self._stand.product("land", replica)
        return self._stand.product("land", replica, ROBOVITALS_SEAL_MASTER=str(master))

    def naive(self) -> Landed:
        self._empty()
        broker.forget_groups(self._stand.endpoints.kafka, [NAIVE_APP])
        peer = Naive(self._stand)
        with self._stand.running(peer):
            assert peer.process is not None
            pids = {NAIVE: peer.process.pid} | self._stand.server_pids
            rate = drained(peer.inserted, self._preloaded.frames // NAIVE_SHARE, pids, self._stand.check)
        return self._landed(rate, BATCH)

    def _landed(self, rate: Rate, rows_a_transaction: float) -> Landed:
        with tables.connected(self._url) as connection:
            frames, size_bytes = tables.rows(connection, "frame"), tables.size_bytes(connection, "frame")
        return Landed(rate, frames, rows_a_transaction, size_bytes)

    def _empty(self) -> None:
        with tables.connected(self._url) as connection:
            tables.empty_tables(connection)


def report(found: dict[str, list[Landed]], frames: int, robots: int) -> Report:
    sections = {HEADINGS[name]: _lines(name, landed) for name, landed in found.items()}
    sections["ratios, round by round"] = [
        Line(name, label, _ratios(found[above], found[below]), goal)
        for name, (label, above, below, goal) in GOALS.items()
        if above in found and below in found
    ]
    what = (
        f"{frames} frames of {READINGS} readings from {robots} robots, preloaded; {len(found[ONE])} rounds, "
        f"interleaved; measured from a tenth to nine tenths of the frames (naive: of {frames // NAIVE_SHARE})."
    )
    notes = (
        "Raw: the bytes of the product's own encoder, made before. All go into the same table with the same "
        "indexes, emptied and checkpointed before each run. CPU is user and system time of the measured part. "
        "Where the rest of the machine took much, the figure is not to be trusted.",
    )
    return Report("land", what, sections, notes)


def _lines(name: str, found: list[Landed]) -> list[Line]:
    rates = [landed.rate for landed in found]
    own = [sum(us for process, us in rate.cpu_us.items() if process not in SERVERS) for rate in rates]
    lines = [
        Line(f"{name}_frames_per_s", "frames/s", [rate.per_s for rate in rates]),
        Line(f"{name}_readings_per_s", "readings/s", [rate.per_s * READINGS for rate in rates]),
        Line(f"{name}_cpu_us", "CPU µs a frame: itself", own),
    ]
    for server in SERVERS:
        known = [rate.cpu_us[server] for rate in rates if server in rate.cpu_us]
        lines.append(Line(f"{name}_{server}_cpu_us", f"CPU µs a frame: {server}", known))
    others = [rate.others_cores for rate in rates if "database" in rate.cpu_us]
    size = [landed.size_bytes / (landed.frames * READINGS) for landed in found]
    return [
        *lines,
        Line(f"{name}_others_cores", "cores taken by the rest of the machine", others),
        Line(f"{name}_rows_a_transaction", "rows a transaction", [landed.rows_a_transaction for landed in found]),
        Line(f"{name}_bytes_a_reading", "bytes a reading on disk", size),
    ]


def _ratios(above: list[Landed], below: list[Landed]) -> list[float]:
    return [a.rate.per_s / b.rate.per_s for a, b in zip(above, below, strict=True)]
