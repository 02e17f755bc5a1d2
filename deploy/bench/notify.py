"""How fast the notifier tells a receiver that answers at once.

In: a stand, how many episodes. Out: a report. Called by `robovitals bench notify`. Every episode is opened, and
when the receiver has all openings, ended: an opening waits for 10 s first, so its rate counts from the first that
arrives; an end waits for nothing, so its rate counts from when the first was sent.
"""

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import msgspec
from aiohttp import web
from confluent_kafka import Producer

from deploy.bench import tables, usage
from deploy.bench.fleet import Fleet
from deploy.bench.report import Line, Report
from deploy.bench.stand import Stand
from schemas.anomaly import ANOMALY_VERSION, AlarmState, Anomaly, Transition, encode_anomaly
from schemas.health import Status
from schemas.topics import ANOMALIES

CONCURRENCIES = (4, 32)
WITHIN_S = 600.0
_FILE = """
[receivers.bench]
kind = "webhook"
url = "http://127.0.0.1:{port}/hook"
secrets = ["env:BENCH_SECRET"]
concurrency = {concurrency}
allow_http = true
allow_private = true

[[routes]]
name = "all"
receivers = ["bench"]
"""
_SECRET = "whsec_" + "YmVuY2htYXJrIGJlbmNobWFyayBiZW5jaG1hcms="


@dataclass(slots=True)
class Found:
    """By concurrency, a value a round: messages a second, and µs of the notifier's CPU a message."""

    opened_a_s: dict[int, list[float]] = field(default_factory=dict)
    ended_a_s: dict[int, list[float]] = field(default_factory=dict)
    cpu_us: dict[int, list[float]] = field(default_factory=dict)


def measure(stand: Stand, episodes: int, rounds: int) -> Report:
    """Raises UnavailableError when something ends, or takes ten minutes."""
    found = Found()
    for number in range(rounds):
        for concurrency in CONCURRENCIES:
            with tables.connected(stand.endpoints.database_url) as connection:
                connection.execute("TRUNCATE delivery, delivery_attempt, told")
            _round(stand, f"{number}-{concurrency}", episodes, concurrency, found)
    return report(episodes, rounds, found)


def _round(stand: Stand, name: str, episodes: int, concurrency: int, found: Found) -> None:
    with _receiving() as receiver:
        path = stand.home / "notify.toml"
        path.write_text(_FILE.format(port=receiver.port, concurrency=concurrency), encoding="utf-8")
        notifier = stand.product("notify", ROBOVITALS_NOTIFY=str(path), BENCH_SECRET=_SECRET)
        opened = _opened(name, episodes, time.time_ns() // 1000)
        with stand.running(notifier):
            stand.wait_until_ready(notifier)
            assert notifier.process is not None
            pids = {"notify": notifier.process.pid}
            before_s = usage.cpu_s(pids)["notify"]
            _send(stand, opened)
            stand.wait_until(lambda: len(receiver.came_s) >= episodes, "every opening is told", WITHIN_S)
            openings_s = receiver.came_s[-1] - receiver.came_s[0]
            began_s = time.monotonic()
            _send(stand, [_ended(one) for one in opened])
            stand.wait_until(lambda: len(receiver.came_s) >= 2 * episodes, "every end is told", WITHIN_S)
            cpu_s = usage.cpu_s(pids)["notify"] - before_s
    found.opened_a_s.setdefault(concurrency, []).append(episodes / openings_s)
    found.ended_a_s.setdefault(concurrency, []).append(episodes / (receiver.came_s[-1] - began_s))
    found.cpu_us.setdefault(concurrency, []).append(1e6 * cpu_s / (2 * episodes))


class _Receiver:
    """When each message came."""

    def __init__(self) -> None:
        self.came_s: list[float] = []
        self.port = 0
        self.loop = asyncio.new_event_loop()

    async def start(self) -> None:
        application = web.Application()
        application.router.add_post("/hook", self._take)
        self.runner = web.AppRunner(application)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.port = self.runner.addresses[0][1]

    async def _take(self, request: web.Request) -> web.Response:
        await request.read()
        self.came_s.append(time.monotonic())
        return web.Response()


@contextmanager
def _receiving() -> Iterator[_Receiver]:
    """In a thread of its own."""
    receiver = _Receiver()
    receiver.loop.run_until_complete(receiver.start())
    thread = threading.Thread(target=receiver.loop.run_forever, name="receiver", daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        asyncio.run_coroutine_threadsafe(receiver.runner.cleanup(), receiver.loop).result(10)
        receiver.loop.call_soon_threadsafe(receiver.loop.stop)
        thread.join()
        receiver.loop.close()


def _send(stand: Stand, anomalies: Sequence[Anomaly]) -> None:
    producer = Producer({**stand.endpoints.kafka.librdkafka(), "partitioner": "murmur2_random", "acks": "all"})
    for anomaly in anomalies:
        producer.produce(ANOMALIES.name, encode_anomaly(anomaly)[0], anomaly.robot_id)
        producer.poll(0)
    producer.flush(30)


def _opened(name: str, episodes: int, now_us: int) -> list[Anomaly]:
    """Each of another robot."""
    fleet = Fleet(episodes, now_us, 1.0)
    return [_anomaly(fleet.frame(number).robot_id, f"bench-{name}-{number}", now_us) for number in range(episodes)]


def _anomaly(code: str, episode_id: str, now_us: int) -> Anomaly:
    return Anomaly(
        v=ANOMALY_VERSION, robot_id=code, episode_id=episode_id, episode=1, number=1,
        transition=Transition.OPENED, rule="limit",
        rule_version=1, component="joint/3", signal="joint_temperature_c", status=Status.OFF_SPEC, value=96.0,
        unit="°C", limit=90.0, first_us=now_us, last_us=now_us, count=1, live=True, software="bench",
        scenario="bench", text="Joint 3 temperature is 96 °C, above its alarm limit of 90 °C.",
        cause="limit|||bench|bench",
    )  # fmt: skip


def _ended(opened: Anomaly) -> Anomaly:
    return msgspec.structs.replace(
        opened, number=2, transition=Transition.CLEARED, active=False, state=AlarmState.UNACKNOWLEDGED_CLEARED
    )


def report(episodes: int, rounds: int, found: Found) -> Report:
    sections = {
        f"a webhook with {concurrency} messages under way at a time": [
            Line(
                f"opened_a_s_{concurrency}", "openings a second, once they are due", found.opened_a_s[concurrency]
            ),
            Line(f"ended_a_s_{concurrency}", "ends a second, from Kafka", found.ended_a_s[concurrency]),
            Line(f"cpu_us_{concurrency}", "µs of the notifier's CPU a message", found.cpu_us[concurrency]),
        ]
        for concurrency in CONCURRENCIES
    }
    what = (
        f"{episodes} episodes, each opened and ended, told to a webhook that answers at once, one message each; "
        f"{rounds} rounds. Broker, database, notifier and receiver on this machine."
    )
    return Report("notify", what, sections)
