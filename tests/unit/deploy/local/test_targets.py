"""`prometheus-targets.json`: what Prometheus's file_sd reads."""

import json

from deploy.local import targets


def test_processes_are_targets_by_their_name_and_servers_are_not(tmp_path):
    targets.write(tmp_path, [("kafka", 9092), ("timescaledb", 5432), ("land", 8000), ("assess", 8001)])
    assert json.loads((tmp_path / targets.FILE).read_text()) == [
        {"targets": ["127.0.0.1:8000"], "labels": {"process": "land"}},
        {"targets": ["127.0.0.1:8001"], "labels": {"process": "assess"}},
    ]


def test_prometheus_may_read_it_and_finds_no_half_written_one(tmp_path):
    targets.write(tmp_path, [("land", 8000)])
    targets.write(tmp_path, [("land", 8001)])
    assert (tmp_path / targets.FILE).stat().st_mode & 0o777 == 0o644
    assert [path.name for path in tmp_path.iterdir()] == [targets.FILE]
    targets.remove(tmp_path)
    targets.remove(tmp_path)
    assert not list(tmp_path.iterdir())
