"""A NUL, which no text of the database can hold, is the asker's mistake wherever it stands."""

from pathlib import Path

import pytest

from schemas.kafka import Kafka
from serve.people import Role
from support.serving import serving


@pytest.mark.parametrize(
    "path",
    [
        "robots?text=%00",
        "grid?software=%00",
        "alarms?rule=%00",
        "alarms/%00",
        "robots/%00",
        "rejects?reason=%00",
        "deliveries?receiver=%00",
    ],
)
async def test_a_nul_is_refused(topics: Kafka, database_url: str, tmp_path: Path, path: str) -> None:
    async with serving(topics, database_url, tmp_path) as server, await server.client(Role.ADMIN) as client:
        answer = await client.get(path)
        assert answer.status_code == 422, answer.text
        assert "NUL" in answer.json()["detail"]
