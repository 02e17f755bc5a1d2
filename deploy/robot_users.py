"""Robots' users of a secured Kafka: made with a password that is shown once, and taken away with all they may do.

In: an administrator's Kafka. Out: users that may write frames and nothing else. Called by `robovitals robot` where
Kafka knows users.
"""

import asyncio
import secrets

from deploy.kafka_users import Admin, allow_producing, create_user, delete_user, set_quota
from schemas.kafka import Kafka
from schemas.topics import FRAMES

PASSWORD_BYTES = 24


class RobotUsers:
    """`passwords` of the users that were made, by name. `bytes_per_s`: what each may send; None: as all others."""

    def __init__(self, kafka: Kafka, bytes_per_s: int | None) -> None:
        self._admin = Admin(kafka)
        self._bytes_per_s = bytes_per_s
        self.passwords: dict[str, str] = {}

    async def make(self, name: str) -> None:
        """Raises StopError where Kafka does not take it."""
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        await asyncio.to_thread(create_user, self._admin, name, password)
        await asyncio.to_thread(allow_producing, self._admin, name, [FRAMES.name])
        if self._bytes_per_s is not None:
            await asyncio.to_thread(set_quota, self._admin, name, self._bytes_per_s)
        self.passwords[name] = password

    async def delete(self, name: str) -> None:
        """Raises StopError where Kafka does not do it."""
        await asyncio.to_thread(delete_user, self._admin, name)
