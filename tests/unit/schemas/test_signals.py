"""The signal table holds together, and its references are what it generates."""

from deploy.reference import ROOT, documents
from schemas.signals import MODE_FAULT, MODES, SIGNAL, SIGNALS, STATISTICS, Statistic


def test_every_name_is_unique_and_carries_its_component_or_a_standard_term():
    assert len(SIGNAL) == len(SIGNALS)
    assert all(name.isidentifier() and name.islower() for name in SIGNAL)


def test_limits_lie_within_what_is_possible_and_warn_comes_before_alarm():
    for signal in SIGNALS:
        assert signal.low < signal.high
        for limit, sign in ((signal.above, 1), (signal.below, -1)):
            if limit:
                assert sign * limit.warn < sign * limit.alarm
                assert signal.low <= limit.warn <= signal.high
                assert signal.low <= limit.alarm <= signal.high
                assert limit.deadband > 0


def test_a_signal_with_a_limit_keeps_the_statistic_that_is_judged_by_it():
    for signal in SIGNALS:
        assert signal.above is None or Statistic.MAX in signal.statistics
        assert signal.below is None or Statistic.MIN in signal.statistics


def test_statistics_are_listed_in_the_order_in_which_vitals_carry_them():
    for signal in SIGNALS:
        assert list(signal.statistics) == [s for s in STATISTICS if s in signal.statistics]


def test_the_fault_mode_is_one_of_the_modes():
    assert MODES[MODE_FAULT] == "fault"


def test_generated_files_are_up_to_date():
    for path, text in documents().items():
        assert (ROOT / path).read_text(encoding="utf-8") == text, f"{path}: run `make reference`"
