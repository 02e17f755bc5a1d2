"""What a user would write with these libraries: a Faust agent that inserts what it takes. For comparison only.

In: `telemetry.frames`. Out: rows of `frame`. Run as a process by `bench land`, which tells it by the environment
where the servers are, and reads from a file how many rows it has inserted.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import faust
import numpy as np

from deploy.bench.peer import BATCH, PROGRESS
from deploy.settings import DATABASE_URL, HOME, read_kafka
from processors.faust_app import broker
from schemas.frame import Frame, decode_frame
from schemas.layout import parse_layout
from schemas.topics import FRAMES

APP = "robovitals.bench.naive"
KAFKA = read_kafka(os.environ)
assert KAFKA is not None, "bench land names it"

app = faust.App(
    APP,
    **broker(KAFKA),
    datadir=os.environ[HOME],
    value_serializer="raw",
    key_serializer="raw",
    autodiscover=False,
    web_enabled=False,
    topic_allow_declare=False,
    topic_disable_leader=True,
    consumer_auto_offset_reset="earliest",
    stream_buffer_maxsize=8 * BATCH,
)
frames = app.topic(FRAMES.name, key_type=bytes, value_type=bytes)

HEAD = (
    "robot_id", "time", "seq", "boot_id", "mono_us", "received", "runtime_s", "energy_wh", "cycles", "mode",
    "backfill", "scenario", "software",
)  # fmt: skip
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def row(frame: Frame) -> tuple[Any, ...]:
    """A list a joint signal, a number any other."""
    layout, values = parse_layout(frame.layout), np.frombuffer(frame.values, "<f4").tolist()
    time = EPOCH + timedelta(microseconds=frame.time_us)
    head = (
        frame.robot_id, time, frame.seq, frame.boot_id, frame.mono_us, datetime.now(UTC), frame.runtime_s,
        frame.energy_wh, frame.cycles, frame.mode, bool(frame.flags), frame.scenario, frame.software,
    )  # fmt: skip
    return head + tuple(
        values[first:end] if name.startswith("joint_") else values[first]
        for name, (first, end) in layout.spans.items()
    )


def insertion(layout: str) -> str:
    columns = (*HEAD, *parse_layout(layout).spans)
    numbers = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    return f"INSERT INTO frame ({', '.join(columns)}) VALUES ({numbers}) ON CONFLICT DO NOTHING"  # noqa: S608


def tell(inserted: int) -> None:
    Path(os.environ[PROGRESS]).write_text(f"{inserted}")


@app.agent(frames)  # type: ignore[untyped-decorator]
async def land(stream: Any) -> None:
    """Batches of one layout, as they all are here."""
    connection = await asyncpg.connect(os.environ[DATABASE_URL])
    inserted = 0
    async for values in stream.take(BATCH, within=1):
        decoded = [decode_frame(value) for value in values]
        await connection.executemany(insertion(decoded[0].layout), [row(frame) for frame in decoded])
        inserted += len(decoded)
        tell(inserted)


if __name__ == "__main__":
    app.main()
