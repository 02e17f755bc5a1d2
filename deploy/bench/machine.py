"""The machine that figures hold for. Called by whatever tells figures."""

import os
import platform
from pathlib import Path

import msgspec


class Machine(msgspec.Struct, frozen=True):
    cores: int
    cpu: str
    memory_bytes: int
    system: str
    python: str

    @property
    def text(self) -> str:
        return (
            f"{self.cores} cores {self.cpu}, {self.memory_bytes / 2**30:.1f} GiB memory, {self.system}, "
            f"Python {self.python}"
        )


def this_machine() -> Machine:
    return Machine(
        cores=os.cpu_count() or 1,
        cpu=_cpu(),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
    )


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
