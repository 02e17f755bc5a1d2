"""The history report of a robot over a real database: who is shown what, and what a link opens."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from schemas.entry import encode_record
from schemas.logbook import KeyRegistered, Opened, Ownership, Registered, Role
from schemas.signing import public_key
from serve import care
from serve.people import Role as May
from serve.report import links, seal
from serve.report.model import SignedReport
from serve.report.qr import qr_text
from serve.report.verify import check
from support import two_fleets
from support.asgi import Answer, ask
from support.logbooks import DAY_US, MAKER, PLATFORM, PLATFORMS, Writer
from support.two_fleets import FOR_A_DAY, NOW, OURS, THEIRS, mark_of, token

OWNER = Opened(salt="5a" * 16, value="Ada Lovelace, Berlin")
HOUR = timedelta(hours=1)
FIRST = NOW.replace(minute=0, second=0) - timedelta(days=40)


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[Any]:
    async with two_fleets.application(database_url, key=PLATFORM) as app:
        yield app


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    await two_fleets.fill(connection)
    for table in ("vitals_hourly", "logbook_entry", "logbook_head"):
        await connection.execute(f"DELETE FROM {table} WHERE robot_id = $1", OURS)
    await _live(connection)
    await _write(connection)
    yield connection
    await connection.close()


async def _live(connection: asyncpg.Connection) -> None:
    """Ten days of hours, ten of silence in which it runs 50 h, ten more in which its counter falls."""
    for day in (*range(10), *range(20, 30)):
        for hour in range(24):
            n = 24 * day + hour if day < 25 else 24 * (day - 25) + hour
            runtime_s = 1800 * n - (72_000 if 20 <= day < 25 else 0)
            await connection.execute(
                "INSERT INTO vitals_hourly (robot_id, start, windows, seen_s, frames, missing, fault_frames,"
                " backfill_frames, boots, last_time, received, mode, runtime_s, energy_wh, cycles, software,"
                " scenario, joint_wear_last, joint_wear_max, battery_soh_last, battery_soh_min)"
                " VALUES ($1, $2, 6, 3600, 3600, 1, 0, 0, 1, $3, $3, 1, $4, 7, 7, $5, 'classroom', $6, $6, 0.9,"
                " 0.8)",
                OURS, FIRST + timedelta(days=day, hours=hour), FIRST + timedelta(days=day, hours=hour + 1),
                runtime_s,
                "1.0" if day < 5 else "2.0", [0.1, 0.5 if (day, hour) == (3, 7) else 0.2],
            )  # fmt: skip


async def _write(connection: asyncpg.Connection) -> None:
    writer = Writer(OURS)
    writer.now_us = round(FIRST.timestamp() * 1e6)
    writer.write(
        Registered(maker=mark_of(OURS), model="M", made_us=writer.now_us - 5 * DAY_US, joints=2, level="L3"),
        PLATFORM,
    )
    writer.write(KeyRegistered(key=public_key(MAKER), role=Role.MAKER, holder="T"), PLATFORM)
    writer.write(Ownership(owner=OWNER.commitment, country="DE"), MAKER)
    for record in writer.records:
        entry = record.signed.entry
        await connection.execute(
            "INSERT INTO logbook_entry VALUES ($1, $2, $3, 'k', $4, now(), now(), now(), NULL, $5, NULL)",
            OURS, record.link.number, entry.id, entry.author, encode_record(record),
        )  # fmt: skip
    await connection.execute(
        "INSERT INTO logbook_opened VALUES ($1, 3, $2, $3, $4)", OURS, OWNER.commitment, OWNER.salt, OWNER.value
    )


def us(days: int) -> int:
    return round((FIRST + timedelta(days=days)).timestamp() * 1e6)


async def taken(app: Any, headers: dict[str, str]) -> SignedReport:
    answer = await ask(app, "GET", f"/api/v1/robots/{OURS}/report.json", headers)
    assert answer.status == 200, answer.text
    return seal.decode(answer.body)


async def given(connection: asyncpg.Connection, lasts: timedelta = FOR_A_DAY) -> str:
    return await links.give(connection, OURS, NOW + lasts, "somebody", PLATFORM)


async def opened(app: Any, text: str, **kwargs: Any) -> Answer:
    return await ask(app, "GET", f"/shared/{text}", {"accept": "text/html"}, **kwargs)


async def test_a_life_in_the_database_is_the_life_in_the_report(app, connection):
    report = (await taken(app, await token(connection, May.OPERATOR))).report
    assert (report.identity.maker, report.identity.level) == (mark_of(OURS), "L3")
    (fell,) = [reset for reset in report.resets if reset.counter == "runtime_s"]
    assert (fell.before, fell.after, fell.entry) == (1800 * (24 * 24 + 23) - 72_000, 0, None)
    assert [gap.ran_s for gap in report.gaps][1] == 1800 * (24 * 20 - 239) - 72_000
    assert report.coverage.seen_days in (20, 21, 22)  # days are of UTC; the hours begin at any of them
    assert [(one.version, one.entry) for one in report.software] == [("1.0", None), ("2.0", None)]
    (wear,) = [trend for trend in report.trends if trend.signal == "joint_wear"]
    assert wear.rows[1].worst == 0.5
    page = await care.used(connection, OURS)
    assert [(one.from_us, one.until_us) for one in report.usage] == [(us(0), us(10)), (us(20), us(30))]
    assert [one.used_s for one in report.usage] == [one.used_s for one in page.used], "as the robot's page counts"
    assert {(one.scenario, one.load, one.entry) for one in report.usage} == {("classroom", None, None)}
    assert report.integrity.word == "NOT PROVEN"
    assert report.integrity.unproven == ("that nothing was cut off at the end: no checkpoint was given",)


async def test_who_may_act_is_shown_names_and_who_only_looks_is_not(app, connection):
    for role, personal in ((May.VIEWER, False), (May.OPERATOR, True), (May.ADMIN, True)):
        signed = await taken(app, await token(connection, role))
        assert signed.report.personal == personal
        assert signed.report.owners[0].name == (OWNER.value if personal else "")
        page = await ask(app, "GET", f"/robots/{OURS}/report", await token(connection, role))
        assert page.status == 200
        assert (OWNER.value in page.text) == personal


async def test_each_file_of_a_report_is_proven_offline(app, connection):
    headers = await token(connection, May.VIEWER)
    for kind in ("html", "json", "pdf"):
        answer = await ask(app, "GET", f"/api/v1/robots/{OURS}/report.{kind}", headers)
        assert check(answer.body, PLATFORMS).word == "PROVEN", kind


async def test_a_robot_of_others_has_no_report_for_me(app, connection):
    headers = await token(connection, May.VIEWER, ["ours"])
    assert (await ask(app, "GET", f"/api/v1/robots/{THEIRS}/report.json", headers)).status == 404
    assert (await ask(app, "GET", f"/robots/{THEIRS}/report", headers)).status == 404


async def test_a_link_shows_the_report_to_whoever_has_it_without_names_and_without_a_trace(app, connection):
    answer = await opened(app, await given(connection))
    assert answer.status == 200
    checked = check(answer.body, PLATFORMS)
    assert checked.word == "PROVEN"
    assert checked.report is not None
    assert not checked.report.personal
    assert OWNER.value not in answer.text
    assert answer.header("set-cookie") == ""
    assert answer.header("x-robots-tag") == "noindex"
    assert answer.header("cache-control") == "no-store"
    assert "style-src 'sha256-" in answer.header("content-security-policy")
    assert "script-src" not in answer.header("content-security-policy")
    pdf = await opened(app, f"{await given(connection)}/report.pdf")
    assert check(pdf.body, PLATFORMS).word == "PROVEN"


async def test_a_link_whose_time_is_over_or_that_was_revoked_says_so(app, connection):
    assert (await opened(app, await given(connection, -HOUR))).status == 410
    text = await given(connection)
    (link, *_) = [one for one in await links.links_of(connection, OURS) if one.expires > NOW]
    assert await links.revoke(connection, link.link_id)
    assert not await links.revoke(connection, link.link_id)
    answer = await opened(app, text)
    assert answer.status == 410
    assert "ask them for another" in answer.text
    gone = await given(connection)
    await connection.execute("DELETE FROM report_link")
    assert (await opened(app, gone)).status == 410


async def test_a_link_that_nobody_here_has_given_opens_nothing(app, connection):
    text = await given(connection)
    forged = links.write_token(links.Token(id="0" * 16, robot_id=OURS, until_us=2**52), MAKER)
    for wrong in (forged, f"{text}A", text[:-1], text.swapcase(), "none"):
        answer = await opened(app, wrong)
        assert answer.status == 404, wrong
        assert mark_of(OURS) not in answer.text


async def test_whoever_opens_links_without_end_must_wait(app, connection):
    statuses = [(await opened(app, "none", peer="192.0.2.7")).status for _ in range(25)]
    assert statuses[0] == 404
    assert statuses[-1] == 429
    assert (await opened(app, "none", peer="192.0.2.8")).status == 404


async def test_the_square_code_leads_to_whether_the_platform_signed_it(app, connection):
    signed = await taken(app, await token(connection, May.VIEWER))
    address = qr_text(signed).removeprefix("http://127.0.0.1:8080")
    answer = await ask(app, "GET", address)
    assert answer.status == 200
    assert "<b>Yes.</b>" in answer.text
    assert signed.digest in answer.text
    other = await ask(app, "GET", address.replace("made=1", "made=2"))
    assert "<b>No.</b>" in other.text
    assert (await ask(app, "GET", "/verify-report")).status == 200


async def test_without_a_key_a_report_is_not_signed_and_no_link_opens(database_url, connection):
    async with two_fleets.application(database_url) as app:
        signed = await taken(app, await token(connection, May.VIEWER))
        assert signed.signature == ""
        assert signed.report.integrity.word == "NOT PROVEN"
        assert (await opened(app, await given(connection))).status == 404


async def test_a_robot_that_only_has_a_logbook_has_a_report(app, connection):
    for table in ("vitals_hourly", "robot"):
        await connection.execute(f"DELETE FROM {table} WHERE robot_id = $1", OURS)
    await connection.execute("INSERT INTO logbook_head VALUES ($1, 3, '', now(), '')", OURS)
    report = (await taken(app, await token(connection, May.VIEWER))).report
    assert report.coverage.seen_days == 0
    assert "proves nothing" in report.verdict.covered
    assert msgspec.json.encode(report)
