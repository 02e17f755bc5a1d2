"""Every topic: its name, key, partitions, retention, and the time stamps and sizes it allows.

`deploy/topics.py` creates and checks them; every producer and consumer takes the names from here. Frames and
vitals have the same number of partitions, since a shard's vitals travel on the partition of its frames.
"""

import zlib

import msgspec

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

DEFAULT_PARTITIONS = 8
SHARDS_PER_PARTITION = 16

MAX_RECORD_BYTES = 1024 * 1024
MAX_STATE_BYTES = 16 * 1024 * 1024


class Topic(msgspec.Struct, frozen=True):
    """`key` says what a record's key is; `per_fleet` topics have the fleet's number of partitions, others one."""

    name: str
    key: str
    text: str
    per_fleet: bool = True
    compacted: bool = False
    retention_ms: int = -1
    max_message_bytes: int = MAX_RECORD_BYTES
    log_append_time: bool = False

    def config(self) -> dict[str, str]:
        """The topic's settings as Kafka names them."""
        return {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "retention.ms": str(self.retention_ms),
            "max.message.bytes": str(self.max_message_bytes),
            "message.timestamp.type": "LogAppendTime" if self.log_append_time else "CreateTime",
        }


FRAMES = Topic(
    "telemetry.frames",
    "robot code",
    "frames as robots publish them",
    retention_ms=3 * DAY_MS,
    log_append_time=True,
)
VITALS = Topic(
    "telemetry.vitals",
    "shard",
    "windows of shards, crossings, late marks, pulses, actions",
    retention_ms=3 * DAY_MS,
)
REJECTS = Topic(
    "telemetry.rejects", "robot code or nothing", "what could not be used, with its original bytes",
    per_fleet=False, retention_ms=7 * DAY_MS,
)  # fmt: skip
HEALTH = Topic("fleet.health", "robot code", "the latest health of each robot", compacted=True)
ANOMALIES = Topic(
    "fleet.anomalies", "robot code, or fleet", "one transition of one episode each", retention_ms=30 * DAY_MS
)
# Not kept for longer than a group that is away keeps its offsets (7 days): what was done must not be done again.
ACTIONS = Topic(
    "fleet.actions",
    "robot code, or fleet",
    "what operators do about episodes",
    retention_ms=3 * DAY_MS,
    log_append_time=True,
)

# What stands behind an entry's commitments travels with it, so this bounds how soon it can be erased: 14 days, and
# the 7 until Kafka closes a segment, are within the month that the GDPR's article 12 allows. An author waits for
# his entry to be there, so nothing but a lander that is away for long needs more.
LOGBOOK = Topic(
    "fleet.logbook",
    "robot code",
    "entries of robots' logbooks, as their authors sign them",
    retention_ms=14 * DAY_MS,
    log_append_time=True,
)
CHECKPOINTS = Topic(
    "fleet.checkpoints",
    "nothing",
    "what every logbook held at one moment, signed by the platform; kept for ever",
    per_fleet=False,
)

# Faust's changelogs: created by us, compacted and with room for a shard's state, before Faust makes its own.
ASSESSOR_APP = "robovitals.assess"
SHARD_TABLE = "shards"
EPISODE_TABLE = "episodes"
SHARD_CHANGELOG = Topic(
    f"{ASSESSOR_APP}-{SHARD_TABLE}-changelog", "shard", "state of the detectors",
    compacted=True, max_message_bytes=MAX_STATE_BYTES,
)  # fmt: skip
EPISODE_CHANGELOG = Topic(
    f"{ASSESSOR_APP}-{EPISODE_TABLE}-changelog", "robot code", "episodes of a robot",
    compacted=True, max_message_bytes=MAX_STATE_BYTES,
)  # fmt: skip

# What the grouping of episodes keeps: one partition, since it sees the whole fleet.
GROUP_STATE = Topic(
    "robovitals.groups", "episode or head", "episodes, their parents, and how far they were read",
    per_fleet=False, compacted=True,
)  # fmt: skip

TOPICS: tuple[Topic, ...] = (
    FRAMES, VITALS, REJECTS, HEALTH, ANOMALIES, ACTIONS, LOGBOOK, CHECKPOINTS, SHARD_CHANGELOG,
    EPISODE_CHANGELOG, GROUP_STATE,
)  # fmt: skip


def shard_of(robot_code: str) -> int:
    """The shard of a robot within its partition: a residue of a stable hash (CRC-32) of its code."""
    return zlib.crc32(robot_code.encode()) % SHARDS_PER_PARTITION


def shard_key(partition: int, shard: int) -> bytes:
    """The key of a shard's messages and of its state."""
    return f"{partition}/{shard}".encode()
