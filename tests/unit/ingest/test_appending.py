"""Entries as they were sent become records of their logbooks: when each was received."""

import pytest

from ingest.appending import Sent, append_all
from schemas.chain import CLOCK_US, Book
from schemas.entry import Submission
from support.logbooks import PLATFORM, PLATFORMS, ROBOT, START_US, short

NOW_US = START_US


@pytest.mark.parametrize(
    ("broker_us", "floor_us", "received_us"),
    [
        (NOW_US - 5, 0, NOW_US - 5),
        (NOW_US + CLOCK_US, 0, NOW_US + CLOCK_US),
        (NOW_US + CLOCK_US + 1, 0, NOW_US),
        (NOW_US - 5, NOW_US + 7, NOW_US + 7),
    ],
    ids=["as the broker says", "clocks differ", "the broker's clock is far ahead", "behind a checkpoint"],
)
def test_an_entry_was_received_when_the_broker_had_it_but_never_in_the_future(broker_us, floor_us, received_us):
    signed = short().records[0].signed
    sent = [Sent((0, 0), broker_us, Submission(signed=signed))]
    done = append_all(sent, {ROBOT: Book(robot_id=ROBOT, platforms=PLATFORMS)}, {}, floor_us, NOW_US, PLATFORM)
    assert [record.link.received_us for record in done.records] == [received_us]
