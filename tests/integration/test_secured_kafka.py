"""A Kafka that lets in only whom it knows: strangers, robots that try more than they may, quotas, revoked users."""

import asyncio
import os
import ssl
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.conn import create_conn
from aiokafka.errors import GroupAuthorizationFailedError, KafkaConnectionError, TopicAuthorizationFailedError
from aiokafka.protocol.metadata import MetadataRequest

from deploy import topics
from deploy.kafka_access import said
from deploy.kafka_quotas import Quota, quotas
from deploy.kafka_users import Admin, Role, allow, create_user, delete_user, set_quota
from deploy.local.enrol import OURS, ROBOT, enrol
from deploy.local.kafka import KafkaServer
from deploy.settings import read_settings
from ingest.access import Reason, refusal
from ingest.throttle import Throttle
from schemas.errors import StopError, UnavailableError
from schemas.frame import encode_frame
from schemas.kafka import Kafka
from schemas.topics import ACTIONS, FRAMES, HEALTH, VITALS
from support.frames import frame
from support.pipeline import pipeline
from support.secured import PASSWORD, REAUTHENTICATE_MS, WITHIN_S, Secured, producing, refused

ARRIVED = (
    "SELECT count(*) FROM frame WHERE robot_id = $1",
    "SELECT count(*) FROM vitals WHERE robot_id = $1",
    "SELECT count(*) FROM robot_state WHERE robot_id = $1 AND status IS NOT NULL",
)
"""Landed, summarised, assessed."""
PARTITION = TopicPartition(FRAMES.name, 0)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """Started once, with every topic and the users of every process."""
    home = tmp_path_factory.mktemp("secured")
    server = KafkaServer(home, read_settings().cache, secured=True, reauthenticate_ms=REAUTHENTICATE_MS)
    try:
        server.start()
        asyncio.run(topics.ensure(server.access))
        enrol(server)
        yield Secured(server)
    finally:
        server.stop()


async def reason(kafka: Kafka) -> Reason | None:
    found = await refusal(kafka)
    return found.reason if found is not None else None


async def becomes(kafka: Kafka, expected: Reason | None) -> None:
    """A change is at the controller when it is acknowledged, and at the broker a moment later."""
    async with asyncio.timeout(WITHIN_S):
        while await reason(kafka) is not expected:
            await asyncio.sleep(0.1)


async def test_whoever_is_known_comes_in_and_each_stranger_is_told_which_setting_is_wrong(
    secured: Secured, kafka: Kafka
) -> None:
    robot, bootstrap = secured.robot(), secured.kafka.bootstrap
    await becomes(robot, None)
    another = ssl.DER_cert_to_PEM_cert(ssl.create_default_context().get_ca_certs(binary_form=True)[0])
    for wrong, because, setting in (
        (secured.user("nobody"), Reason.PASSWORD, "ROBOVITALS_KAFKA_USER"),
        (secured.user(robot.user or "", "another"), Reason.PASSWORD, "ROBOVITALS_KAFKA_PASSWORD"),
        (Kafka(bootstrap, robot.user, PASSWORD, another), Reason.CERTIFICATE, "ROBOVITALS_KAFKA_CA"),
        (Kafka(bootstrap, robot.user, PASSWORD), Reason.CERTIFICATE, "ROBOVITALS_KAFKA_CA"),
        (Kafka(bootstrap), Reason.ENCRYPTED, "ROBOVITALS_KAFKA_USER"),
        (
            Kafka(kafka.bootstrap, robot.user, PASSWORD, robot.ca),
            Reason.NOT_ENCRYPTED,
            "ROBOVITALS_KAFKA_BOOTSTRAP",
        ),
        (Kafka("127.0.0.1:1", robot.user, PASSWORD), Reason.AWAY, "ROBOVITALS_KAFKA_BOOTSTRAP"),
    ):
        assert await reason(wrong) is because, wrong
        words = await said(wrong)
        assert words is not None
        assert setting in words
        assert PASSWORD not in words
        with pytest.raises(UnavailableError, match=setting):
            await topics.check(wrong)


