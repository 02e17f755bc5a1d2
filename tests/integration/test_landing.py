"""One transaction a batch, against a real TimescaleDB: what is stored, and what stands when anything goes wrong."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
import msgspec
import numpy as np
import pytest

from ingest.batch import Batch, make_batch
from ingest.landing import Fenced, Landed, Landing, Refused, Stored
from schemas.anomaly import AlarmState, Transition, encode_anomaly
from schemas.errors import RetryError, UnavailableError
from schemas.frame import Frame
from schemas.health import Status, encode_health
from schemas.topics import ANOMALIES, FRAMES, HEALTH, VITALS
from schemas.vitals import FINAL, PROVISIONAL, REPAIRED, Late, Vitals, encode_vitals
from support import messages
from support.frames import CODE, DOWNSAMPLED, TIME_US, FakeRecord, frame, record
from support.land import held, stopped_in_its_transaction, until

READINGS = {"joint_temperature_c": [30.1, None, 255.0], "battery_soc": 0.75}


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def landing(database_url: str) -> AsyncIterator[Landing]:
    landing = Landing(database_url)
    for topic in (FRAMES, VITALS, HEALTH, ANOMALIES):
        await landing.offsets(topic.name, {0: 0, 1: 0})
    yield landing
    await landing.close()


def _frames(*frames: Frame | bytes, first: int = 0, partition: int = 0) -> Batch:
    records = [record(f, offset=first + i, partition=partition) for i, f in enumerate(frames)]
    return make_batch(FRAMES.name, records, {partition: first})


def _values(topic: str, values: Sequence[bytes], first: int = 0) -> Batch:
    return make_batch(
        topic, [FakeRecord(b"", value, offset=first + i) for i, value in enumerate(values)], {0: first}
    )


async def _next_offset(database: asyncpg.Connection, topic: str = FRAMES.name, partition: int = 0) -> int:
    return await database.fetchval(
        "SELECT next_offset FROM landed WHERE topic = $1 AND partition = $2", topic, partition
    )


async def test_a_frame_is_a_row_with_each_value_as_it_was_sent(landing: Landing, database: asyncpg.Connection):
    sent = frame(
        READINGS, seq=5, time_us=TIME_US + 1, boot_id=2**53 - 1, scenario="µ-line", software="", cycles=None
    )
    assert await landing.land(_frames(sent)) == Landed(0)
    row = await database.fetchrow(
        "SELECT *, extract(epoch FROM time) * 1000000 AS time_us, "
        "extract(epoch FROM received) * 1000000 AS received_us FROM frame"
    )
    assert (row["robot_id"], row["seq"], row["boot_id"], row["mono_us"]) == (CODE, 5, 2**53 - 1, 5)
    assert (int(row["time_us"]), int(row["received_us"])) == (TIME_US + 1, TIME_US)
    assert (row["runtime_s"], row["energy_wh"], row["cycles"]) == (60, 2, None)
    assert (row["mode"], row["backfill"], row["scenario"], row["software"]) == (1, False, "µ-line", "")
    assert row["joint_temperature_c"] == [np.float32(30.1), None, None]
    assert row["battery_soc"] == 0.75
    assert row["joint_wear"] is None
    assert await _next_offset(database) == 1


async def test_a_frame_of_means_keeps_its_extremes_which_are_found_by_signal(
    landing: Landing, database: asyncpg.Connection
):
    await landing.land(_frames(frame(seq=1), msgspec.structs.replace(DOWNSAMPLED, seq=2)))
    plain, means = await database.fetch("SELECT * FROM frame ORDER BY seq")
    assert [plain[name] for name in ("dropped", "lowest", "highest", "extremes_layout")] == [None] * 4
    assert (means["dropped"], means["extremes_layout"]) == (12, "2:joint_temperature_c,battery_soc")
    assert (means["lowest"], means["highest"]) == ([29.5, None, 0.5], [95.25, None, 0.75])
    one = "extreme({}, extremes_layout, '{}', {})"
    asked = [one.format("lowest", "joint_temperature_c", 1), one.format("highest", "joint_temperature_c", 2)]
    asked += [one.format("lowest", "battery_soc", 0), one.format("highest", "joint_wear", 1)]
    found = await database.fetch(f"SELECT {', '.join(asked)} FROM frame ORDER BY seq")
    assert [tuple(row) for row in found] == [(None,) * 4, (29.5, None, 0.5, None)]


async def test_an_impossible_value_is_noted_and_a_new_robot_is_known(
    landing: Landing, database: asyncpg.Connection
):
    await landing.land(_frames(frame(READINGS, seq=1), frame(READINGS, seq=2, time_us=TIME_US + 1)))
    noted = await database.fetch(
        "SELECT seq, signal, joint, value, extract(epoch FROM time) * 1000000 AS us "
        "FROM impossible_reading ORDER BY seq"
    )
    assert [(r["seq"], r["signal"], r["joint"], r["value"], int(r["us"])) for r in noted] == [
        (1, "joint_temperature_c", 3, 255.0, TIME_US),
        (2, "joint_temperature_c", 3, 255.0, TIME_US + 1),
    ]
    robot = await database.fetchrow("SELECT *, extract(epoch FROM first_time) * 1000000 AS us FROM robot")
    assert (robot["robot_id"], robot["country"], robot["enterprise"], robot["model"], robot["serial"]) == (
        CODE, "ZZ", "TEST", "MODEL1", CODE[12:],
    )  # fmt: skip
    assert int(robot["us"]) == TIME_US
    await landing.land(_frames(frame(seq=3, time_us=TIME_US - 5), first=2))
    assert await database.fetchval("SELECT count(*) FROM robot WHERE first_time = $1", robot["first_time"]) == 1


async def test_a_reject_is_in_the_same_transaction_with_its_bytes(landing: Landing, database: asyncpg.Connection):
    assert await landing.land(_frames(frame(seq=0), b"\xc1\0\xff", frame(seq=1))) == Landed(0)
    row = await database.fetchrow("SELECT * FROM reject")
    assert (row["topic"], row["partition"], row["record_offset"]) == (FRAMES.name, 0, 1)
    assert (row["reason"], row["key"], row["value"]) == ("undecodable", None, b"\xc1\0\xff")
    assert await database.fetchval("SELECT count(*) FROM frame") == 2
    assert await landing.rejected_since(FRAMES.name, 0, 0) == [1]
    assert await landing.rejected_since(FRAMES.name, 0, 2) == []


async def test_what_was_produced_twice_is_stored_once(landing: Landing, database: asyncpg.Connection):
    frames = [frame(READINGS, seq=i) for i in range(4)]
    await landing.land(_frames(*frames[:2]))
    assert await landing.land(_frames(*frames, first=2)) == Landed(2)
    assert await landing.land(_frames(*frames, frames[0], first=6)) == Landed(5)
    assert await landing.land(_frames(frame(seq=9), first=11)) == Landed(0)
    assert [r["seq"] for r in await database.fetch("SELECT seq FROM frame ORDER BY seq")] == [0, 1, 2, 3, 9]
    assert await database.fetchval("SELECT count(*) FROM impossible_reading") == 4
    assert await _next_offset(database) == 12


async def test_two_boots_of_a_robot_with_a_dead_clock_are_not_one(landing: Landing, database: asyncpg.Connection):
    boots = [frame(READINGS, boot_id=boot, time_us=12_000_000) for boot in (7, 8)]
    assert await landing.land(_frames(*boots)) == Landed(0)
    assert await landing.land(_frames(*boots, first=2)) == Landed(2)
    kept = "SELECT array_agg(boot_id ORDER BY boot_id) FROM "
    assert await database.fetchval(kept + "frame") == [7, 8]
    assert await database.fetchval(kept + "impossible_reading") == [7, 8]


async def test_a_batch_that_does_not_start_where_the_offset_stands_is_fenced(
    landing: Landing, database: asyncpg.Connection
):
    both = [
        record(frame(seq=1), partition=0),
        record(frame(seq=2), partition=1),
        FakeRecord(b"", b"\xc1", offset=1),
    ]
    await database.execute("UPDATE landed SET next_offset = 7 WHERE topic = $1 AND partition = 1", FRAMES.name)
    assert await landing.land(make_batch(FRAMES.name, both, {0: 0, 1: 0})) == Fenced()
    counts = "SELECT (SELECT count(*) FROM frame), (SELECT count(*) FROM reject), (SELECT count(*) FROM robot)"
    assert tuple(await database.fetchrow(counts)) == (0, 0, 0)
    assert (await _next_offset(database), await _next_offset(database, partition=1)) == (0, 7)
    assert await landing.land(_frames(frame(seq=1))) == Landed(0)
    assert tuple(await database.fetchrow(counts)) == (1, 0, 1)


async def test_two_landers_land_a_batch_once(landing: Landing, database_url: str, database: asyncpg.Connection):
    other = Landing(database_url)
    batch = _frames(*[frame(seq=i) for i in range(50)])
    attempts = await asyncio.gather(landing.land(batch), other.land(batch))
    await other.close()
    assert {type(attempt) for attempt in attempts} == {Landed, Fenced}
    assert await database.fetchval("SELECT count(*) FROM frame") == 50
    assert await _next_offset(database) == 50


async def test_what_the_database_cannot_store_is_refused_and_nothing_is_kept(
    landing: Landing, database: asyncpg.Connection
):
    nul = msgspec.structs.replace(messages.HEALTH, scenario="a\0b")
    refused = await landing.land(_values(HEALTH.name, [encode_health(messages.HEALTH), encode_health(nul)]))
    assert isinstance(refused, Refused)
    assert await database.fetchval("SELECT count(*) FROM health") == 0
    assert await _next_offset(database, HEALTH.name) == 0
    alone = _values(HEALTH.name, [encode_health(nul)])
    assert isinstance(await landing.land(alone), Refused)
    assert await landing.land(alone.refused("invalid byte sequence")) == Landed(0)
    assert await database.fetchval("SELECT reason FROM reject") == "refused_by_database"


async def test_new_partitions_begin_where_their_log_does_and_old_ones_where_they_stand(
    landing: Landing, database: asyncpg.Connection
):
    assert await landing.offsets(FRAMES.name, {5: 40, 6: 0}) == {5: Stored(40, None), 6: Stored(0, None)}
    await database.execute("UPDATE landed SET next_offset = 50 WHERE topic = $1 AND partition = 5", FRAMES.name)
    assert await landing.offsets(FRAMES.name, {5: 45, 6: 2}) == {5: Stored(50, None), 6: Stored(0, None)}


async def test_the_time_stamp_of_the_last_record_is_kept_to_the_millisecond(landing: Landing):
    await landing.land(_frames(frame(seq=0), frame(seq=1)))
    assert await landing.offsets(FRAMES.name, {0: 0}) == {0: Stored(2, TIME_US // 1000)}


# Connections


async def _kill_sessions(database: asyncpg.Connection) -> None:
    await database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'robovitals land'"
        " AND datname = current_database()"
    )


async def test_a_connection_lost_in_a_batch_is_a_retry_and_the_next_attempt_opens_another(
    landing: Landing, database: asyncpg.Connection, database_url: str
):
    # Killed while idle, it may be found closed and opened anew before anything is lost: so kill it in its COPY.
    async with held(database_url, "frame"):
        attempt = asyncio.create_task(landing.land(_frames(frame())))
        await until(stopped_in_its_transaction(database), "the batch waits for the lock")
        await _kill_sessions(database)
        with pytest.raises(RetryError):
            await attempt
    assert await landing.land(_frames(frame())) == Landed(0)


class LostCommits(Landing):
    """A connection that is lost in a COMMIT, before the server did it or after."""

    def __init__(self, url: str, done: bool) -> None:
        super().__init__(url)
        self._done = done

    async def connect(self) -> None:
        await super().connect()
        connection = self._connection
        execute = connection.execute

        async def losing(query: str, *arguments: Any, **options: Any) -> str:
            if query != "COMMIT":
                return await execute(query, *arguments, **options)
            if self._done:
                await execute(query)
            connection.terminate()
            raise ConnectionResetError("reset by peer")

        if not hasattr(connection, "losing"):
            self._connection = _Losing(connection, losing)


class _Losing:
    """A connection with another `execute`: asyncpg's own has no place for one."""

    losing = True

    def __init__(self, connection: asyncpg.Connection, execute: Any) -> None:
        self._connection = connection
        self.execute = execute

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


