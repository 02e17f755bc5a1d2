"""The robot that a command was asked about, or an error that names some that there are.

In: a connection and a code. Out: its state. Called by `robovitals robot show` and `robovitals explain`.
"""

import asyncpg

from schemas.errors import UnavailableError
from serve import database
from serve.database import RobotState


async def find_robot(connection: asyncpg.Connection, code: str) -> RobotState:
    """Raises UnavailableError when nothing of it has landed."""
    state = await database.robot(connection, code)
    if state is None:
        similar = await database.similar_robots(connection, code[:12]) or await database.similar_robots(
            connection, ""
        )
        known = f"; some that have: {', '.join(similar)}" if similar else ""
        raise UnavailableError(f"nothing of robot {code} has landed{known}")
    return state
