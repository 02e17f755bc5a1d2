"""A line a process, from what it says of itself."""

from serve.pipeline import ProcessState
from serve.pipeline_view import lines


def state(name: str, trouble: str = "", **figures: float) -> ProcessState:
    return ProcessState(name=name, address="127.0.0.1:1", trouble=trouble, figures=figures)


def test_a_process_is_read_by_its_own_names() -> None:
    (line,) = lines(
        [
            state(
                "land",
                robovitals_land_lag_seconds=1.5,
                robovitals_land_lag_records=7.0,
                robovitals_land_progress_age_seconds=0.2,
                process_resident_memory_bytes=3e6,
            )
        ]
    )
    assert (line.lag_s, line.lag, line.progress_age_s, line.memory_mb) == (1.5, 7.0, 0.2, 3.0)
    assert line.state == "NORMAL"


def test_messages_wait_where_others_have_records() -> None:
    (line,) = lines([state("assess", robovitals_assess_lag_messages=3.0)])
    assert line.lag == 3.0


def test_what_a_process_does_not_say_is_not_nought() -> None:
    (line,) = lines([state("notify")])
    assert (line.lag_s, line.lag, line.progress_age_s, line.memory_mb) == (None, None, None, None)
    assert line.state == "NORMAL"


def test_trouble_goes_before_a_lag() -> None:
    troubled, behind = lines(
        [
            state("land", "does not answer", robovitals_land_lag_seconds=60.0),
            state("assess", robovitals_assess_lag_seconds=60.0),
        ]
    )
    assert (troubled.state, behind.state) == ("FAILURE", "CHECK_FUNCTION")
