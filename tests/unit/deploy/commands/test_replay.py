"""The options of `robovitals replay`."""

import pytest

from deploy.commands.replay import pace_of
from ingest.replay import Pace, Times
from schemas.errors import SettingError


@pytest.mark.parametrize(
    ("times", "speed", "pace"),
    [
        ("original", None, Pace(Times.ORIGINAL, None)),
        ("original", "10", Pace(Times.ORIGINAL, 10.0)),
        ("end-now", "max", Pace(Times.END_NOW, None)),
        ("live", None, Pace(Times.LIVE, 1.0)),
        ("live", "0.5", Pace(Times.LIVE, 0.5)),
    ],
)
def test_speed_is_max_unless_told_and_one_when_live(times: str, speed: str | None, pace: Pace) -> None:
    assert pace_of(times, speed) == pace


@pytest.mark.parametrize(
    ("times", "speed"), [("original", s) for s in ("fast", "0", "-1", "nan", "inf")] + [("live", "max")]
)
def test_a_wrong_speed_is_named(times: str, speed: str) -> None:
    with pytest.raises(SettingError, match=f"--speed {speed}: "):
        pace_of(times, speed)
