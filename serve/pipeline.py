"""How the pipeline does, as its processes say themselves.

In: each process's /readyz and /metrics, at the addresses in a Prometheus targets file (`file_sd_configs`), and the
broker's and the database's offsets. Out: a `Report`, and a short `Beat` for the banner of every page. Run by
`serve/server.py`; read by `serve/routes/pipeline.py` and the live stream.

A robot that is silent and a pipeline that is late look the same on a page that only shows the last values, so the
two are told apart: this is the pipeline's half.
"""

import asyncio
import logging
import time
from collections import deque
from pathlib import Path

import aiohttp
import msgspec
from prometheus_client.parser import text_string_to_metric_families

from schemas.errors import UnavailableError
from schemas.topics import FRAMES
from serve import database
from serve.context import Context

LOOK_EVERY_S = 2.0
ANSWER_WITHIN_S = 2.0
RATE_OVER_S = 10.0
_LAGS = (
    "robovitals_land_lag_seconds",
    "robovitals_summarise_lag_seconds",
    "robovitals_assess_lag_seconds",
)
_ON_THE_WAY = ("land", "summarise", "assess")
_LATENCY = "robovitals_land_latency_seconds"
NOT_WELL = "who runs it knows more"
NOT_READY = "not ready"
_log = logging.getLogger("robovitals")


class Target(msgspec.Struct, frozen=True):
    """An entry of a Prometheus targets file; label `process` names what runs there."""

    targets: list[str]
    labels: dict[str, str] = {}


class ProcessState(msgspec.Struct, frozen=True, kw_only=True):
    """One process. `trouble` empty: it is ready. `figures`: its gauges and counters, by name."""

    name: str
    address: str
    trouble: str
    figures: dict[str, float]


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """How far what pages show is behind, and why. `frames_per_s` landed, null before there is a rate, and for who
    does not see every robot.
    """

    now_us: int
    delay_s: float
    frames_per_s: float | None
    trouble: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """`landed`: frames that are rows or rejects, by the offsets in the database; null for who does not see every
    robot. `latency_s`: from the broker's time stamp of a batch's oldest record to its commit, the mean over the
    last RATE_OVER_S; null without a batch.
    """

    beat: Beat
    landed: int | None
    latency_s: float | None
    processes: list[ProcessState]


class Pipeline:
    """Looks every two seconds; what it saw last is what it answers."""

    def __init__(self, targets: Path, context: Context) -> None:
        self._targets = targets
        self._context = context
        self._landed: deque[tuple[float, int]] = deque()
        self._latencies: deque[tuple[float, float, float]] = deque()
        self._processes: list[ProcessState] = []
        self._answered_s: dict[str, float] = {}
        self._trouble = ""

    async def run(self) -> None:
        """Until it is cancelled."""
        timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN_S)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
            while True:
                self._processes = await self._look_at_processes(session)
                self._note_answers(time.monotonic())
                self._note_latency(time.monotonic())
                self._trouble = await self._look_at_database()
                await asyncio.sleep(LOOK_EVERY_S)

    def beat(self) -> Beat:
        """For every page, as of now."""
        troubles = [f"{process.name}: {process.trouble}" for process in self._processes if process.trouble]
        now_s = time.monotonic()
        lags = [lag_of(one, now_s - self._answered_s.get(one.address, now_s)) for one in self._processes]
        return Beat(
            now_us=time.time_ns() // 1000,
            delay_s=round(max(lags, default=0.0), 3),
            frames_per_s=self._rate(),
            trouble=self._trouble or "; ".join(troubles),
        )

    def report(self) -> Report:
        """All of it."""
        landed = self._landed[-1][1] if self._landed else 0
        return Report(beat=self.beat(), landed=landed, latency_s=self._latency(), processes=self._processes)

    async def _look_at_processes(self, session: aiohttp.ClientSession) -> list[ProcessState]:
        try:
            text = await asyncio.to_thread(self._targets.read_bytes)
            targets = msgspec.json.decode(text, type=list[Target])
        except (OSError, msgspec.DecodeError):
            return []  # nobody told where they are: then the broker and the database say what they can
        asked = [
            _look(session, target.labels.get("process", "?"), address)
            for target in targets
            for address in target.targets
        ]
        return list(await asyncio.gather(*asked))

    async def _look_at_database(self) -> str:
        try:
            async with self._context.own() as connection:
                offsets = await database.landed_offsets(connection, FRAMES.name)
        except UnavailableError as error:
            return str(error)
        now_s = time.monotonic()
        self._landed.append((now_s, sum(offsets.values())))
        while now_s - self._landed[0][0] > RATE_OVER_S:
            self._landed.popleft()
        return ""

    def _note_answers(self, now_s: float) -> None:
        self._answered_s |= {process.address: now_s for process in self._processes if process.figures}

    def _note_latency(self, now_s: float) -> None:
        seconds, batches = (
            sum(process.figures.get(f"{_LATENCY}_{part}", 0.0) for process in self._processes)
            for part in ("sum", "count")
        )
        if self._latencies and batches < self._latencies[-1][2]:
            self._latencies.clear()  # a lander began anew, and counts from nought
        self._latencies.append((now_s, seconds, batches))
        while now_s - self._latencies[0][0] > RATE_OVER_S:
            self._latencies.popleft()

    def _latency(self) -> float | None:
        if not self._latencies or self._latencies[-1][2] == self._latencies[0][2]:
            return None
        (_, first_s, first), (_, last_s, last) = self._latencies[0], self._latencies[-1]
        return round((last_s - first_s) / (last - first), 3)

    def _rate(self) -> float | None:
        if len(self._landed) < 2:
            return None
        (first_s, first), (last_s, last) = self._landed[0], self._landed[-1]
        return round((last - first) / (last_s - first_s), 1)


