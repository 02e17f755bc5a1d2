"""Frames by number, of a fleet of any size."""

from deploy.bench.fleet import Fleet
from support.frames import TIME_US


def test_robots_take_turns_each_with_a_sequence_of_its_own():
    fleet = Fleet(robots=3, start_us=TIME_US, apart_us=0.5)
    frames = [fleet.frame(number) for number in range(7)]
    assert len({frame.robot_id for frame in frames}) == 3
    assert frames[0].robot_id == frames[3].robot_id == frames[6].robot_id
    assert [frame.seq for frame in frames] == [0, 0, 0, 1, 1, 1, 2]


def test_event_times_are_evenly_apart_also_by_less_than_a_microsecond():
    fleet = Fleet(robots=2, start_us=TIME_US, apart_us=0.25)
    assert [fleet.frame(number).time_us - TIME_US for number in (0, 4, 40)] == [0, 1, 10]


def test_neighbours_in_a_batch_are_not_alike_or_they_would_compress_as_no_robots_frames_do():
    fleet = Fleet(robots=100, start_us=TIME_US, apart_us=1)
    assert len({fleet.frame(number).values for number in range(5_000)}) == 5_000
