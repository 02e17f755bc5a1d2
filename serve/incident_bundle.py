"""An incident's bundle: every frozen frame and record as Parquet and JSON, the logbook, and a report to read.

In: an asyncpg connection, an incident's id, the platform's key. Out: the bundle's bytes. Called by `robovitals
incident export`. Needs the extras `parquet` and `logbook`. What a person's name stands behind is not in it; who
acknowledged an alarm is.
"""

from datetime import UTC, datetime

import asyncpg
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.bundle import write_bundle
from serve import database
from serve.export_parquet import ParquetFile
from serve.incident_report import report
from serve.incidents import incident, incident_frames
from serve.logbook_export import read_logbook

LOGBOOK = "logbook.jsonl"


async def bundle(connection: asyncpg.Connection, incident_id: str, private: Ed25519PrivateKey) -> bytes:
    """Raises HTTPException 404 for an incident that is not there, RejectError for one that is too large."""
    shown = await incident(connection, incident_id)
    frames = await incident_frames(connection, incident_id)
    logbook = await read_logbook(connection, shown.robot_id)
    made = datetime.now(UTC)
    files = {
        "incident.json": _json(msgspec.structs.replace(shown, records=[])),
        "records.json": _json(shown.records),
        "records.parquet": await _parquet(connection, "incident_records", incident_id),
        "frames.parquet": await _parquet(connection, "incident_frames", incident_id),
        "report.html": report(shown, frames, made),
    }
    if logbook.rows:
        files[LOGBOOK] = logbook.file(personal=False)
    return write_bundle(incident_id, shown.robot_id, round(made.timestamp() * 1e6), files, private)


def _json(document: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


async def _parquet(connection: asyncpg.Connection, question: str, incident_id: str) -> bytes:
    statement = await connection.prepare(database.filled(question))
    file = ParquetFile()
    begun = file.begin([(column.name, column.type.name) for column in statement.get_attributes()])
    rows = await statement.fetch(incident_id)
    return begun + (file.add(rows) if rows else b"") + file.end()
