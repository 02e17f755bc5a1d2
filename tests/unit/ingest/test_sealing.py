"""Seals of frames that somebody sends in a robot's place."""

import pytest

from ingest.agent.config import Credentials
from ingest.sealing import Sealing
from schemas.errors import SettingError
from schemas.seal import HEADER, seal
from support.frames import CODE

KEY = bytes(range(32))
NOW_US = 1_760_000_000_000_000


def test_a_record_is_sealed_with_the_key_of_its_robot_and_without_credentials_not_at_all() -> None:
    sealing = Sealing([Credentials(robot_id=CODE, seal_key=KEY.hex(), seal_key_version=7)])
    assert sealing.headers(CODE, b"value", NOW_US) == [(HEADER, seal(KEY, 7, CODE, NOW_US, b"value"))]
    assert Sealing().headers(CODE, b"value", NOW_US) == []


def test_with_credentials_no_frame_goes_unsealed() -> None:
    sealing = Sealing([Credentials(robot_id=CODE, seal_key=KEY.hex(), seal_key_version=7)])
    with pytest.raises(SettingError, match="no seal key of another is among them"):
        sealing.headers("another", b"value", NOW_US)
    with pytest.raises(SettingError, match="hold no seal_key"):
        Sealing([Credentials(robot_id=CODE)])
