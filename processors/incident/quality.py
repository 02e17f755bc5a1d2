"""Whether a window is whole, and its clock to be believed. Pure.

In: a `Window` and the moment. Out: a `Quality`, whose problems leave an incident undetermined. Called by
`verdict.py`. 49 CFR 563 asks for 20 s at 10 Hz before a crash; robots that summarise at 1 Hz are told of, not
refused: a rate that is too low for what it is to show is a note, a hole in it is a problem.
"""

import msgspec
import numpy as np

from processors.incident.case import AFTER_US, BEFORE_US, Window
from schemas.incident import Quality

EDR_HZ = 10.0
SLOWEST_HZ = 0.5  # ours: fewer than 20 frames in 40 s show no course
GAP_OF_STEPS = 3.0  # ours: a pause of so many steps is a gap, but for the shortest ones
GAP_S = 0.2
CLOCK_MS = 2000.0  # as the warn limit of clock_offset_ms: beyond it, windows and other records do not meet

_CLOCK = ("robot", "clock_offset_ms")
_SYNCHRONISED = ("robot", "clock_synchronised")


def quality_of(window: Window, at_us: int, integrity: bool | None) -> Quality:
    frames = len(window.time_us)
    steps_s = np.diff(np.unique(window.time_us)) / 1e6
    step_s = float(np.median(steps_s)) if len(steps_s) else 0.0
    rate_hz = 1 / step_s if step_s else 0.0
    edges = np.array([at_us - BEFORE_US, *window.time_us.tolist(), at_us + AFTER_US], np.int64)
    gap_s = float(np.diff(np.sort(edges)).max()) / 1e6
    missing = sum(_missing(window.seq[window.boot_id == boot]) for boot in np.unique(window.boot_id))
    offset_ms = _farthest(window, _CLOCK)
    synchronised = _lowest(window, _SYNCHRONISED)
    found = Quality(
        frames=frames,
        rate_hz=round(rate_hz, 2),
        missing=missing,
        longest_gap_s=round(gap_s, 3),
        boots=len(np.unique(window.boot_id)),
        clock_offset_ms=offset_ms,
        synchronised=None if synchronised is None else synchronised >= 1,
        integrity=integrity,
    )
    return _judged(found, max(GAP_S, GAP_OF_STEPS * step_s))


def _judged(found: Quality, gap_s: float) -> Quality:
    problems, notes = [], []
    if not found.frames:
        problems.append("there are no frames in the window")
    elif found.rate_hz < SLOWEST_HZ:
        problems.append(f"{found.frames} frames in 40 s show no course")
    elif found.rate_hz < EDR_HZ * 0.95:
        notes.append(f"{found.rate_hz:g} frames/s; an event data recorder would have {EDR_HZ:g}")
    if found.missing:
        problems.append(f"{found.missing} frames of the window are missing by their sequence")
    if found.frames and found.longest_gap_s > gap_s:
        problems.append(f"the window has a gap of {found.longest_gap_s:g} s")
    if found.boots > 1:
        notes.append(f"the robot booted within the window ({found.boots} boots)")
    if found.synchronised is False:
        problems.append("the robot's clock was not synchronised")
    if found.clock_offset_ms is None:
        notes.append("nobody measured the offset of the robot's clock")
    elif abs(found.clock_offset_ms) > CLOCK_MS:
        problems.append(f"the robot's clock was {found.clock_offset_ms:g} ms off")
    if found.integrity is False:
        problems.append("the logbook or the seal of its frames does not hold")
    if found.integrity is None:
        notes.append("there was no logbook whose integrity could be checked")
    return msgspec.structs.replace(found, problems=tuple(problems), notes=tuple(notes))


def _missing(seq: np.ndarray) -> int:
    return int(seq.max() - seq.min() + 1 - len(np.unique(seq))) if len(seq) else 0


def _farthest(window: Window, channel: tuple[str, str]) -> float | None:
    values = window.readings.get(channel, np.empty(0))
    values = values[np.isfinite(values)]
    return float(values[np.abs(values).argmax()]) if len(values) else None


def _lowest(window: Window, channel: tuple[str, str]) -> float | None:
    values = window.readings.get(channel, np.empty(0))
    values = values[np.isfinite(values)]
    return float(values.min()) if len(values) else None
