"""A bundle out of a real database: it holds all that was frozen, and every tampering is named, offline."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client import CollectorRegistry
from pyarrow import parquet

from deploy.cli import main
from processors.incident import freeze, tables
from processors.incident.keep import Keeper
from processors.retain_metrics import RetainMetrics
from schemas.bundle import check_bundle
from schemas.signing import public_key
from serve import database as serving
from serve.incident_bundle import bundle
from support.incidents import CODE, add_frames, add_registered, add_robot
from support.logbooks import PLATFORM, PLATFORMS

AT = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)


@pytest.fixture
async def exported(database_url):
    """With twenty frames that came late, and a logbook."""
    async with serving.connected(database_url) as connection:
        await add_robot(connection)
        await add_registered(connection)
        await add_frames(connection, AT - timedelta(seconds=30), range(20, 420))
        await tables.open_incident(connection, "one", CODE, AT, "somebody", "it fell")
        keeper = Keeper(database_url, RetainMetrics.create(CollectorRegistry()), None, PLATFORMS)
        await keeper.look(connection, datetime.now(UTC))
        await add_frames(connection, AT - timedelta(seconds=30), range(20))
        await freeze.append(connection, tables.Incident("one", CODE, AT, "somebody", True), PLATFORMS)
        return await bundle(connection, "one", PLATFORM)


async def test_it_holds_all_that_was_frozen_and_is_proven(exported):
    checked = check_bundle(exported, PLATFORMS)
    assert checked.is_proven, checked.faults
    assert set(checked.files) == {
        "frames.parquet", "records.parquet", "records.json", "incident.json", "logbook.jsonl", "report.html"
    }  # fmt: skip
    frames = parquet.read_table(io.BytesIO(checked.files["frames.parquet"]))
    assert frames.column("seq").to_pylist() == [*range(401)]
    assert frames.column("appended").to_pylist() == [seq < 20 for seq in range(401)]
    assert frames.column("joint_velocity_rad_s").to_pylist()[0] == [1.0, 2.0]
    records = msgspec.json.decode(checked.files["records.json"])
    rows = parquet.read_table(io.BytesIO(checked.files["records.parquet"])).column("record_id").to_pylist()
    assert [record["record_id"] for record in records] == rows
    told = msgspec.json.decode(checked.files["incident.json"])
    assert (told["robot_id"], told["verdict"], told["frames"], told["appended_frames"]) == (
        CODE,
        "undetermined",
        381,
        20,
    )


async def test_the_command_names_what_was_touched(exported, tmp_path: Path, capsys):
    keys = tmp_path / "platform.keys"
    keys.write_text(public_key(PLATFORM) + "\n")
    other = tmp_path / "other.keys"
    other.write_text(public_key(Ed25519PrivateKey.generate()) + "\n")
    file = tmp_path / "incident.zip"
    file.write_bytes(exported)
    assert main(["verify-bundle", str(file), "--keys", str(keys)]) == 0
    told = capsys.readouterr().out
    assert told.startswith("PROVEN: incident.zip, incident one")
    assert "logbook.jsonl: 1 entries, sound" in told
    assert main(["verify-bundle", str(file)]) == 3
    assert main(["verify-bundle", str(file), "--keys", str(other)]) == 1
    file.write_bytes(exported.replace(b"it fell", b"it sang"))
    capsys.readouterr()
    assert main(["verify-bundle", str(file), "--keys", str(keys), "--json"]) == 1
    faults = msgspec.json.decode(capsys.readouterr().out)["faults"]
    assert faults == ["incident.json: it is changed", "report.html: it is changed"]
