"""Stuck is when records wait and none land; quiet is not stuck, and neither is a database that is out."""

from ingest.progress import STUCK_AFTER_S, Progress


def _stuck(progress: Progress, now_s: float, excused: bool = False) -> str | None:
    progress.turned(now_s)
    return progress.stuck(now_s, excused)


def test_an_hour_of_quiet_and_then_work_is_not_stuck():
    progress = Progress(0)
    assert _stuck(progress, 3600) is None
    progress.waits(10, 3600)
    assert progress.age_s(3600) == 0
    assert _stuck(progress, 3600) is None


def test_records_that_wait_and_do_not_land_are_stuck():
    progress = Progress(0)
    progress.waits(10, 5)
    progress.waits(12, 10)
    assert _stuck(progress, 5 + STUCK_AFTER_S) is None
    assert _stuck(progress, 6 + STUCK_AFTER_S) == "nothing has landed for 121 s, and 12 records wait"
    assert _stuck(progress, 6 + STUCK_AFTER_S, excused=True) is None
    progress.landed(6 + STUCK_AFTER_S)
    assert _stuck(progress, 7 + STUCK_AFTER_S) is None


def test_a_loop_that_does_not_turn_is_stuck_whatever_the_database_does():
    progress = Progress(0)
    progress.turned(10)
    assert progress.stuck(11 + STUCK_AFTER_S, excused=True) == "the loop has not turned for 121 s"
