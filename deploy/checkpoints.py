"""Where the file of checkpoints is, and what makes them here.

In: settings. Out: a path, a `Checkpointer`. Called by `robovitals retain`, `logbook` and `verify-log`.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from deploy.platform_key import known_platforms, read_platform_key
from deploy.settings import CHECKPOINTS, Settings, endpoints
from processors.checkpointing import Checkpointer


def checkpoints_file(settings: Settings, environ: Mapping[str, str] = os.environ) -> Path:
    named = environ.get(CHECKPOINTS)
    return Path(named).expanduser() if named else settings.home / "checkpoints.jsonl"


def checkpointer(settings: Settings) -> Checkpointer | None:
    """None: there is no platform's key here. Raises SettingError, UnavailableError."""
    key = read_platform_key(settings)
    if key is None:
        return None
    return Checkpointer(key, known_platforms(settings), checkpoints_file(settings), endpoints(settings).kafka)
