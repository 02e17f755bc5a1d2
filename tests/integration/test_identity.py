"""A robot may only speak for itself: against a real Kafka, a real TimescaleDB and the real processes."""

import asyncio
import time
import tomllib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from deploy import cli, robot_keys, settings
from deploy.seal_master import create_master, master_file, read_master
from ingest.batch import make_batch
from ingest.landing import Landed, Landing, Replayed
from ingest.sealed import MOST_KEPT, MOST_KEPT_BYTES, REPLAY_AFTER_US, UNKNOWN
from schemas.errors import SettingError
from schemas.frame import encode_frame
from schemas.kafka import Kafka
from schemas.keyring import EVERY_MAKER, TAKES_EFFECT_S, Keyring, PolicyChange
from schemas.robot_code import RobotCode, make_code
from schemas.seal import HEADER, derive_key, seal
from schemas.topics import FRAMES
from support.frames import CODE, TIME_US, FakeRecord, frame, record, sealed
from support.land import WITHIN_S, until
from support.pipeline import Pipeline, pipeline

MASTER = bytes(range(32))
KEY = derive_key(MASTER, CODE, 1)
OTHER = make_code("ZZ", "TEST", "MODEL1", "2")
LATE_MS = (TIME_US + REPLAY_AFTER_US) // 1000 + 1
ALL = "INSERT INTO seal_policy VALUES ('*', to_timestamp(0), $1, 'test')"
EVENTS = "SELECT robot_id, reason, refused, records FROM security_event ORDER BY robot_id, reason, refused"


@pytest.fixture
async def landing(database_url: str) -> AsyncIterator[Landing]:
    landing = Landing(database_url)
    await landing.offsets(FRAMES.name, {0: 0})
    yield landing
    await landing.close()


def keyring(policy: str = "require") -> Keyring:
    made = Keyring(MASTER)
    made.learn([PolicyChange(EVERY_MAKER, 0, policy)], [])
    return made


async def events(database: asyncpg.Connection) -> list[tuple]:
    return [tuple(row) for row in await database.fetch(EVENTS)]


async def test_a_flood_under_known_and_invented_codes_is_a_row_each_and_one(landing, database):
    await landing.land(make_batch(FRAMES.name, [sealed(frame(), KEY)], {0: 0}, keyring()))
    invented = [make_code("ZZ", "TEST", "MODEL9", f"{i}") for i in range(300)]
    for first in (1, 602):
        records = [record(frame(robot_id=c), offset=first + i) for i, c in enumerate(invented)]
        records += [record(frame(), offset=first + 300 + i) for i in range(301)]
        batch = make_batch(FRAMES.name, records, {0: first}, keyring())
        assert await landing.land(batch) == Landed(0)
    assert await events(database) == [(CODE, "seal_missing", True, 602), (UNKNOWN, "seal_missing", True, 600)]
    row = await database.fetchrow("SELECT first_offset, last_offset FROM security_event WHERE robot_id = $1", CODE)
    assert tuple(row) == (301, 1202)
    assert await database.fetchval("SELECT count(*) FROM reject") == 1202


