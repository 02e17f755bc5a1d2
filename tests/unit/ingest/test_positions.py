"""An offset that the log does not have stops the lander, and says which."""

from collections.abc import Collection

import pytest
from aiokafka import TopicPartition

from ingest.landing import Stored
from ingest.positions import Position, check_log, stored_positions, unlanded
from ingest.reject_limit import RejectLimit, RejectPolicy
from schemas.errors import ContractError
from support.frames import TIME_US, FakeRecord

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
        return dict.fromkeys(beginnings, Stored(self.end, 5))

    async def rejected_since(self, _topic: str, _partition: int, _offset: int) -> list[int]:
        return []


async def test_records_that_another_lands_meanwhile_are_no_new_topic():
    log = GrowingLog()
    assert await stored_positions(log, log, RejectLimit(RejectPolicy()), {PARTITION}) == {
        PARTITION: Position(25, 10, 5)
    }


POSITION = Position(next=25, beginning=10, last_ms=TIME_US // 1000)


def test_the_record_that_was_landed_last_is_read_again_and_left_out():
    assert POSITION.read_from == 24
    assert unlanded(PARTITION, POSITION, [FakeRecord(b"", b"", 24)]) == []
    new = FakeRecord(b"", b"", 25)
    assert unlanded(PARTITION, POSITION, [FakeRecord(b"", b"", 24), new]) == [new]


def test_where_the_last_record_is_gone_nothing_is_compared():
    assert Position(next=10, beginning=10, last_ms=5).read_from == 10
    assert Position(next=25, beginning=10, last_ms=None).read_from == 25
    compacted = [FakeRecord(b"", b"", 27, timestamp=1)]
    assert unlanded(PARTITION, POSITION, compacted) == compacted


def test_a_topic_that_was_made_anew_and_has_grown_past_the_offset_is_noticed():
    with pytest.raises(ContractError, match=r"partition 3: offset 25 .* not the one that was landed"):
        unlanded(PARTITION, POSITION, [FakeRecord(b"", b"", 24, timestamp=POSITION.last_ms + 1)])
