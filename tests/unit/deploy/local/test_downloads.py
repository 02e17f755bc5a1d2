"""The cache: whole or not at all, checked at each use."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.local import downloads
from schemas.errors import UnavailableError


def filling(content: str, calls: list[Path]) -> Callable[[Path, Path], None]:
    def fill(into: Path, final: Path) -> None:
        calls.append(final)
        (into / "bin").mkdir()
        (into / "bin" / "program").write_text(content)
        (into / "link").symlink_to("bin/program")

    return fill


def test_a_second_use_finds_the_first_ones_work(tmp_path: Path) -> None:
    calls: list[Path] = []
    first = downloads.install(tmp_path / "cache", "kafka", "1", filling("x", calls))
    second = downloads.install(tmp_path / "cache", "kafka", "1", filling("x", calls))
    assert (first.cached, second.cached) == (False, True)
    assert first.path == second.path == calls[0] == tmp_path / "cache" / "kafka-1"
    assert (second.path / "link").read_text() == "x"
    assert len(calls) == 1


def test_another_version_is_installed_beside_it(tmp_path: Path) -> None:
    downloads.install(tmp_path, "kafka", "1", filling("x", []))
    newer = downloads.install(tmp_path, "kafka", "2", filling("y", []))
    assert not newer.cached
    assert (tmp_path / "kafka-1" / "bin" / "program").read_text() == "x"


@pytest.mark.parametrize("damage", ["shorter", "gone", "extra", "no manifest", "other version"])
def test_a_damaged_installation_is_redone(tmp_path: Path, damage: str) -> None:
    path = downloads.install(tmp_path, "kafka", "1", filling("content", [])).path
    program, manifest = path / "bin" / "program", path / downloads.MANIFEST
    match damage:
        case "shorter":
            program.write_text("cont")
        case "gone":
            program.unlink()
        case "extra":
            (path / "bin" / "other").write_text("")
        case "no manifest":
            manifest.unlink()
        case _:
            manifest.write_text(manifest.read_text().replace('"version":"1"', '"version":"0"'))
    again = downloads.install(tmp_path, "kafka", "1", filling("content", []))
    assert not again.cached
    assert program.read_text() == "content"
    assert downloads.install(tmp_path, "kafka", "1", filling("content", [])).cached


def test_an_interrupted_installation_leaves_nothing_that_looks_whole(tmp_path: Path) -> None:
    def interrupted(into: Path, final: Path) -> None:
        (into / "half").write_text("")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        downloads.install(tmp_path, "kafka", "1", interrupted)
    assert not (tmp_path / "kafka-1").exists()
    path = downloads.install(tmp_path, "kafka", "1", filling("x", [])).path
    assert not (path / "half").exists()


def test_two_that_ask_at_once_install_once(tmp_path: Path) -> None:
    calls: list[Path] = []
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(downloads.install, tmp_path, "kafka", "1", filling("x", calls)) for _ in range(2)]
    assert sorted(done.result().cached for done in both) == [False, True]
    assert len(calls) == 1


def test_a_cache_that_cannot_be_written_names_the_setting(tmp_path: Path) -> None:
    def refused(into: Path, final: Path) -> None:
        raise PermissionError(13, "Permission denied", str(into))

    with pytest.raises(UnavailableError, match="ROBOVITALS_CACHE"):
        downloads.install(tmp_path, "kafka", "1", refused)
