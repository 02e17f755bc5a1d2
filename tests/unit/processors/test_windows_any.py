"""Windows of any frames: batches, restarts and the order of rows change nothing."""

import dataclasses
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from processors.windows import Windows, recount, repaired
from schemas.watermark import from_metadata, to_metadata
from support.windows import RULE, SPREAD_RULE, Outcome, Run, S, Sent, assert_same, batch, expected, found, window_of

readings = st.fixed_dictionaries(
    {},
    optional={
        "joint_temperature_c": st.lists(st.none() | st.floats(-40, 150, width=32), min_size=2, max_size=2),
        "joint_current_a": st.lists(st.none() | st.floats(-500, 500, width=32), min_size=2, max_size=2),
        "battery_soc": st.none() | st.floats(0, 1, width=32),
        "battery_voltage_v": st.none() | st.floats(0, 1000, width=32),
    },
)


def frames(time_us):
    """Frames of few robots and boots; late, sent twice, out of order, ahead of the broker."""
    return st.lists(
        st.builds(
            Sent,
            time_us=time_us,
            seq=st.integers(0, 12),
            robot=st.integers(1, 3),
            boot=st.integers(7, 8),
            delay_us=st.sampled_from([0, 2 * S, 15 * S, 30 * S, -RULE.tolerance_us, -6 * S, -40 * S]),
            readings=readings,
            lowest=st.just({}) | readings,
            highest=st.just({}) | readings,
            mode=st.integers(0, 4),
            flags=st.integers(0, 1),
            software=st.sampled_from(["1.0", "2.0"]),
        ),
        max_size=40,
    )


rules = st.sampled_from([RULE, SPREAD_RULE])
any_frames = frames(st.integers(0, 60 * S))
cuts = st.lists(st.integers(0, 40), max_size=6)


def split(sent, at):
    bounds = [0, *sorted(min(cut, len(sent)) for cut in at), len(sent)]
    return [sent[a:b] for a, b in pairwise(bounds)]


@given(any_frames, cuts, rules)
def test_any_batches_give_the_windows_marks_and_watermark_of_one_frame_at_a_time(sent, at, rule):
    running = Run(Windows(rule, partition=3, offset=0))
    for part in split(sent, at):
        running.feed(part)
    wanted, outcome = expected(sent, rule), running.outcome
    assert_same(wanted.windows, outcome.windows)
    assert outcome.marks == wanted.marks
    assert outcome.watermark_us == wanted.watermark_us


turns = st.lists(st.tuples(st.integers(0, 15), st.booleans(), st.booleans()), max_size=8)


@given(frames(st.just(0)), turns, rules)
def test_a_restart_anywhere_changes_nothing(sent, turns, rule):
    """Clocks that do not step back: 3 s a number. (A resend across a step back may be counted after a restart.)"""
    sent = [dataclasses.replace(s, time_us=s.seq * 3 * S) for s in sent]
    running = Run(Windows(rule, partition=3, offset=0))
    committed = running.state.checkpoint()
    outcome = Outcome()
    for size, commits, crashes in [*turns, (len(sent), True, False)]:
        running.messages = []
        running.feed(sent[running.state.offset :][:size])
        repeated = outcome.windows.keys() & running.outcome.windows.keys()
        assert_same(*({key: o.windows[key] for key in repeated} for o in (outcome, running.outcome)))
        outcome.windows |= running.outcome.windows
        for key, mark in running.outcome.marks.items():
            outcome.marks[key] = max(mark, outcome.marks.get(key, mark))
        if commits:
            committed = running.state.checkpoint()
        if crashes:
            offset, resume = committed
            running = Run(Windows.resumed(rule, 3, offset, from_metadata(to_metadata(resume))))
    wanted = expected(sent, rule)
    assert_same(wanted.windows, outcome.windows)
    assert outcome.marks == wanted.marks


@given(frames(st.just(0)), cuts, rules)
def test_what_was_committed_is_not_told_again(sent, at, rule):
    sent = [dataclasses.replace(s, time_us=s.seq * 3 * S) for s in sent]
    running = Run(Windows(rule, partition=3, offset=0))
    for end in sorted({min(cut, len(sent)) for cut in [*at, len(sent)]}):
        running.feed(sent[running.state.offset : end])
        offset, resume = running.state.checkpoint()
        before, running = running, Run(Windows.resumed(rule, 3, offset, resume))
        running.messages = before.messages
    assert_same(expected(sent, rule).windows, running.outcome.windows)


@given(any_frames)
def test_rows_in_any_order_of_robots_give_the_windows_of_all_frames(sent):
    rows = {(s.code, s.at_us, s.seq): s for s in sent}
    ordered = sorted(rows.values(), key=lambda s: (s.code, s.boot, s.seq, s.at_us))
    state = Windows(RULE, 0, 0)
    for one in split(ordered, [7, 20]):
        recount(state, batch(one))
    by_window = {}
    for s in ordered:
        by_window.setdefault((s.code, s.at_us // RULE.window_us * RULE.window_us), []).append(s)
    wanted = {key: window_of(rows) for key, rows in by_window.items()}
    for window in wanted.values():
        window.pop("missing")
    assert_same(wanted, found(repaired(state)).windows)
