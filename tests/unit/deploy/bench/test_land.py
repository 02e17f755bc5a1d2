"""What `robovitals bench land` tells."""

from deploy.bench.fleet import READINGS
from deploy.bench.land import NAIVE, ONE, RAW, TWO, Landed, report
from deploy.bench.steady import Rate


def landed(per_s: float, **cpu_us: float) -> Landed:
    frames = 1_000
    return Landed(Rate(per_s, cpu_us, 0.5), frames, rows_a_transaction=500, size_bytes=frames * READINGS * 6)


def test_ratios_are_of_the_same_round():
    found = {
        RAW: [landed(100_000), landed(50_000)],
        ONE: [landed(60_000), landed(35_000)],
        TWO: [landed(90_000), landed(50_000)],
        NAIVE: [landed(5_000), landed(5_000)],
    }
    lines = {line.name: list(line.values) for line in report(found, 1_000, 10).lines}
    assert lines["share_of_raw"] == [0.9, 1.0]
    assert lines["share_of_raw_one"] == [0.6, 0.7]
    assert lines["times_naive"] == [18, 10]
    assert lines["two_readings_per_s"] == [90_000 * READINGS, 50_000 * READINGS]
    assert lines["raw_bytes_a_reading"] == [6, 6]


def test_the_landers_own_cpu_is_that_of_all_of_them_without_the_servers():
    both = landed(90_000, **{"land-1": 3.0, "land-2": 2.0, "database": 7.0, "broker": 1.0})
    found = {RAW: [landed(1)], ONE: [landed(1)], TWO: [both], NAIVE: [landed(1)]}
    lines = {line.name: list(line.values) for line in report(found, 1_000, 10).lines}
    assert lines["two_cpu_us"] == [5.0]
    assert lines["two_database_cpu_us"] == [7.0]
    assert lines["two_others_cores"] == [0.5]


def test_what_servers_of_somebody_elses_use_is_not_known():
    found = {name: [landed(1, land=3.0)] for name in (RAW, ONE, TWO, NAIVE)}
    lines = {line.name: list(line.values) for line in report(found, 1_000, 10).lines}
    assert lines["one_cpu_us"] == [3.0]
    assert lines["one_database_cpu_us"] == lines["one_others_cores"] == []
