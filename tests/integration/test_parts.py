"""What robots tell of their parts, as the lander leaves it in a real database."""

import asyncpg
import pytest

from ingest import part_rows
from ingest.landing import Landed, Landing
from support.frames import CODE, TIME_US, frame
from support.landing import frames_batch

HOUR_US = 3_600_000_000


def told(hour: int, **parts: str):
    """A frame of that hour; joints by their numbers."""
    named = {component.replace("joint", "joint/"): serial for component, serial in parts.items()}
    return frame(seq=hour + 100, time_us=TIME_US + hour * HOUR_US, parts=named or None)


async def seen(database: asyncpg.Connection, component: str = "joint/1") -> list[tuple[str, int, int]]:
    rows = await database.fetch(
        "SELECT serial, (extract(epoch FROM first) * 1000000)::bigint AS first,"
        " (extract(epoch FROM last) * 1000000)::bigint AS last"
        " FROM part_seen WHERE robot_id = $1 AND component = $2 ORDER BY first",
        CODE, component,
    )  # fmt: skip
    return [(r["serial"], (r["first"] - TIME_US) // HOUR_US, (r["last"] - TIME_US) // HOUR_US) for r in rows]


async def test_a_part_is_seen_from_its_first_report_until_its_last_and_another_begins_a_row(landing, database):
    await landing.land(frames_batch(told(-9, joint1="A", battery="X"), told(-8), told(-7, joint1="A", battery="X")))
    await landing.land(frames_batch(told(-6, joint1="B", battery="X"), told(-5, joint1="B", battery="X"), first=3))
    assert await seen(database) == [("A", -9, -7), ("B", -6, -5)]
    assert await seen(database, "battery") == [("X", -9, -5)]


async def test_what_comes_late_finds_its_place_and_a_replay_changes_nothing(landing, database):
    early = [told(hour, joint1="A") for hour in (-20, -19, -10, -9)]
    late = [told(-15, joint1="B"), told(-14, joint1="B"), told(-11, joint1="A"), told(-21, joint1="A")]
    await landing.land(frames_batch(*early))
    await landing.land(frames_batch(*late, first=4))
    expected = [("A", -21, -19), ("B", -15, -14), ("A", -11, -9)]
    assert await seen(database) == expected
    rows = await database.fetch("SELECT *, xmin FROM part_seen ORDER BY first")
    assert await landing.land(frames_batch(*late, *early, first=8)) == Landed(8)
    assert await seen(database) == expected
    assert await database.fetch("SELECT *, xmin FROM part_seen ORDER BY first") == rows


async def test_what_a_fenced_lander_had_heard_is_not_kept(landing: Landing, database, database_url):
    await landing.land(frames_batch(told(-9, joint1="A")))
    await landing.land(frames_batch(told(-8, joint1="B")))  # a span that is landed already
    assert await seen(database) == [("A", -9, -9)]


async def test_a_robot_that_tells_of_ever_other_parts_fills_no_disk(
    landing, database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(part_rows, "MOST_RUNS", 4)
    frames = [told(hour, joint1=f"S{hour}") for hour in range(-30, -20)]
    for at, one in enumerate(frames):
        await landing.land(frames_batch(one, first=at))
    assert len(await seen(database)) == 4
    await landing.land(frames_batch(told(-19, joint1="S-27"), first=len(frames)))
    assert (await seen(database))[-1] == ("S-27", -27, -19)
