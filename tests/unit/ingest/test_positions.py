"""An offset that the log does not have stops the lander, and says which."""

import pytest
from aiokafka import TopicPartition

from ingest.positions import check_log
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
