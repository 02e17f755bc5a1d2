"""What `robovitals bench scale` compares."""

import pytest

from deploy.bench.drain import ASSESSED, LANDED, SUMMARISED, VITALS_LANDED, Drained
from deploy.bench.scale import report
from deploy.bench.steady import Rate
from deploy.commands.bench import fleets
from schemas.errors import SettingError


def drained(cpu_us: float, peak_bytes: int = 100 * 2**20) -> Drained:
    users = dict.fromkeys(("land", "summarise", "assess", "database", "broker"), cpu_us / 5)
    took_s = dict.fromkeys((LANDED, SUMMARISED, VITALS_LANDED, ASSESSED), 1.0)
    return Drained(Rate(50_000, users, 0.0), took_s, dict.fromkeys(users, peak_bytes), 100)


def test_the_ratio_is_of_all_cpu_at_the_largest_fleet_over_the_smallest_round_by_round():
    told = report({1_000: [drained(10), drained(20)], 100_000: [drained(11), drained(30)]}, 1_000_000)
    [ratio] = told.sections["ratio, round by round"]
    assert ratio.name == "cpu_100k_over_1k"
    assert ratio.values == pytest.approx([1.1, 1.5])
    assert ratio.verdict == "≤ 1.20: MISSED"


def test_memory_has_its_goal_at_the_largest_fleet_only():
    told = report({1_000: [drained(10, 2**31)], 100_000: [drained(10, 2**31)]}, 1_000_000)
    missed = [line.name for line in told.lines if line.verdict.endswith("MISSED")]
    assert missed == ["100k_land_peak_mib", "100k_summarise_peak_mib"]


def test_the_fleets_are_a_hundredth_a_tenth_and_all():
    assert fleets(100_000) == [1_000, 10_000, 100_000]
    with pytest.raises(SettingError, match="--robots 150: "):
        fleets(150)
