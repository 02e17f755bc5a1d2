"""The notifier on a real Kafka and a real database, and receivers that verify what they get."""

import asyncio
import time
from pathlib import Path

import asyncpg
import msgspec
from aiohttp import web

from schemas.anomaly import FLEET, AlarmState, Transition
from schemas.kafka import Kafka
from schemas.robot_code import make_code
from serve import deliveries as log
from support.anomalies import SECRET, adopted, anomaly, changed
from support.notifying import Listening, config_of, episode, hook, listening, notifying, publish
from support.pipeline import Pipeline

_FILE = """
[receivers.hook]
kind = "webhook"
url = "{url}"
secrets = ["{secret}"]
allow_http = true
allow_private = true
[[routes]]
receivers = ["hook"]
"""


async def test_what_people_do_and_the_end_reach_the_receiver_in_order_and_verified(
    topics: Kafka, database_url: str
) -> None:
    async with listening() as at, notifying(topics, database_url, config_of(hook(at))):
        await publish(topics, [anomaly()])
        await at.until(lambda: len(at.seen) == 1)
        follows = [
            anomaly(Transition.ACKNOWLEDGED, 2, actor="Ada", note="on my way"),
            anomaly(Transition.SHELVED, 3, actor="Ada"),
            anomaly(Transition.CLEARED, 4, state=AlarmState.SHELVED),
        ]
        await publish(topics, [*follows, *follows])
        await at.until(lambda: len(at.seen) == 4)
    assert at.transitions == ["opened", "acknowledged", "shelved", "cleared"]
    assert at.seen[1].data["data"]["actor"] == "Ada"
    assert len({one.id for one in at.seen}) == 4


async def test_a_flood_of_a_thousand_robots_calls_once(topics: Kafka, database_url: str) -> None:
    codes = [make_code("ZZ", "TEST", "MODEL1", f"{number}") for number in range(1000)]
    openings = [anomaly(code=code, episode_id=f"ep-{code}") for code in codes]
    parent = anomaly(
        robot_id=FLEET, episode_id="parent", component=FLEET, rule="fleet", cause="", text="1000 robots are hot."
    )
    async with listening() as at, notifying(topics, database_url, config_of(hook(at))) as metrics:
        await publish(topics, openings)
        await publish(topics, [parent])
        await publish(topics, [adopted(2, code=code, episode_id=f"ep-{code}") for code in codes])
        await at.until(lambda: len(at.seen) == 1)
        await publish(
            topics, [anomaly(Transition.CLEARED, 3, code=c, episode_id=f"ep-{c}", parent="parent") for c in codes]
        )
        await publish(topics, [changed(parent, number=2, transition=Transition.CLEARED, active=False)])
        await at.until(lambda: len(at.seen) == 2)
        assert metrics.taken_back._value.get() == 1000
    assert [one.data["data"]["episode_id"] for one in at.seen] == ["parent", "parent"]


async def test_a_slow_receiver_delays_only_itself(topics: Kafka, database_url: str) -> None:
    released = asyncio.Event()

    async def slowly() -> web.Response:
        await released.wait()
        return web.Response()

    async with listening() as slow, listening() as fast:
        slow.answer = slowly
        config = config_of(hook(slow, "slow"), hook(fast, "fast"))
        async with notifying(topics, database_url, config):
            await publish(topics, [episode(n) for n in range(20)])
            await fast.until(lambda: len(fast.seen) == 20)
            assert slow.seen == []
            assert slow.requests <= 4, "as many as its concurrency"
            released.set()
            await slow.until(lambda: len(slow.seen) == 20)


