"""The messages of a file as summaries, of which frames are made, in the order of their event times.

In: a session's file, the mapping, and a `Mark` where an import goes on. Out: a `Summary` for each period of the
mapping's rate, or for each message; what cannot be read goes to the account, with its place, and the rest goes on.
Called by `ingest/recordings.py`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ingest.account import Account
from ingest.agent.downsample import Downsampler, Sample, Summary
from ingest.bags.container import Channel, Damage, Message, MessageFile
from ingest.bags.decoding import UNDECODABLE, UnknownTypeError, decoder_of
from ingest.bags.fields import Told, TopicFields
from ingest.bags.order import Mark, Order, Placed
from ingest.bags.paths import FieldMissingError
from ingest.bags.stamps import stamp_reader
from ingest.mapping import Mapping
from ingest.sessions import Session, SessionFile
from schemas.errors import SettingError
from schemas.frame import MAX_INTEGER, pack_readings

SUMMARIES_A_MARK = 500  # to make a mark costs a look at all that waits
AS_RECORDED_HZ = 0

Marked = tuple[Summary, Mark | None]


@dataclass(slots=True)
class _Topic:
    """What is needed to read the messages of one channel."""

    decode: Callable[[bytes], Any]
    fields: TopicFields


class MessageReader:
    """One file, read once."""

    def __init__(
        self, mapping: Mapping, session: Session, file: SessionFile, account: Account, begins: Mark | None = None
    ) -> None:
        self._robot, self._source, self._name, self._account = mapping.robot, session.source, file.name, account
        self._file = MessageFile(file.path)
        self._known = dict(session.channels)
        self._stamp = stamp_reader(session.source.time)
        self._begins = begins or Mark()
        skipped = self._file.skip(self._begins.place)
        account.skipped_bytes += skipped
        account.read_bytes += skipped
        self._topics: dict[Channel, _Topic | None] = {}
        self._order: Order[Told] = Order()
        self._told_joints: set[str] = set()

    def summaries(self) -> Iterator[Marked]:
        """In the order of time; one in SUMMARIES_A_MARK has a mark. Raises SettingError where a path is wrong."""
        summaries = self._one_each() if self._source.rate_hz == AS_RECORDED_HZ else self._sampled()
        for frames, (summary, unfinished) in enumerate(summaries, self._begins.frames + 1):
            if frames % SUMMARIES_A_MARK:
                yield summary, None
            else:
                yield summary, self._order.mark(frames, summary, unfinished)
        self._tell_what_never_came()

    def _one_each(self) -> Iterator[tuple[Summary, None]]:
        for placed in self._ordered():
            layout, values = pack_readings(placed.item.readings)
            yield (
                Summary(
                    time_us=placed.time_us,
                    mono_us=0,
                    samples=1,
                    runtime_s=placed.item.counters.get("runtime_s"),
                    energy_wh=placed.item.counters.get("energy_wh"),
                    cycles=placed.item.counters.get("cycles"),
                    mode=placed.item.mode or 0,
                    scenario="",
                    software="",
                    layout=layout.text,
                    values=values,
                    extremes=None,
                ),
                None,
            )

    def _sampled(self) -> Iterator[tuple[Summary, Placed[Told] | None]]:
        """On a grid of event time, for a recording has no other clock."""
        downsampler = self._downsampler()
        for placed in self._ordered():
            for summary in downsampler.add(_sample(placed)):
                yield summary, placed
        for summary in downsampler.flush():
            yield summary, None

    def _downsampler(self) -> Downsampler:
        """One that knows the counters and the mode that were told before the mark."""
        downsampler = Downsampler(self._source.rate_hz)
        begins = self._begins
        if begins.frames:
            downsampler.add(Sample(
                time_us=begins.time_us, mono_us=begins.time_us, readings={}, runtime_s=begins.runtime_s,
                energy_wh=begins.energy_wh, cycles=begins.cycles, mode=begins.mode,
            ))  # fmt: skip
            downsampler.flush()
        return downsampler

    def _ordered(self) -> Iterator[Placed[Told]]:
        for placed in self._messages():
            self._order.push(placed)
            yield from self._order.ready()
        yield from self._order.rest()

    def _messages(self) -> Iterator[Placed[Told]]:
        """Those of mapped topics, as recorded. A mark's messages that are in frames already are left out."""
        number, place, place_number = -1, -1, 0
        for message in self._file.messages(self._known, self._begins.place):
            if isinstance(message, Damage):
                self._account.damage(self._name, message.place, message.reason)
                continue
            number += 1
            if message.place != place:
                place, place_number = message.place, number
            self._account.read_bytes += self._file.advance(message)
            if (topic := self._topic(message)) and (read := self._read(topic, message, number)):
                time_us, told = read
                yield Placed(time_us, place, number, place_number, told)

    def _read(self, topic: _Topic, message: Message, number: int) -> tuple[int, Told] | None:
        """None: refused, in a frame already, or without anything that is mapped."""
        channel = message.channel
        try:
            decoded = topic.decode(message.data)
            time_us = self._stamp(decoded, message.log_us)
            if not 0 <= time_us <= MAX_INTEGER:
                raise ValueError("time lies before 1970 or after 2255")
            if number < self._begins.seen and time_us <= self._begins.time_us:
                return None
            told = topic.fields.read(decoded)
        except FieldMissingError as error:
            raise SettingError(
                f"{self._name}: messages of {channel.topic} ({channel.type}) have no field {error}, which the "
                "mapping uses"
            ) from None
        except UNDECODABLE as error:
            self._account.refuse(self._name, message.place, f"{channel.topic}: {_reason(error)}")
            return None
        self._tell_unknown_joints(topic, message)
        return (time_us, told) if told else None

    def _topic(self, message: Message) -> _Topic | None:
        """None: not mapped, or it cannot be decoded, which is told once."""
        channel = message.channel
        if channel not in self._topics:
            self._topics[channel] = None
            if mapped := self._source.topics.get(channel.topic):
                try:
                    self._topics[channel] = _Topic(decoder_of(channel), TopicFields(mapped, self._robot))
                except UnknownTypeError as error:
                    self._account.damage(self._name, message.place, str(error))
        return self._topics[channel]

    def _tell_unknown_joints(self, topic: _Topic, message: Message) -> None:
        for name in topic.fields.unknown_joints.keys() - self._told_joints:
            self._told_joints.add(name)
            self._account.refuse(
                self._name,
                message.place,
                f"{message.channel.topic}: joint {name!r} is not in robot.joints: left out",
            )

    def _tell_what_never_came(self) -> None:
        for channel, topic in self._topics.items():
            for path in topic.fields.never if topic else ():
                self._account.refuse(self._name, 0, f"{channel.topic}: no message had {path}")


def _sample(placed: Placed[Told]) -> Sample:
    told = placed.item
    return Sample(
        time_us=placed.time_us,
        mono_us=placed.time_us,
        readings=told.readings,
        runtime_s=told.counters.get("runtime_s"),
        energy_wh=told.counters.get("energy_wh"),
        cycles=told.counters.get("cycles"),
        mode=told.mode,
    )


def _reason(error: Exception) -> str:
    """A ValueError is ours and says what is wrong; others come from generated code."""
    return str(error) if type(error) is ValueError else f"cannot be decoded ({type(error).__name__}: {error})"
