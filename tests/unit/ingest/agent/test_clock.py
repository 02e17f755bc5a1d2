"""Event times, jumps, and the offset to the broker."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.agent.clock import DRIFT_PPM, JUMP_US, BrokerClock, Clock
from schemas.frame import EARLIEST_US

WALL_US = 1_760_000_000_000_000
SECOND_US = 1_000_000


def test_event_time_is_the_wall_clocks() -> None:
    clock = Clock()
    moments = [clock.read(WALL_US + n * SECOND_US, n * SECOND_US) for n in range(3)]
    assert [moment.time_us for moment in moments] == [WALL_US + n * SECOND_US for n in range(3)]
    assert not any(moment.jumped_us or moment.new_boot for moment in moments)


def test_a_clock_of_1970_that_ntp_sets_is_followed_and_told() -> None:
    clock = Clock()
    clock.read(5 * SECOND_US, 0)
    moment = clock.read(WALL_US, SECOND_US)
    assert (moment.time_us, moment.new_boot) == (WALL_US, False)
    assert moment.jumped_us == WALL_US - 6 * SECOND_US


def test_a_large_step_back_is_told_and_begins_a_new_boot() -> None:
    clock = Clock()
    clock.read(WALL_US + 3600 * SECOND_US, 0)
    moment = clock.read(WALL_US, SECOND_US)
    assert (moment.time_us, moment.new_boot) == (WALL_US, True)
    assert moment.jumped_us == -3601 * SECOND_US
    assert clock.read(WALL_US + SECOND_US, 2 * SECOND_US).jumped_us == 0


def test_a_small_step_back_is_caught_up_with_at_half_speed() -> None:
    clock = Clock()
    clock.read(WALL_US, 0)
    step_us = 400_000
    times = [clock.read(WALL_US + n * 100_000 - step_us, n * 100_000).time_us - WALL_US for n in range(1, 11)]
    assert times[:3] == [50_000, 100_000, 150_000]
    assert times[-1] == 10 * 100_000 - step_us


def test_small_steps_back_that_add_up_begin_a_new_boot_as_well() -> None:
    clock, wall_us, boots = Clock(), WALL_US, 0
    clock.read(wall_us, 0)
    for n in range(1, 20):
        wall_us -= 200_000
        boots += clock.read(wall_us, n * 10_000).new_boot
    assert boots > 0


_steps = st.lists(
    st.tuples(st.integers(0, 3 * SECOND_US), st.one_of(st.just(0), st.integers(-(10**10), 10**10))), max_size=60
)


@given(_steps)
def test_times_rise_within_a_boot_and_stay_near_the_wall_clock_whatever_it_does(
    steps: list[tuple[int, int]],
) -> None:
    clock, wall_us, mono_us = Clock(), WALL_US, 0
    before_us = clock.read(wall_us, mono_us).time_us
    for passed_us, step_us in steps:
        mono_us += passed_us
        wall_us += passed_us + step_us
        moment = clock.read(wall_us, mono_us)
        assert moment.new_boot or moment.time_us > before_us
        assert wall_us <= moment.time_us <= wall_us + JUMP_US
        assert (abs(step_us) >= JUMP_US) == (moment.jumped_us != 0)
        before_us = moment.time_us


def test_no_two_times_of_a_boot_are_equal_though_both_clocks_stand() -> None:
    clock = Clock()
    assert [clock.read(WALL_US, 0).time_us for _ in range(4)] == [WALL_US + n for n in range(4)]


def test_without_an_acknowledgement_there_is_no_offset() -> None:
    assert BrokerClock().offset(WALL_US, 0) is None


def test_an_offset_is_the_robots_clock_less_the_brokers() -> None:
    broker = BrokerClock()
    broker.acknowledged(0, 10_000, WALL_US)
    offset = broker.offset(WALL_US + 90 * SECOND_US, 10_000)
    assert offset is not None
    assert abs(offset.offset_us - (90 * SECOND_US - 5_000)) <= offset.error_us


def test_a_jump_of_the_wall_clock_shows_in_the_offset_at_once() -> None:
    broker = BrokerClock()
    broker.acknowledged(0, 2_000, WALL_US)
    before, after = broker.offset(WALL_US, 2_000), broker.offset(WALL_US + 3600 * SECOND_US, 2_000)
    assert before is not None
    assert after is not None
    assert after.offset_us - before.offset_us == 3600 * SECOND_US


def test_a_quick_answer_is_kept_until_drift_makes_a_slower_one_better() -> None:
    broker = BrokerClock()
    broker.acknowledged(0, 2_000, WALL_US)
    broker.acknowledged(SECOND_US, SECOND_US + 400_000, WALL_US)
    offset = broker.offset(WALL_US, SECOND_US)
    assert offset is not None
    assert offset.error_us < 2_000
    late_us = 3600 * SECOND_US
    broker.acknowledged(late_us, late_us + 400_000, WALL_US + late_us)
    offset = broker.offset(WALL_US + late_us, late_us + 400_000)
    assert offset is not None
    assert offset.error_us < 3600 * DRIFT_PPM


def test_a_broker_that_gives_no_time_and_a_trip_that_went_backward_tell_nothing() -> None:
    broker = BrokerClock()
    broker.acknowledged(0, 2_000, -1_000)
    broker.acknowledged(5_000, 2_000, WALL_US)
    broker.acknowledged(0, 2_000, EARLIEST_US - 1)
    assert broker.offset(WALL_US, 2_000) is None


_trips = st.lists(
    st.tuples(st.integers(1_000, 60 * SECOND_US), st.integers(0, 2 * SECOND_US), st.integers(0, 2 * SECOND_US)),
    min_size=1,
    max_size=40,
)


@given(_trips, st.integers(-DRIFT_PPM + 1, DRIFT_PPM - 1), st.integers(-(10**12), 10**12))
def test_the_true_offset_lies_within_the_error_over_lopsided_and_slow_networks(
    trips: list[tuple[int, int, int]], drift_ppm: int, offset_us: int
) -> None:
    """The robot's monotonic clock drifts against the broker's; its wall clock is that one and an offset."""
    broker, mono_us = BrokerClock(), 0

    def broker_us(at_us: int) -> int:
        return WALL_US + at_us + at_us * drift_ppm // 1_000_000

    for pause_us, there_us, back_us in trips:
        sent_us = mono_us + pause_us
        mono_us = sent_us + there_us + back_us
        broker.acknowledged(sent_us, mono_us, broker_us(sent_us + there_us) // 1_000 * 1_000)
        wall_us = WALL_US + mono_us + offset_us
        offset = broker.offset(wall_us, mono_us)
        assert offset is not None
        assert abs(offset.offset_us - (wall_us - broker_us(mono_us))) <= offset.error_us + DRIFT_PPM * 4
