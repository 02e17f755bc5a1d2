"""The cache of downloaded programs, shared by every home.

In: a name, a version and a function that fills an empty directory. Out: that directory under its final path,
whole or not at all. Called by `deploy.local.kafka` and `deploy.local.timescaledb`.

A directory is filled beside its final place and renamed into it, so an interrupted installation leaves nothing
that looks finished; the sizes of all files are noted and compared on each use, so a damaged one is redone.
"""

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from schemas.errors import UnavailableError

MANIFEST = ".manifest.json"


class Manifest(msgspec.Struct, frozen=True):
    version: str
    size_bytes: dict[str, int]
    """By path inside the directory; symbolic links are left out."""


class Installed(msgspec.Struct, frozen=True):
    path: Path
    cached: bool


def is_installed(cache: Path, name: str, version: str) -> bool:
    return _is_whole(_place(cache, name, version), version)


def install(cache: Path, name: str, version: str, fill: Callable[[Path, Path], None]) -> Installed:
    """`fill(into, final)` fills the empty directory `into`, which will be called `final` when it is done.

    Two processes may ask at once: the second waits and finds the work done. Raises UnavailableError when the
    cache cannot be written; what `fill` raises passes through.
    """
    final = _place(cache, name, version)
    if _is_whole(final, version):
        return Installed(final, cached=True)
    try:
        with _lock(cache, name):
            if _is_whole(final, version):
                return Installed(final, cached=True)
            _replace(final, version, fill)
    except PermissionError as error:
        raise UnavailableError(f"the cache cannot be written ({error}): set ROBOVITALS_CACHE") from None
    return Installed(final, cached=False)


def _place(cache: Path, name: str, version: str) -> Path:
    return cache / f"{name}-{version}"


def _replace(final: Path, version: str, fill: Callable[[Path, Path], None]) -> None:
    beside = final.with_name(final.name + ".partial")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    beside.chmod(0o755)  # an unprivileged user runs the database, whatever the umask
    fill(beside, final)
    manifest = Manifest(version, _sizes(beside))
    (beside / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    shutil.rmtree(final, ignore_errors=True)
    beside.rename(final)


def _is_whole(directory: Path, version: str) -> bool:
    try:
        manifest = msgspec.json.decode((directory / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError):
        return False
    return manifest.version == version and manifest.size_bytes == _sizes(directory)


def _sizes(directory: Path) -> dict[str, int]:
    return {
        str(path.relative_to(directory)): path.stat().st_size
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not path.is_symlink() and path.name != MANIFEST
    }


@contextmanager
def _lock(cache: Path, name: str) -> Iterator[None]:
    """Held by the kernel for the open file: a killed process cannot leave it behind."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
