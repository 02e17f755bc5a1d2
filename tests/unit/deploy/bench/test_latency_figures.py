"""What `robovitals bench latency` makes of what it has seen."""

from datetime import UTC, datetime

import msgspec
import pytest
from rich.console import Console

from deploy.bench.backlog import Backlog
from deploy.bench.latency import Awaited, Latencies, Memory, Spool
from deploy.bench.latency_figures import _what, drawn, figures, missing, spread
from deploy.bench.machine import this_machine
from deploy.commands.bench_latency import check
from schemas.errors import SettingError

NONE = Spool(0, 1)
NOW = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)


def found(rows: Awaited | None = None, events: Awaited | None = None) -> Latencies:
    return Latencies(frames=1000, rows=rows or Awaited(), events=events or Awaited())


def text(latencies: Latencies) -> str:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(drawn(figures(1000, 200, 30, NONE, latencies), this_machine(), NOW))
    return capture.get()


def test_a_spread_is_its_percentiles_and_the_longest():
    took_s = [milliseconds / 1000 for milliseconds in range(1001)]
    assert spread("wait", took_s) == {
        "wait_p50_s": 0.5, "wait_p99_s": 0.99, "wait_p999_s": 0.999, "wait_max_s": 1.0,
    }  # fmt: skip


def test_the_thousandth_part_of_fewer_than_a_thousand_is_not_told():
    told = spread("wait", [0.1] * 999)
    assert (told["wait_p99_s"], told["wait_p999_s"]) == (0.1, None)


def test_of_nothing_there_is_no_percentile():
    assert set(spread("wait", []).values()) == {None}
    assert "–" in text(found())


def test_a_time_counts_from_when_it_was_due_and_once():
    awaited = Awaited({"a": 10.0})
    awaited.seen("a", 10.5)
    awaited.seen("a", 11.0)
    awaited.seen("of somebody else", 11.0)
    assert (awaited.due_s, awaited.took_s) == ({}, [0.5])


def test_what_never_came_is_counted_and_named():
    told = figures(1000, 200, 30, NONE, found(rows=Awaited({"a": 0.0, "b": 0.0}, [0.1]), events=Awaited({}, [0.2])))
    assert [told[f"rows_{what}"] for what in ("sent", "seen", "missing")] == [3, 1, 2]
    assert missing(told) == "2 of 3 rows never came"
    assert missing(figures(1000, 200, 30, NONE, found(events=Awaited({"a": 0.0})))) == "1 of 1 events never came"
    assert missing(figures(1000, 200, 30, NONE, found())) is None


def test_the_figures_have_the_names_that_goals_are_set_by():
    told = figures(1000, 200, 30, NONE, found(rows=Awaited({}, [0.25]), events=Awaited({}, [0.5])))
    assert (told["rate"], told["seconds"]) == (1000, 30)
    assert (told["send_to_row_p50_s"], told["send_to_row_p99_s"]) == (0.25, 0.25)
    assert (told["crossing_to_event_p50_s"], told["crossing_to_event_p99_s"]) == (0.5, 0.5)


def test_the_table_shows_milliseconds():
    assert "250 ms" in text(found(rows=Awaited({}, [0.25])))


def test_a_flush_beside_the_load_is_told_of():
    latencies = found()
    latencies.flush_s = 9.5
    told = _what(figures(1000, 200, 30, Spool(600_000, 20_000), latencies))
    assert told.endswith("beside them one more robot sends 600000 late frames, all in 9.5 s")


@pytest.mark.parametrize(("left", "took_s", "told"), [(0, 51.25, "all in 51.2 s"), (7, None, "7 are left")])
def test_an_agent_that_comes_back_beside_the_load_is_told_of(left, took_s, told):
    latencies = found()
    latencies.backlog = Backlog(frames=9, left=left, took_s=took_s, live_s=[0.125, 0.125], late=1)
    assert f"9 frames in its spool, {told}; of its own live frames 2 went live and 1 as backlog" in _what(
        figures(1000, 200, 30, NONE, latencies)
    )
    assert "its own live → broker" in text(latencies)


def test_the_machine_is_described():
    machine = this_machine()
    assert machine.cores >= 1
    assert machine.memory_bytes > 2**28
    assert f"{machine.cores} cores" in machine.text
    assert msgspec.json.decode(msgspec.json.encode(machine), type=type(machine)) == machine


@pytest.mark.parametrize(
    ("rate", "seconds", "named"),
    [
        (0, 30, "--rate 0: "),
        (float("nan"), 30, "--rate nan: "),
        (1e6, 30, "--rate 1e\\+06: "),
        (1000, 0, "--seconds 0: "),
        (10, 30, "--rate 10 --seconds 30: "),
    ],
)
def test_a_wrong_option_is_named(rate: float, seconds: float, named: str):
    with pytest.raises(SettingError, match=named):
        check(rate, 200, seconds, NONE)


@pytest.mark.parametrize(("took_s", "verdict"), [(0.99, "≤ 1 s: met"), (1.01, "≤ 1 s: MISSED")])
def test_the_goal_is_told_and_whether_it_is_met(took_s: float, verdict: str):
    assert verdict in text(found(events=Awaited({}, [took_s])))


def test_memory_is_a_line_a_minute_and_what_has_ended_has_none():
    watched = [Memory(30, {"land": 100 * 2**20, "assess": 200 * 2**20}), Memory(90, {"land": 101 * 2**20})]
    shown = " ".join(text(Latencies(frames=1000, memory=watched)).split())
    assert "30 s 100 200 90 s 101 ended" in shown