def narrowed_beat(beat: Beat) -> Beat:
    """For who does not see every robot: how late their pages are, but not how much others send, nor words of ours
    that may name an address.
    """
    return msgspec.structs.replace(beat, frames_per_s=None, trouble=NOT_WELL if beat.trouble else "")


def narrowed(report: Report) -> Report:
    """As `narrowed_beat`: which processes there are and whether they are ready, no more."""
    processes = [
        ProcessState(name=one.name, address="", trouble=NOT_READY if one.trouble else "", figures={})
        for one in report.processes
    ]
    return msgspec.structs.replace(report, beat=narrowed_beat(report.beat), landed=None, processes=processes)


async def _look(session: aiohttp.ClientSession, name: str, address: str) -> ProcessState:
    try:
        async with session.get(f"http://{address}/readyz", allow_redirects=False) as answer:
            trouble = "" if answer.status == 200 else await answer.text() or f"/readyz answers {answer.status}"
        async with session.get(f"http://{address}/metrics", allow_redirects=False) as answer:
            figures = figures_of(await answer.text())
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        why = f" within {ANSWER_WITHIN_S:.0f} s" if isinstance(error, TimeoutError) else f" ({error})"
        return ProcessState(name=name, address=address, trouble=f"does not answer{why}", figures={})
    return ProcessState(name=name, address=address, trouble=trouble.strip(), figures=figures)


def lag_of(process: ProcessState, unheard_s: float) -> float:
    """One on the way to the page that does not answer is taken to have stopped when it last did."""
    if process.name in _ON_THE_WAY and not process.figures:
        return unheard_s
    return max(process.figures.get(name, 0.0) for name in _LAGS)


def figures_of(page: str) -> dict[str, float]:
    """The gauges, the counters, and histograms' sums and counts of a metrics page: summed over their labels, of a
    lag or an age the greatest.
    """
    figures: dict[str, float] = {}
    for family in text_string_to_metric_families(page):
        if family.type not in ("gauge", "counter", "histogram") or not family.name.startswith(
            ("robovitals_", "process_")
        ):
            continue
        for sample in family.samples:
            if sample.name.endswith(("_created", "_bucket")):
                continue
            before = figures.get(sample.name, 0.0)
            greatest = sample.name.endswith(("_seconds", "_age_seconds")) and family.type == "gauge"
            figures[sample.name] = max(before, sample.value) if greatest else before + sample.value
    return figures
