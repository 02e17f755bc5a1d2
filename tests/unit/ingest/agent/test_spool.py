"""The spool on a disk that works: order, holding, limits, restarts."""

import stat
from pathlib import Path

import pytest

from ingest.agent.spool import SpoolLimits
from schemas.errors import SettingError
from support.spooling import (
    BOOT,
    NOW_US,
    ROOMY,
    all_waiting,
    append,
    as_killed,
    connection_of,
    log_of,
    opened,
    seqs,
    value_of,
)

DAY_US = 86_400_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "robot" / "spool.db"


def test_frames_come_out_as_they_went_in_the_oldest_first(path: Path) -> None:
    spool = opened(path)
    append(spool, range(5))
    frames = spool.oldest(3) + spool.oldest(3)
    assert seqs(frames) == [0, 1, 2, 3, 4]
    assert [(f.boot_id, f.time_us, f.value) for f in frames[:1]] == [(BOOT, NOW_US, value_of(0))]


def test_the_frame_that_came_last_can_go_first_and_is_handed_out_once(path: Path) -> None:
    spool = opened(path)
    append(spool, range(3))
    newest = spool.newest()
    assert newest is not None
    assert newest.seq == 2
    assert spool.newest() is None
    assert seqs(spool.oldest(10)) == [0, 1]


def test_what_the_oldest_had_is_not_the_newest_any_more(path: Path) -> None:
    spool = opened(path)
    append(spool, range(1))
    spool.acknowledge([frame.id for frame in spool.oldest(1)])
    assert spool.newest() is None


def test_what_is_given_back_comes_again_in_its_place(path: Path) -> None:
    spool = opened(path)
    append(spool, range(4))
    held = spool.oldest(3)
    spool.give_back([held[1].id])
    assert seqs(spool.oldest(10)) == [1, 3]


def test_what_is_acknowledged_is_gone_and_a_restart_begins_with_the_rest(path: Path) -> None:
    spool = opened(path)
    append(spool, range(6))
    spool.acknowledge([frame.id for frame in spool.oldest(4) if frame.seq != 1])
    assert spool.frames == 3
    spool.close()
    spool = opened(path)
    assert spool.opened.frames == 3
    assert (spool.opened.lost_bytes, spool.opened.remade) == (0, None)
    assert seqs(all_waiting(spool)) == [1, 4, 5]


def test_what_was_given_back_cannot_be_acknowledged(path: Path) -> None:
    spool = opened(path)
    (number,) = append(spool, range(1))
    spool.oldest(1)
    spool.give_back([number])
    spool.acknowledge([number])
    assert spool.frames == 1


def test_a_kill_loses_no_frame_that_was_appended(path: Path, tmp_path: Path) -> None:
    spool = opened(path)
    append(spool, range(20))
    after = opened(as_killed(path, tmp_path / "after"))
    assert seqs(all_waiting(after)) == list(range(20))
    assert after.opened.lost_bytes == 0


def test_acknowledgements_outlive_a_kill_from_the_next_sync_on(path: Path, tmp_path: Path) -> None:
    spool = opened(path)
    append(spool, range(4))
    spool.acknowledge([frame.id for frame in spool.oldest(2)])
    assert opened(as_killed(path, tmp_path / "before")).frames == 4
    spool.sync()
    assert seqs(all_waiting(opened(as_killed(path, tmp_path / "after")))) == [2, 3]


def test_a_sync_has_the_disk_sync_and_an_append_has_not(path: Path) -> None:
    spool = opened(path)
    said: list[str] = []
    connection_of(spool).set_trace_callback(said.append)
    append(spool, range(3))
    assert not any("synchronous" in statement or statement == "COMMIT" for statement in said)
    spool.sync()
    full, begin = said.index("PRAGMA synchronous = FULL"), said.index("BEGIN IMMEDIATE")
    changed, commit = (
        next(n for n, one in enumerate(said) if one.startswith(w)) for w in ("UPDATE tally", "COMMIT")
    )
    assert full < begin < changed < commit < said.index("PRAGMA synchronous = NORMAL")
    said.clear()
    spool.sync()
    assert said == []


