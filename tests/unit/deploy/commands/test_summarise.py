"""`robovitals summarise`: its settings from the environment, and errors that name them."""

import pytest

from deploy.commands.summarise import rule
from processors.windows import Rule
from schemas.errors import SettingError


def test_the_defaults_are_a_window_of_ten_seconds_with_five_of_grace_and_clocks_within_two():
    assert rule({}) == Rule(10_000_000, 5_000_000, 2_000_000, 2_500_000)


def test_seconds_may_have_a_fraction():
    environ = {"ROBOVITALS_WINDOW_S": "60", "ROBOVITALS_GRACE_S": "7.5", "ROBOVITALS_CLOCK_TOLERANCE_S": "0.25"}
    assert rule(environ) == Rule(60_000_000, 7_500_000, 250_000, 15_000_000)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ROBOVITALS_WINDOW_S", "ten"),
        ("ROBOVITALS_WINDOW_S", "0.5"),
        ("ROBOVITALS_WINDOW_S", "1e9"),
        ("ROBOVITALS_GRACE_S", "-1"),
        ("ROBOVITALS_GRACE_S", "nan"),
        ("ROBOVITALS_GRACE_S", "1"),
        ("ROBOVITALS_CLOCK_TOLERANCE_S", "6"),
    ],
)
def test_a_wrong_setting_is_named(name, text):
    with pytest.raises(SettingError, match=name):
        rule({name: text})
