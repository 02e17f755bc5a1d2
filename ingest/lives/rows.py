"""A finished draft to what the platform would have of it: hourly rows, sightings of parts, the logbook.

In: a `Draft` and noise. Out: a `SimulatedLife`. Called by `lives.py`.
"""

from typing import NamedTuple

import numpy as np

from ingest.lives.draft import USES, Draft, Floats
from ingest.lives.truth import Fraud, SimulatedLife, Truth
from schemas.columns import Float32, Int64, Texts
from schemas.hours import DAY_US, HOUR_US, Hours, Joints, Sighting

IDLE_W = 60.0
ON_PAPER = (Fraud.UNOWNED, Fraud.SOLD_TWICE, Fraud.SOLD_AFTER, Fraud.MISSED, Fraud.SCRAPPED)
LAST_WINDOW_US = HOUR_US - 10_000_000
WEAR_NOISE, WEAR_WANDER, PLAY_NOISE, GRIP_NOISE, COLD_GRIP = 0.004, 0.004, 0.05, 0.08, 0.25
SOH_NOISE, OHM_NOISE, OHM_SEASON = 0.004, 0.03, 0.06


class Noise:
    """Standard normal numbers in plenty, drawn once: slices at random places are as good as new ones here."""

    def __init__(self, seed: int, size: int = 1 << 22) -> None:
        self._pool = np.random.default_rng(seed).standard_normal(size, np.float32)

    def take(self, rng: np.random.Generator, rows: int, columns: int) -> Float32:
        need = rows * columns
        start = int(rng.integers(max(len(self._pool) - need, 1)))
        chosen = self._pool[start : start + need] if need <= len(self._pool) else np.resize(self._pool, need)
        return chosen.reshape(rows, columns)


class _Row(NamedTuple):
    """Which hours of the draft became rows, and the event time of each row's hour and last window."""

    hour: Int64
    start_us: Int64
    last_us: Int64


def finish(life: Draft, robot_id: str, noise: Noise) -> SimulatedLife:
    """All that will ever come of it."""
    row = _rows(life)
    return SimulatedLife(
        robot_id=robot_id,
        end_us=life.us(life.hours),
        hours=_hours(life, row),
        joints=_joints(life, row, noise),
        history=life.book.history(),
        sightings=tuple(_sightings(life, row)),
        elsewhere=tuple(life.elsewhere),
        truths=tuple(truth for truth in life.truths if _left_a_trace(life, truth, row)),
        lookalikes=tuple(life.lookalikes),
    )


def _left_a_trace(life: Draft, truth: Truth, row: _Row) -> bool:
    """Whether anybody heard of the robot before and after. What nobody could know is no miss."""
    if truth.kind in ON_PAPER:
        return True
    true_us = life.start_us + row.hour * HOUR_US
    after_us = truth.last_us if truth.kind is Fraud.UNLOGGED else truth.first_us
    return bool(truth.size > 0 and (true_us < truth.first_us).any() and (true_us >= after_us).any())


def _rows(life: Draft) -> _Row:
    """An hour of event time has one row: of two that claim it the one that has more."""
    hour = np.nonzero(life.on & life.seen)[0]
    true_us = life.start_us + hour * HOUR_US
    last_us = true_us + LAST_WINDOW_US + life.clock_us[hour]
    start_us = last_us // HOUR_US * HOUR_US
    order = np.lexsort((life.rng.random(len(hour)), start_us))
    kept = order[np.concatenate([np.diff(start_us[order]) > 0, [True]])] if len(order) else order
    return _Row(hour[kept], start_us[kept], last_us[kept])


def _hours(life: Draft, row: _Row) -> Hours:
    rng, at = life.rng, row.hour
    wobble = rng.standard_normal((2, life.hours)).astype(np.float32)
    used = life.on * life.work
    energy = life.set_by(np.cumsum(life.on * IDLE_W + used * life.power_w * (1 + 0.06 * wobble[0])), others=True)
    cycles = life.set_by(np.cumsum(used * life.cycles_h * (1 + 0.03 * wobble[1])), others=True)
    made_before_s = int(rng.uniform(1, 40) * 3600)
    runtime = life.reading_s()[at].astype(np.int64) + made_before_s
    runtime += np.where(life.second[at], life.second_s[at], 0)
    runtime = np.where(life.misread[at] >= 0, life.misread[at], runtime)
    true_last_us = life.start_us + at * HOUR_US + LAST_WINDOW_US
    active = np.minimum(life.work[at] + life.idle[at], 1) * 3600
    return Hours(
        start_us=row.start_us,
        last_us=row.last_us,
        received_us=true_last_us + life.delay_us[at] + rng.integers(50_000, 900_000, len(at)),
        seen_s=np.full(len(at), 3600, np.float32),
        active_s=np.round(active / 10).astype(np.float32) * 10,
        boots=life.boots[at] + life.second[at],
        runtime_s=runtime,
        energy_wh=energy[at].astype(np.int64),
        cycles=cycles[at].astype(np.int64),
        software=_software(life, at),
        scenario=Texts(life.scenario[at], list(USES)),
    )


