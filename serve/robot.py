"""One robot as it is now: what its code says, its state, last readings and alarms, and how good its data is.

In: an asyncpg connection and a code. Out: a `RobotNow`. Called by the API and the robot's page.
"""

from datetime import datetime, timedelta

import asyncpg
import msgspec
from fastapi import HTTPException

from schemas.robot_code import RobotCode, RobotCodeParts, parse_code
from serve import database, past
from serve.database import Alarm, OutOfService, RobotState
from serve.passport import Passport, passport
from serve.past import DataQuality, Drops
from serve.readings import LatestReading, latest_readings

NEWEST_FRAMES = 20
NEWEST_WINDOWS = 3
QUALITY_OVER = timedelta(days=1)
ACCURACY_WITHIN = timedelta(days=1)


class RobotNow(msgspec.Struct, frozen=True, kw_only=True):
    """One robot. `clock_offset_s`: how far its clock is ahead of ours, by its last live frame, the way to us
    included; null without one. `day`: the data of the last 24 hours. `drops`: what its agent had to drop, and how
    much of it in those 24 hours; null where it counts none. `passport`: null where nobody has registered it.
    """

    code: RobotCodeParts
    state: RobotState
    readings: list[LatestReading]
    alarms: list[Alarm]
    out_of_service: list[OutOfService]
    clock_offset_s: float | None
    day: DataQuality
    drops: Drops | None
    asked: datetime
    passport: Passport | None


async def robot_now(connection: asyncpg.Connection, code: RobotCode) -> RobotNow:
    """Raises HTTPException 404 for a robot that is not there, or not for who asks."""
    state = await database.robot(connection, code)
    if state is None:
        raise HTTPException(404, f"nothing of robot {code} has landed, or it is in none of your fleets")
    frames = await database.latest_frames(connection, code, NEWEST_FRAMES)
    windows = await database.latest_vitals(connection, code, NEWEST_WINDOWS)
    asked: datetime = await connection.fetchval("SELECT now()")
    windows += await past.latest_accuracy(connection, code, asked - ACCURACY_WITHIN)
    live = next((frame for frame in frames if not frame["backfill"]), None)
    return RobotNow(
        code=parse_code(code),
        state=state,
        readings=latest_readings(frames, windows),
        alarms=await database.alarms(connection, code),
        out_of_service=await database.out_of_service(connection, code),
        clock_offset_s=(live["time"] - live["received"]).total_seconds() if live else None,
        day=await past.data_quality(connection, code, asked - QUALITY_OVER, asked),
        drops=await past.drops(connection, code, frames, asked - QUALITY_OVER),
        asked=asked,
        passport=await passport(connection, code),
    )
