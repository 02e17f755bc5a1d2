"""An offset that the log does not have stops the lander, and says which."""

from collections.abc import Collection

import pytest
from aiokafka import TopicPartition

from ingest.positions import check_log, stored_positions
from ingest.reject_limit import RejectLimit, RejectPolicy
from schemas.errors import ContractError

PARTITION = TopicPartition("telemetry.frames", 3)


@pytest.mark.parametrize("stored", [10, 15, 20])
def test_an_offset_within_the_log_is_good(stored: int):
    check_log(PARTITION, stored, beginning=10, end=20)


def test_records_that_were_deleted_before_they_landed_are_counted():
    with pytest.raises(
        ContractError, match=r"telemetry.frames partition 3: offset 9 .* begins at 12: 3 records were"
    ):
        check_log(PARTITION, 9, beginning=12, end=20)


def test_a_topic_that_was_made_anew_is_noticed():
    with pytest.raises(ContractError, match=r"telemetry.frames partition 3: offset 21 .* ends at 20"):
        check_log(PARTITION, 21, beginning=10, end=20)


class GrowingLog:
    """Kafka and the database while another lander lands: reading the stored offset finds five records more."""

    end = 20

    async def beginnings(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 10)

    async def ends(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, self.end)

    async def offsets(self, _topic: str, beginnings: dict[int, int]) -> dict[int, int]:
        self.end += 5
        return dict.fromkeys(beginnings, self.end)

    async def rejected_since(self, _topic: str, _partition: int, _offset: int) -> list[int]:
        return []


async def test_records_that_another_lands_meanwhile_are_no_new_topic():
    log = GrowingLog()
    assert await stored_positions(log, log, RejectLimit(RejectPolicy()), {PARTITION}) == {PARTITION: 25}
