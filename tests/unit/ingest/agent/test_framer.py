"""Readings become frames: boot, sequence, event times, and the agent's own signals."""

import itertools

from ingest.agent.config import Config
from ingest.agent.framer import Framer
from ingest.agent.reading import Reading, read_mapping
from schemas.frame import Frame, Readings
from schemas.layout import parse_layout
from support.frames import CODE

NOW_US = 1_800_000_000_000_000
SECOND_US = 1_000_000
OWN: Readings = {"spool_used": 0.25}


def reading(soc: float, **fields: object) -> Reading:
    return read_mapping({"battery_soc": soc}, Config(), fields)


def made(framer: Framer, seconds: list[float], soc: float = 0.5) -> list[Frame]:
    """Readings at these seconds, by both clocks alike."""
    frames = []
    for at in seconds:
        at_us = round(at * SECOND_US)
        frames += framer.take(reading(soc), NOW_US + at_us, at_us, OWN, 3).frames
    return frames


def framer(**config: object) -> Framer:
    boots = itertools.count(100)
    return Framer(Config(**config), CODE, lambda: next(boots))  # type: ignore[arg-type]


def test_a_frame_has_boot_sequence_own_signals_and_drops() -> None:
    first, second = made(framer(scenario="classroom"), [0.5, 1.5, 2.5])
    assert (first.boot_id, first.seq, second.boot_id, second.seq) == (100, 0, 100, 1)
    assert first.time_us < second.time_us
    assert (first.robot_id, first.scenario, first.dropped, first.flags) == (CODE, "classroom", 3, 0)
    assert parse_layout(first.layout).signals == ("battery_soc", "spool_used")


def test_what_comes_faster_than_the_rate_is_summed_up_with_its_extremes() -> None:
    framing = framer(rate_hz=1.0)
    frames = []
    for step in range(20):
        at_us = step * 100_000
        frames += framing.take(reading(step / 100), NOW_US + at_us, at_us, OWN, 0).frames
    frames += framing.flush(0)
    assert len(frames) == 2
    assert all(frame.extremes is not None for frame in frames)


def test_a_period_that_is_over_comes_though_nothing_follows() -> None:
    framing = framer()
    assert made(framing, [0.25]) == []
    assert framing.due(900_000, 0) == []
    assert len(framing.due(1_000_000, 0)) == 1
    assert framing.flush(0) == []


def test_a_clock_that_goes_far_back_begins_a_new_boot_and_the_old_one_loses_nothing() -> None:
    framing = framer()
    framing.take(reading(0.5), NOW_US, 0, OWN, 0)
    after = framing.take(reading(0.6), NOW_US - 3600 * SECOND_US, 100_000, OWN, 0)
    assert after.jumped_us < -3_500 * SECOND_US
    assert [(frame.boot_id, frame.seq) for frame in after.frames] == [(100, 0)]
    assert [(frame.boot_id, frame.seq, frame.time_us < NOW_US) for frame in framing.flush(0)] == [(101, 0, True)]


def test_a_source_that_knows_when_it_measured_is_believed_but_never_ahead_nor_backwards() -> None:
    framing, times = framer(), []
    for at, told_us in enumerate([NOW_US - 500, NOW_US - 900, NOW_US + 60 * SECOND_US]):
        framing.take(reading(0.5, time_us=told_us), NOW_US + at * SECOND_US, at * SECOND_US, OWN, 0)
        times += [frame.time_us for frame in framing.flush(0)]
    assert times == [NOW_US - 500, NOW_US - 499, NOW_US + 2 * SECOND_US]


HOUR_S = 3600.0
PARTS = {"joint/1": "A", "battery": "B"}


def told(framing: Framer, at_s: float, parts: dict[str, str] | None = None) -> list[dict[str, str] | None]:
    """What the frames tell of parts that this reading and a flush after it make."""
    at_us = round(at_s * SECOND_US)
    fields = {} if parts is None else {"parts": parts}
    framing.take(reading(0.5, **fields), NOW_US + at_us, at_us, OWN, 0)
    return [frame.parts for frame in framing.flush(0)]


def test_parts_are_told_at_boot_once_an_hour_and_when_one_is_another() -> None:
    framing, other = framer(), PARTS | {"battery": "C"}
    assert told(framing, 0) == [None]
    assert told(framing, 1, PARTS) == [PARTS]
    assert told(framing, 2, PARTS) == told(framing, 3) == [None]
    assert told(framing, HOUR_S) == [None]
    assert told(framing, HOUR_S + 1) == [PARTS]
    assert told(framing, HOUR_S + 2, other) == [other]
    assert told(framing, 2 * HOUR_S + 1) == [None]
    assert told(framing, 2 * HOUR_S + 2) == [other]


def test_a_new_boot_tells_its_parts_again() -> None:
    framing = framer()
    assert told(framing, 1, PARTS) == [PARTS]
    framing.take(reading(0.5), NOW_US - 3600 * SECOND_US, 2_000_000, OWN, 0)
    assert [(frame.boot_id, frame.parts) for frame in framing.flush(0)] == [(101, PARTS)]
