"""What an agent tells of itself, in words and as an exit code."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from ingest.agent.status import Status, read_status, unhealthy, words, write_status
from ingest.agent.uplink import State
from schemas.errors import UnavailableError
from support.frames import CODE

NOW_US = 1_800_000_000_000_000
GOOD = Status(
    robot_id=CODE, pid=7, written_us=NOW_US - 500_000, started_us=NOW_US - 7_200_000_000, state="online", error="",
    frames_made=10, acknowledged=9, acknowledged_us=NOW_US - 400_000, latency_ms=12.0, spool_frames=1,
    spool_used=0.01, spool_state="ok", dropped=0, bad_lines=0, last_bad_line="", reconnects=0,
    throttled_ms=0, clock_offset_ms=-3.0, clock_synchronised=True, clock_jumps=0,
)  # fmt: skip


def test_a_status_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_status(tmp_path / "s.json", GOOD)
    assert read_status(tmp_path / "s.json") == GOOD


def test_where_no_agent_has_run_it_is_said_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="robovitals agent"):
        read_status(tmp_path / "s.json")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, None),
        ({"state": "throttled"}, None),
        ({"state": "offline"}, "cannot be reached"),
        ({"state": "refused"}, "refuses this robot"),
        ({"state": "stopped"}, "was stopped"),
        ({"written_us": NOW_US - 60_000_000}, "does not run: its last word is 60 s old"),
        ({"spool_state": "full"}, "the spool's disk is full"),
        ({"spool_used": 0.95}, "95% full"),
    ],
)
def test_who_has_to_look_is_told_why(changed: dict[str, Any], told: str | None) -> None:
    found = unhealthy(msgspec.structs.replace(GOOD, **changed), NOW_US)
    assert (found is None) == (told is None)
    assert (told or "") in (found or "")


def test_every_state_has_words() -> None:
    for state in State:
        told = dict(words(msgspec.structs.replace(GOOD, state=state.value), NOW_US))
        assert told["state"] != state.value
    assert told["since"] == "2 h ago (process 7)"
    assert told["clock"] == "-3 ms against the broker's, synchronised"
