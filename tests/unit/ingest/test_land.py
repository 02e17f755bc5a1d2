"""What the lander says of itself while its partitions are assigned anew."""

import time

from aiokafka import TopicPartition
from prometheus_client import CollectorRegistry

from ingest.land import Lander, LandSettings
from ingest.land_metrics import LandMetrics
from ingest.progress import STUCK_AFTER_S
from schemas.kafka import Kafka
from schemas.topics import FRAMES


async def test_what_waited_before_an_assignment_does_not_count_as_stuck():
    # During an outage of the database the new partitions cannot be sought: a restart would not help.
    lander = Lander(
        LandSettings(Kafka("127.0.0.1:1"), "postgresql://127.0.0.1:1/x"), LandMetrics.create(CollectorRegistry())
    )
    now_s = time.monotonic()
    lander._progress.waits(5, now_s)
    later_s = now_s + 2 * STUCK_AFTER_S
    lander._progress.turned(later_s)
    assert "nothing has landed" in (lander.stuck(later_s) or "")
    await lander.on_partitions_revoked([])
    await lander.on_partitions_assigned([TopicPartition(FRAMES.name, 0)])
    assert lander.stuck(later_s) is None
