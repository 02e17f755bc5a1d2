"""Where a partition is taken up, and when that must stop the process instead."""

import pytest

from processors.resume import taken_up
from processors.windows import Windows, step
from schemas.errors import ContractError
from schemas.watermark import Resume, to_metadata
from support.windows import RULE, START_US, S, Sent, batch

RESUME = Resume(
    before_us=START_US,
    closed_us=START_US + 12 * S,
    read_to=50,
    window_us=10 * S,
    grace_us=5 * S,
    tolerance_us=5 * S,
)
COMMITTED = (40, to_metadata(RESUME))


def begin(committed, beginning=0, end=100):
    return taken_up("telemetry.frames partition 3", committed, beginning, end, RULE)


def test_a_group_that_is_new_begins_where_the_log_does():
    assert begin(None, beginning=7) == (7, None)


def test_a_commit_is_taken_up_with_what_rides_in_it():
    assert begin(COMMITTED) == (40, RESUME)
    assert begin(COMMITTED, beginning=40, end=50) == (40, RESUME)


def test_an_offset_that_somebody_set_by_hand_begins_afresh():
    assert begin((40, "")) == (40, None)


def test_a_topic_made_anew_stops_it():
    with pytest.raises(ContractError, match="log ends at 49"):
        begin(COMMITTED, end=49)


def test_frames_deleted_before_they_were_read_stop_it():
    with pytest.raises(ContractError, match="11 records were deleted"):
        begin(COMMITTED, beginning=61)


def test_open_windows_whose_frames_were_deleted_are_left_to_the_repairer():
    offset, resume = begin(COMMITTED, beginning=50)
    assert offset == 50
    state = Windows.resumed(RULE, 3, offset, resume)
    done = step(state, batch([Sent(time_us=13 * S, seq=9), Sent(time_us=20 * S, seq=10)], offset))
    assert done.live.tolist() == [False, True]
    assert [start - START_US for late in done.lates for start in late.start_us] == [10 * S]