async def test_the_controller_takes_only_who_has_the_brokers_own_key(secured: Secured) -> None:
    kept = (secured.server.log.parent.parent / "kafka" / "kept.json").read_text()
    port = int(kept.partition('"controller_port":')[2].partition(",")[0])
    for kafka in (
        Kafka(f"127.0.0.1:{port}"),
        Kafka(f"127.0.0.1:{port}", "admin", secured.kafka.password, secured.kafka.ca),
    ):
        assert await reason(kafka) is not None


async def test_a_robot_may_write_frames_and_nothing_else(secured: Secured) -> None:
    robot = secured.robot()
    async with producing(robot) as producer:
        assert await refused(producer, FRAMES.name) == "taken"
        for topic in (HEALTH, VITALS, ACTIONS):
            assert await refused(producer, topic.name) == "TopicAuthorizationFailedError"
        assert await refused(producer, FRAMES.name) == "taken"


async def test_a_robot_reads_nothing_and_joins_no_group(secured: Secured) -> None:
    robot = secured.robot()
    async with AIOKafkaConsumer(**robot.client(), auto_offset_reset="earliest") as consumer:
        consumer.assign([PARTITION])
        with pytest.raises(TopicAuthorizationFailedError):
            await asyncio.wait_for(consumer.getone(), WITHIN_S)
    consumer = AIOKafkaConsumer(FRAMES.name, **robot.client(), group_id="robovitals.land")
    with pytest.raises(GroupAuthorizationFailedError):
        await asyncio.wait_for(consumer.start(), WITHIN_S)
    await consumer.stop()


async def test_a_robot_creates_deletes_and_allows_nothing(secured: Secured) -> None:
    robot = secured.robot()
    admin = AIOKafkaAdminClient(**robot.client())
    await admin.start()
    try:
        created = await admin.create_topics([NewTopic("mine", 1, 1)])
        assert [code for _, code, *_ in created.topic_errors] == [29]  # topic authorization failed
        deleted = await admin.delete_topics([FRAMES.name])
        assert [code for _, code in deleted.topic_error_codes] == [29]
    finally:
        await admin.close()
    assert {report.name for report in await topics.check(secured.kafka) if report.partitions} >= {FRAMES.name}
    for attempt in (
        lambda: create_user(Admin(robot), "another", PASSWORD),
        lambda: allow(Admin(robot), robot.user or "", Role(reads=(FRAMES.name,))),
        lambda: quotas_of(robot),
    ):
        with pytest.raises(StopError, match=robot.user):
            await asyncio.to_thread(attempt)


def quotas_of(robot: Kafka) -> None:
    set_quota(Admin(robot), robot.user, 2**40)


async def test_what_is_taken_away_ends_at_once_on_a_connection_that_is_open(secured: Secured) -> None:
    robot = secured.robot()
    async with producing(robot) as producer:
        assert await refused(producer, FRAMES.name) == "taken"
        await asyncio.to_thread(allow, secured.admin, robot.user or "", Role())
        assert await refused(producer, FRAMES.name) == "TopicAuthorizationFailedError"


async def test_a_revoked_robots_connection_ends_and_it_does_not_come_back(secured: Secured) -> None:
    robot = secured.robot()
    arguments = robot.client()
    host, _, port = arguments.pop("bootstrap_servers").partition(":")
    connection = await create_conn(host, int(port), client_id="test", request_timeout_ms=5_000, **arguments)
    await connection.send(MetadataRequest([]))
    await asyncio.to_thread(delete_user, secured.admin, robot.user or "")
    async with asyncio.timeout(WITHIN_S):
        while connection.connected():
            with suppress(KafkaConnectionError):
                await connection.send(MetadataRequest([]))
            await asyncio.sleep(0.05)
    await becomes(robot, Reason.PASSWORD)


async def test_another_password_takes_the_place_of_the_one_before(secured: Secured) -> None:
    robot = secured.robot()
    await asyncio.to_thread(create_user, secured.admin, robot.user or "", "the next one")
    await becomes(robot, Reason.PASSWORD)
    await becomes(secured.user(robot.user or "", "the next one"), None)


async def test_what_a_user_is_allowed_is_exactly_what_was_said_last(secured: Secured) -> None:
    robot = secured.robot()
    await asyncio.to_thread(allow, secured.admin, robot.user or "", Role(writes=(HEALTH.name,)))
    async with producing(robot) as producer:
        assert await refused(producer, HEALTH.name) == "taken"
        assert await refused(producer, FRAMES.name) == "TopicAuthorizationFailedError"


