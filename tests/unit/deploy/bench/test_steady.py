"""The steady part of a drain."""

import os

import pytest

from deploy.bench.steady import Mark, Steady, between, drained


def test_a_rate_is_what_was_done_between_two_marks_and_the_cpu_that_it_took():
    begin = Mark(at_s=10.0, done=1_000, cpu_s={"land": 5.0, "database": 1.0}, machine_cpu_s=100.0)
    end = Mark(at_s=12.0, done=3_000, cpu_s={"land": 5.5, "database": 2.0}, machine_cpu_s=102.0)
    rate = between(begin, end)
    assert rate.per_s == 1_000
    assert rate.cpu_us == pytest.approx({"land": 250, "database": 500})
    assert rate.others_cores == pytest.approx(0.25)


def test_the_first_tenth_and_the_last_do_not_count():
    marked = []

    class Marking(Steady):
        def _mark(self, done: int) -> Mark:
            marked.append(done)
            return Mark(at_s=float(done), done=done, cpu_s={}, machine_cpu_s=0.0)

    steady = Marking(1_000, {})
    for done in (0, 50, 120, 400, 899, 950, 1_000):
        steady.see(done)
    assert marked == [120, 950]
    assert steady.rate.per_s == 1.0


def test_a_drain_ends_when_all_is_done():
    steps = iter([0, 200, 600, 1_000])
    rate = drained(lambda: next(steps), 1_000, {"ourselves": os.getpid()}, lambda: None)
    assert rate.per_s > 0
    assert set(rate.cpu_us) == {"ourselves"}


def test_a_drain_is_broken_off_when_a_process_has_ended():
    def check() -> None:
        raise RuntimeError("land ended")

    with pytest.raises(RuntimeError, match="land ended"):
        drained(lambda: 0, 1_000, {}, check)
