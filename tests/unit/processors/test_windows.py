"""Windows: what closes them, what is left out of them, and what they hold."""

import msgspec
import numpy as np
import pytest

from processors.windows import Windows, provisional, recount, repaired
from schemas.vitals import FINAL, PROVISIONAL, REPAIRED, Vitals, encode_vitals
from support.windows import (
    READINGS,
    RULE,
    SPREAD_RULE,
    START_US,
    Run,
    S,
    Sent,
    batch,
    closes_us,
    found,
    run,
    seconds,
    windows_in,
)


def test_a_window_closes_when_its_end_plus_grace_is_not_after_the_watermark():
    running = Run()
    assert running.feed(seconds(0, 14.999999)).vitals == []
    [closed] = running.feed([Sent(time_us=15 * S, seq=2)]).vitals
    assert (closed.kind, closed.start_us, closed.length_us) == (FINAL, START_US, RULE.window_us)


def test_the_shards_of_a_partition_close_one_after_the_other():
    robots = [Sent(robot=robot) for robot in range(100)]
    wanted = {s.code: closes_us(s.code, START_US, SPREAD_RULE) for s in robots}
    running, closed = Run(Windows(SPREAD_RULE, partition=3, offset=0)), {}
    running.feed(robots)
    for at_us in sorted({*wanted.values()}):
        for seq, time_us in enumerate((at_us - START_US - 1, at_us - START_US)):
            done = running.feed([Sent(time_us=time_us, seq=1 + seq, robot=1000)])
            closed |= {robot: at_us if seq else None for robot, _ in found(done.vitals).windows}
    assert closed == wanted
    assert 1 < len({*wanted.values()}) <= 16
    assert max(wanted.values()) - START_US < 23 * S


def test_a_frame_is_late_from_the_turn_of_its_shard_on():
    one, other = sorted(
        (Sent(time_us=S, robot=robot) for robot in (1, 2)), key=lambda s: closes_us(s.code, START_US)
    )
    between_us = closes_us(one.code, START_US, SPREAD_RULE) - START_US
    assert between_us < closes_us(other.code, START_US, SPREAD_RULE) - START_US
    running = Run(Windows(SPREAD_RULE, partition=3, offset=0))
    running.feed([Sent(time_us=between_us, robot=3), one, other])
    assert running.live == [True, False, True]


def test_partitions_take_turns_too():
    firsts = {int(SPREAD_RULE.graces_us(partition)[0]) for partition in range(8)}
    assert len(firsts) == 8
    assert max(firsts) < min(int(SPREAD_RULE.graces_us(partition)[1]) for partition in range(8))


def test_a_window_is_emitted_once():
    running = run(*seconds(0, 20))
    assert len(running.messages) == 1
    assert running.feed([Sent(time_us=21 * S, seq=2)]).vitals == []


def test_windows_that_open_and_close_within_a_batch_are_emitted_in_order():
    running = run(*seconds(*range(0, 100, 5)))
    starts = [message.start_us for message in running.messages]
    assert starts == [START_US + t * S for t in range(0, 90, 10)]


def test_a_frame_on_the_edge_belongs_to_the_window_that_begins_there():
    windows = run(*seconds(9.999999, 10, 40)).outcome.windows
    assert {start - START_US: w["frames"] for (_, start), w in windows.items()} == {0: 1, 10 * S: 1}


def test_a_frame_of_a_closed_window_is_left_out_and_marked():
    running = run(*seconds(0, 20), Sent(time_us=5 * S, seq=2, delay_us=20 * S))
    assert running.live == [True, True, False]
    assert running.outcome.marks == {(Sent().code, START_US): (2, "window_closed")}


def test_a_window_takes_nothing_more_from_the_frame_on_that_closed_it():
    assert run(*seconds(0, 15), Sent(time_us=5 * S, seq=2)).live == [True, True, False]
    assert run(*seconds(0, 14.999999), Sent(time_us=5 * S, seq=2)).live == [True, True, True]


def test_a_frame_that_was_late_in_its_batch_is_judged_by_the_watermark_before_it():
    early = Sent(time_us=5 * S, seq=0, robot=2)
    assert run(early, *seconds(20)).live == [True, True]
    assert run(*seconds(20), early).live == [True, False]


def test_a_resend_is_left_out_and_marked():
    running = run(*seconds(0, 1), Sent(time_us=1 * S, seq=1), Sent(time_us=30 * S, seq=2))
    assert running.live == [True, True, False, True]
    assert running.outcome.marks == {(Sent().code, START_US): (2, "sequence_seen")}
    assert running.outcome.windows[Sent().code, START_US]["frames"] == 2


def test_a_resend_in_a_later_batch_is_left_out_too():
    running = run(*seconds(0, 1))
    running.feed([Sent(time_us=0, seq=0)])
    assert running.live == [True, True, False]


def test_a_batch_of_resends_does_not_make_room_for_more():
    running = run(*seconds(0, 1, 2))
    running.feed([Sent(seq=0)])
    running.feed([Sent(time_us=S, seq=1)])
    assert running.live == [True, True, True, False, False]


