"""The page under load: how soon it can be used, how long it blocks, how late it hears, how much memory it takes.

In: a stand, a fleet whose judgement changes once a second for every robot, and clients that listen. Out: a report.
Called by `robovitals bench page`. Health and anomalies are put on their topics directly: what is measured is what
comes after them. The browser is Debian's Chromium, on the same cores as everything else.
"""

import asyncio
import math
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta

import asyncpg
import numpy as np
from confluent_kafka import Producer

from deploy.bench import usage
from deploy.bench.browser import Browsed, browse
from deploy.bench.fleet import Fleet
from deploy.bench.listeners import Listeners
from deploy.bench.report import Goal, Line, Report
from deploy.bench.stand import Stand
from deploy.local import ports
from schemas.anomaly import ANOMALY_VERSION, Anomaly, Transition, encode_anomaly
from schemas.health import HEALTH_VERSION, ComponentHealth, Health, Status, Zone, encode_health
from schemas.kafka import Kafka
from schemas.topics import ANOMALIES, HEALTH
from serve import credentials
from serve.credentials import LINK_FOR
from serve.people import Role
from serve.routes.stream import MOST_A_PERSON

PROBE_EVERY_S = 0.25
COMPONENTS = 31
STATES = ((Status.NORMAL, Zone.A), (Status.MAINTENANCE_REQUIRED, Zone.C))


@dataclass(slots=True)
class Found:
    """What was measured."""

    browsed: Browsed
    took_s: list[float]
    missing: int
    stream_bytes_a_s: float
    cpu_cores: dict[str, float] = field(default_factory=dict)
    resident_mib: dict[str, float] = field(default_factory=dict)
    sent_a_s: float = 0.0


def measure(stand: Stand, robots: int, clients: int, seconds: float, rounds: int) -> Report:
    """Raises UnavailableError when there is no browser, or something ends."""
    codes = _codes(robots)
    now_us = time.time_ns() // 1000
    asyncio.run(_fill(stand.endpoints.database_url, codes, now_us))
    port = ports.choose()
    server = stand.product("serve", arguments=("--port", str(port)))
    with stand.running(server):
        stand.wait_until_ready(server)
        assert server.process is not None
        pids = {**stand.server_pids, "serve": server.process.pid}
        url = f"http://127.0.0.1:{port}"
        found = asyncio.run(_measure(stand, url, codes, clients, seconds, rounds, pids))
    return report(robots, clients, seconds, found)


async def _measure(
    stand: Stand, url: str, codes: list[str], clients: int, seconds: float, rounds: int, pids: usage.Pids
) -> Found:
    connection = await asyncpg.connect(stand.endpoints.database_url)
    # A person may have only so many pages open, so the clients are of several.
    tokens = [
        await credentials.give(connection, "token", f"bench {number}", Role.VIEWER, None, timedelta(days=1))
        for number in range(math.ceil(clients / MOST_A_PERSON))
    ]
    link = await credentials.give(connection, "link", "bench", Role.VIEWER, None, LINK_FOR)
    await connection.close()
    listeners = Listeners(url, tokens, clients)
    load = Load(stand.endpoints.kafka, codes, listeners.sent_s)
    await listeners.start()
    load.start()
    try:
        await asyncio.sleep(3)
        before, began_s, sent = usage.cpu_s(pids), time.monotonic(), load.sent
        received = listeners.received_bytes
        browsed = await browse(url, link, seconds, rounds)
        took_s = time.monotonic() - began_s
        after = usage.cpu_s(pids)
        found = Found(
            browsed=browsed,
            took_s=[],
            missing=0,
            stream_bytes_a_s=(listeners.received_bytes - received) / took_s / max(1, clients),
            cpu_cores={name: (after[name] - before[name]) / took_s for name in pids},
            resident_mib={name: size / 2**20 for name, size in usage.resident_bytes(pids).items()},
            sent_a_s=(load.sent - sent) / took_s,
        )
    finally:
        load.stop()
    await asyncio.sleep(3)
    found.took_s, found.missing = listeners.took_s, listeners.missing
    await listeners.stop()
    return found


