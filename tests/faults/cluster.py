"""Three brokers in place of one, each of which can be killed while the others go on.

In: a home and the cache. Out: `Trio`, a `Servers` whose Kafka is a cluster of three, with every topic on all of
them. Called by `python -m faults` for the faults that move a partition's leader.
"""

import asyncio
import time
from pathlib import Path
from random import Random

from deploy.local import ports
from deploy.local.kafka import KafkaServer, Kept, _new_cluster
from deploy.local.servers import Servers
from faults.kills import Over
from faults.progress import PROCESSES
from faults.world import World
from schemas.kafka import Kafka

BROKERS = 3
IN_SYNC_AFTER_S = 6.0

# Read after the properties of a single node, of which they replace some.
_CLUSTERED = """
node.id={number}
controller.quorum.voters={voters}
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
share.coordinator.state.topic.replication.factor=3
share.coordinator.state.topic.min.isr=2
"""


class _Node(KafkaServer):
    def __init__(self, home: Path, cache: Path, number: int, all_kept: list[Kept]) -> None:
        super().__init__(home / f"broker-{number}", cache)
        self._directory.mkdir(parents=True, exist_ok=True)
        self._kept = all_kept[number - 1]
        voters = ",".join(f"{n}@127.0.0.1:{kept.controller_port}" for n, kept in enumerate(all_kept, 1))
        self._clustered = _CLUSTERED.format(number=number, voters=voters)

    def _write_properties(self, config: Kept, directory: str) -> str:
        name = super()._write_properties(config, directory)
        with (self._directory / name).open("a") as file:
            file.write(self._clustered)
        return name


class _Cluster:
    def __init__(self, home: Path, cache: Path) -> None:
        cluster, chosen = _new_cluster(), set[int]()
        while len(chosen) < 2 * BROKERS:
            chosen.add(ports.choose())
        pairs = list(chosen)
        kept = [Kept(pairs[2 * n], pairs[2 * n + 1], cluster) for n in range(BROKERS)]
        self.nodes = [_Node(home, cache, number, kept) for number in range(1, BROKERS + 1)]

    @property
    def access(self) -> Kafka:
        return Kafka(",".join(node.access.bootstrap for node in self.nodes))

    def start(self) -> None:
        """None of them is up before most of them are."""
        for node in self.nodes:
            node.launch()
        for node in self.nodes:
            node.wait_until_up()

    def stop(self) -> None:
        for node in self.nodes:
            node.kill()


class Trio(Servers):
    """`servers.kafka.nodes` are the brokers."""

    replication = BROKERS

    def __init__(self, home: Path, cache: Path) -> None:
        super().__init__(home, cache)
        self.kafka = _Cluster(home, cache)


async def leader_moved(world: World, chance: Random) -> Over:
    """One of three is killed, and what it led gets another leader. It comes back before the next is killed."""
    assert isinstance(world.servers, Trio)
    nodes = world.servers.kafka.nodes
    for node in nodes:
        if node.process is not None and node.process.poll() is not None:
            await asyncio.to_thread(node.start)
            await asyncio.sleep(IN_SYNC_AFTER_S)
    await asyncio.to_thread(chance.choice(nodes).kill)
    return PROCESSES, time.monotonic()