def test_the_numbers_of_another_boot_are_no_resend():
    assert run(Sent(seq=5), Sent(seq=0, boot=8)).live == [True, True]


def test_a_clock_too_far_ahead_is_left_out_marked_and_does_not_move_the_watermark():
    ahead = Sent(time_us=3600 * S, seq=1, robot=2, delay_us=-3600 * S)
    running = run(Sent(), ahead, Sent(time_us=S, seq=1))
    assert running.live == [True, False, True]
    assert running.outcome.marks == {(ahead.code, START_US + 3600 * S): (1, "clock_ahead")}
    assert running.state.watermark_us == START_US + S


def test_a_clock_ahead_within_the_tolerance_is_believed():
    assert run(Sent(delay_us=-RULE.tolerance_us)).live == [True]
    assert run(Sent(delay_us=-RULE.tolerance_us - 1000)).live == [False]


def test_a_fast_clock_within_the_tolerance_takes_only_that_much_of_the_others_grace():
    state = Windows(msgspec.structs.replace(RULE, tolerance_us=2 * S), partition=3, offset=0)
    fast = Sent(time_us=12 * S, robot=2, delay_us=-2 * S)
    assert Run(state).feed([fast, Sent(time_us=9_990_000), Sent(time_us=12_999_999, seq=1)]).live.all()


def test_one_mark_a_window_says_the_last_frame_left_out_of_it():
    late = [Sent(time_us=t * S, seq=s, delay_us=60 * S) for s, t in ((1, 1), (2, 2), (3, 12))]
    running = run(Sent(time_us=60 * S), *late)
    assert running.outcome.marks == {
        (Sent().code, START_US): (2, "window_closed"),
        (Sent().code, START_US + 10 * S): (3, "window_closed"),
    }


def test_missing_numbers_are_counted_between_the_first_and_the_last_of_each_boot():
    sent = [Sent(time_us=s * S, seq=s) for s in (2, 3, 6)]
    sent += [Sent(time_us=7 * S + s, seq=s, boot=8) for s in (0, 4)]
    window = run(*sent, Sent(time_us=30 * S, seq=9, boot=8)).outcome.windows[Sent().code, START_US]
    assert window["missing"] == 2 + 3
    assert (window["boot_id"], window["first_seq"], window["last_seq"]) == (8, 0, 4)


def test_a_robot_that_booted_inside_a_window_has_one_window():
    hot = {"joint_temperature_c": [60.0, None], "battery_soc": None}
    sent = [Sent(), Sent(time_us=S, boot=2, readings=hot, software="2.0")]
    window = run(*sent, Sent(time_us=30 * S, boot=2, seq=1)).outcome.windows[Sent().code, START_US]
    assert window["frames"] == 2
    assert window["joint_temperature_c/1/last"] == 60
    assert window["joint_temperature_c/2/last"] == 31
    assert window["joint_temperature_c/1/mean"] == pytest.approx((30.5 + 60) / 2)
    assert window["battery_soc/0/last"] == 0.75
    assert window["software"] == "2.0"


def test_a_boot_with_an_older_clock_does_not_hide_the_later_one():
    sent = [Sent(time_us=3 * S, boot=8, software="2.0"), Sent(time_us=2 * S, boot=7, seq=4)]
    window = run(*sent, Sent(time_us=30 * S, boot=8, seq=1)).outcome.windows[Sent().code, START_US]
    assert (window["boot_id"], window["software"]) == (8, "2.0")


def test_a_robot_whose_layout_changes_inside_a_window_has_the_union():
    more = {"joint_temperature_c": [50.0, 51.0, 52.0], "battery_voltage_v": 48.0}
    sent = [Sent(), Sent(time_us=S, seq=1, readings=more), Sent(time_us=2 * S, seq=2)]
    running = Run()
    for one in [*sent, Sent(time_us=30 * S, seq=3)]:
        running.feed([one])
    [message] = running.messages
    assert message.layout == "3:joint_temperature_c,battery_soc,battery_voltage_v"
    window = running.outcome.windows[Sent().code, START_US]
    assert window["joint_temperature_c/1/mean"] == pytest.approx((30.5 + 50 + 30.5) / 3)
    assert window["joint_temperature_c/3/mean"] == 52
    assert window["joint_temperature_c/1/last"] == 30.5
    assert window["battery_voltage_v/0/last"] == 48


def test_the_newest_value_is_kept_when_layouts_alternate_and_some_are_absent():
    other = {"joint_temperature_c": [40.0, 41.0], "battery_voltage_v": 48.0}
    absent = {"joint_temperature_c": [None, None], "battery_soc": 0.5}
    sent = [Sent(), Sent(time_us=S, seq=1, readings=other), Sent(time_us=2 * S, seq=2, readings=absent)]
    window = run(*sent, Sent(time_us=30 * S, seq=3)).outcome.windows[Sent().code, START_US]
    assert window["joint_temperature_c/1/last"] == 40
    assert window["battery_soc/0/last"] == 0.5