def _software(life: Draft, at: Int64) -> Texts:
    installs = sorted(life.installs)
    codes = np.searchsorted([hour for hour, _ in installs], at, "right") - 1
    return Texts(codes.astype(np.int32), [version for _, version in installs])


def _joints(life: Draft, row: _Row, noise: Noise) -> Joints:
    """Smooth from day to day, noisy from hour to hour."""
    rng, at = life.rng, row.hour
    day = (life.start_us + at * HOUR_US) // DAY_US - life.start_us // DAY_US
    wear, play, grip = _by_day(life)
    cold = np.ones(len(at), np.float32)
    cold[1:] += COLD_GRIP * (np.diff(at) > 1)  # the first hour after it stood still
    shape = (len(at), life.joints)
    return Joints(
        wear=wear[day] + np.float32(WEAR_NOISE) * noise.take(rng, *shape),
        backlash=play[day] * (1 + np.float32(PLAY_NOISE) * noise.take(rng, *shape)),
        friction=grip[day] * (1 + np.float32(GRIP_NOISE) * noise.take(rng, *shape)) * cold[:, None],
        soh=_health(life)[day] + np.float32(SOH_NOISE) * noise.take(rng, len(at), 1)[:, 0],
        resistance=_ohms(life)[day] * (1 + np.float32(OHM_NOISE) * noise.take(rng, len(at), 1)[:, 0]),
    )


def _by_day(life: Draft) -> tuple[Float32, Float32, Float32]:
    """Days × joints: wear as estimated, backlash, friction."""
    rng, days = life.rng, len(life.health)
    wear = true_wear(life)
    weeks = days // 14 + 2
    knots = WEAR_WANDER * rng.standard_normal((weeks, life.joints))
    place = np.arange(days) / 14
    low = place.astype(int)
    share = (place - low)[:, None]
    wander = knots[low] * (1 - share) + knots[low + 1] * share
    new_play, new_grip = rng.uniform(0.6, 1.6, life.joints), rng.uniform(0.5, 6.0, life.joints)
    load = 1 + 0.05 * rng.standard_normal(days)[:, None]
    play = new_play * (1 + 1.5 * wear) * life.play
    grip = new_grip * (1 + 0.4 * wear) * life.grip * load
    said = wear + wander + life.estimate
    return np.maximum(said, 0).astype(np.float32), play.astype(np.float32), grip.astype(np.float32)


def true_wear(life: Draft) -> Floats:
    """Days × joints."""
    hours = life.runtime_s()[np.minimum(np.arange(len(life.health)) * 24, life.hours - 1)] / 3600
    return np.maximum(life.new_wear + hours[:, None] / life.life_h - life.renewed, 0)


def _aged(life: Draft) -> Floats:
    hours = life.runtime_s()[np.minimum(np.arange(len(life.health)) * 24, life.hours - 1)] / 3600
    return hours / 60_000.0


def _health(life: Draft) -> Float32:
    return np.clip(0.98 - _aged(life) + life.health, 0, 1.05).astype(np.float32)


def _ohms(life: Draft) -> Float32:
    season = 1 + OHM_SEASON * np.sin(2 * np.pi * np.arange(len(life.health)) / 365)
    return (50 * (1 + 2.5 * _aged(life)) * season * life.ohms).astype(np.float32)


def _sightings(life: Draft, row: _Row) -> list[Sighting]:
    """Each serial from the first hour on in which the robot said it to the last."""
    true_us = np.sort(life.start_us + row.hour * HOUR_US)
    seen = []
    for component, serials in life.serials.items():
        ends = [life.us(hour) for hour, _ in serials[1:]] + [life.us(life.hours)]
        for (hour, serial), until_us in zip(serials, ends, strict=True):
            first, last = np.searchsorted(true_us, [life.us(hour), until_us])
            if first < last:
                times = int(true_us[first]), int(true_us[last - 1]) + LAST_WINDOW_US
                seen.append(Sighting(component=component, serial=serial, first_us=times[0], last_us=times[1]))
    return seen
