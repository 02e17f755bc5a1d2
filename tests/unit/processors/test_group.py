"""What the group has committed, and that an answer which is none is not taken for "nothing"."""

from types import SimpleNamespace

import pytest
from aiokafka.errors import CoordinatorLoadInProgressError, NotCoordinatorForGroupError

from processors import group
from processors.group import Group
from schemas.errors import RetryError
from schemas.kafka import Kafka
from schemas.topics import FRAMES


@pytest.fixture
def asking(monkeypatch):
    """Ask a group of which Kafka answers the given rows and error."""

    async def ask(rows, error_code=0):
        class Client:
            def __init__(self, bootstrap_servers):
                pass

            async def bootstrap(self):
                pass

            async def coordinator_lookup(self, kind, name):
                return 1

            async def send(self, node, request):
                return SimpleNamespace(
                    topics=[("other", [(0, 5, "", 0)]), (FRAMES.name, rows)], error_code=error_code
                )

        monkeypatch.setattr(group, "AIOKafkaClient", Client)
        asked = Group(Kafka("nowhere:9092"))
        await asked.open()
        return await asked.committed()

    return ask


async def test_it_tells_offset_and_metadata_of_partitions_with_a_commit(asking):
    assert await asking([(0, 7, "x", 0), (1, -1, "", 0)]) == {0: (7, "x")}


async def test_a_coordinator_that_cannot_tell_yet_is_not_a_group_without_commits(asking):
    for error in (NotCoordinatorForGroupError, CoordinatorLoadInProgressError):
        with pytest.raises(RetryError):
            await asking([], error.errno)


async def test_an_error_of_one_partition_is_raised_too(asking):
    with pytest.raises(RetryError):
        await asking([(0, 7, "", 0), (1, -1, "", CoordinatorLoadInProgressError.errno)])
