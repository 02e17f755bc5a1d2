"""A power cut, simulated: the spool's file and its log, cut at every byte, wiped, torn and overwritten.

What must hold each time: it opens; what it hands out is what was appended; what is not there any more was never
synced, or it is said that the file was damaged; it goes on working.
"""

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.agent.disk_errors import DiskError
from ingest.agent.record import Spooled
from ingest.agent.spool import REMAKE_EVERY_SYNCS, Spool
from support.spooling import (
    BOOT,
    all_waiting,
    append,
    as_killed,
    connection_of,
    log_of,
    opened,
    quick_directory,
    seqs,
    value_of,
    with_small_pages,
)

Files = tuple[bytes, bytes]  # the database, and its log


def _files(path: Path) -> Files:
    return path.read_bytes(), log_of(path).read_bytes() if log_of(path).exists() else b""


def _start(directory: Path, files: Files) -> tuple[Spool, list[Spooled]]:
    """A start with these files, and all that it hands out. It is acknowledged, and the spool goes on working."""
    for file in directory.glob("spool.db*"):
        file.unlink()
    path = directory / "spool.db"
    path.write_bytes(files[0])
    if files[1]:
        log_of(path).write_bytes(files[1])
    spool = opened(path)
    found = all_waiting(spool)
    _are_right(found)
    assert seqs(found) == sorted(set(seqs(found)))
    spool.acknowledge([frame.id for frame in found])
    spool.append(b"one more", 0, BOOT - 1, 0)
    spool.sync()
    more = all_waiting(spool)
    assert [frame.value for frame in more] == [b"one more"]
    # A page that lies twice in the file makes its frames come twice, which the database tells; and what a second
    # damage hid may be found only when the file is made anew.
    while more:
        spool.acknowledge([frame.id for frame in more])
        spool.sync()
        more = all_waiting(spool)
        _are_right(more)
    assert (spool.frames, spool.state) == (0, "ok")
    spool.close()
    return spool, found


def _are_right(frames: list[Spooled]) -> None:
    for frame in frames:
        assert (frame.boot_id, frame.value) == (BOOT, value_of(frame.seq, len(frame.value)))


def _is_told(spool: Spool, lost: int) -> bool:
    """Counted to the unit, or it is said that nobody can."""
    return spool.dropped == lost or "nobody knows" in (spool.remade or "")


@pytest.fixture
def quick() -> Iterator[Path]:
    with quick_directory() as directory:
        yield directory


@pytest.fixture(scope="module")
def cut_short(tmp_path_factory: pytest.TempPathFactory) -> tuple[Files, list[list[int]], int]:
    """A small spool as a kill leaves it. Out: its files, what waited after each of its commits, and how long its
    log was when it was synced."""
    directory = tmp_path_factory.mktemp("cut")
    path = with_small_pages(directory / "spool.db")
    spool, history = opened(path), [[]]
    synced = 0
    for seq in range(6):
        append(spool, range(seq, seq + 1))
        history.append([*history[-1], seq])
        if seq == 3:
            spool.acknowledge([frame.id for frame in spool.oldest(2)])
            spool.sync()
            history.append([n for n in history[-1] if n >= 2])
            synced = log_of(path).stat().st_size
    return _files(as_killed(path, directory / "killed")), history, synced


def test_a_log_cut_at_every_byte_ends_with_a_commit_and_with_all_that_was_synced(
    cut_short: tuple[Files, list[list[int]], int], quick: Path
) -> None:
    (file, log), history, synced = cut_short
    whole = 0
    for length in range(len(log) + 1):
        spool, found = _start(quick, (file, log[:length]))
        assert spool.opened.remade is None
        assert seqs(found) in history
        if length >= synced:
            assert set(seqs(found)) >= {2, 3}
        whole += spool.opened.lost_bytes == 0
    assert seqs(found) == history[-1]
    assert whole == len(history) + 2  # no log, its head, the tables, and each commit


def test_a_file_cut_at_every_byte_opens_and_says_what_it_lost(quick: Path) -> None:
    path = with_small_pages(quick / "spool.db")
    spool = opened(path)
    append(spool, range(5))
    spool.close()
    file, log = _files(path)
    assert not log
    for length in range(len(file)):
        spool, found = _start(quick, (file[:length], b""))
        assert length == 0 or _is_told(spool, 5 - len(found))


def test_a_file_cut_at_every_byte_beside_its_log_opens(
    cut_short: tuple[Files, list[list[int]], int], quick: Path
) -> None:
    (file, log), history, _ = cut_short
    for length in range(len(file)):
        spool, found = _start(quick, (file[:length], log))
        assert spool.remade or seqs(found) == history[-1]


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """300 frames over some fifty pages."""
    path = tmp_path_factory.mktemp("larger") / "spool.db"
    spool = opened(path)
    append(spool, range(300), length=540)
    spool.close()
    return path.read_bytes()


PAGE = 4096


