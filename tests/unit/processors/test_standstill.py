"""A process that was stopped past its session writes no state."""

import pytest

from processors.standstill import Standstill
from schemas.errors import StopError


def test_a_process_that_ticks_may_write() -> None:
    standstill = Standstill(limit_s=10.0, now_s=0.0)
    for now_s in (0.5, 9.0, 18.0):
        standstill.check(now_s)
        standstill.tick(now_s)
    standstill.check(27.9)


@pytest.mark.parametrize("ticked_first", [True, False])
def test_who_was_stopped_past_the_session_may_not_whoever_wakes_first(ticked_first: bool) -> None:
    standstill = Standstill(limit_s=10.0, now_s=0.0)
    standstill.tick(5.0)
    if ticked_first:
        standstill.tick(65.0)
    with pytest.raises(StopError, match="stood still for 60 s"):
        standstill.check(65.0)
