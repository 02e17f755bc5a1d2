"""A signing key: a file of its 32 bytes in hexadecimal digits, for its owner's eyes only, and nowhere else.

In: a file's path, and what the key is called. Out: the key. Called for the platform's key (`platform_key.py`) and
by the commands that write entries, for their authors'. An error names the file, never what is in it.
"""

import os
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.errors import SettingError

KEY_BYTES = 32
_CLOSED = stat.S_IRWXG | stat.S_IRWXO


def read_key(
    path: Path, name: str = "the author's key", hint: str = "`robovitals logbook author`"
) -> Ed25519PrivateKey:
    """`hint`: what makes one. Raises SettingError."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _CLOSED:
                raise SettingError(f"{name} {path} is open to other users: chmod 600 {path}")
            text = file.read()
    except OSError as error:
        raise SettingError(f"{name} {path}: {error.strerror}; name its file, or make one: {hint}") from None
    try:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text.decode("ascii").strip()))
    except ValueError:
        raise SettingError(f"{name} {path} is not {KEY_BYTES} bytes in hexadecimal digits") from None


def create_key(path: Path, there: str = "with another key nobody could write as its author") -> Ed25519PrivateKey:
    """A new one. Raises SettingError where there is one already; `there` says what would be lost with it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise SettingError(f"{path} is there already: {there}") from None
    key = Ed25519PrivateKey.generate()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key.private_bytes_raw().hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return key
