"""Reads `robot.toml` and the credentials file that it names.

In: a path, and what the command line or the environment says besides. Out: `Setup`: the config, whose robot it is,
and how to reach the broker. Called by `robovitals agent` and by the Python class `Agent`.
"""

import os
import ssl
import stat
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from ingest.agent.config import Config, Credentials, read_config, read_credentials
from schemas.errors import SettingError
from schemas.kafka import Kafka
from schemas.robot_code import RobotCode, checked_code


class Setup(msgspec.Struct, frozen=True):
    """All that an agent needs to know. Paths are absolute."""

    config: Config
    robot_id: RobotCode
    kafka: Kafka
    seal_key: bytes  # empty where this robot seals nothing
    seal_key_version: int
    spool: Path
    source_path: Path | None

    def __repr__(self) -> str:
        return f"Setup(robot_id={self.robot_id!r}, …)"

    @property
    def status_path(self) -> Path:
        """Beside the spool: `robovitals agent status` reads it."""
        return self.spool.with_name(self.spool.name + ".status.json")


def load_setup(path: Path, robot: str = "", kafka: Kafka | None = None) -> Setup:
    """`robot` and `kafka` count where the files say nothing. Raises SettingError."""
    config = read_config(_tables(path), str(path))
    directory = path.absolute().parent
    credentials = _credentials(config, directory)
    codes = {checked_code(c) for c in (robot, config.robot, credentials.robot_id) if c}
    if not codes:
        raise SettingError(f"{path}: robot is missing: give the 29-character code, or --robot")
    if len(codes) > 1:
        raise SettingError(
            f"{path}: robot, --robot and credentials name different robots: {', '.join(sorted(codes))}"
        )
    return Setup(
        config=config,
        robot_id=codes.pop(),
        kafka=_kafka(config, credentials, kafka, path),
        seal_key=bytes.fromhex(credentials.seal_key),
        seal_key_version=credentials.seal_key_version,
        spool=directory / Path(config.spool.path).expanduser(),
        source_path=directory / Path(config.source.path).expanduser() if config.source.path else None,
    )


def _kafka(config: Config, credentials: Credentials, other: Kafka | None, path: Path) -> Kafka:
    bootstrap = credentials.bootstrap or config.bootstrap
    if not credentials.user:
        found = Kafka(bootstrap) if bootstrap else other
    else:
        found = Kafka(
            bootstrap or (other.bootstrap if other else ""), credentials.user, credentials.password,
            credentials.ca or None,
        )  # fmt: skip
    if found is None or not found.bootstrap:
        raise SettingError(f"{path}: bootstrap is missing: give HOST:PORT of Kafka, or a credentials file")
    try:
        found.client()
    except (ssl.SSLError, ValueError) as error:
        raise SettingError(f"{path}: ca of the credentials holds no certificate: {error}") from None
    return found


def _credentials(config: Config, directory: Path) -> Credentials:
    if not config.credentials:
        return Credentials(robot_id="")
    return load_credentials(directory / Path(config.credentials).expanduser())


def load_credentials(path: Path) -> Credentials:
    """Raises SettingError, also where others than its owner may read the file."""
    credentials = read_credentials(_tables(path), str(path))
    found = path.stat()
    # What systemd hands over (LoadCredential) is root's and says 0440: the group's bits are of an access list that
    # names the service's user only.
    others = stat.S_IRWXO | (stat.S_IRWXG if found.st_uid == os.geteuid() else stat.S_IWGRP | stat.S_IXGRP)
    if found.st_mode & others:
        raise SettingError(f"{path}: others may read this robot's secrets: chmod 600 {path}")
    return credentials


def _tables(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingError(f"{path}: {error.strerror}; name the agent's TOML file (docs/agent.md)") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingError(f"{path}: not TOML: {error}") from None
