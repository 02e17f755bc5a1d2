"""A file that somebody else writes: grown, rotated, cut off."""

from pathlib import Path

from ingest.agent.tail import Tail


def append(path: Path, text: bytes) -> None:
    with path.open("ab") as file:
        file.write(text)


def test_what_was_there_before_is_old_and_what_comes_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "readings"
    append(path, b"old\n")
    tail = Tail(path)
    assert list(tail.read()) == []
    append(path, b"one\n\ntwo\n")
    assert list(tail.read()) == [b"one", b"two"]
    assert list(tail.read()) == []
    tail.close()


def test_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "readings"
    tail = Tail(path)
    assert list(tail.read()) == []
    append(path, b"one\ntw")
    assert list(tail.read()) == [b"one"]
    append(path, b"o\n")
    assert list(tail.read()) == [b"two"]
    tail.close()


def test_a_rotated_file_is_read_to_its_end_and_the_new_one_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "readings"
    append(path, b"")
    tail = Tail(path)
    assert list(tail.read()) == []
    append(path, b"one\n")
    path.rename(tmp_path / "readings.1")
    append(tmp_path / "readings.1", b"two\n")
    assert list(tail.read()) == [b"one", b"two"]
    append(path, b"three\n")
    assert list(tail.read()) == [b"three"]
    tail.close()


def test_a_file_that_was_cut_off_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "readings"
    append(path, b"a long line that was there\n")
    tail = Tail(path)
    assert list(tail.read()) == []
    path.write_bytes(b"new\n")
    assert list(tail.read()) == [b"new"]
    tail.close()


def test_the_last_line_of_a_rotated_file_needs_no_end(tmp_path: Path) -> None:
    path = tmp_path / "readings"
    append(path, b"")
    tail = Tail(path)
    assert list(tail.read()) == []
    append(path, b"one\ntwo")
    path.rename(tmp_path / "readings.1")
    append(path, b"three\n")
    assert list(tail.read()) == [b"one", b"two", b"three"]
    tail.close()
