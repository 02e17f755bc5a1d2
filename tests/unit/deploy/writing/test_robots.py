"""A line of a list of robots is what its logbook begins with."""

import pytest

from deploy.writing.robots import COLUMNS, drafts_of, is_column
from schemas.draft import Draft
from schemas.errors import SettingError
from support.logbooks import ROBOT

MADE_US = 1_767_225_600_000_000
DAY_US = 86_400_000_000
ROW = {
    "code": ROBOT, "maker": "ACME", "model": "M1", "joints": "29", "made": "2026-01-01", "registered": "2026-01-02",
}  # fmt: skip


def kinds_of(**more: str) -> list[tuple[str, dict[str, object], int | None]]:
    return [(draft.kind, dict(draft.values), draft.happened_us) for draft in drafts_of({**ROW, **more})]


def test_a_robot_is_registered_with_what_the_line_has():
    registered = {"maker": "ACME", "model": "M1", "joints": "29", "made": "2026-01-01"}
    assert drafts_of(ROW) == (
        Draft(robot_id=ROBOT, kind="registered", values=registered, happened_us=MADE_US + DAY_US),
    )


def test_its_parts_came_when_it_was_made_and_the_rest_follows_in_order():
    found = kinds_of(
        **{"joint/3": "S-1", "joint/3.part": "A-17", "battery": "B-1", "baseline.battery_resistance_mohm": "21.5"},
        samples="30", owner="Ada", owner_country="DE", owner_since="2026-01-03", operator="Bob",
    )  # fmt: skip
    assert found[1:] == [
        ("part_installed", {"component": "joint/3", "serial": "S-1", "part": "A-17"}, MADE_US),
        ("part_installed", {"component": "battery", "serial": "B-1", "part": ""}, MADE_US),
        ("commissioned", {"baselines": {"battery_resistance_mohm": 21.5}, "samples": "30"}, MADE_US + DAY_US),
        ("ownership", {"owner": "Ada", "country": "DE"}, MADE_US + 2 * DAY_US),
        ("operation", {"operator": "Bob"}, MADE_US + DAY_US),
    ]


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"code": "ZZ1"}, "has 3 characters"),
        ({"made": "spring"}, "made 'spring': give a time"),
        ({"joint/3.part": "A-17"}, "joint/3.part has no serial beside it"),
        ({"baseline.battery_resistance_mohm": "low"}, "baseline.battery_resistance_mohm: 'low' is no number"),
    ],
)
def test_what_is_wrong_with_a_line_is_told(more: dict[str, str], text: str):
    row = {name: cell for name, cell in {**ROW, **more}.items() if name != "registered"}
    with pytest.raises(SettingError) as caught:
        drafts_of({**row, "battery": "B-1"})
    assert text in str(caught.value)


def test_columns_are_known_ones_components_and_baselines_of_signals():
    assert all(map(is_column, ("joint/3", "joint/3.part", "controller", "baseline.battery_resistance_mohm")))
    assert not any(
        map(is_column, ("joint/0", "joint", "arm", "baseline.mood", "battery_resistance_mohm", "baseline."))
    )
    assert not any(map(is_column, COLUMNS))