class Load:
    """A thread that judges every robot once a second, differently each time, and tells a probe now and then."""

    def __init__(self, kafka: Kafka, codes: list[str], sent_s: dict[int, float]) -> None:
        self._producer = Producer(
            {**kafka.librdkafka(), "linger.ms": 5, "partitioner": "murmur2_random", "acks": "all",
             "queue.buffering.max.messages": 1_000_000}
        )  # fmt: skip
        now_us = time.time_ns() // 1000
        self._keys = [code.encode() for code in codes]
        self._values = [[_health(code, now_us, *state) for code in codes] for state in STATES]
        self._codes = codes
        self._sent_s = sent_s
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        self.sent = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        self._thread.join()
        self._producer.flush(10)

    def _run(self) -> None:
        slices = 20
        began_s, turn, probe_s, probe = time.monotonic(), 0, 0.0, 0
        while not self._ending.wait(max(0.0, began_s + turn / slices - time.monotonic())):
            values = self._values[turn // slices % len(STATES)]
            for number in range(turn % slices, len(values), slices):
                self._produce(HEALTH.name, values[number], self._keys[number])
                self.sent += 1
            if time.monotonic() - probe_s >= PROBE_EVERY_S:
                probe_s = time.monotonic()
                self._sent_s[probe] = probe_s
                self._produce(ANOMALIES.name, _probe(probe, self._codes[probe % len(self._codes)]), None)
                probe += 1
            self._producer.poll(0)
            turn += 1

    def _produce(self, topic: str, value: bytes, key: bytes | None) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key)
            except BufferError:
                self._producer.poll(0.05)
            else:
                return


def report(robots: int, clients: int, seconds: float, found: Found) -> Report:
    browsed = found.browsed
    sections = {
        "the fleet's page in Chromium": [
            Line("usable_s", "s until it can be used, with its grid drawn", browsed.usable_s, Goal(at_most=2)),
            Line("longest_task_ms", "ms the longest task after that", browsed.longest_task_ms, Goal(at_most=50)),
            Line("tasks_over_50_ms", "tasks over 50 ms after that", [len(browsed.long_tasks_ms)]),
            Line("heap_mib", "MiB JavaScript heap, collected", browsed.heap_mib, Goal(at_most=200)),
            Line("heap_growth_mib", "MiB it grew, last against first", browsed.heap_growth_mib),
        ],
        f"the stream, with {clients} clients": [
            Line("sse_p50_s", "s from Kafka's producer to a client, p50", _percentile(found.took_s, 50)),
            Line("sse_p99_s", "the same, p99", _percentile(found.took_s, 99), Goal(at_most=1)),
            Line("sse_max_s", "the same, the slowest", _percentile(found.took_s, 100)),
            Line("sse_missing", "probes that a client did not hear", [found.missing], Goal(at_most=0)),
            Line("health_a_s", "judgements a second, sent", [found.sent_a_s]),
            Line("kib_a_s_a_client", "KiB a second a client", [found.stream_bytes_a_s / 1024]),
        ],
        "cores taken, and MiB resident": [
            *(Line(f"{name}_cores", f"{name}, cores", [cores]) for name, cores in found.cpu_cores.items()),
            *(Line(f"{name}_mib", f"{name}, MiB", [size]) for name, size in found.resident_mib.items()),
        ],
    }
    what = (
        f"{robots} robots, each judged differently once a second; {clients} clients of the live stream and one "
        f"Chromium, {seconds:.0f} s; broker, database, server, clients and browser on this machine."
    )
    return Report("page", what, sections)


def _percentile(took_s: list[float], percent: float) -> list[float]:
    return [float(np.percentile(took_s, percent))] if took_s else []


def _codes(robots: int) -> list[str]:
    fleet = Fleet(robots, time.time_ns() // 1000, 1.0)
    return [fleet.frame(number).robot_id for number in range(robots)]


async def _fill(database_url: str, codes: list[str], now_us: int) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("INSERT INTO robot (robot_id, first_time) SELECT unnest($1::text[]), now()", codes)
        await connection.execute(
            "INSERT INTO health (robot_id, time, last_seen, received, status, zone, mode, software, scenario, "
            "open_episodes, components) SELECT unnest($1::text[]), now(), now(), now(), 'NORMAL', 'A', 'working', "
            "'bench', 'bench', 0, '[]'",
            codes,
        )
    finally:
        await connection.close()


def _health(code: str, now_us: int, status: Status, zone: Zone) -> bytes:
    """As large as a humanoid's."""
    components = [
        ComponentHealth(component=f"joint/{number}", status=status, zone=zone) for number in range(1, COMPONENTS)
    ]
    return encode_health(
        Health(
            v=HEALTH_VERSION, robot_id=code, time_us=now_us, last_seen_us=now_us, received_us=now_us, status=status,
            zone=zone, mode="working", software="bench", scenario="bench", components=components, open_episodes=0,
        )
    )  # fmt: skip


def _probe(number: int, code: str) -> bytes:
    now_us = time.time_ns() // 1000
    anomaly = Anomaly(
        v=ANOMALY_VERSION, robot_id=code, episode_id=f"probe-{number}", episode=1, number=1,
        transition=Transition.OPENED, rule="limit", rule_version=1, component="joint/3",
        signal="joint_temperature_c", status=Status.OFF_SPEC, value=96.0, unit="°C", limit=90.0, first_us=now_us,
        last_us=now_us, count=1, live=True, software="bench", scenario="bench", text="a probe",
        cause="limit|||bench|bench",
    )  # fmt: skip
    return encode_anomaly(anomaly)[0]
