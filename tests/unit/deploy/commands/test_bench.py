"""`robovitals bench`: what it takes."""

import pytest

from deploy.commands.bench import check
from schemas.errors import SettingError


@pytest.mark.parametrize(
    ("frames", "robots", "rounds", "named"),
    [
        (1_000, 10, 0, "--rounds 0: "),
        (1_000, 0, 1, "--robots 0: "),
        (1_000, 2_000_000, 1, "--robots 2000000: "),
        (10, 1_000, 1, "--frames 10: "),
    ],
)
def test_a_wrong_option_is_named(frames: int, robots: int, rounds: int, named: str):
    with pytest.raises(SettingError, match=named):
        check(frames, robots, rounds)
