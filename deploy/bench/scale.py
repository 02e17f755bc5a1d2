"""What a frame costs, by the size of the fleet.

In: a stand, how many frames, fleets' sizes and rounds. Out: a report. Called by `robovitals bench scale`. A robot
sends as often in every fleet, so a smaller one's frames span a longer time: windows a frame stay the same, and
what differs is the size alone.
"""

import sys
import time
from collections.abc import Sequence

from deploy.bench import broker, pipeline, tables
from deploy.bench.alone import assessed_alone
from deploy.bench.drain import WINDOW_S, Drained, drain
from deploy.bench.fleet import READINGS
from deploy.bench.preload import preload
from deploy.bench.report import Goal, Line, Report
from deploy.bench.stand import Stand
from schemas.topics import TOPICS

FLEETS = (1_000, 10_000, 100_000)
MEMORY_GOALS = {"land": Goal(at_most=1024), "summarise": Goal(at_most=1024)}


def measure(stand: Stand, frames: int, fleets: Sequence[int], rounds: int) -> Report:
    """Raises UnavailableError when something does not run, StopError when something is missing at the end."""
    drained: dict[int, list[Drained]] = {robots: [] for robots in fleets}
    for number in range(1, rounds + 1):
        for robots, found in drained.items():
            _make_empty(stand)
            fleet = pipeline.fleet_before(time.time_ns() // 1000, robots, frames)
            preloaded = preload(stand, fleet, frames)
            assessed_alone(stand, fleet, len(preloaded.spans))
            found.append(drain(stand, preloaded))
            print(
                f"round {number} of {rounds}, {robots} robots: {found[-1].rate.per_s:.0f} frames/s", file=sys.stderr
            )
    return report(drained, frames)


def _make_empty(stand: Stand) -> None:
    """The frames too: they are of another fleet."""
    broker.empty_topics(stand.endpoints.kafka, TOPICS)
    with tables.connected(stand.endpoints.database_url) as connection:
        tables.empty_tables(connection)


def report(drained: dict[int, list[Drained]], frames: int) -> Report:
    """`drained` by the fleet's size, the smallest first."""
    smallest, largest = min(drained), max(drained)
    sections: dict[str, list[Line]] = {}
    for robots, found in drained.items():
        name, goals = short(robots), MEMORY_GOALS if robots == largest else None
        sections[f"{robots} robots: CPU µs a frame"] = [
            *pipeline.cpu_lines(found, name),
            Line(f"{name}_cpu_us", "all together", [_cpu_us(one) for one in found]),
        ]
        sections[f"{robots} robots: most memory, MiB"] = pipeline.memory_lines(found, name, goals)
        sections[f"{robots} robots: frames/s"] = [
            Line(f"{name}_frames_per_s", "all together", [one.rate.per_s for one in found])
        ]
    ratios = [
        _cpu_us(large) / _cpu_us(small) for large, small in zip(drained[largest], drained[smallest], strict=True)
    ]
    name, label = f"cpu_{short(largest)}_over_{short(smallest)}", f"CPU at {largest} robots over {smallest}"
    sections["ratio, round by round"] = [Line(name, label, ratios, Goal(at_most=1.2))]
    what = (
        f"{frames} frames of {READINGS} readings, preloaded, for each fleet; each robot's {pipeline.APART_S:g} s "
        f"apart; windows of {WINDOW_S} s; {len(ratios)} rounds. Drained by all three processes together, "
        "of which the assessor knows the robots."
    )
    return Report("scale", what, sections)


def short(robots: int) -> str:
    """1000 is 1k."""
    return f"{robots // 1000}k" if robots % 1000 == 0 else f"{robots}"


def _cpu_us(one: Drained) -> float:
    return sum(one.rate.cpu_us.values())
