"""An incident's entry for its robot's logbook, signed by the platform and sent to the logbooks' topic.

In: a completed incident. Out: a record on `fleet.logbook`; the lander appends it. Called by `keep.py`. Its id
follows from the incident's, so what is sent again is refused as a repeat.
"""

import asyncio
import hashlib
import time

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from processors.incident.keep import Told
from processors.incident.rows import us_of
from schemas.entry import ENTRY_VERSION, Entry, Submission, encode_submission, write_entry
from schemas.errors import RetryError
from schemas.kafka import Kafka
from schemas.logbook import Incident
from schemas.signing import public_key
from schemas.topics import LOGBOOK

SEND_TIMEOUT_S = 10.0


class Teller:
    """The platform's key, and where to send."""

    def __init__(self, private: Ed25519PrivateKey, kafka: Kafka) -> None:
        self._private = private
        self._kafka = kafka

    async def __call__(self, told: Told) -> None:
        """Returns when Kafka has it. Raises RetryError."""
        entry = submission(told, self._private, time.time_ns() // 1000)
        producer = AIOKafkaProducer(**self._kafka.client(), enable_idempotence=True)
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await producer.start()
                await producer.send_and_wait(LOGBOOK.name, encode_submission(entry), key=told.robot_id.encode())
        except (KafkaError, TimeoutError, OSError) as error:
            raise RetryError(f"the logbook's topic does not take an incident: {error!r}") from None
        finally:
            await producer.stop()


def submission(told: Told, private: Ed25519PrivateKey, now_us: int) -> Submission:
    part = f", {told.part}" if told.part else ""
    entry = Entry(
        v=ENTRY_VERSION,
        id=hashlib.sha256(f"incident/{told.incident_id}".encode()).hexdigest()[:32],
        robot_id=told.robot_id,
        author=public_key(private),
        happened_us=us_of(told.at),
        written_us=max(now_us, us_of(told.at)),
        what=Incident(incident_id=told.incident_id, text=f"{told.verdict}{part}: {told.text}"[:2000]),
    )
    return Submission(signed=write_entry(entry, private), opened=())
