"""The spool on a disk that fails: full, read-only, not there."""

from pathlib import Path

import pytest

from ingest.agent.spool import Spool, SpoolLimits
from support.spooling import all_waiting, append, break_disk, fill_disk, opened, seqs


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool.db"


def test_while_the_disk_is_read_only_frames_wait_in_memory_and_what_lies_there_is_handed_out(path: Path) -> None:
    spool = opened(path)
    append(spool, range(3))
    break_disk(spool)
    append(spool, range(3, 6))
    spool.sync()
    assert spool.state == "read-only"
    assert seqs(spool.oldest(4)) == [0, 1, 2, 3]
    assert spool.frames == 6


def test_what_waited_in_memory_is_on_the_disk_after_the_first_sync_that_succeeds(path: Path) -> None:
    spool = opened(path)
    append(spool, range(3))
    break_disk(spool)
    append(spool, range(3, 6))
    spool.acknowledge([frame.id for frame in spool.oldest(4)])
    break_disk(spool, False)
    spool.sync()
    assert (spool.state, spool.detail, spool.frames) == ("ok", "", 2)
    append(spool, range(6, 8))
    spool.close()
    assert seqs(all_waiting(opened(path))) == [4, 5, 6, 7]


def test_a_start_on_a_read_only_disk_says_so_and_finds_its_frames_once_it_can_write(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = opened(path)
    append(spool, range(3))
    spool.close()
    with monkeypatch.context() as read_only:
        read_only.setattr("os.access", lambda path, mode: False)
        spool = opened(path)
        append(spool, range(3, 5))
        spool.sync()
        assert (spool.state, spool.frames) == ("read-only", 2)
        assert "may not be written" in spool.detail
    spool.sync()
    assert (spool.state, seqs(all_waiting(spool))) == ("ok", [0, 1, 2, 3, 4])


def test_a_full_disk_is_said_and_is_over_when_it_has_room_again(path: Path) -> None:
    spool = opened(path)
    append(spool, range(10))
    fill_disk(spool)
    append(spool, range(10, 300))
    assert spool.state == "full"
    fill_disk(spool, False)
    spool.sync()
    assert spool.state == "ok"
    assert seqs(all_waiting(spool)) == list(range(300))


def test_beyond_its_bytes_memory_drops_the_oldest_of_its_frames_and_the_disk_counts_them_later(path: Path) -> None:
    spool = opened(path, SpoolLimits(max_bytes=40_000, max_age_s=1e6))
    append(spool, range(5))
    break_disk(spool)
    append(spool, range(5, 1_000))
    dropped = spool.dropped
    assert dropped
    assert spool.used > 0.9
    assert spool.frames + dropped == 1_000
    break_disk(spool, False)
    spool.sync()
    spool.close()
    spool = opened(path)
    assert spool.dropped is not None
    assert spool.dropped >= dropped
    frames = all_waiting(spool)
    assert len(frames) + spool.dropped == 1_000
    assert seqs(frames)[-1] == 999


def test_a_drain_goes_on_while_nothing_can_be_deleted_and_hands_nothing_out_twice(path: Path) -> None:
    spool = opened(path)
    append(spool, range(500))
    break_disk(spool)
    for _ in range(10):
        spool.acknowledge([frame.id for frame in spool.oldest(50)])
        spool.sync()
    assert (spool.frames, spool.oldest(1)) == (0, [])
    break_disk(spool, False)
    spool.sync()
    spool.close()
    assert opened(path).frames == 0


def test_where_no_file_can_be_made_frames_wait_in_memory_and_are_written_when_it_can(tmp_path: Path) -> None:
    (tmp_path / "disk").write_text("not mounted: a file where a directory should be")
    path = tmp_path / "disk" / "spool.db"
    spool = opened(path)
    assert (spool.state, spool.opened.frames, spool.dropped) == ("read-only", 0, None)
    append(spool, range(4))
    spool.acknowledge([frame.id for frame in spool.oldest(1)])
    (tmp_path / "disk").unlink()
    spool.sync()
    assert (spool.state, spool.dropped) == ("ok", 0)
    append(spool, range(4, 6))
    spool.close()
    spool = opened(path)
    assert seqs(all_waiting(spool)) == [1, 2, 3, 4, 5]


def _back_with(disk: Path, numbers: range) -> Spool:
    """A start while the disk is not mounted, some frames, and then it is."""
    away = disk.with_name("away")
    disk.rename(away)
    disk.write_text("not mounted")
    spool = opened(disk / "spool.db")
    append(spool, numbers)
    disk.unlink()
    away.rename(disk)
    spool.sync()
    return spool


def test_a_file_that_comes_back_with_frames_keeps_its_order(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    spool = opened(disk / "spool.db")
    append(spool, range(3))
    spool.close()
    spool = _back_with(disk, range(3, 6))
    assert (spool.state, seqs(all_waiting(spool))) == ("ok", [0, 1, 2, 3, 4, 5])


def test_it_comes_back_as_well_after_what_it_had_was_sent(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    opened(disk / "spool.db").close()
    for begin in (0, 3, 6):
        spool = _back_with(disk, range(begin, begin + 3))
        frames = all_waiting(spool)
        assert seqs(frames) == [begin, begin + 1, begin + 2]
        spool.acknowledge([frame.id for frame in frames])
        spool.close()
        opened(disk / "spool.db").close()


def test_where_ids_would_meet_frames_stay_in_memory_and_it_is_said(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    opened(disk / "spool.db").close()
    _back_with(disk, range(3)).close()
    spool = _back_with(disk, range(3, 6))
    assert (spool.state, spool.frames) == ("read-only", 3)
    assert "start the agent again" in spool.detail
    assert seqs(all_waiting(opened(disk / "spool.db"))) == [0, 1, 2]
