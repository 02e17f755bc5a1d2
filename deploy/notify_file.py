"""The file of receivers and routes, named by ROBOVITALS_NOTIFY.

In: its path, or nothing. Out: a `Config`; without a file nobody is told. Called by `robovitals notify`. Secrets are
in the file itself, in the environment (`env:NAME`) or in files of their own (`file:PATH`), and never in an error.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from deploy.settings import NOTIFY
from processors.notify.config import read_config
from processors.notify.receivers import Config
from schemas.errors import SettingError

_LARGEST_SECRET = 10_000


def config_from(environ: Mapping[str, str] = os.environ) -> Config:
    """As the environment says. Raises SettingError."""
    text = environ.get(NOTIFY)
    return Config() if text is None else read_file(Path(text), environ)


def read_file(path: Path, environ: Mapping[str, str]) -> Config:
    """Raises SettingError naming the file, and the entry that is wrong."""
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingError(f"{NOTIFY}={path}: {error.strerror}; name a TOML file, or unset it") from None
    except UnicodeDecodeError:
        raise SettingError(f"{NOTIFY}={path} is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingError(f"{NOTIFY}={path} is not TOML: {error}") from None

    def lookup(text: str) -> str:
        return _secret(text, path.parent, environ)

    return read_config(tables, str(path), lookup)


def _secret(text: str, directory: Path, environ: Mapping[str, str]) -> str:
    """A path is as from the file's own directory."""
    kind, _, rest = text.partition(":")
    if kind == "env":
        if not environ.get(rest):
            raise SettingError(f"the environment has no {rest}")
        return environ[rest]
    if kind == "file":
        try:
            found = (directory / Path(rest).expanduser()).read_text("utf-8")
        except OSError as error:
            raise SettingError(f"{rest}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise SettingError(f"{rest}: it is not UTF-8") from None
        if not found.strip() or len(found) > _LARGEST_SECRET:
            raise SettingError(f"{rest}: a secret is a line of text")
        return found.strip()
    return text
