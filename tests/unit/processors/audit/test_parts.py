"""Parts that became others: by their serials, and by how they behave."""

import pytest

from processors.audit.found import Confidence, Rule
from processors.audit.judge import judge
from schemas.columns import Texts
from schemas.hours import DAY_US, HOUR_US, Sighting
from schemas.logbook import Calibration, PartInstalled
from support.robot_lives import BEGIN_US, hours, levels, life

AT = 120
AT_US = BEGIN_US + AT * HOUR_US
STEP = 30
STEP_US = BEGIN_US + STEP * DAY_US


def seen(*runs: tuple[str, int, int], component: str = "joint/2") -> list[Sighting]:
    return [
        Sighting(
            component=component, serial=serial, first_us=BEGIN_US + first * HOUR_US,
            last_us=BEGIN_US + last * HOUR_US - 1,
        )
        for serial, first, last in runs
    ]  # fmt: skip


SWAPPED = seen(("A-1", 0, AT), ("B-2", AT, 240))


def test_a_serial_that_became_another_without_an_entry_is_established() -> None:
    (found,) = judge(life(hours(), sightings=SWAPPED))
    assert (found.rule, found.component, found.confidence) == (Rule.SWAP, "joint/2", Confidence.ESTABLISHED)


def test_an_entry_that_names_the_new_serial_explains_it_however_it_is_spelt() -> None:
    installed = PartInstalled(component="joint/2", part="gear", serial="b 2")
    assert judge(life(hours(), (AT_US, installed), sightings=SWAPPED)) == []


def test_one_that_names_another_serial_leaves_a_suspicion() -> None:
    installed = PartInstalled(component="joint/2", part="gear", serial="B-3")
    (found,) = judge(life(hours(), (AT_US, installed), sightings=SWAPPED))
    assert found.confidence is Confidence.SUSPECTED
    assert found.evidence_against[0].entries == (1,)


def test_a_serial_that_was_misread_for_some_hours_is_nothing() -> None:
    assert judge(life(hours(), sightings=seen(("A-1", 0, AT), ("0", AT, AT + 5), ("A-1", AT + 5, 240)))) == []


def test_software_that_writes_all_serials_anew_swaps_no_part() -> None:
    columns = hours()
    columns["software"] = Texts((columns["start_us"] >= AT_US).astype("int32"), ["fw 1", "fw 2"])
    parts = [
        one
        for joint in range(1, 5)
        for one in seen((f"A-{joint}", 0, AT), (f"{joint}X", AT, 240), component=f"joint/{joint}")
    ]
    assert judge(life(columns, sightings=parts)) == []
    (first, *_) = judge(life(hours(), sightings=parts))
    assert first.confidence is Confidence.SUSPECTED


def renewed(**factors: float) -> dict[str, object]:
    days = levels()
    for name, factor in factors.items():
        days[name][STEP:, 1] *= factor
    return days


def test_a_joint_whose_wear_fell_for_good_is_suspected_with_for_and_against() -> None:
    (found,) = judge(life(hours(), days=renewed(wear=0.4, backlash=0.6)))
    assert (found.rule, found.component, found.confidence) == (Rule.HIDDEN_SWAP, "joint/2", Confidence.SUSPECTED)
    assert any("backlash is 0.6" in one.text for one in found.evidence_for)
    assert any("friction" in one.text for one in found.evidence_against)


@pytest.mark.parametrize("factors", [{"friction": 0.6}, {"backlash": 0.5}, {"friction": 0.7, "backlash": 0.7}])
def test_grease_and_adjustment_alone_are_nothing(factors: dict[str, float]) -> None:
    assert judge(life(hours(), days=renewed(**factors))) == []


def test_wear_that_comes_back_is_nothing() -> None:
    days = levels()
    days["wear"][STEP : STEP + 10, 1] *= 0.5
    assert judge(life(hours(), days=days)) == []


def test_an_estimate_that_changes_for_all_joints_is_nothing() -> None:
    days = levels()
    days["wear"][STEP:] *= 0.8
    assert judge(life(hours(), days=days)) == []


def test_a_calibration_that_is_written_down_explains_a_smaller_step() -> None:
    calibrated = (STEP_US, Calibration(component="joint/2", method="zeroed"))
    assert judge(life(hours(), calibrated, days=renewed(wear=0.85, backlash=0.6))) == []
    (found,) = judge(life(hours(), calibrated, days=renewed(wear=0.1, backlash=0.6, friction=0.7)))
    assert found.evidence_against[-1].entries == (1,)


def test_a_battery_must_gain_health_and_lose_resistance_together() -> None:
    days = levels()
    days["soh"][STEP:] += 0.15
    assert judge(life(hours(), days=days)) == []
    days["resistance"][STEP:] *= 0.7
    (found,) = judge(life(hours(), days=days))
    assert (found.rule, found.component) == (Rule.HIDDEN_SWAP, "battery")
