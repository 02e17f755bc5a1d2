"""Small files that outlast a power cut."""

import os
from pathlib import Path

import msgspec
import pytest

from deploy.local import kept


class Content(msgspec.Struct, frozen=True):
    number: int


def test_content_and_name_are_on_the_disk_in_that_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kept.json"
    kept.write(path, Content(1))
    synced: list[tuple[Path, Content | None]] = []
    in_whole: list[Content | None] = []

    def fsync(descriptor: int) -> None:
        target = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        synced.append((target, kept.read(path, Content)))
        in_whole.append(kept.read(target, Content))

    monkeypatch.setattr(os, "fsync", fsync)
    kept.write(path, Content(2))
    assert synced == [(tmp_path / "kept.json.new", Content(1)), (tmp_path, Content(2))]
    assert in_whole[0] == Content(2)


@pytest.mark.parametrize("content", [b"", b"\0\0\0\0", b'{"number": "\xff"}'])
def test_a_damaged_file_reads_as_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "kept.json"
    path.write_bytes(content)
    assert kept.read(path, Content) is None
    assert kept.read(tmp_path, Content) is None
    assert kept.read(tmp_path / "none.json", Content) is None
