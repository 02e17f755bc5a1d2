"""Links to a report for somebody who is not known here: signed, ending by themselves, and revocable.

In: a robot, the platform's key, a time. Out: the token of an address, or what one says. Called by `robovitals
report` and the public routes. A forged token is refused before anybody asks the database; one that was revoked
has a row that says so, and one whose row is gone opens nothing.
"""

import base64
import secrets
from datetime import UTC, datetime

import asyncpg
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.canonical import canonical, parse
from schemas.errors import RejectError
from schemas.robot_code import is_code
from schemas.signing import Purpose, is_signed, sign
from serve.database import rows
from serve.report.words import moment

ID_BYTES = 8
MOST_TOKEN = 512


class Token(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a link opens, and until when."""

    id: str
    robot_id: str
    until_us: int


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A link that was given away, without its signature."""

    link_id: str
    robot_id: str
    made: datetime
    made_by: str
    expires: datetime
    revoked: datetime | None

    def word(self, now: datetime) -> str:
        return "revoked" if self.revoked is not None else "expired" if self.expires <= now else "open"


def write_token(token: Token, private: Ed25519PrivateKey) -> str:
    """Its bytes and their signature, as an address can hold them."""
    data = canonical(token)
    return _written(data, sign(private, Purpose.REPORT_LINK, data))


def read_token(text: str, platforms: frozenset[str]) -> Token | None:
    """None: the platform has signed no such token. Whether its time is over is another question."""
    data_text, dot, signature_text = text.partition(".")
    if not dot or len(text) > MOST_TOKEN:
        return None
    try:
        data, signature = _bytes(data_text), _bytes(signature_text).hex()
        token = msgspec.convert(parse(data), Token)
    except (ValueError, RejectError):
        return None
    if not is_code(token.robot_id) or _written(data, signature) != text:
        return None
    return token if any(is_signed(key, Purpose.REPORT_LINK, data, signature) for key in platforms) else None


def _written(data: bytes, signature: str) -> str:
    """The one way to write a token: no second text opens the same link."""
    return f"{_text(data)}.{_text(bytes.fromhex(signature))}"


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


async def give(
    connection: asyncpg.Connection, robot_id: str, until: datetime, made_by: str, private: Ed25519PrivateKey
) -> str:
    """A new link's token."""
    link_id = secrets.token_hex(ID_BYTES)
    until_us = int(until.timestamp()) * 1_000_000
    await connection.execute(
        "INSERT INTO report_link (link_id, robot_id, made_by, expires) VALUES ($1, $2, $3, $4)",
        link_id,
        robot_id,
        made_by,
        moment(until_us),
    )
    return write_token(Token(id=link_id, robot_id=robot_id, until_us=until_us), private)


async def links_of(connection: asyncpg.Connection, robot_id: str | None) -> list[Link]:
    """Of one robot or of all, the newest first."""
    return await rows(connection, Link, "report_links", robot_id)


async def revoke(connection: asyncpg.Connection, link_id: str) -> bool:
    """Whether there was such a link that was open."""
    done = await connection.execute(
        "UPDATE report_link SET revoked = now() WHERE link_id = $1 AND revoked IS NULL AND expires > now()", link_id
    )
    return bool(done == "UPDATE 1")


async def is_open(connection: asyncpg.Connection, token: Token) -> bool:
    """Whether a token that the platform has signed still opens something."""
    if moment(token.until_us) <= datetime.now(UTC):
        return False
    found = await connection.fetchval(
        "SELECT revoked IS NULL AND expires > now() FROM report_link WHERE link_id = $1 AND robot_id = $2",
        token.id,
        token.robot_id,
    )
    return bool(found)
