"""Seals for frames that somebody else sends in a robot's place, with that robot's credentials. Pure.

In: credentials of robots; a record's robot and value. Out: the record's headers. Called by `ingest/publish.py`, for
`robovitals import` and `replay`. A robot's own agent seals in `ingest/agent/link.py`.
"""

from collections.abc import Iterable

from ingest.agent.config import Credentials
from schemas import seal
from schemas.errors import SettingError

Headers = list[tuple[str, bytes]]


class Sealing:
    """Without any credentials it seals nothing; with some, no frame goes without."""

    def __init__(self, credentials: Iterable[Credentials] = ()) -> None:
        """Raises SettingError where one has no key."""
        self._keys: dict[str, tuple[bytes, int]] = {}
        for one in credentials:
            if not one.seal_key:
                raise SettingError(f"--credentials: those of {one.robot_id} hold no seal_key")
            self._keys[one.robot_id] = bytes.fromhex(one.seal_key), one.seal_key_version

    def headers(self, robot_id: str, value: bytes, now_us: int) -> Headers:
        """Of one record, sealed at `now_us`. Raises SettingError where its robot's key is not among them."""
        if not self._keys:
            return []
        key = self._keys.get(robot_id)
        if key is None:
            raise SettingError(
                f"--credentials: no seal key of {robot_id} is among them, so its frames cannot be sealed: "
                f"robovitals robot register {robot_id} --out FILE"
            )
        return [(seal.HEADER, seal.seal(*key, robot_id, now_us, value))]
