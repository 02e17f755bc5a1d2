"""Somebody who answers alarms of the demo's past, so that not all of them wait for whoever looks at it first.

In: `fleet.anomalies`, and what is to be done about which episode. Out: actions on `fleet.actions`, by an actor
named demo. Called by `ingest/simulate.py`. It ends when all that was planned is done.
"""

import logging
import time
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from ingest.stories import SIGNALS, Story
from schemas.action import ACTION_VERSION, Action, Kind, encode_action
from schemas.anomaly import Anomaly, Transition, decode_anomaly
from schemas.errors import RejectError
from schemas.kafka import Kafka
from schemas.topics import ACTIONS, ANOMALIES

ACTOR = "demo"
_log = logging.getLogger("robovitals")


class Answers:
    """Pure: which openings are answered how, each once. What began when the fleet was live is not ours."""

    def __init__(self, told: Iterable[Story], live_us: int) -> None:
        self._live_us = live_us
        self._open: dict[tuple[str, str], tuple[Kind, str]] = {
            (story.robot.code, signal): (story.answer, story.note)
            for story in told
            if story.answer is not None
            for signal in SIGNALS[story.fault]
        }

    @property
    def left(self) -> int:
        """How many are still to come."""
        return len(self._open)

    def take(self, anomaly: Anomaly, now_us: int) -> Action | None:
        """What follows from a transition."""
        if anomaly.transition is not Transition.OPENED or anomaly.first_us >= self._live_us:
            return None
        answer = self._open.pop((anomaly.robot_id, anomaly.signal), None)
        if answer is None:
            return None
        kind, note = answer
        return Action(
            v=ACTION_VERSION, id=f"{ACTOR}-{anomaly.episode_id}", robot_id=anomaly.robot_id, kind=kind, actor=ACTOR,
            time_us=now_us, episode_id=anomaly.episode_id, note=note,
        )  # fmt: skip


class Operator:
    """`open` before the past is sent, then `run` while it is judged."""

    def __init__(self, kafka: Kafka, answers: Answers) -> None:
        self._answers = answers
        self._consumer: Any = AIOKafkaConsumer(ANOMALIES.name, **kafka.client(), auto_offset_reset="latest")
        self._producer: Any = AIOKafkaProducer(**kafka.client(), enable_idempotence=True)

    async def open(self) -> None:
        """Raises KafkaError."""
        await self._consumer.start()
        await self._producer.start()
        await self._consumer.seek_to_end()  # now, not when the first is asked for

    async def run(self) -> None:
        """Until all is answered, or cancelled."""
        try:
            await self._answer()
        except KafkaError as error:
            _log.warning("nobody answers the other alarms of the past: %r", error)
        finally:
            await self.close()

    async def _answer(self) -> None:
        while self._answers.left:
            record = await self._consumer.getone()
            try:
                anomaly = decode_anomaly(record.value or b"")
            except RejectError as error:
                _log.warning("an anomaly that cannot be read is not answered: %s", error)
                continue
            action = self._answers.take(anomaly, time.time_ns() // 1000)
            if action is not None:
                key = action.robot_id.encode()
                await self._producer.send_and_wait(ACTIONS.name, encode_action(action), key)

    async def close(self) -> None:
        await self._consumer.stop()
        await self._producer.stop()
