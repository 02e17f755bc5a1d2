"""The limits file: a TOML file of a fleet's own limits a model, named by ROBOVITALS_LIMITS.

In: its path, or nothing. Out: `Limits`. Called by the commands `summarise`, `assess` and `serve`, which must
judge and draw by the same file.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from deploy.settings import LIMITS
from processors.detectors.tuning import tuning_of
from schemas.errors import SettingError
from schemas.limits import Limits, read_limits


def limits_from(environ: Mapping[str, str]) -> Limits:
    """As the environment says; the signal table's own limits where it says nothing. Raises SettingError."""
    text = environ.get(LIMITS)
    return read_limits_file(Path(text) if text else None)


def read_limits_file(path: Path | None) -> Limits:
    """Raises SettingError naming the file, and the entry that is wrong."""
    if path is None:
        return Limits()
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingError(f"{LIMITS}={path}: {error.strerror}; name a TOML file, or unset it") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingError(f"{LIMITS}={path} is not TOML: {error}") from None
    limits = read_limits(tables, str(path))
    for model in limits.models:
        try:
            tuning_of(limits, model)
        except SettingError as error:
            raise SettingError(f"{path}: {error}") from None
    return limits