def _damaged(kind: str, file: bytes, page: int, chance: random.Random) -> bytes:
    begin, end = page * PAGE, (page + 1) * PAGE
    match kind:
        case "wiped":
            new = bytes(PAGE)
        case "torn":
            new = file[begin : begin + PAGE // 2] + bytes(PAGE // 2)
        case "head torn":
            new = bytes(512) + file[begin + 512 : end]
        case _:
            new = chance.randbytes(PAGE)
    return file[:begin] + new + file[end:]


@pytest.mark.parametrize("kind", ["wiped", "torn", "head torn", "noise"])
def test_a_page_that_is_not_what_was_written_costs_what_was_on_it_and_is_counted(
    kind: str, larger: bytes, quick: Path
) -> None:
    chance = random.Random(kind)
    kept = 0
    for page in range(len(larger) // PAGE):
        spool, found = _start(quick, (_damaged(kind, larger, page, chance), b""))
        assert _is_told(spool, 300 - len(found))
        kept += len(found) >= 280
    assert kept >= len(larger) // PAGE - 4  # all but the first page, the tally's, and the one above the frames


def test_a_page_that_was_written_to_another_place_makes_no_wrong_frame(larger: bytes, quick: Path) -> None:
    """Some frames are then there twice, so losses cannot be counted to the unit."""
    pages = [larger[begin : begin + PAGE] for begin in range(0, len(larger), PAGE)]
    for page in range(1, len(pages)):
        moved = [*pages[:page], pages[page * 7 % len(pages)], *pages[page + 1 :]]
        _, found = _start(quick, (b"".join(moved), b""))
        assert len(found) <= 300


_flips = st.lists(st.tuples(st.integers(0, 2**20), st.integers(1, 255)), min_size=1, max_size=8)


def _flipped(content: bytes, flips: list[tuple[int, int]]) -> bytes:
    changed = bytearray(content)
    for at, bits in flips if content else ():
        changed[at % len(content)] ^= bits
    return bytes(changed)


@settings(max_examples=60)
@given(flips=_flips)
@example(flips=[(4090, 128)])  # in the schema's text, which SQLite's error message quotes
def test_flipped_bytes_anywhere_never_make_a_wrong_frame(larger: bytes, flips: list[tuple[int, int]]) -> None:
    with quick_directory() as directory:
        _start(directory, (_flipped(larger, flips), b""))


@settings(max_examples=40)
@given(length=st.integers(0, 600_000), flips=st.one_of(st.just([]), _flips))
def test_a_larger_log_cut_anywhere_or_with_flipped_bytes_ends_with_a_commit(
    length: int, flips: list[tuple[int, int]]
) -> None:
    with quick_directory() as directory:
        spool = opened(directory / "spool.db")
        append(spool, range(120), length=540)
        file, log = _files(as_killed(directory / "spool.db", directory / "killed"))
        spool.close()
        _, found = _start(directory / "killed", (file, _flipped(log[:length], flips)))
    assert seqs(found) == list(range(len(found)))


@pytest.mark.parametrize("at", [18, 19])
def test_a_header_that_forbids_to_write_or_read_is_damage(at: int, larger: bytes, quick: Path) -> None:
    spool, _ = _start(quick, (larger[:at] + b"\x09" + larger[at + 1 :], b""))
    assert spool.opened.remade


def test_a_log_without_its_file_is_said(cut_short: tuple[Files, list[list[int]], int], quick: Path) -> None:
    spool, found = _start(quick, (b"", cut_short[0][1]))
    assert found == []
    assert spool.opened.remade
    assert "cut short" in spool.opened.remade


def test_what_is_damaged_while_it_runs_is_made_anew_and_what_is_held_stays_held(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    spool = opened(path)
    append(spool, range(300), length=540)
    spool.close()
    file = bytearray(path.read_bytes())
    page = file.index(b"00000200-") // PAGE
    spool = opened(path)
    held = spool.oldest(10)
    with path.open("r+b") as handle:
        handle.seek(page * PAGE)
        handle.write(bytes(PAGE))
    rest: list[Spooled] = []
    for _ in range(20):
        rest += spool.oldest(50)
    assert (spool.state, spool.opened.remade) == ("ok", None)
    assert spool.remade
    assert seqs(held) == list(range(10))
    assert seqs(rest) == [n for n in range(10, 300) if n in seqs(rest)]
    assert spool.dropped == 300 - len(held) - len(rest)
    assert 200 not in seqs(rest)


def test_a_kill_in_the_middle_of_making_it_anew_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    spool = opened(path)
    append(spool, range(5))
    spool.close()
    made = path.with_name("spool.db.new")
    path.rename(made)
    spool = opened(path)
    assert seqs(all_waiting(spool)) == list(range(5))
    spool.close()
    made.write_bytes(b"half of it")
    assert seqs(all_waiting(opened(path))) == list(range(5))
    assert not made.exists()


def test_what_cannot_be_made_anew_waits_in_memory_and_is_tried_again_later(
    larger: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "spool.db"
    path.write_bytes(larger[:-PAGE])

    def no_room(path: Path, to: Path) -> None:
        raise DiskError("full", "no room")

    with monkeypatch.context() as full:
        full.setattr("ingest.agent.salvage._move", no_room)
        spool = opened(path)
        append(spool, range(300, 302))
        assert (spool.state, spool.frames) == ("damaged", 2)
    for _ in range(REMAKE_EVERY_SYNCS):
        spool.sync()
    assert spool.state == "ok"
    found = seqs(all_waiting(spool))
    assert found[-2:] == [300, 301]
    assert len(found) > 290


def test_what_is_left_in_the_log_of_an_earlier_round_is_no_loss(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    spool = opened(path)
    append(spool, range(50))
    connection_of(spool).execute("PRAGMA wal_checkpoint").fetchall()
    length = log_of(path).stat().st_size
    append(spool, range(50, 53))
    assert log_of(path).stat().st_size == length
    after = opened(as_killed(path, tmp_path / "killed"))
    assert after.opened.lost_bytes == 0
    assert len(all_waiting(after)) == 53


def test_of_damaged_files_the_last_is_kept(tmp_path: Path) -> None:
    for content in (b"first" * 1_000, b"second" * 1_000):
        path = tmp_path / "spool.db"
        path.write_bytes(content)
        opened(path).close()
    (kept,) = tmp_path.glob("spool.db.damaged-*")
    assert kept.read_bytes() == content


def test_another_programs_database_is_set_aside_and_not_written_to(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE frame (something TEXT)")
    other.close()
    spool = opened(path)
    assert spool.remade
    append(spool, range(1))
    assert spool.state == "ok"
