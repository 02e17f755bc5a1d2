"""How a replay places frames in time, and when it sends them."""

from pathlib import Path

import pytest

from ingest.mapping_file import load_mapping
from ingest.replay import Pace, Sent, Times, replay
from ingest.sessions import find_sessions
from schemas.errors import SettingError
from schemas.frame import Frame
from support.recorded import recording

FIRST_US, LAST_US = 1_234_566_748_000_000, 1_272_993_998_000_000  # of the discharges of the NASA cells


class FakePublisher:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.flushed = False

    async def send(self, frame: Frame) -> None:
        self.frames.append(frame)

    async def flush(self) -> None:
        self.flushed = True


async def _replayed(pace: Pace, now_us: int = 0) -> tuple[list[Frame], Sent]:
    mapping, publisher = load_mapping("battery_nasa"), FakePublisher()
    sessions = find_sessions(mapping, recording("battery_nasa"), ["discharge_summary.csv"])
    sent = await replay(mapping, sessions, pace, publisher, lambda sent, session: None, lambda: now_us)
    assert publisher.flushed
    return publisher.frames, sent


async def test_original_times_are_those_of_the_recording() -> None:
    frames, sent = await _replayed(Pace(Times.ORIGINAL, None))
    assert (frames[0].time_us, frames[-1].time_us) == (FIRST_US, LAST_US)
    assert sent.account.frames == len(frames) == 298
    assert sum(span.frames for span in sent.spans.values()) == 298


async def test_end_now_moves_all_alike_so_that_the_last_row_is_now() -> None:
    frames, _ = await _replayed(Pace(Times.END_NOW, None), 1_800_000_000_000_000)
    assert frames[-1].time_us == 1_800_000_000_000_000
    assert frames[-1].time_us - frames[0].time_us == LAST_US - FIRST_US


async def test_live_times_are_when_each_frame_is_due() -> None:
    # The clock stands still far ahead of every due time, so that nothing is waited for.
    pace = Pace(Times.LIVE, 1e6)
    assert pace.due_us(FIRST_US + 5_000_000, FIRST_US, 100) == 105
    frames, sent = await _replayed(Pace(Times.LIVE, 1e12), 1_800_000_000_000_000)
    assert {frame.time_us // 1_000_000 for frame in frames} == {1_800_000_000}
    assert [frame.time_us for frame in frames] == sorted(frame.time_us for frame in frames)
    assert max(span.last_us for span in sent.spans.values()) == frames[-1].time_us


async def test_boots_and_sequences_are_the_same_at_any_times() -> None:
    original, _ = await _replayed(Pace(Times.ORIGINAL, None))
    moved, _ = await _replayed(Pace(Times.END_NOW, None), 1_800_000_000_000_000)
    assert [(f.robot_id, f.boot_id, f.seq) for f in original] == [(f.robot_id, f.boot_id, f.seq) for f in moved]


def test_a_frame_is_due_by_its_distance_from_the_first_over_the_speed() -> None:
    assert Pace(Times.ORIGINAL, 10.0).due_us(30_000_000, 10_000_000, 500) == 2_000_500
    assert Pace(Times.ORIGINAL, None).due_us(30_000_000, 10_000_000, 500) is None


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="nowhere: there is no such file"):
        find_sessions(load_mapping("ur3"), tmp_path / "nowhere")