async def test_a_lost_commit_that_was_done_is_found_in_the_offsets(
    landing: Landing, database_url: str, database: asyncpg.Connection
):
    losing = LostCommits(database_url, done=True)
    assert await losing.land(_frames(frame(seq=0), frame(seq=1))) == Landed(0)
    assert await _next_offset(database) == 2
    await losing.close()


async def test_a_lost_commit_that_was_not_done_is_tried_again(
    landing: Landing, database_url: str, database: asyncpg.Connection
):
    losing = LostCommits(database_url, done=False)
    with pytest.raises(RetryError, match="COMMIT"):
        await losing.land(_frames(frame(seq=0)))
    await losing.close()
    assert await _next_offset(database) == 0
    assert await landing.land(_frames(frame(seq=0))) == Landed(0)
    assert await database.fetchval("SELECT count(*) FROM frame") == 1


async def test_a_database_that_was_never_migrated_is_named(stack, database: asyncpg.Connection):
    landing = Landing(stack.database_url)
    with pytest.raises(Exception, match="`robovitals migrate`"):
        await landing.offsets(FRAMES.name, {0: 0})
    await landing.close()


async def test_a_wrong_password_stops_and_does_not_wait(database_url: str):
    user, _, place = database_url.partition("@")
    with pytest.raises(UnavailableError, match="password"):
        await Landing(f"{user.rsplit(':', 1)[0]}:wrong@{place}").connect()


