"""What the workshop's example signs is what the platform reads, by its own code."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from schemas.chain import append
from schemas.entry import decode_submission
from schemas.logbook import MaintenanceDone
from support.logbooks import PLATFORM, ROBOT, WORKSHOP, begun

PATH = Path(__file__).parents[3] / "examples/workshop.py"


@pytest.fixture
def workshop() -> ModuleType:
    spec = importlib.util.spec_from_file_location("workshop", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_platform_appends_what_it_signs_and_the_name_is_beside_the_entry(workshop: ModuleType, tmp_path: Path):
    (tmp_path / "key").write_text(WORKSHOP.private_bytes_raw().hex() + "\n")
    key = workshop.read_key(tmp_path / "key")
    writer = begun()
    what = {"kind": "maintenance_done", "task": "greased", "component": "joint/3"}
    body = workshop.submission(key, ROBOT, what, writer.now_us, runtime_s=7200, names={"by": "Ada µ"})
    read = decode_submission(body)
    assert b"Ada" not in read.signed.text
    record = append(writer.book, read.signed, writer.now_us, PLATFORM, read.opened)
    assert record.signed.entry.what == MaintenanceDone(
        task="greased", component="joint/3", by=read.opened[0].commitment
    )
    assert (read.opened[0].value, record.signed.entry.runtime_s) == ("Ada µ", 7200)


def test_without_a_name_nothing_stands_beside_the_entry(workshop: ModuleType):
    what = {"kind": "recall_done", "campaign": "C"}
    assert decode_submission(workshop.submission(WORKSHOP, ROBOT, what, 5)).opened == ()
