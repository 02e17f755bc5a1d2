"""A file of messages gone through once without decoding: its topics, how many messages each has, and when.

In: a path. Out: a `Survey`. Called by `ingest/sessions.py`, to know a session's span, and by `robovitals import
--list`. Reading again can then begin anywhere, for all channels are known.
"""

from dataclasses import dataclass, field
from pathlib import Path

from ingest.bags.container import Channel, Channels, Damage, Message, MessageFile
from ingest.bags.decoding import UNDECODABLE, UnknownTypeError, decoder_of
from ingest.bags.paths import FieldMissingError
from ingest.bags.stamps import stamp_reader
from ingest.timestamps import Time

KEPT = 200  # messages a topic, for names of joints: publishers of one topic take turns
KEPT_BYTES = 64 * 1024  # what is larger is a picture, or a cloud of points


@dataclass(slots=True)
class Surveyed:
    """One channel: how many messages, when it took the first and the last; the first few, and the last."""

    channel: Channel
    messages: int = 0
    first_us: int = 0
    last_us: int = 0
    kept: list[Message] = field(default_factory=list)
    last: Message | None = None

    def take(self, message: Message) -> None:
        if not self.messages:
            self.first_us = self.last_us = message.log_us
        self.messages += 1
        self.first_us, self.last_us = min(self.first_us, message.log_us), max(self.last_us, message.log_us)
        if len(message.data) <= KEPT_BYTES:
            self.last = message
            if len(self.kept) < KEPT:
                self.kept.append(message)

    def span_us(self, time: Time) -> tuple[int, int] | None:
        """The event times of its first and last message; None where they cannot be read."""
        stamp = stamp_reader(time)
        ends = [message for message in (*self.kept[:1], self.last) if message]
        try:
            decode = decoder_of(self.channel)
            times = [stamp(decode(message.data), message.log_us) for message in ends]
        except (UnknownTypeError, FieldMissingError, *UNDECODABLE):
            return None
        return (min(times), max(times)) if times else None


@dataclass(slots=True)
class Survey:
    """What a file has, and what of it is damaged. `channels` by the ids that the file gives them."""

    topics: dict[Channel, Surveyed] = field(default_factory=dict)
    channels: Channels = field(default_factory=dict)
    damages: list[Damage] = field(default_factory=list)


def survey(path: Path) -> Survey:
    """Raises SettingError where the file is of no known format."""
    found = Survey()
    for message in MessageFile(path).messages(found.channels):
        if isinstance(message, Damage):
            found.damages.append(message)
            continue
        of_topic = found.topics.get(message.channel)
        if of_topic is None:
            of_topic = found.topics[message.channel] = Surveyed(message.channel)
        of_topic.take(message)
    return found