# Vitals, late marks, health, anomalies


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
        await landing.land(_values(VITALS.name, values))
    else:
        await landing.land(_values(VITALS.name, values[:1]))
        await landing.land(_values(VITALS.name, values[1:], first=1))
    row = await database.fetchrow("SELECT frames, kind, joint_temperature_c_last, battery_soc_last FROM vitals")
    frames, kind = new if replaced else old
    assert tuple(row) == (frames, kind, [2.0 if replaced else 1.0, None], 0.75)


async def test_late_marks_keep_the_greatest_offset_of_a_window(landing: Landing, database: asyncpg.Connection):
    def late(offset: int, reason: int = 0) -> bytes:
        mark: Late = msgspec.structs.replace(messages.LATE, offset=[offset], reason=[reason])
        return encode_vitals(mark)

    rows = "SELECT robot_id, length_us, partition, frame_offset, reason, start FROM late_window"
    await landing.land(_values(VITALS.name, [late(5), late(9, 1), late(7)]))
    (row,) = await database.fetch(rows)
    assert tuple(row)[:5] == (CODE, 10_000_000, 2, 9, "sequence_seen")
    assert int(row["start"].timestamp() * 1e6) == TIME_US
    await landing.land(_values(VITALS.name, [late(8)], first=3))
    assert (await database.fetch(rows))[0]["frame_offset"] == 9
    await landing.land(_values(VITALS.name, [late(10, 2)], first=4))
    assert tuple((await database.fetch(rows))[0])[3:5] == (10, "clock_ahead")


