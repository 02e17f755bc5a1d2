"""Windows: where a commit goes back to, and what a restart makes of it, also by another rule."""

import dataclasses

import msgspec

from processors.windows import Windows
from schemas.vitals import Late
from support.windows import RULE, SPREAD_RULE, START_US, Run, S, Sent, found, run, seconds


def test_a_commit_goes_back_to_the_first_frame_of_the_oldest_open_window():
    running = run(*seconds(0, 1, 14, 21, 22))
    offset, resume = running.state.checkpoint()
    assert offset == 2
    assert resume.before_us == START_US + S
    assert resume.closed_us == START_US + 22 * S
    assert resume.read_to == 5


def test_a_window_that_was_emitted_before_a_restart_is_not_emitted_again_from_what_is_read_again():
    running = run(*seconds(9, 10, 9.5, 15))
    offset, resume = running.state.checkpoint()
    assert (offset, len(running.messages)) == (1, 1)
    again = Run(Windows.resumed(RULE, 3, offset, resume))
    again.feed([*seconds(9, 10, 9.5, 15)[1:], Sent(time_us=25 * S, seq=4)])
    assert {start - START_US: w["frames"] for (_, start), w in again.outcome.windows.items()} == {10 * S: 2}


def taken_up_with(rule, sent, cut):
    """A run to `cut` by RULE, and one from its commit by another rule. What both found, by length and start."""
    before = run(*sent[:cut])
    offset, resume = before.state.checkpoint()
    after = Run(Windows.resumed(rule, 3, offset, resume))
    after.feed(sent[offset:])
    return before, after


def told(running):
    """Start, length and frames of windows, and start and length of marks, in seconds from START_US."""
    windows, marks = {}, set()
    for message in running.messages:
        if isinstance(message, Late):
            marks |= {((start - START_US) // S, message.length_us // S) for start in message.start_us}
        else:
            for (_, start), window in found([message]).windows.items():
                windows[(start - START_US) // S, message.length_us // S] = window["frames"]
    return windows, marks


def test_windows_open_by_the_old_grace_are_not_lost_to_a_shorter_one():
    sent = seconds(0, 12, 13, 14, 40)
    before, after = taken_up_with(msgspec.structs.replace(RULE, grace_us=0, tolerance_us=0), sent, 4)
    assert told(before) == ({}, set())
    assert told(after) == ({(0, 10): 1, (10, 10): 3}, set())


def test_what_a_shorter_grace_leaves_out_of_what_is_read_again_is_marked():
    sent = [*seconds(0, 1, 12), Sent(time_us=2 * S, seq=0, robot=2), Sent(time_us=40 * S, seq=9)]
    _, after = taken_up_with(msgspec.structs.replace(RULE, grace_us=0, tolerance_us=0), sent, 4)
    assert told(after) == ({(0, 10): 2, (10, 10): 1}, {(0, 10)})


def test_windows_emitted_by_the_old_grace_are_not_counted_from_a_part_by_a_longer_one():
    sent = seconds(0, 1, 10, 16, 9, 60)
    sent[4] = dataclasses.replace(sent[4], robot=2, seq=0)
    before, after = taken_up_with(msgspec.structs.replace(RULE, grace_us=20 * S), sent, 4)
    assert told(before) == ({(0, 10): 2}, set())
    assert told(after) == ({(10, 10): 2}, {(0, 10)})


def test_a_window_of_another_length_that_begins_in_what_was_emitted_is_marked():
    sent = seconds(0, 9, 10, 16, 19, 20, 60)
    before, after = taken_up_with(msgspec.structs.replace(RULE, window_us=20 * S), sent, 4)
    assert told(before) == ({(0, 10): 2}, set())
    assert told(after) == ({(20, 20): 1}, {(0, 20)})


def test_windows_are_neither_lost_nor_doubled_when_shards_begin_to_take_turns():
    sent = [Sent(time_us=t * S, seq=t, robot=robot) for t in range(60) for robot in range(40)]
    before, after = taken_up_with(SPREAD_RULE, sent, 17 * 40)
    assert not before.outcome.windows.keys() & after.outcome.windows.keys()
    assert {w["frames"] for run in (before, after) for w in run.outcome.windows.values()} == {10}
    assert after.outcome.marks == {}
    robots = {s.code for s in sent}
    assert {(robot, START_US + t * S) for robot in robots for t in (10, 20, 30)} <= after.outcome.windows.keys()


def test_windows_that_had_their_turn_to_come_are_marked_when_shards_no_longer_take_turns():
    sent = [Sent(time_us=t * S, seq=t, robot=robot) for t in range(60) for robot in range(40)]
    before = Run(Windows(SPREAD_RULE, partition=3, offset=0))
    before.feed(sent[: 19 * 40])
    offset, resume = before.state.checkpoint()
    after = Run(Windows.resumed(RULE, 3, offset, resume))
    after.feed(sent[offset:])
    robots = {s.code for s in sent}
    told = {robot for robot, start in before.outcome.windows if start == START_US}
    assert 0 < len(told) < len(robots)
    assert {robot for robot, start in after.outcome.marks if start == START_US} >= robots - told
    assert not {robot for robot, start in after.outcome.windows if start == START_US}
    assert {start for _, start in after.outcome.windows} == {START_US + t * S for t in (10, 20, 30, 40)}


def test_a_commit_stays_until_what_another_rule_reads_again_has_all_been_read():
    rule = msgspec.structs.replace(RULE, window_us=20 * S)
    before = run(*(sent := seconds(0, 9, 10, 16, 17)))
    offset, resume = before.state.checkpoint()
    after = Run(Windows.resumed(rule, 3, offset, resume))
    after.feed(sent[offset:4])
    assert after.state.checkpoint() == (offset, resume)
    after.feed(sent[4:])
    assert after.state.checkpoint()[1].window_us == rule.window_us


def test_with_nothing_open_a_commit_is_where_reading_has_come():
    offset, resume = Windows.resumed(RULE, 3, 41, None).checkpoint()
    assert (offset, resume.read_to) == (41, 41)