async def test_of_a_flood_of_forged_frames_the_first_of_a_day_are_kept_and_all_are_counted(landing, database):
    known = "INSERT INTO robot_credential (robot_id, key_version, created_by) VALUES ($1, 1, '')"
    await database.execute(known, CODE)
    half = MOST_KEPT // 2 + 10
    for first in (0, 3 * half):
        records = [record(frame(), offset=first + i) for i in range(half)]
        records += [record(frame(robot_id=OTHER), offset=first + half + i) for i in range(half)]
        records += [FakeRecord(CODE.encode(), b"\x91", offset=first + 2 * half + i) for i in range(half)]
        batch = make_batch(FRAMES.name, records, {0: first}, keyring())
        assert await landing.land(batch) == Landed(0)
    big = FakeRecord(CODE.encode(), bytes(3 * MOST_KEPT_BYTES), offset=6 * half, timestamp=LATE_MS + 86_400_000)
    assert await landing.land(make_batch(FRAMES.name, [big], {0: 6 * half}, keyring())) == Landed(0)
    counted = "SELECT key, count(*), max(length(value)) FROM reject GROUP BY key"
    kept = {key.decode(): (count, longest) for key, count, longest in await database.fetch(counted)}
    assert kept[OTHER][0] == MOST_KEPT
    assert kept[CODE] == (MOST_KEPT + 1, MOST_KEPT_BYTES)
    events = await database.fetch("SELECT robot_id, sum(records)::int FROM security_event GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in events] == [(CODE, 4 * half + 1), (UNKNOWN, 2 * half)]
    cut = await database.fetchval("SELECT detail FROM reject ORDER BY record_offset DESC LIMIT 1")
    assert cut.endswith("(cut: the value has 49152 bytes)")


async def test_a_copy_long_after_is_a_reject_and_the_row_stays_as_it_was(landing, database):
    first = sealed(frame(seq=1), KEY, offset=0)
    await landing.land(make_batch(FRAMES.name, [first], {0: 0}, keyring()))
    before = await database.fetchrow("SELECT * FROM frame")
    copies = [
        sealed(frame(seq=1), KEY, sealed_us=TIME_US, timestamp=LATE_MS, offset=1),
        sealed(frame(seq=1), KEY, sealed_us=TIME_US + 1, timestamp=LATE_MS, offset=2),  # the agent's own retry
        sealed(frame(seq=2, time_us=TIME_US + 5), KEY, timestamp=LATE_MS, offset=3),
    ]
    batch = make_batch(FRAMES.name, copies, {0: 1}, keyring())
    attempt = await landing.land(batch)
    assert isinstance(attempt, Replayed)
    assert set(attempt.found) == {(0, 1)}
    assert await landing.land(batch.with_replays(attempt.found)) == Landed(1)
    assert await database.fetchrow("SELECT * FROM frame WHERE seq = 1") == before
    rejects = await database.fetch("SELECT record_offset, reason, seal FROM reject")
    assert [tuple(r) for r in rejects] == [(1, "seal_replayed", copies[0].headers[0][1])]
    assert await events(database) == [(CODE, "seal_replayed", True, 1)]
    assert await database.fetchval("SELECT next_offset FROM landed WHERE topic = $1", FRAMES.name) == 4


async def test_under_warn_a_copy_is_only_noted(landing, database):
    await landing.land(make_batch(FRAMES.name, [sealed(frame(), KEY)], {0: 0}, keyring("warn")))
    batch = make_batch(FRAMES.name, [sealed(frame(), KEY, sealed_us=0, timestamp=LATE_MS, offset=1)], {0: 1},
                       keyring("warn"))  # fmt: skip
    attempt = await landing.land(batch)
    assert isinstance(attempt, Replayed)
    assert await landing.land(batch.with_replays(attempt.found)) == Landed(1)
    assert await events(database) == [(CODE, "seal_replayed", False, 1)]
    assert await database.fetchval("SELECT count(*) FROM reject") == 0


async def test_of_what_is_twice_in_one_batch_the_first_is_the_row_and_a_late_copy_a_replay(landing, database):
    records = [
        sealed(frame(), KEY, sealed_us=TIME_US, timestamp=LATE_MS, offset=1),
        sealed(frame(), KEY, sealed_us=TIME_US, offset=2),
    ]
    batch = make_batch(FRAMES.name, records, {0: 0}, keyring())
    attempt = await landing.land(batch)
    assert isinstance(attempt, Replayed)
    assert set(attempt.found) == {(0, 1)}
    assert await landing.land(batch.with_replays(attempt.found)) == Landed(0)
    assert await database.fetchval("SELECT extract(epoch FROM received) * 1000000 FROM frame") == TIME_US


async def test_reading_everything_again_makes_no_replays(landing, database):
    records = [sealed(frame(seq=i), KEY, sealed_us=0, offset=i, timestamp=TIME_US // 1000 + i) for i in range(5)]
    await landing.land(make_batch(FRAMES.name, records, {0: 0}, keyring()))
    await database.execute("UPDATE landed SET next_offset = 0")
    assert await landing.land(make_batch(FRAMES.name, records, {0: 0}, keyring())) == Landed(5)
    assert await events(database) == []


class Robot:
    """Sends frames with the credentials of a file, or as somebody else would."""

    def __init__(self, producer: AIOKafkaProducer, credentials: Path) -> None:
        self._producer = producer
        given = tomllib.loads(credentials.read_text())
        self.code, self.key, self.version = given["robot_id"], given["seal_key"], given["seal_key_version"]
        self.seq = 0

    async def send(self, code: str | None = None, is_sealed: bool = True, celsius: float = 30.0) -> None:
        now_us, self.seq = time.time_ns() // 1000, self.seq + 1
        of = frame({"joint_temperature_c": [celsius]}, robot_id=code or self.code, seq=self.seq, time_us=now_us,
                   boot_id=int(self.version))  # fmt: skip
        value = encode_frame(of)
        header = seal(bytes.fromhex(self.key), self.version, of.robot_id, now_us, value)
        await self._producer.send_and_wait(
            FRAMES.name, value, key=of.robot_id.encode(), headers=[(HEADER, header)] if is_sealed else None
        )


@pytest.fixture
def environ(tmp_path: Path, topics: Kafka, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(settings.HOME, str(tmp_path))
    monkeypatch.setenv(settings.KAFKA_BOOTSTRAP, topics.bootstrap)
    monkeypatch.setenv(settings.DATABASE_URL, database_url)
    monkeypatch.delenv(settings.SEAL_MASTER, raising=False)
    return tmp_path


@pytest.fixture
async def producer(topics: Kafka) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(**topics.client(), enable_idempotence=True) as producer:
        yield producer


async def command(*arguments: str) -> int:
    """In a thread: it runs a loop of its own."""
    return await asyncio.to_thread(cli.main, ["robot", *arguments])


@pytest.fixture
def running(environ: Path, topics: Kafka, database_url: str):
    assert cli.main(["robot", "master"]) == 0
    with pipeline(environ, topics, database_url, ROBOVITALS_WINDOW_S="1", ROBOVITALS_GRACE_S="1",
                  ROBOVITALS_CLOCK_TOLERANCE_S="1") as made:  # fmt: skip
        yield made


async def test_whoever_is_not_the_robot_gets_nowhere_and_the_robot_is_not_disturbed(
    running: Pipeline, environ: Path, producer: AIOKafkaProducer, database: asyncpg.Connection, capsys
):
    for code, name in ((CODE, "ours.toml"), (OTHER, "other.toml")):
        assert await command("register", code, "--out", str(environ / name)) == 0
    await database.execute(ALL, "require")
    running.start("land")
    running.start("summarise")
    ours, other = Robot(producer, environ / "ours.toml"), Robot(producer, environ / "other.toml")
    for _ in range(5):
        await ours.send()
        await ours.send(is_sealed=False, celsius=120.0)
        await other.send(code=CODE, celsius=120.0)
        await other.send()
    assert await command("revoke", OTHER) == 0
    deadline_s = time.monotonic() + WITHIN_S
    while ("seal_old_key",) not in [
        tuple(row) for row in await database.fetch("SELECT DISTINCT reason FROM reject")
    ]:
        assert time.monotonic() < deadline_s
        await other.send()
        await asyncio.sleep(0.2)
    sent_by_ours = "SELECT count(*) FROM frame WHERE robot_id = $1"
    assert await database.fetchval(sent_by_ours, CODE) == 5
    assert await database.fetchval("SELECT max(joint_temperature_c[1]) FROM frame") == 30.0
    counted = dict(await database.fetch("SELECT reason, count(*) FROM reject GROUP BY 1"))
    assert (counted["seal_missing"], counted["seal_wrong"]) == (5, 5)
    assert counted.keys() == {"seal_missing", "seal_wrong", "seal_old_key"}
    found = {row[:3]: row[3] for row in await events(database)}
    assert found[CODE, "seal_missing", True] == found[CODE, "seal_wrong", True] == 5
    assert found[OTHER, "seal_old_key", True] == counted["seal_old_key"]
    await _vitals_agree(running, database)
    capsys.readouterr()
    assert await command("list", OTHER) == 0
    listed = capsys.readouterr().out
    assert "revoked" in listed
    assert "used since" in listed
    _nothing_secret_is_told(running, environ, [ours.key, other.key])


async def _vitals_agree(running: Pipeline, database: asyncpg.Connection) -> None:
    """The lander lands what the summariser told, and it is what the rows say."""

    async def agree() -> bool:
        rows = await database.fetch("SELECT robot_id, count(*) FROM frame GROUP BY 1 ORDER BY 1")
        vitals = await database.fetch("SELECT robot_id, sum(frames)::bigint FROM vitals GROUP BY 1 ORDER BY 1")
        late = await database.fetchval("SELECT count(*) FROM late_window")
        return not late and [tuple(r) for r in rows] == [tuple(v) for v in vitals]

    await until(agree, "vitals are of the rows, and of nothing else")
    assert await database.fetchval("SELECT max(joint_temperature_c_max[1]) FROM vitals") == 30.0


def _nothing_secret_is_told(running: Pipeline, home: Path, keys: list[str]) -> None:
    """Neither robots' keys nor the master are in any file but their own, or on any metrics page."""
    own = {"seal_master", "ours.toml", "other.toml"}
    secrets = [*keys, (home / "seal_master").read_text().strip()]
    for path in home.rglob("*"):
        if path.is_file() and path.name not in own:
            content = path.read_bytes()
            assert not any(secret.encode() in content or bytes.fromhex(secret) in content for secret in secrets), (
                path
            )
    for name in ("land", "summarise"):
        assert not any(secret in running.metrics(name) for secret in secrets)


async def test_a_new_key_and_the_one_before_are_both_good_while_they_overlap(
    running: Pipeline, environ: Path, producer: AIOKafkaProducer, database: asyncpg.Connection
):
    assert await command("register", CODE, "--out", str(environ / "ours.toml")) == 0
    assert await command("rotate", CODE, "--out", str(environ / "other.toml")) == 0
    await database.execute(ALL, "require")
    running.start("land")
    old, new = Robot(producer, environ / "ours.toml"), Robot(producer, environ / "other.toml")
    assert (old.version, new.version) == (1, 2)
    for number, robot in enumerate((old, new), 1):
        await robot.send()
        landed = "SELECT count(*) = $1 FROM frame"
        await until(partial(database.fetchval, landed, number), "it has landed")
    used = await database.fetch("SELECT key_version FROM robot_credential WHERE used IS NOT NULL ORDER BY 1")
    assert [row[0] for row in used] == [1, 2]


async def test_a_policy_without_a_master_key_stops_who_cannot_verify(
    environ: Path, topics: Kafka, database_url: str, database: asyncpg.Connection, capsys
):
    assert await command("policy", "require") == 2
    assert "robovitals robot master" in capsys.readouterr().err
    with pipeline(environ, topics, database_url) as running:
        running.start("land")
        await database.execute(ALL, "require")
        assert await asyncio.to_thread(running.wait, "land") == 1
        assert "there is no master key to verify them with: set ROBOVITALS_SEAL_MASTER" in running.log("land")


async def test_another_master_key_than_the_databases_stops_whoever_has_it_until_it_is_adopted(
    environ: Path, topics: Kafka, database_url: str, database: asyncpg.Connection, capsys
):
    assert await command("master") == 0
    assert await command("register", CODE, "--out", str(environ / "ours.toml")) == 0
    (kept,) = await database.fetchrow("SELECT fingerprint FROM seal_master")
    master = (environ / "seal_master").read_text()
    assert kept.hex() not in master
    (environ / "seal_master").unlink()
    assert await command("master") == 0
    assert await command("register", OTHER, "--out", str(environ / "other.toml")) == 1
    assert "is not the one that this database's robots' keys follow from" in capsys.readouterr().err
    assert not (environ / "other.toml").exists()
    with pipeline(environ, topics, database_url) as running:
        for name in ("land", "summarise"):
            with pytest.raises(AssertionError, match="does not get ready"):
                await asyncio.to_thread(running.start, name)
            assert "give land, summarise and `robovitals robot` the same file" in running.log(name)
        assert await command("master", "--adopt") == 0
        await asyncio.to_thread(running.start, "land")


async def test_credentials_are_for_their_owner_and_written_once(environ: Path, capsys):
    assert await command("register", CODE) == 2
    assert "robovitals robot master" in capsys.readouterr().err
    assert await command("master") == 0
    assert await command("master") == 2
    out = environ / "robots"
    codes = environ / "codes.txt"
    codes.write_text(f"{CODE}\n\n{OTHER}\n{CODE}\n")
    assert await command("register", "--from", str(codes)) == 2
    assert await command("register", "--from", str(codes), "--out", str(out)) == 0
    files = sorted(out.iterdir())
    assert [file.name for file in files] == sorted([f"{CODE}.toml", f"{OTHER}.toml"])
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    given = tomllib.loads((out / f"{CODE}.toml").read_text())
    master = bytes.fromhex((environ / "seal_master").read_text())
    assert given["robot_id"] == CODE
    assert given["seal_key"] == derive_key(master, CODE, 1).hex()
    assert given["seal_key_version"] == 1
    assert await command("register", CODE) == 2
    assert "has a key already" in capsys.readouterr().err
    assert await command("rotate", CODE, "--out", str(files[0])) == 2
    assert await command("revoke", CODE) == 0
    assert await command("revoke", CODE) == 2
    assert await command("register", CODE, "--out", str(environ / "again.toml")) == 0
    assert tomllib.loads((environ / "again.toml").read_text())["seal_key_version"] == 2


async def test_what_holds_for_a_maker_is_told_and_changed_by_command(environ: Path, database, capsys):
    assert await command("master") == 0
    assert await command("policy") == 0
    assert await command("policy", "warn", "--maker", "test") == 0
    assert await command("policy", "require", "--maker", "TEST!") == 2
    said = capsys.readouterr()
    assert "off" in said.out
    since = await database.fetchval("SELECT since FROM seal_policy WHERE maker = 'TEST' AND policy = 'warn'")
    assert since > datetime.now(UTC)
    assert "TEST warn" in said.out


def test_a_master_key_that_others_can_read_or_that_is_none_is_refused(tmp_path: Path):
    chosen = settings.read_settings({settings.HOME: str(tmp_path)})
    path = master_file(chosen, {})
    assert read_master(chosen, {}) is None
    create_master(path)
    assert read_master(chosen, {}) == bytes.fromhex(path.read_text())
    path.chmod(0o640)
    with pytest.raises(SettingError, match="chmod 600"):
        read_master(chosen, {})
    path.chmod(0o600)
    path.write_text("5ec7e7")
    with pytest.raises(SettingError) as caught:
        read_master(chosen, {})
    assert "5ec7e7" not in str(caught.value)
    with pytest.raises(SettingError, match="No such file"):
        read_master(chosen, {settings.SEAL_MASTER: str(tmp_path / "nowhere")})


async def test_a_change_holds_from_after_it_was_made_however_long_its_transaction_waited(database):
    told = []

    async def make_user(name: str) -> None:
        told.append(await database.fetchval("SELECT clock_timestamp()"))

    code, effect = RobotCode(CODE), timedelta(seconds=TAKES_EFFECT_S)
    await robot_keys.give(database, code, "test", None)
    assert await robot_keys.replace(database, code, timedelta(0), "test", make_user) == 2
    ends = "SELECT ends FROM robot_credential WHERE key_version = $1"
    assert await database.fetchval(ends, 1) >= told[0] + effect
    assert await database.fetchval(ends, 2) is None
    async with database.transaction():
        began = await database.fetchval("SELECT now()")
        await robot_keys.set_policy(database, EVERY_MAKER, "warn", "test")
        assert await robot_keys.revoke(database, code, "test") == [1, 2]
    assert await database.fetchval("SELECT since FROM seal_policy") > began + effect
    assert await database.fetchval(ends, 2) > began + effect