async def test_health_is_the_latest_and_its_history_is_every_one(landing: Landing, database: asyncpg.Connection):
    def health(time_us: int, status: Status) -> bytes:
        return encode_health(msgspec.structs.replace(messages.HEALTH, time_us=time_us, status=status))

    first = [health(TIME_US + 2, Status.NORMAL), health(TIME_US + 1, Status.FAILURE)]
    await landing.land(_values(HEALTH.name, first))
    assert await database.fetchval("SELECT status FROM health") == "NORMAL"
    await landing.land(_values(HEALTH.name, [health(TIME_US, Status.FAILURE)], first=2))
    assert await database.fetchval("SELECT status FROM health") == "NORMAL"
    repeat = [health(TIME_US + 2, Status.NORMAL), health(TIME_US + 2, Status.OFF_SPEC)]
    await landing.land(_values(HEALTH.name, repeat, first=3))
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
    assert await landing.land(_values(ANOMALIES.name, values)) == Landed(1)
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
        await landing.land(_values(ANOMALIES.name, [encode_anomaly(a)[0] for a in anomalies], first=first))
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
    await landing.land(_frames(frame(), frame(seq=1, time_us=2**53 - 1)))
    state = await database.fetchrow("SELECT * FROM robot_state")
    assert (state["robot_id"], state["status"], state["model"]) == (CODE, "UNKNOWN", "MODEL1")
    assert int(state["last_seen"].timestamp() * 1e6) == TIME_US  # not that of a clock in the year 2255
    assert state["age"].total_seconds() > 0
    await landing.land(_values(HEALTH.name, [encode_health(messages.HEALTH)]))
    state = await database.fetchrow("SELECT status, open_episodes FROM robot_state")
    assert tuple(state) == ("OFF_SPEC", 1)
