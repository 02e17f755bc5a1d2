"""How long the broker makes a producer wait, because its user sends more than its quota allows.

In: the producer's answers. Out: `Throttle`, what they said. Called by a robot's agent, which shows it as a state.

The broker says it in each answer to what was produced (`throttle_time_ms`), and reads nothing more of the
connection for that long; aiokafka drops the number, so that all that shows is that acknowledgements are late. Hence
this looks on while the producer sends.
"""

import time
from collections.abc import Callable
from typing import Any

from aiokafka import AIOKafkaProducer


class Throttle:
    """`waited_ms`: all that the broker has asked for so far; `last_ms`: by its last answer, 0 for none."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._until_s = 0.0
        self.last_ms = 0
        self.waited_ms = 0

    def watch(self, producer: AIOKafkaProducer) -> None:
        """From here on; of a producer that takes this one's place too."""
        client = producer.client
        send = client.send

        async def watched(*arguments: Any, **named: Any) -> Any:
            answer = await send(*arguments, **named)
            throttled_ms = getattr(answer, "throttle_time_ms", None)
            if throttled_ms is not None:
                self.take(throttled_ms)
            return answer

        client.send = watched

    def take(self, throttled_ms: int) -> None:
        """What one answer says."""
        self.last_ms = throttled_ms
        self.waited_ms += throttled_ms
        if throttled_ms:
            self._until_s = self._now_s() + throttled_ms / 1000

    @property
    def left_s(self) -> float:
        """How long the broker still reads nothing of ours; 0 when it does not throttle."""
        return max(self._until_s - self._now_s(), 0.0)