async def test_a_quota_slows_down_its_robot_alone_and_the_robot_sees_it(secured: Secured) -> None:
    slow, other = secured.robot(), secured.robot()
    await asyncio.to_thread(set_quota, secured.admin, slow.user, 10_000)
    records, throttles = 0, (Throttle(), Throttle())
    async with asyncio.timeout(WITHIN_S), producing(slow, request_timeout_ms=60_000) as producer:
        throttles[0].watch(producer)
        while throttles[0].waited_ms == 0:
            await producer.send_and_wait(FRAMES.name, os.urandom(20_000), b"k")
            records += 1
    async with producing(other, request_timeout_ms=60_000) as producer:
        throttles[1].watch(producer)
        for _ in range(records):
            await producer.send_and_wait(FRAMES.name, os.urandom(20_000), b"k")
    assert throttles[1].waited_ms == 0
    assert (await asyncio.to_thread(quotas, secured.kafka))[slow.user] == Quota(10_000)
    await asyncio.to_thread(delete_user, secured.admin, slow.user or "")
    assert slow.user not in await asyncio.to_thread(quotas, secured.kafka)


async def test_everybody_has_a_quota_but_our_own_processes(secured: Secured) -> None:
    found = await asyncio.to_thread(quotas, secured.kafka)
    assert found[None] == ROBOT
    assert {found[name] for name in ("land", "summarise", "assess", "serve", "notify", "admin")} == {OURS}


async def test_a_kafka_without_users_says_that_they_would_mean_nothing(kafka: Kafka) -> None:
    with pytest.raises(StopError, match="lets in anybody"):
        await asyncio.to_thread(allow, Admin(kafka), "somebody", Role(writes=(FRAMES.name,)))


def test_what_is_secret_is_its_owners_alone_and_in_no_log(secured: Secured) -> None:
    home = secured.server.log.parent.parent
    secrets = [secured.server.access_of(name).password or "" for name in ("admin", "broker", "land", "assess")]
    for path in (path for path in home.rglob("*") if path.is_file() and "data/" not in f"{path}"):
        if any(secret in path.read_text(errors="replace") for secret in secrets):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
            assert path.name in ("secrets.json", "data.properties")
    log = secured.server.log.read_text()
    assert "storedKey" not in log
    assert not list(home.glob("kafka/new*"))
    assert "PRIVATE" not in (home / "kafka" / "security" / "ca.pem").read_text()


def test_a_home_that_was_laid_out_without_users_cannot_be_secured(tmp_path: Path) -> None:
    open_one = KafkaServer(tmp_path, read_settings().cache)
    assert open_one.access.user is None
    (tmp_path / "kafka" / "data").mkdir()
    with pytest.raises(UnavailableError, match="name another ROBOVITALS_HOME"):
        _ = KafkaServer(tmp_path, read_settings().cache, secured=True).access


def test_a_secured_home_stays_so(secured: Secured) -> None:
    home = secured.server.log.parent.parent
    assert KafkaServer(home, read_settings().cache).secured


async def test_every_process_does_its_work_with_no_more_than_it_needs(
    secured: Secured, database_url: str, tmp_path: Path
) -> None:
    """All their connections end every few seconds meanwhile, since none of them authenticates again."""
    robot, environ = secured.robot(), {"ROBOVITALS_WINDOW_S": "1", "ROBOVITALS_GRACE_S": "2"}
    with ExitStack() as processes:
        for name in ("land", "summarise", "assess", "notify", "serve"):
            (tmp_path / name).mkdir()
            user = secured.server.access_of(name)
            processes.enter_context(pipeline(tmp_path / name, user, database_url, **environ)).start(name)
        async with (
            asyncio.timeout(WITHIN_S),
            producing(robot) as producer,
            asyncpg.create_pool(database_url) as pool,
        ):
            number = 0
            while not all([await pool.fetchval(query, robot.user) for query in ARRIVED]):
                sent = frame(robot_id=robot.user, seq=number, time_us=time.time_ns() // 1000)
                await producer.send_and_wait(FRAMES.name, encode_frame(sent), (robot.user or "").encode())
                number += 1
                await asyncio.sleep(0.1)
