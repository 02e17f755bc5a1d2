"""Faust, set up so that its traps are closed: the app of the assessor, and tables that say when they are durable.

In: where Kafka is, a directory for local state, the name of this replica. Out: an app that creates nothing of its
own, serves no web, and commits only what was acknowledged by hand. Called by `processors/assess.py`.
"""

import asyncio
import logging
from pathlib import Path
from typing import Any

import faust
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaConnectionError
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer
from mode import CrashingSupervisor
from mode.threads import WorkerThread

from schemas.errors import UnavailableError
from schemas.kafka import MECHANISM, Kafka
from schemas.topics import (
    ACTIONS,
    ANOMALIES,
    ASSESSOR_APP,
    EPISODE_CHANGELOG,
    GROUP_STATE,
    HEALTH,
    MAX_STATE_BYTES,
    SHARD_CHANGELOG,
    VITALS,
    Topic,
)

TOPICS = (VITALS, ACTIONS, HEALTH, ANOMALIES, SHARD_CHANGELOG, EPISODE_CHANGELOG, GROUP_STATE)

# A worker that died without a word is missed after this time; one that comes back under its name is not missed.
SESSION_TIMEOUT_S = 10.0

# Vitals are up to 1 MB and states up to 8 MB: buffers counted in messages have to be short.
_BUFFERED_EVENTS = 64
_BUFFERED_CHANGES = 32

# A fetch leaves out partitions of which something is still buffered: what comes for these waits until it is over,
# and with 1.5 s, as Faust has it, that is what many a crossing took.
_FETCH_WAIT_MS = 25

# RocksDB for each partition of each table; Faust's defaults are a cache of 2 GB and buffers of 192 MB each.
_ROCKSDB = {
    "block_cache_size": 8 * 1024**2,
    "write_buffer_size": 8 * 1024**2,
    "max_write_buffer_number": 2,
    "target_file_size_base": 16 * 1024**2,
    "max_open_files": 64,
}


class DurableTable(faust.Table):  # type: ignore[misc]
    """A table of packed bytes by packed keys. Faust only logs a failed write of a changelog: `durable` raises.

    It is read and written by partition, and by `read` and `write` alone: not as a dictionary.
    """

    def __init__(self, app: faust.App, name: str) -> None:
        super().__init__(
            app,
            name=name,
            key_type=bytes,
            value_type=bytes,
            recovery_buffer_size=_BUFFERED_CHANGES,
            options=dict(_ROCKSDB),
        )
        self._unconfirmed: list[Any] = []

    def read(self, partition: int, key: bytes) -> bytes | None:
        """What is kept under a key of a partition.

        Faust takes the partition from the event at hand; here messages of many partitions are handled together.
        """
        packed: bytes | None = self.data._db_for_partition(partition).get(key)
        return packed

    def write(self, partition: int, key: bytes, value: bytes) -> None:
        """Keep it here, and begin to write it to the changelog."""
        self._unconfirmed.append(self.send_changelog(partition, key, value))
        self.data._db_for_partition(partition).put(key, value)

    async def durable(self) -> None:
        """Wait until the broker has all that was written."""
        unconfirmed, self._unconfirmed = self._unconfirmed, []
        await asyncio.gather(*unconfirmed)


class _DaemonThread(WorkerThread):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.daemon = True


class _ConsumerThread(AIOKafkaConsumerThread):  # type: ignore[misc]
    """Faust's, but one that does not keep the process alive when it does not end, and fetches more often."""

    Worker = _DaemonThread

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = _FETCH_WAIT_MS
        return consumer


# Two ways in which Faust loses messages when a worker has restored its tables (faust-streaming issue #596). That
# nothing is lost in a third one, `Assess` checks by the offsets.


class ExactConsumer(Consumer):  # type: ignore[misc]
    """A consumer that fetches from no partition that is paused.

    Faust hands its live set of active partitions to the fetching thread. The set is empty for the moment between
    the changelogs and the streams, and to aiokafka an empty set means all: the streams' first messages are fetched
    and thrown away.
    """

    def _new_consumer_thread(self) -> Any:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _getmany(self, active_partitions: set[Any] | None, timeout: float) -> Any:
        return await super()._getmany(active_partitions and set(active_partitions), timeout)


class KeptTopic(faust.Topic):  # type: ignore[misc]
    """A topic whose fetched messages stay until they are handled.

    Faust seeks, then throws away what lies in its queue: also what was fetched after the seek. What is left over
    from before a rebalance the stream leaves out anyhow, by its generation.
    """

    @property
    def queue(self) -> Any:
        """The buffer between fetching and handling."""
        if self._queue is None:
            size: int = self.app.conf.stream_buffer_maxsize
            self._queue: Any = self.app.FlowControlQueue(maxsize=size, clear_on_resume=False)
        return self._queue


def broker(kafka: Kafka) -> dict[str, Any]:
    """Where Kafka is, and who we are there, as Faust's settings."""
    settings: dict[str, Any] = {"broker": [f"aiokafka://{server.strip()}" for server in kafka.bootstrap.split(",")]}
    if kafka.user is not None:
        settings["broker_credentials"] = faust.SASLCredentials(
            username=kafka.user, password=kafka.password, mechanism=MECHANISM, ssl_context=kafka.tls()
        )
    return settings


def make_app(kafka: Kafka, directory: Path, instance: str | None) -> faust.App:
    """The app. Topics and changelogs exist already (`deploy/topics.py`)."""
    for name in ("faust", "mode", __name__):  # a service of Faust logs under its own module's name
        logging.getLogger(name).setLevel(logging.WARNING)
    directory.mkdir(parents=True, exist_ok=True)
    app = faust.App(
        ASSESSOR_APP,
        **broker(kafka),
        autodiscover=False,
        web_enabled=False,
        datadir=str(directory),
        store="rocksdb://",
        key_serializer="raw",
        value_serializer="raw",
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        agent_supervisor=CrashingSupervisor,
        broker_session_timeout=SESSION_TIMEOUT_S,
        broker_heartbeat_interval=SESSION_TIMEOUT_S / 4,
        broker_request_timeout=30.0,
        broker_rebalance_timeout=30.0,
        broker_commit_interval=1.0,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=f"{ASSESSOR_APP}.{instance}" if instance else None,
        producer_acks=-1,
        producer_compression_type="zstd",  # aiokafka runs lz4 at level 9: a state takes eight times as long
        producer_max_request_size=MAX_STATE_BYTES,
        producer_request_timeout=30.0,
        stream_buffer_maxsize=_BUFFERED_EVENTS,
    )
    app.transport.Consumer = ExactConsumer
    return app


async def check_topics(kafka: Kafka) -> None:
    """Faust waits for ever for a topic that is missing. Raises UnavailableError for one, or for no broker."""
    consumer = AIOKafkaConsumer(**kafka.client(), client_id=f"{ASSESSOR_APP}.check")
    try:
        await consumer.start()
        missing = {topic.name for topic in TOPICS} - await consumer.topics()
    except KafkaConnectionError:
        raise UnavailableError(f"no Kafka answers at {kafka}: `robovitals doctor`") from None
    finally:
        await consumer.stop()
    if missing:
        raise UnavailableError(kafka.without(missing))


def bytes_topic(app: faust.App, topic: Topic) -> Any:
    """A topic that Faust hands through as it is."""
    return KeptTopic(
        app,
        topics=[topic.name],
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        allow_empty=True,
    )
