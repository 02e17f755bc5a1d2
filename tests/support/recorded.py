"""The real recordings beside the repository; a test that needs one fails clearly where it is missing."""

from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def recording(name: str) -> Path:
    """The directory of a recording: `ur3`, `armpi` or `battery_nasa`."""
    path = DATA / name
    if not path.is_dir():
        pytest.fail(f"the recording {name} is missing: it belongs at {path}")
    return path
