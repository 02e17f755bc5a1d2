"""What `robovitals up` prints."""

import io
import re

import pytest

from deploy.local.steps import Steps


def test_a_step_is_one_line_with_its_time_and_note() -> None:
    out = io.StringIO()
    with Steps(out).step("install Kafka") as step:
        assert out.getvalue() == "install Kafka … "
        step.note = "cached"
    assert re.fullmatch(r"install Kafka … \d+\.\d\d s \(cached\)\n", out.getvalue())


def test_a_failed_step_says_so_and_the_error_passes() -> None:
    out = io.StringIO()
    with pytest.raises(ValueError, match="why"), Steps(out).step("start Kafka"):
        raise ValueError("why")
    assert out.getvalue() == "start Kafka … not done\n"


def test_what_happens_within_a_step_is_a_line_of_its_own() -> None:
    out = io.StringIO()
    steps = Steps(out)
    with steps.step("wait"):
        steps.say("land ended")
    steps.say("up")
    lines = out.getvalue().splitlines()
    assert (lines[0], lines[1], lines[3]) == ("wait … ", "land ended", "up")
    assert re.fullmatch(r"wait … \d+\.\d\d s", lines[2])


def test_a_reader_who_left_stops_nothing() -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    steps = Steps(Closed())
    with steps.step("stop Kafka"):
        steps.say("still here")
