"""From latencies to the figures that are told, and the machine that they hold for.

In: `Latencies`. Out: figures by name, as `--json` prints them, and a drawing of them. Called by `robovitals bench`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias

import numpy as np
from rich.console import Group
from rich.table import Column, Table
from rich.text import Text

from deploy.bench.backlog import Backlog
from deploy.bench.fleet import READINGS
from deploy.bench.latency import LEAD_IN_S, Awaited, Latencies, Memory, Spool
from deploy.bench.machine import Machine
from deploy.bench.report import Goal

ENOUGH_FOR_P999 = 1_000
HEADS = ("sent", "missing", "p50", "p99", "p99.9", "longest")
SUFFIXES = ("p50_s", "p99_s", "p999_s", "max_s")

# A row of the table: its label, the name of its figures, and what was counted of it.
ROWS = (
    ("send → row visible", "send_to_row", "rows"),
    ("crossing → event", "crossing_to_event", "events"),
    ("send → broker", "send_to_broker", ""),
    ("generator behind", "generator_behind", ""),
    ("row poll", "row_poll", ""),
)
OWN_LIVE = ("its own live → broker", "own_live", "")
NOTE = (
    "Times begin when a frame is due, however late it is sent; a row is seen up to one poll late; the broker's "
    "time stamps have whole ms."
)

GOAL = "crossing_to_event_p99_s", Goal(at_most=1.0)

Figures: TypeAlias = dict[str, Any]


def figures(rate: float, robots: int, seconds: float, spool: Spool, found: Latencies) -> Figures:
    """Times are in seconds; None where too few were seen to say."""
    rows, events = found.rows, found.events
    return {
        "rate": rate,
        "seconds": seconds,
        "lead_in_s": LEAD_IN_S,
        "robots": robots,
        "readings_per_frame": READINGS,
        "frames_sent": found.frames,
        "flushed": spool.frames,
        "flush_s": found.flush_s,
        **_backlog(found.backlog),
        **_counts("rows", rows),
        **spread("send_to_row", rows.took_s),
        **_counts("events", events),
        **spread("crossing_to_event", events.took_s),
        **spread("send_to_broker", found.to_broker_s),
        **spread("generator_behind", found.behind_s),
        **spread("row_poll", found.polls_s),
        "memory": found.memory,
    }


def _backlog(of: Backlog | None) -> Figures:
    if of is None:
        return {"backlog": 0}
    return {
        "backlog": of.frames,
        "backlog_left": of.left,
        "backlog_s": of.took_s,
        "own_live_sent": len(of.live_s),
        "own_live_late": of.late,
        **spread("own_live", of.live_s),
    }


def missing(told: Figures) -> str | None:
    """What was sent and never seen, in words."""
    lost = [
        f"{told[f'{name}_missing']} of {told[f'{name}_sent']} {name}"
        for name in ("rows", "events")
        if told[f"{name}_missing"]
    ]
    return f"{' and '.join(lost)} never came" if lost else None


def spread(name: str, took_s: Sequence[float]) -> Figures:
    """p50, p99, p99.9 and the longest."""
    quantiles: list[float | None] = np.quantile(took_s, [0.5, 0.99, 0.999, 1]).tolist() if took_s else [None] * 4
    if len(took_s) < ENOUGH_FOR_P999:
        quantiles[2] = None
    return {
        f"{name}_{suffix}": None if quantile is None else round(quantile, 6)
        for suffix, quantile in zip(SUFFIXES, quantiles, strict=True)
    }


def drawn(told: Figures, machine: Machine, now: datetime) -> Group:
    """A table of the two latencies, what they are made of or limited by, and the memory meanwhile."""
    table = Table("", *(Column(head, justify="right") for head in HEADS), box=None, pad_edge=False)
    for label, name, counted in (*ROWS, OWN_LIVE) if told["backlog"] else ROWS:
        counts = [str(told[f"{counted}_{what}"]) for what in ("sent", "missing")] if counted else ["", ""]
        table.add_row(label, *counts, *(_ms(told[f"{name}_{suffix}"]) for suffix in SUFFIXES))
    head = f"robovitals bench latency, {now:%Y-%m-%d %H:%M} UTC"
    texts = map(Text, (head, machine.text, _what(told), ""))
    return Group(*texts, table, "", Text(verdict(told)), "", *_memory(told["memory"]), "", Text(NOTE))


def verdict(told: Figures) -> str:
    """The goal, and whether it is met."""
    name, goal = GOAL
    value = told[name]
    met = "not measured" if value is None else "met" if goal.met(value) else "MISSED"
    return f"goal: crossing → event p99 {goal.text} s: {met}"


def _memory(watched: Sequence[Memory]) -> list[Table]:
    """A line a minute."""
    if not watched:
        return []
    names = list(watched[0].resident_bytes)
    table = Table(
        "resident, MiB, after", *(Column(name, justify="right") for name in names), box=None, pad_edge=False
    )
    for memory in watched:
        found = (memory.resident_bytes.get(name) for name in names)
        table.add_row(f"{memory.at_s:g} s", *("ended" if size is None else f"{size / 2**20:.0f}" for size in found))
    return [table]


def _what(told: Figures) -> str:
    load = (
        f"{told['rate']:g} frames/s for {told['seconds']:g} s after {told['lead_in_s']:g} s of lead-in: "
        f"{told['robots']} robots, {told['readings_per_frame']} readings a frame"
    )
    beside = [load]
    if told["flushed"]:
        beside.append(
            f"beside them one more robot sends {told['flushed']} late frames, all in {told['flush_s']:.1f} s"
        )
    if told["backlog"]:
        took = (
            f"{told['backlog_left']} are left" if told["backlog_s"] is None else f"all in {told['backlog_s']:.1f} s"
        )
        beside.append(
            f"beside them an agent comes back with {told['backlog']} frames in its spool, {took}; of its own live "
            f"frames {told['own_live_sent']} went live and {told['own_live_late']} as backlog"
        )
    return "\n".join(beside)


def _ms(value_s: float | None) -> str:
    return "–" if value_s is None else f"{1000 * value_s:.0f} ms"


def _counts(name: str, awaited: Awaited) -> Figures:
    seen, lost = len(awaited.took_s), len(awaited.due_s)
    return {f"{name}_sent": seen + lost, f"{name}_seen": seen, f"{name}_missing": lost}
