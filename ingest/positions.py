"""Where to begin: the offsets that the database holds, checked against what Kafka still has.

In: assigned partitions. Out: the next offset of each to land. Called by `ingest/land.py` after every assignment
and whenever it was fenced. An offset that the log does not have is never jumped over silently.
"""

from collections.abc import Collection

from aiokafka import TopicPartition

from ingest.landing import Landing
from ingest.reject_limit import RejectLimit
from ingest.source import Source
from schemas.errors import ContractError


async def stored_positions(
    source: Source, landing: Landing, limit: RejectLimit, partitions: Collection[TopicPartition]
) -> dict[TopicPartition, int]:
    """The next offset to land of each partition; a partition that is new begins where its log does.

    Raises ContractError where the log does not have that offset, RetryError while a server does not answer.
    """
    beginnings = await source.beginnings(partitions)
    positions: dict[TopicPartition, int] = {}
    run = limit.policy.run
    for topic in {tp.topic for tp in partitions}:
        found = await landing.offsets(
            topic, {tp.partition: beginnings[tp] for tp in partitions if tp.topic == topic}
        )
        positions |= {TopicPartition(topic, partition): offset for partition, offset in found.items()}
        limit.seed(topic, {p: (at, await landing.rejected_since(topic, p, at - run)) for p, at in found.items()})
    # Asked last: another lander may be landing newer records, and what it has stored is never beyond a later end.
    ends = await source.ends(partitions)
    for tp, offset in positions.items():
        check_log(tp, offset, beginnings[tp], ends[tp])
    return positions


def check_log(tp: TopicPartition, stored: int, beginning: int, end: int) -> None:
    """Raises ContractError when the log from `beginning` to `end` does not have the `stored` offset."""
    where = f"{tp.topic} partition {tp.partition}"
    accept = f"to go on all the same, set its next_offset in the table landed to {beginning}"
    if stored < beginning:
        raise ContractError(
            f"{where}: offset {stored} is to be landed next, and the log begins at {beginning}: "
            f"{beginning - stored} records were deleted before they were landed; {accept}"
        )
    if stored > end:
        raise ContractError(
            f"{where}: offset {stored} is to be landed next, and the log ends at {end}: the topic was made anew, "
            f"or the database belongs to another Kafka; {accept}"
        )
