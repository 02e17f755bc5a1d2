"""One more frame, of a robot that is in no book, goes the whole way.

In: the servers. Out: whether it became a row in time. Called by `deploy/ledger/check.py` when all else is checked.
"""

import asyncio
import time

import numpy as np
from aiokafka import AIOKafkaProducer

from deploy.ledger.frames import contents, frames_of
from deploy.ledger.plan import Plan
from deploy.ledger.rows import Connection
from schemas.frame import encode_frame
from schemas.kafka import Kafka
from schemas.robot_code import make_code
from schemas.topics import FRAMES

FRESH_WITHIN_S = 30.0
LOOK_EVERY_S = 0.05

_VISIBLE = "SELECT count(*) FROM frame WHERE robot_id = $1 AND seq = $2"


async def is_visible(connection: Connection, kafka: Kafka, plan: Plan) -> bool:
    """Whether it is visible within FRESH_WITHIN_S. Raises KafkaError when the broker does not take it."""
    code, now_us = make_code("ZZ", "LEDG", "FRESH0", "1"), time.time_ns() // 1000
    (frame,) = frames_of(plan, contents(plan, np.array([0]), plan.joints(0)))
    frame.robot_id, frame.seq, frame.time_us = code, now_us, now_us
    until_s = time.monotonic() + FRESH_WITHIN_S
    async with AIOKafkaProducer(**kafka.client(), acks="all") as producer:
        await producer.send_and_wait(FRAMES.name, encode_frame(frame), code.encode())
    while time.monotonic() < until_s:
        if await connection.fetchval(_VISIBLE, code, now_us):
            return True
        await asyncio.sleep(LOOK_EVERY_S)
    return False
