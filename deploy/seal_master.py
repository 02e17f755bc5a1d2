"""The master key that every robot's key follows from: a file, and nowhere else.

In: ROBOVITALS_SEAL_MASTER, else `seal_master` in the home if it is there. Out: its bytes. Called by the commands
`land` and `summarise`, which verify, and `robot`, which makes robots' keys. An error names the file, never what is
in it.
"""

import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from deploy.settings import SEAL_MASTER, Settings
from schemas.errors import SettingError
from schemas.seal import MIN_MASTER_BYTES

_CLOSED = stat.S_IRWXG | stat.S_IRWXO


def master_file(settings: Settings, environ: Mapping[str, str] = os.environ) -> Path:
    """Where it is, or would be."""
    named = environ.get(SEAL_MASTER)
    return Path(named).expanduser() if named else settings.home / "seal_master"


def read_master(settings: Settings, environ: Mapping[str, str] = os.environ) -> bytes | None:
    """None: there is none, and none was named. Raises SettingError."""
    path = master_file(settings, environ)
    if not environ.get(SEAL_MASTER) and not path.exists():
        return None
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _CLOSED:
                raise SettingError(f"the master key {path} is open to other users: chmod 600 {path}")
            text = file.read()
    except OSError as error:
        raise SettingError(
            f"the master key {path}: {error.strerror}; name its file in {SEAL_MASTER}, or make one: "
            "`robovitals robot master`"
        ) from None
    try:
        master = bytes.fromhex(text.decode("ascii").strip())
    except ValueError:
        master = b""
    if len(master) < MIN_MASTER_BYTES:
        raise SettingError(f"the master key {path} is not {MIN_MASTER_BYTES} bytes in hexadecimal digits, or more")
    return master


def create_master(path: Path) -> None:
    """A new one, for its owner's eyes only. Raises SettingError where there is one already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise SettingError(
            f"{path} is there already: with another master key every robot's key would end"
        ) from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(MIN_MASTER_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
