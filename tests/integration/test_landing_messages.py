"""What lands beside frames: vitals, late marks, health, anomalies."""

import asyncpg
import msgspec
import numpy as np
import pytest

from ingest.landing import Landed, Landing
from schemas.anomaly import AlarmState, Transition, encode_anomaly
from schemas.health import Status, encode_health
from schemas.topics import ANOMALIES, HEALTH, VITALS
from schemas.vitals import FINAL, PROVISIONAL, REPAIRED, Late, Vitals, encode_vitals
from support import messages
from support.frames import CODE, TIME_US, frame
from support.landing import frames_batch, values_batch


def _vitals(frames: int, kind: int, temperature_c: float = 30.5) -> bytes:
    vitals: Vitals = messages.vitals()
    vitals.frames, vitals.kind = np.array([frames], "<i4").tobytes(), kind
    last = np.frombuffer(vitals.statistics[0], "<f4").copy()
    last[0] = temperature_c
    vitals.statistics[0] = last.tobytes()
    return encode_vitals(vitals)


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "in two"])
@pytest.mark.parametrize(
    ("old", "new", "replaced"),
    [
        ((5, FINAL), (6, PROVISIONAL), True),
        ((5, FINAL), (4, REPAIRED), False),
        ((5, PROVISIONAL), (5, FINAL), True),
        ((5, FINAL), (5, PROVISIONAL), False),
        ((5, FINAL), (5, REPAIRED), True),
        ((5, REPAIRED), (5, FINAL), False),
        ((5, REPAIRED), (5, PROVISIONAL), False),
    ],
)
async def test_a_window_replaces_one_that_knows_less(
    landing: Landing, database: asyncpg.Connection, together: bool, old: tuple, new: tuple, replaced: bool
):
    values = [_vitals(*old, temperature_c=1), _vitals(*new, temperature_c=2)]
    if together:
        await landing.land(values_batch(VITALS.name, values))
    else:
        await landing.land(values_batch(VITALS.name, values[:1]))
        await landing.land(values_batch(VITALS.name, values[1:], first=1))
    row = await database.fetchrow("SELECT frames, kind, joint_temperature_c_last, battery_soc_last FROM vitals")
    frames, kind = new if replaced else old
    assert tuple(row) == (frames, kind, [2.0 if replaced else 1.0, None], 0.75)


async def test_late_marks_keep_the_greatest_offset_of_a_window(landing: Landing, database: asyncpg.Connection):
    def late(offset: int, reason: int = 0) -> bytes:
        mark: Late = msgspec.structs.replace(messages.LATE, offset=[offset], reason=[reason])
        return encode_vitals(mark)

    rows = "SELECT robot_id, length_us, partition, frame_offset, reason, start FROM late_window"
    await landing.land(values_batch(VITALS.name, [late(5), late(9, 1), late(7)]))
    (row,) = await database.fetch(rows)
    assert tuple(row)[:5] == (CODE, 10_000_000, 2, 9, "sequence_seen")
    assert int(row["start"].timestamp() * 1e6) == TIME_US
    await landing.land(values_batch(VITALS.name, [late(8)], first=3))
    assert (await database.fetch(rows))[0]["frame_offset"] == 9
    await landing.land(values_batch(VITALS.name, [late(10, 2)], first=4))
    assert tuple((await database.fetch(rows))[0])[3:5] == (10, "clock_ahead")


async def test_health_is_the_latest_and_its_history_is_every_one(landing: Landing, database: asyncpg.Connection):
    def health(time_us: int, status: Status) -> bytes:
        return encode_health(msgspec.structs.replace(messages.HEALTH, time_us=time_us, status=status))

    first = [health(TIME_US + 2, Status.NORMAL), health(TIME_US + 1, Status.FAILURE)]
    await landing.land(values_batch(HEALTH.name, first))
    assert await database.fetchval("SELECT status FROM health") == "NORMAL"
    await landing.land(values_batch(HEALTH.name, [health(TIME_US, Status.FAILURE)], first=2))
    assert await database.fetchval("SELECT status FROM health") == "NORMAL"
    repeat = [health(TIME_US + 2, Status.NORMAL), health(TIME_US + 2, Status.OFF_SPEC)]
    await landing.land(values_batch(HEALTH.name, repeat, first=3))
    row = await database.fetchrow("SELECT * FROM health")
    assert (row["status"], row["zone"], row["mode"], row["open_episodes"]) == ("OFF_SPEC", "D", "working", 1)
    assert msgspec.json.decode(row["components"])[0]["evidence"][0]["text"] == "too hot"
    history = await database.fetch("SELECT status FROM health_history ORDER BY time")
    assert [r["status"] for r in history] == ["FAILURE", "FAILURE", "OFF_SPEC"]