def test_killed_in_the_middle_of_a_webhook_the_receiver_gets_it_again_with_the_same_id(
    topics: Kafka, database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "notify.toml"
    pipeline = Pipeline(tmp_path, topics, database_url, ROBOVITALS_NOTIFY=str(file), ROBOVITALS_INSTANCE="test")

    async def scene() -> tuple[list[str], Listening]:
        ids: list[str] = []
        async with listening() as at:
            file.write_text(_FILE.format(url=at.url, secret=SECRET))
            arrived, never = asyncio.Event(), asyncio.Event()

            async def stuck() -> web.Response:
                arrived.set()
                await never.wait()
                return web.Response()

            at.answer = stuck
            await asyncio.to_thread(pipeline.start, "notify")
            await publish(topics, [episode(1)])
            await arrived.wait()
            connection = await asyncpg.connect(database_url)
            ids.append(await connection.fetchval("SELECT message_id FROM delivery WHERE state = 'sending'"))
            pipeline.kill("notify")
            at.answer = at.ok
            await asyncio.to_thread(pipeline.start, "notify")
            await at.until(lambda: len(at.seen) == 1)
            ids.append(at.seen[0].id)
            never.set()
            await connection.close()
            return ids, at

    try:
        ids, at = asyncio.run(scene())
        assert ids[0] == ids[1]
        assert at.requests == 2
        listed = msgspec.json.decode(pipeline.command("deliveries", "--json").stdout)
        assert [(one["state"], one["attempts"]) for one in listed] == [("delivered", 2)]
        shown = pipeline.command("deliveries", "show", str(listed[0]["id"]))
        assert "under way, or ended in the middle" in shown.stdout
        assert SECRET not in pipeline.log("notify") + pipeline.metrics("notify") + shown.stdout
        assert pipeline.stop() == {"notify": 0}
    finally:
        pipeline.end()


async def test_a_test_is_sent_by_the_notifier_and_a_replay_has_the_id_that_it_had(
    topics: Kafka, database_url: str
) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        async with listening() as at, notifying(topics, database_url, config_of(hook(at))):
            while not await log.receivers(connection):
                await asyncio.sleep(0.05)
            id = await log.request_test(connection, "hook", "Ada", time.time_ns() // 1000)
            await at.until(lambda: len(at.seen) == 1)
            assert at.seen[0].data["data"]["test"] is True
            while not (tried := [a for a in await log.attempts(connection, id) if a.code]):
                await asyncio.sleep(0.05)
            assert (tried[0].code, tried[0].answer) == (200, "thank you")
            assert await log.replay(connection, [id]) == 1
            await at.until(lambda: len(at.seen) == 2)
            assert at.seen[0].id == at.seen[1].id
    finally:
        await connection.close()


async def test_two_notifiers_share_the_work_and_send_each_event_once(topics: Kafka, database_url: str) -> None:
    async with listening() as at:
        config = config_of(hook(at))
        async with notifying(topics, database_url, config), notifying(topics, database_url, config):
            await publish(topics, [episode(n, code=make_code("ZZ", "TEST", "MODEL1", f"{n}")) for n in range(60)])
            await at.until(lambda: len(at.seen) == 60)
            await publish(
                topics,
                [anomaly(Transition.CLEARED, 2, episode_id="ep-0", code=make_code("ZZ", "TEST", "MODEL1", "0"))],
            )
            await at.until(lambda: "cleared" in at.transitions)
    assert len(at.seen) == 61
    assert len({one.id for one in at.seen}) == 61


async def test_while_the_database_is_away_the_notifier_waits_and_then_tells(
    topics: Kafka, database_url: str
) -> None:
    admin = await asyncpg.connect(database_url.rpartition("/")[0] + "/postgres")
    name = database_url.rpartition("/")[2]
    try:
        async with listening() as at, notifying(topics, database_url, config_of(hook(at))):
            await publish(topics, [episode(1)])
            await at.until(lambda: len(at.seen) == 1)
            await admin.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
            await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
            await publish(topics, [changed(episode(1), number=2, transition=Transition.CLEARED, active=False)])
            await admin.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')
            await at.until(lambda: len(at.seen) == 2)
    finally:
        await admin.close()
    assert at.transitions == ["opened", "cleared"]
