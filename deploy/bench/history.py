"""How long a robot's history report takes, of a long life: ten years of hours, hundreds of entries.

In: a stand and how long the life was. Out: a report. Called by `robovitals bench report`, and `fill` by
`deploy/screenshots.py` too. The hours are written by SQL, each as wide as the roll-up makes them; the entries are
signed and sealed as the product does it.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.bench.disk import forget
from deploy.bench.query_fill import cpu_s
from deploy.bench.report import Goal, Line, Report
from deploy.bench.stand import Stand
from deploy.local.timescaledb import DatabaseServer
from processors.hourly import JOINT_COLUMNS, OTHER_COLUMNS
from schemas.chain import Book, append
from schemas.entry import Entry, Record, encode_record, write_entry
from schemas.limits import Limits
from schemas.logbook import KeyRegistered, MaintenanceDone, Ownership, PartInstalled, Registered, Role, conceal
from schemas.robot_code import make_code
from schemas.signing import public_key
from serve import database
from serve.report.making import Form, Signer, draw, facts_of, make
from serve.report.reading import audited

ROBOT = make_code("ZZ", "LONG", "LIFE01", "1")
JOINTS = 29
GOAL = Goal(at_most=1000)
WARM = 5
HOUR_US = 3_600_000_000
_YEAR = 365 * 24

# A gap of 40 days each year, a counter that falls once, new software each half year. Arrays are of random numbers,
# which do not compress: rows are as long on the disk as those of a real robot.
_HOURS = """
INSERT INTO vitals_hourly (robot_id, start, windows, seen_s, frames, missing, fault_frames, backfill_frames, boots,
    last_time, received, mode, runtime_s, energy_wh, cycles, software, scenario, {columns})
SELECT $1, at, 360, 3600, 3600, n % 7, 0, 0, 1, at + interval '3599 s', at + interval '3600 s', 1,
    (CASE WHEN n < $3 / 2 THEN n ELSE n - $3 / 2 END)::bigint * 3000, n::bigint * 400, n::bigint * 900,
    '1.' || n / 4380, CASE WHEN n % 20000 < 12000 THEN 'factory_line' ELSE 'classroom' END, {values}
FROM (SELECT n, $2::timestamptz + n * interval '1 hour' AS at FROM generate_series(0, $3::integer - 1) AS n
      WHERE n % 8760 >= 960) AS hour,
LATERAL (SELECT array_agg((0.00000004 * hour.n * joint + random() / 50)::real ORDER BY joint) AS wear,
    array_agg((1 + 0.00001 * hour.n + random())::real ORDER BY joint) AS backlash,
    array_agg((random() + hour.n * 0 + joint * 0)::real) AS noise
    FROM generate_series(1, $4::integer) AS joint) AS readings