def test_of_means_the_extremes_are_the_windows_and_all_else_is_the_means():
    calm = Sent(readings={"joint_temperature_c": [40.0, 50.0]})
    means = Sent(
        time_us=S, seq=1, readings={"joint_temperature_c": [42.0, None]},
        lowest={"joint_temperature_c": [10.0, None]}, highest={"joint_temperature_c": [88.0, None]},
    )  # fmt: skip
    window = run(calm, means, Sent(time_us=30 * S, seq=2)).outcome.windows[Sent().code, START_US]
    first = {name: window[f"joint_temperature_c/1/{name}"] for name in ("last", "mean", "min", "max")}
    assert first == {"last": 42, "mean": 41, "min": 10, "max": 88}
    assert {window[f"joint_temperature_c/2/{name}"] for name in ("last", "mean", "min", "max")} == {50}


def test_a_value_that_no_frame_had_is_nan():
    readings = {"joint_temperature_c": [None, 31.0], "battery_soc": None}
    window = run(Sent(readings=readings), Sent(time_us=30 * S, seq=1)).outcome.windows[Sent().code, START_US]
    assert np.isnan([window[f"joint_temperature_c/1/{s}"] for s in ("last", "mean", "min", "max")]).all()
    assert window["joint_temperature_c/2/mean"] == 31


def test_open_windows_of_a_quiet_partition_are_told_once_and_again_when_they_have_grown():
    running = run(*seconds(0, 11))
    told = provisional(running.state)
    assert [(m.kind, m.start_us - START_US) for m in told] == [(PROVISIONAL, 0), (PROVISIONAL, 10 * S)]
    assert provisional(running.state) == []
    running.feed([Sent(time_us=12 * S, seq=2)])
    [grown] = provisional(running.state)
    assert windows_in(grown)[Sent().code, START_US + 10 * S]["frames"] == 2
    [closed] = running.feed([Sent(time_us=16 * S, seq=3)]).vitals
    assert (closed.kind, closed.start_us) == (FINAL, START_US)


def test_a_window_that_grew_in_one_boot_is_told_with_the_others():
    running = run(Sent(), Sent(time_us=S, boot=8))
    provisional(running.state)
    running.feed([Sent(time_us=2 * S, boot=8, seq=1)])
    [told] = provisional(running.state)
    assert windows_in(told)[Sent().code, START_US]["frames"] == 3


def test_shards_travel_apart_and_no_message_is_too_large():
    texts = {"software": "é" * 200, "scenario": "漢" * 200}
    sent = [Sent(robot=robot, **texts) for robot in range(14_000)]
    running = run(*sent, Sent(time_us=30 * S, robot=1, seq=1))
    assert len(running.outcome.windows) == 14_000
    messages = [message for message in running.messages if isinstance(message, Vitals)]
    assert len({message.shard for message in messages}) == 16 < len(messages)
    assert max(len(encode_vitals(message)) for message in messages) < 900_000


def test_robots_not_seen_for_an_hour_are_forgotten():
    running = Run()
    running.feed([Sent(robot=robot) for robot in range(1000)])
    running.feed([Sent(time_us=4000 * S, robot=robot) for robot in range(900, 1100)])
    assert running.state.sources.robots == 200
    again = [Sent(time_us=4000 * S, robot=1000), Sent(time_us=4001 * S, seq=1, robot=1000)]
    assert running.feed(again).live.tolist() == [False, True]


def test_memory_does_not_grow_with_time():
    running = Run()
    for t in range(0, 1000, 5):
        running.feed([Sent(time_us=t * S, seq=t, robot=robot) for robot in range(20)])
    [(_, cells, _)] = running.state.pools.places(np.arange(1))
    assert len(cells) <= 64


def test_the_memory_of_a_closed_window_leaves_no_trace_in_a_later_one():
    first = {"joint_temperature_c": [140.0, None], "battery_soc": None}
    running = Run()
    for t in range(0, 2000, 5):
        running.feed([Sent(time_us=t * S, seq=t, readings=first if t < 10 else READINGS)])
    names = ("frames", "joint_temperature_c/1/max", "joint_temperature_c/2/mean", "battery_soc/0/min")
    found_in = {
        tuple(window[name] for name in names)
        for (_, start), window in running.outcome.windows.items()
        if start > START_US
    }
    assert found_in == {(2, 30.5, 31, 0.75)}


def test_windows_of_rows_count_every_row():
    rows = [Sent(seq=0), Sent(time_us=S, seq=1), Sent(time_us=2 * S, seq=1), Sent(time_us=25 * S, seq=9)]
    state = Windows(RULE, 0, 0)
    recount(state, batch(rows[:2]))
    recount(state, batch(rows[2:]))
    told = repaired(state)
    assert {message.kind for message in told} == {REPAIRED}
    windows = found(told).windows
    assert {start - START_US: w["frames"] for (_, start), w in windows.items()} == {0: 3, 20 * S: 1}
    assert windows[Sent().code, START_US]["missing"] == 0


def test_readings_of_the_helper_are_of_one_layout():
    assert batch([Sent()]).groups[0].layout.text == f"2:{','.join(READINGS)}"
