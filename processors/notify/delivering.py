"""Sending to one receiver: what is due goes out, at its own pace, and what came of it is noted.

In: the outbox, through `processors/notify/queue.py`. Out: messages, through `processors/notify/sending.py`. One
Deliverer a receiver, so that a slow one delays only itself; of several replicas one sends to it, which
`processors/notify/notifier.py` sees to. The time comes from a clock that is handed in.

A delivery is noted as being sent before it is, and what came of it after. If the process ends in between, it goes
out again, in the same message with the same id: at least once. Of an episode one message is under way at a time.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

from processors.notify import alertmanager
from processors.notify.composing import MOST_TOGETHER, Parcel, message_id, parcels
from processors.notify.limiter import Limiter
from processors.notify.metrics import NotifyMetrics
from processors.notify.outgoing import outgoing
from processors.notify.queue import Claimed, Queue
from processors.notify.receivers import BUNDLED, Alertmanager, Receiver
from processors.notify.schedule import Again, Answer, Delivered, GivenUp, Gone, Verdict, is_success, verdict
from processors.notify.sending import Sender
from processors.notify.wire import event_of
from processors.transient import TRANSIENT
from schemas.errors import RejectError

RESENT_AT_ONCE = 500
NOTE_AGAIN_S = 1.0

_log = logging.getLogger(__name__)


class Deliverer:
    """`now_us` is the wall clock, `chance` gives 0..1."""

    def __init__(
        self, receiver: Receiver, queue: Queue, sender: Sender, metrics: NotifyMetrics,
        now_us: Callable[[], int], chance: Callable[[], float],
    ) -> None:  # fmt: skip
        self._receiver = receiver
        self._queue = queue
        self._sender = sender
        self._metrics = metrics
        self._now_us = now_us
        self._chance = chance
        self._limiter = Limiter(receiver.pace, now_us() / 1e6)
        self._running: set[asyncio.Task[None]] = set()
        self._resent_us = 0  # at once: it may have been told nothing for long
        self._failure: BaseException | None = None
        # What was claimed when the database did not answer: whether it was, nobody knows.
        self._unclear = False
        self.is_due = asyncio.Event()
        """Set where there may be more to send at once."""

    async def begin(self) -> None:
        """After whoever sent before has ended, however it did."""
        await self._queue.recover(self._receiver.name, self._now_us())

    async def look(self) -> int:
        """Begin to send what is due; how many messages that is. Raises a bug that ended one."""
        if self._failure is not None:
            raise self._failure
        if self._unclear:
            if self._running:
                return 0  # what is under way is not to be taken for what was left: first it ends
            await self.begin()
            self._unclear = False
        name, now_us = self._receiver.name, self._now_us()
        free = self._receiver.pace.concurrency - len(self._running)
        if free <= 0 or await self._queue.is_silent(name, now_us):
            return 0
        await self._resend(now_us)
        left = self._limiter.left(now_us / 1e6)
        heads = await self._queue.heads(name, now_us, MOST_TOGETHER)
        found = parcels(heads, free, left, self._receiver.kind in BUNDLED)
        self._limiter.take(len(found))
        for parcel in found:
            task = asyncio.create_task(self._deliver(parcel), name=f"deliver {name}")
            self._running.add(task)
            task.add_done_callback(self._ended)
        return len(found)

    async def settle(self) -> None:
        """Until what is under way has ended. Raises what is no server's fault."""
        while self._running:
            done, _ = await asyncio.wait(set(self._running))
            for task in done:
                task.result()

    async def stop(self, patience_s: float) -> None:
        """What does not end in time goes out again after the next start."""
        if self._running:
            await asyncio.wait(set(self._running), timeout=patience_s)
        for task in list(self._running):
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task
        await self._sender.close()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = error
        self.is_due.set()

    async def _deliver(self, parcel: Parcel) -> None:
        now_us = self._now_us()
        try:
            ids, message = await self._filled(parcel, now_us)
            claimed = await self._queue.claim(ids, message, now_us)
        except TRANSIENT as error:
            _log.warning("nothing is sent to %s: %r", self._receiver.name, error)
            self._metrics.retries.labels("database").inc()
            self._unclear = True
            return
        if not claimed:
            return  # meanwhile it was taken back
        try:
            events = [event_of(one.delivery_id, one.event, one.test) for one in claimed]
            made = outgoing(self._receiver, message, events, self._now_us())
        except (RejectError, ValueError, OverflowError) as error:
            # One that cannot be told, such as of the year 300 000, must not keep all others from being told.
            await self._note(claimed, Answer(error=str(error)), GivenUp(f"the event cannot be told: {error}"))
            return
        answer = await self._sender.send(made)
        attempts = max(one.attempts for one in claimed)
        came = verdict(self._receiver.kind, answer, attempts, self._now_us(), self._chance())
        self._metrics.attempts.labels(self._receiver.name).observe(answer.duration_s)
        await self._note(claimed, answer, came)

    async def _filled(self, parcel: Parcel, now_us: int) -> tuple[Sequence[int], str]:
        """The ids of all that goes into the message, and the message's."""
        if parcel.message_id:
            return await self._queue.message(parcel.message_id), parcel.message_id
        if not parcel.bundle:
            return parcel.ids, message_id(parcel.delivery_ids)
        heads = await self._queue.bundle(self._receiver.name, parcel.bundle, now_us, MOST_TOGETHER)
        return [head.id for head in heads], message_id([head.delivery_id for head in heads])

    async def _note(self, claimed: Sequence[Claimed], answer: Answer, came: Verdict) -> None:
        """Until the database has it: what has arrived must not go out again because of a short outage."""
        while True:
            try:
                await self._store(claimed, answer, came)
                return
            except TRANSIENT as error:
                _log.warning("what came of a message to %s waits: %r", self._receiver.name, error)
                self._metrics.retries.labels("database").inc()
                await asyncio.sleep(NOTE_AGAIN_S)

    async def _store(self, claimed: Sequence[Claimed], answer: Answer, came: Verdict) -> None:
        name, queue, now_us = self._receiver.name, self._queue, self._now_us()
        match came:
            case Delivered():
                await queue.delivered(claimed, name, answer, now_us)
                outcome = "delivered"
            case Again(due_us, pause):
                await queue.again(claimed, name, answer, due_us, pause)
                outcome = "again"
            case GivenUp(why):
                await queue.given_up(claimed, answer, why, now_us)
                outcome = "failed"
            case Gone(why):
                await queue.gone(claimed, name, answer, why, now_us)
                outcome = "gone"
        self._metrics.deliveries.labels(name, self._receiver.kind, outcome).inc(len(claimed))
        if outcome != "delivered":
            what = answer.error or f"it answers {answer.code}"
            _log.warning("%s, %d deliveries, %s: %s", name, len(claimed), outcome, what)

    async def _resend(self, now_us: int) -> None:
        """What an Alertmanager would take for over otherwise: no attempt at a delivery, and not noted as one."""
        receiver = self._receiver
        if not isinstance(receiver, Alertmanager) or now_us - self._resent_us < receiver.resend_s * 1e6:
            return
        self._resent_us = now_us
        await self.settle()  # an end that is under way must not be overtaken by what was so before
        after = ""
        while found := await self._queue.active(receiver.name, RESENT_AT_ONCE, after):
            events = [event_of(id, value, test) for id, value, test in found]
            after = events[-1].anomaly.episode_id
            if active := [event for event in events if event.anomaly.active]:
                answer = await self._sender.send(alertmanager.again(receiver, active, now_us))
                self._metrics.resent.labels(receiver.name).inc(len(active))
                if not is_success(answer):
                    what = answer.error or f"it answers {answer.code}"
                    _log.warning("%s: %d alerts not sent again: %s", receiver.name, len(active), what)