async def test_a_transition_is_one_row_and_its_episode_shows_the_latest(
    landing: Landing, database: asyncpg.Connection
):
    opened = messages.ANOMALY
    cleared = msgspec.structs.replace(
        opened, number=2, transition=Transition.CLEARED, last_us=TIME_US + 7_000_000, value=None, limit=None,
        active=False, state=AlarmState.UNACKNOWLEDGED_CLEARED, cause="limit|||M|1.0",
    )  # fmt: skip
    values = [encode_anomaly(a)[0] for a in (opened, cleared, opened)]
    assert await landing.land(values_batch(ANOMALIES.name, values)) == Landed(1)
    rows = await database.fetch("SELECT * FROM anomaly ORDER BY number")
    assert [(r["number"], r["transition"], r["value"], r["limit_value"]) for r in rows] == [
        (1, "opened", 91.5, 90.0), (2, "cleared", None, None),
    ]  # fmt: skip
    (episode,) = await database.fetch("SELECT * FROM episode")
    assert (episode["state"], episode["active"], episode["transitions"]) == ("unacknowledged_cleared", False, 2)
    assert (episode["cleared"] - episode["opened"]).total_seconds() == 7


async def test_what_people_did_about_an_episode_is_kept_and_its_last_deed_shown(
    landing: Landing, database: asyncpg.Connection
):
    acknowledged = messages.SILENT
    shelved = msgspec.structs.replace(
        acknowledged, number=4, transition=Transition.SHELVED, actor="Grace", note="spare on its way",
        state=AlarmState.SHELVED, until_us=TIME_US + 60_000_000,
    )  # fmt: skip
    adopted = msgspec.structs.replace(
        shelved, number=5, transition=Transition.ADOPTED, actor="", note="", acted_us=-1, parent="p-9"
    )
    # However they land: the row of the episode is made of all of its transitions.
    for first, anomalies in ((0, [adopted]), (1, [acknowledged, shelved]), (3, [acknowledged])):
        await landing.land(values_batch(ANOMALIES.name, [encode_anomaly(a)[0] for a in anomalies], first=first))
    rows = await database.fetch("SELECT * FROM anomaly ORDER BY number")
    assert [(r["number"], r["actor"], r["note"]) for r in rows] == [
        (3, "Ada", "seen"), (4, "Grace", "spare on its way"), (5, "", ""),
    ]  # fmt: skip
    assert (rows[0]["about"], rows[0]["baseline"], rows[0]["confidence"]) == ("data", 0.5, 0.9)
    assert (rows[0]["chattering"], rows[0]["cause"]) == (True, messages.SILENT.cause)
    assert (rows[2]["acted"], int(rows[0]["acted"].timestamp() * 1e6)) == (None, TIME_US + 7)
    (episode,) = await database.fetch("SELECT * FROM episode")
    assert (episode["state"], episode["parent"], episode["transitions"]) == ("shelved", "p-9", 5)
    assert (episode["actor"], episode["note"]) == ("Grace", "spare on its way")
    assert int(episode["shelved_until"].timestamp() * 1e6) == TIME_US + 60_000_000


async def test_a_robot_that_was_never_assessed_is_unknown_and_has_an_age(
    landing: Landing, database: asyncpg.Connection
):
    await landing.land(frames_batch(frame(), frame(seq=1, time_us=2**53 - 1)))
    state = await database.fetchrow("SELECT * FROM robot_state")
    assert (state["robot_id"], state["status"], state["model"]) == (CODE, "UNKNOWN", "MODEL1")
    assert int(state["last_seen"].timestamp() * 1e6) == TIME_US  # not that of a clock in the year 2255
    assert state["age"].total_seconds() > 0
    await landing.land(values_batch(HEALTH.name, [encode_health(messages.HEALTH)]))
    state = await database.fetchrow("SELECT status, open_episodes FROM robot_state")
    assert tuple(state) == ("OFF_SPEC", 1)
