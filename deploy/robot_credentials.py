"""A robot's credentials: the file that its agent connects and seals with.

In: what the robot is given. Out: TOML, and a file that only its owner may read. Called by `robovitals robot`;
read by `robovitals agent`. A secret is written once and kept nowhere else.
"""

import os
from pathlib import Path

import msgspec

from schemas.errors import SettingError


class Credentials(msgspec.Struct, frozen=True):
    """`user`, `password` and `ca` (PEM) are empty where Kafka knows no users. `seal_key`: hexadecimal digits."""

    robot_id: str
    bootstrap: str
    user: str
    password: str
    ca: str
    seal_key: str
    seal_key_version: int

    def __str__(self) -> str:
        return f"the credentials of {self.robot_id}, version {self.seal_key_version}"

    __repr__ = __str__


def as_toml(credentials: Credentials) -> str:
    """No value holds an apostrophe, so every text is a literal one."""
    lines = [
        f"# What {credentials.robot_id} connects and seals with: secret. It was written once, and is kept nowhere."
    ]
    for name, value in msgspec.structs.asdict(credentials).items():
        if isinstance(value, str):
            lines.append(f"{name} = '''\n{value}'''" if "\n" in value else f"{name} = '{value}'")
        else:
            lines.append(f"{name} = {value}")
    return "\n".join(lines) + "\n"


class SecretFile:
    """A file that is made before there is a secret, so that none is made in vain. Raises SettingError where it is
    there already.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise SettingError(f"{path} is there already: name another file") from None

    def write(self, text: str) -> None:
        """Once, and safely on the disk."""
        with os.fdopen(self._descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

    def drop(self) -> None:
        """Nothing came of it."""
        os.close(self._descriptor)
        self.path.unlink()