def test_beyond_its_size_the_oldest_are_dropped_and_counted_for_good(path: Path) -> None:
    limits = SpoolLimits(max_bytes=100_000, max_age_s=1e6)
    spool = opened(path, limits)
    append(spool, range(2_000))
    assert spool.dropped
    assert spool.frames + spool.dropped == 2_000
    assert spool.frames > 500
    assert 0.9 < spool.used <= 1.0
    dropped = spool.dropped
    spool.close()
    spool = opened(path, limits)
    assert spool.dropped == dropped
    assert seqs(all_waiting(spool)) == list(range(dropped, 2_000))
    assert path.stat().st_size < limits.max_bytes + 3 * 4096


def test_frames_that_somebody_holds_are_not_dropped(path: Path) -> None:
    spool = opened(path, SpoolLimits(max_bytes=100_000, max_age_s=1e6))
    append(spool, range(100))
    held = spool.oldest(10)
    append(spool, range(100, 2_000))
    spool.give_back([frame.id for frame in held])
    assert seqs(spool.oldest(11))[:10] == list(range(10))


def test_acknowledged_frames_make_room_before_any_is_dropped(path: Path) -> None:
    spool = opened(path, SpoolLimits(max_bytes=100_000, max_age_s=1e6))
    for begin in range(0, 4_000, 100):
        append(spool, range(begin, begin + 100))
        spool.acknowledge([frame.id for frame in spool.oldest(100)])
    assert (spool.dropped, spool.frames) == (0, 0)


def test_frames_older_than_the_limit_are_dropped_when_a_clock_that_is_believed_says_so(path: Path) -> None:
    spool = opened(path, SpoolLimits(max_bytes=1 << 20, max_age_s=60.0))
    append(spool, range(100))
    spool.expire(NOW_US + 100_000_000)
    assert (spool.dropped, spool.frames) == (40, 60)
    assert seqs(spool.oldest(1)) == [40]


def test_a_clock_that_was_never_set_makes_no_frame_old(path: Path) -> None:
    spool = opened(path, SpoolLimits(max_bytes=1 << 20, max_age_s=60.0))
    spool.append(b"1970", 0, BOOT, 5_000_000)
    append(spool, range(1, 3))
    spool.expire(NOW_US + DAY_US)
    assert (spool.dropped, seqs(all_waiting(spool))) == (2, [0])


def test_what_expires_is_not_the_newest_any_more(path: Path) -> None:
    spool = opened(path)
    append(spool, range(1))
    spool.expire(NOW_US + 30 * DAY_US)
    assert spool.newest() is None
    assert spool.frames == 0


def test_what_can_never_be_sent_is_dropped_and_counted(path: Path) -> None:
    spool = opened(path)
    append(spool, range(3))
    spool.drop([frame.id for frame in spool.oldest(1)])
    spool.count_dropped(4)
    assert (spool.dropped, spool.frames) == (5, 2)
    spool.close()
    assert opened(path).dropped == 5


def test_a_damaged_frame_is_dropped_and_counted_and_its_neighbours_stay(path: Path) -> None:
    spool = opened(path)
    append(spool, range(5))
    connection_of(spool).execute("UPDATE frame SET value = ? WHERE id = 3", (value_of(77),))
    assert seqs(all_waiting(spool)) == [0, 1, 3, 4]
    assert (spool.dropped, spool.frames) == (1, 4)
    spool.sync()
    assert (spool.state, spool.dropped, spool.frames) == ("ok", 1, 4)


def test_a_drained_spool_gives_its_room_back(path: Path) -> None:
    spool = opened(path)
    append(spool, range(3_000), length=1_000)
    spool.sync()
    spool.acknowledge([frame.id for frame in all_waiting(spool)])
    spool.sync()
    spool.sync()
    append(spool, range(3_000, 3_001))
    spool.close()
    assert path.stat().st_size < 100_000
    assert seqs(all_waiting(opened(path))) == [3_000]


def test_a_second_agent_on_the_same_spool_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.agent.store.BUSY_S", 0.0)
    spool = opened(path)
    append(spool, range(1))
    with pytest.raises(SettingError, match="another process"):
        opened(path)


def test_it_is_readable_by_its_owner_only(path: Path) -> None:
    spool = opened(path)
    append(spool, range(1))
    for file in (path, log_of(path)):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_frame_as_large_as_any_comes_out_whole(path: Path) -> None:
    spool = opened(path, ROOMY)
    append(spool, range(3), length=64 * 1024)
    spool.close()
    assert [frame.value for frame in all_waiting(opened(path))] == [value_of(n, 64 * 1024) for n in range(3)]
