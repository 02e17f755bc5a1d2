"""The loop of an import: sessions to Kafka as fast as it goes, marked as late; and where an interrupted one is.

In: a mapping, its sessions, a `Sink`, a `Bookmark`. Out: a `Sent` account. Called by `robovitals import`. What the
bookmark says has been acknowledged by the broker; whatever came after it is sent again, and is the same frames.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from ingest.bags.order import Mark
from ingest.mapping import Mapping
from ingest.recordings import spell_recorded, spells
from ingest.replay import Sent, Sink
from ingest.sessions import Session
from schemas.frame import FLAG_BACKFILL

# To save is to wait for the broker: some milliseconds. To have saved spares reading: at 10 frames a second, from
# messages at 100 Hz, these are some three seconds of it.
FRAMES_A_SAVE = 2000
FRAMES_A_PROGRESS = 100


class Standing(msgspec.Struct):
    """Sessions that are done, and how far others are."""

    done: list[str] = []
    marks: dict[str, Mark] = {}


class Bookmark:
    """A file in a stack's home. It belongs to one mapping, one content of the files and one Kafka."""

    def __init__(self, home: Path, mapping: Mapping, sessions: Sequence[Session], bootstrap: str) -> None:
        digest = hashlib.blake2b(bootstrap.encode() + msgspec.json.encode(mapping), digest_size=16)
        for session in sessions:
            digest.update(session.digest)
        self.path = home / "imports" / f"{digest.hexdigest()}.json"

    def read(self) -> Standing:
        """Nothing, where there is none that can be read: then all is sent again, which does no harm."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Standing)
        except (FileNotFoundError, msgspec.MsgspecError):
            return Standing()

    def save(self, standing: Standing) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        new.write_bytes(msgspec.json.encode(standing))
        os.replace(new, self.path)

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


async def import_sessions(
    mapping: Mapping,
    sessions: Sequence[Session],
    publisher: Sink,
    bookmark: Bookmark,
    progress: Callable[[Sent, Session], None],
) -> Sent:
    """Send what is not there yet, oldest first, and wait until it is acknowledged. Raises RetryError."""
    sent, standing, unsaved = Sent(), bookmark.read(), 0
    for spell in spells(sessions):
        open_sessions = [session for session in spell if session.name not in standing.done]
        begins = dict(standing.marks)
        for recorded in spell_recorded(mapping, open_sessions, sent.account, begins):
            frame = recorded.frame
            frame.flags |= FLAG_BACKFILL
            await publisher.send(frame)
            sent.take(frame.robot_id, frame.boot_id, frame.time_us)
            unsaved += 1
            if recorded.mark:
                standing.marks[recorded.session.name] = recorded.mark
                if unsaved >= FRAMES_A_SAVE:
                    await publisher.flush()
                    bookmark.save(standing)
                    unsaved = 0
            if sent.account.frames % FRAMES_A_PROGRESS == 1:
                progress(sent, recorded.session)
        await publisher.flush()
        standing.done += [session.name for session in open_sessions]
        bookmark.save(standing)
    bookmark.remove()
    return sent