"""
_VALUES = {"joint_wear_last": "wear", "joint_wear_max": "wear", "joint_backlash_arcmin_last": "backlash",
           "joint_backlash_arcmin_mean": "backlash", "joint_backlash_arcmin_max": "backlash"}  # fmt: skip


def measure(stand: Stand, years: int, entries: int, rounds: int) -> Report:
    """Of rounds, each makes the report once cold and WARM times warm."""
    url = stand.endpoints.database_url
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    key = Ed25519PrivateKey.generate()
    asyncio.run(fill(url, years, entries, end, key))
    signer = Signer(key, frozenset({public_key(key)}))
    took: dict[str, list[float]] = {}
    for number in range(1, rounds + 1):
        if stand.servers is not None:
            stand.restart_database(lambda: forget(stand.home / DatabaseServer.name))
            asyncio.run(_timed(url, signer, "cold", 1, took))
        asyncio.run(_timed(url, signer, "warm", WARM, took))
        print(f"round {number} of {rounds}", file=sys.stderr)
    return report(years, entries, rounds, took)


async def fill(database_url: str, years: int, entries: int, end: datetime, key: Ed25519PrivateKey) -> None:
    """Writes the life; `key` seals its logbook."""
    start, hours = end - timedelta(hours=years * _YEAR), years * _YEAR
    print(f"filling {hours} hours and {entries} entries …", file=sys.stderr)
    async with database.connected(database_url) as connection:
        columns = [*JOINT_COLUMNS, *OTHER_COLUMNS]
        values = [_VALUES.get(name, "noise" if name in JOINT_COLUMNS else "random()") for name in columns]
        sql = _HOURS.format(columns=", ".join(columns), values=", ".join(values))
        await connection.execute("INSERT INTO robot (robot_id, first_time) VALUES ($1, $2)", ROBOT, start)
        await connection.execute(sql, ROBOT, start, hours, JOINTS, timeout=1800)
        await _write(connection, _records(key, entries, start, end))
        await connection.execute("VACUUM ANALYZE vitals_hourly", timeout=600)


def _records(key: Ed25519PrivateKey, entries: int, start: datetime, end: datetime) -> list[Record]:
    """Registered, given a workshop, sold; its joints put in, and services until there are enough."""
    first_us, last_us = (round(time.timestamp() * 1e6) for time in (start, end))
    book = Book(robot_id=ROBOT, platforms=frozenset({public_key(key)}))
    workshop = Ed25519PrivateKey.generate()
    whats: list[Any] = [
        Registered(maker="Long AG", model="LIFE", made_us=first_us, joints=JOINTS),
        KeyRegistered(key=public_key(workshop), role=Role.WORKSHOP, holder="Workshop GmbH"),
        Ownership(owner=conceal("somebody").commitment, country="DE"),
        *(PartInstalled(component=f"joint/{j}", part="A-17", serial=f"S-{j}") for j in range(1, JOINTS + 1)),
    ]
    records = []
    for number in range(entries):
        service = MaintenanceDone(task="grease", component=f"joint/{1 + number % JOINTS}")
        what = whats[number] if number < len(whats) else service
        after = max(number - len(whats) + 1, 0)
        at_us = first_us + (last_us - first_us) * after // max(entries - len(whats), 1)
        by = workshop if isinstance(what, PartInstalled | MaintenanceDone) else key
        entry = Entry(v=1, id=f"{number:032x}", robot_id=ROBOT, author=public_key(by), happened_us=at_us,
                      written_us=at_us, what=what)  # fmt: skip
        records.append(append(book, write_entry(entry, by), at_us, key))
    return records


async def _write(connection: asyncpg.Connection, records: Sequence[Record]) -> None:
    for record in records:
        entry = record.signed.entry
        await connection.execute(
            "INSERT INTO logbook_entry VALUES ($1, $2, $3, $4, $5, now(), now(), now(), NULL, $6, NULL)",
            entry.robot_id, record.link.number, entry.id, "filled", entry.author, encode_record(record),
        )  # fmt: skip


async def _timed(url: str, signer: Signer, kind: str, times: int, took: dict[str, list[float]]) -> None:
    async with database.connected(url) as connection:
        for _ in range(times):
            await _once(connection, signer, kind, took)


async def _once(connection: asyncpg.Connection, signer: Signer, kind: str, took: dict[str, list[float]]) -> None:
    moments_s, began_s = [time.monotonic()], cpu_s(connection)
    facts = await facts_of(connection, ROBOT, signer, Limits(), await audited(connection, ROBOT))
    moments_s.append(time.monotonic())
    assert facts is not None
    signed = make(facts, signer, True, "http://127.0.0.1:8080")
    moments_s.append(time.monotonic())
    html = draw(signed, Form.HTML)
    moments_s.append(time.monotonic())
    took.setdefault(f"{kind}_cpu", []).append(cpu_s(connection) - began_s)
    pdf = draw(signed, Form.PDF)
    moments_s.append(time.monotonic())
    for name, one, other in zip(("read", "build", "html", "pdf"), moments_s, moments_s[1:], strict=False):
        took.setdefault(f"{kind}_{name}", []).append(other - one)
    took.setdefault(f"{kind}_all", []).append(moments_s[3] - moments_s[0])
    took["kb_html"], took["kb_pdf"] = [len(html) / 1000], [len(pdf) / 1000]


def report(years: int, entries: int, rounds: int, took: dict[str, list[float]]) -> Report:
    what = f"a robot of {JOINTS} joints with {years * _YEAR} hours and {entries} entries; {rounds} rounds."
    labels = {"all": "the report as HTML, all of it", "cpu": "CPU of it, ours and the server's",
              "read": "reading", "build": "building and signing",
              "html": "drawing HTML", "pdf": "drawing PDF, besides"}  # fmt: skip
    sections = {
        f"ms, {kind}": [
            Line(
                f"{name}_{kind}_ms",
                label,
                [1000 * s for s in took.get(f"{kind}_{name}", [])],
                GOAL if kind == "warm" and name == "all" else None,
            )
            for name, label in labels.items()
        ]
        for kind in ("cold", "warm")
    }
    sections["size"] = [Line(f"kb_{form}", f"kB of {form}", took.get(f"kb_{form}", [])) for form in ("html", "pdf")]
    return Report("report", what, sections, [])
