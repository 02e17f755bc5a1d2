"""How many frames a second the whole pipeline takes, and how many robots' windows the assessor alone.

In: a stand, a fleet's size, how many frames and rounds. Out: a report. Called by `robovitals bench pipeline`.
"""

import sys
import time

from deploy.bench import broker, tables
from deploy.bench.alone import Assessed, assessed_alone
from deploy.bench.drain import ASSESSED, LANDED, PARTS, SUMMARISED, VITALS_LANDED, WINDOW_S, Drained, drain
from deploy.bench.fleet import READINGS, Fleet
from deploy.bench.known import FOLLOWING
from deploy.bench.preload import preload
from deploy.bench.report import Goal, Line, Report
from deploy.bench.stand import Stand

APART_S = 5.0
"""A robot's frames, in event time."""
FIRST_WINDOW = 0.5  # of a window is before the first frame, so that windows close in the middle of a drain
USERS = (*PARTS, "database", "broker")


def fleet_before(now_us: int, robots: int, frames: int) -> Fleet:
    """A fleet whose first `frames` frames end before `now_us`, and begin in the middle of a window."""
    window_us, span_us = WINDOW_S * 1_000_000, round(frames / robots * APART_S * 1e6)
    windows = (now_us - span_us) // window_us - 2
    return Fleet(robots, windows * window_us + round(FIRST_WINDOW * window_us), APART_S * 1e6 / robots)


def measure(stand: Stand, frames: int, robots: int, rounds: int) -> Report:
    """Raises UnavailableError when something does not run, StopError when something is missing at the end."""
    fleet = fleet_before(time.time_ns() // 1000, robots, frames)
    preloaded = preload(stand, fleet, frames)
    drained: list[Drained] = []
    unknown: list[Assessed] = []
    known: list[Assessed] = []
    for number in range(1, rounds + 1):
        make_empty(stand)
        cold, warm = assessed_alone(stand, fleet, len(preloaded.spans))
        unknown.append(cold)
        known.append(warm)
        print(f"round {number} of {rounds}: {warm.per_s:.0f} robots' windows/s assessed", file=sys.stderr)
        drained.append(drain(stand, preloaded))
        print(f"round {number} of {rounds}: {drained[-1].rate.per_s:.0f} frames/s", file=sys.stderr)
    return report(drained, unknown, known, frames, robots)


def make_empty(stand: Stand) -> None:
    """All but the frames."""
    broker.empty_topics(stand.endpoints.kafka)
    with tables.connected(stand.endpoints.database_url) as connection:
        tables.empty_tables(connection)


def report(
    drained: list[Drained], unknown: list[Assessed], known: list[Assessed], frames: int, robots: int
) -> Report:
    sections = {
        "lander, summariser and assessor together": pipeline_lines(drained),
        "CPU µs a frame": cpu_lines(drained, "pipeline"),
        "most memory, MiB": memory_lines(drained, "pipeline"),
        f"one assessor alone, {FOLLOWING} windows of each robot": assessor_lines(known, "assessed"),
        "the same, the first window of each robot": assessor_lines(unknown, "first_assessed"),
    }
    what = (
        f"{frames} frames of {READINGS} readings from {robots} robots, preloaded; windows of {WINDOW_S} s; "
        f"{len(drained)} rounds. From when all are ready until all frames have landed and are summarised, and the "
        f"{drained[0].windows} robots' windows that closed have landed and are assessed. The assessor "
        "knows the robots."
    )
    notes = (
        f"A robot's frames are {APART_S:g} s apart, so a window has {WINDOW_S / APART_S:.0f} of them. At a frame a "
        f"second it has {WINDOW_S}: what is done a window, as all of the assessor's work, is then that much less.",
    )
    return Report("pipeline", what, sections, notes)


def pipeline_lines(drained: list[Drained]) -> list[Line]:
    rates = [one.rate for one in drained]
    parts = {LANDED: "landed", SUMMARISED: "summarised", VITALS_LANDED: "vitals_landed", ASSESSED: "assessed"}
    took = {
        name: Line(f"all_{name}_s", f"s until all {part}", [one.took_s[part] for one in drained])
        for part, name in parts.items()
    }
    others = [rate.others_cores for rate in rates if "database" in rate.cpu_us]
    return [
        Line("pipeline_frames_per_s", "frames/s", [rate.per_s for rate in rates], Goal(at_least=50_000)),
        *took.values(),
        Line("pipeline_others_cores", "cores taken by the rest of the machine", others),
    ]


def cpu_lines(drained: list[Drained], prefix: str) -> list[Line]:
    """Of each process and server, where it is known."""
    return [
        Line(f"{prefix}_{user}_cpu_us", user, [one.rate.cpu_us[user] for one in drained if user in one.rate.cpu_us])
        for user in USERS
    ]


def memory_lines(drained: list[Drained], prefix: str, goals: dict[str, Goal] | None = None) -> list[Line]:
    return [
        Line(
            f"{prefix}_{part}_peak_mib",
            part,
            [one.peak_bytes[part] / 2**20 for one in drained],
            (goals or {}).get(part),
        )
        for part in PARTS
    ]


def assessor_lines(assessed: list[Assessed], name: str) -> list[Line]:
    goal = Goal(at_least=20_000) if name == "assessed" else None
    return [
        Line(f"{name}_per_s", "robots' windows/s", [one.per_s for one in assessed], goal),
        Line(f"{name}_step_us", "µs a robot's window: our step", [one.step_us for one in assessed]),
        Line(
            f"{name}_settle_us",
            "  sending and writing, until the broker has it",
            [one.settle_us for one in assessed],
        ),
        Line(f"{name}_rest_us", "  the rest of a batch", [one.rest_us for one in assessed]),
        Line(f"{name}_outside_us", "  Faust between batches", [one.outside_us for one in assessed]),
        Line(f"{name}_cpu_us", "CPU µs a robot's window, all of the process", [one.cpu_us for one in assessed]),
        Line(f"{name}_robots_a_message", "robots a message", [one.robots_a_message for one in assessed]),
    ]
