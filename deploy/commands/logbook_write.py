"""`robovitals logbook write CODE KIND`: one entry into a robot's logbook, of any kind of `schemas/logbook.py`."""

import argparse
import asyncio
import hashlib
import mimetypes
import secrets
import time
from pathlib import Path

import asyncpg
import msgspec

from deploy.platform_key import known_platforms
from deploy.settings import Endpoints, Settings, endpoints
from deploy.signing_key import read_key
from deploy.writing.lines import HAPPENED, WRITABLE
from deploy.writing.submit import Desk, Line, desk
from schemas.draft import ENTRY, ID_BYTES, TIME_FORM, Draft, Field, Pen, fields_of, time_us
from schemas.entry import Attachment
from schemas.errors import SettingError
from schemas.logbook import KINDS, Correction, kind_name
from schemas.robot_code import RobotCode, checked_code
from serve import database
from serve.logbook import entry_ids, numbers_of

EXAMPLE = (
    "robovitals logbook write ZZ-SIM0-HUMAN1-00000000000000017 maintenance_done --task 'gear greased' "
    "--component joint/3 --by 'A. Lovelace' --key workshop.key"
)
ANY_MEDIA = "application/octet-stream"


class Appended(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints of each entry."""

    robot_id: str
    number: int
    entry_id: str
    kind: str


def add_parsers(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "write one entry; waits until the logbook has it"
    write = actions.add_parser(
        "write", help=text, description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    write.set_defaults(acted=run)
    write.add_argument("code", help="the 29-character robot code; hyphens and spaces are left out")
    kinds = write.add_subparsers(dest="kind", metavar="KIND", required=True)
    width = max(map(len, WRITABLE))
    lines = [f"  {kind:{width}}  {' '.join(map(_usage, fields_of(kind)))}" for kind in WRITABLE]
    write.epilog = "\n".join(["kinds and their fields; `write CODE KIND --help` tells more:", *lines])
    common = _common()
    for kind in WRITABLE:
        text = " ".join((KINDS[kind].__doc__ or kind).split())
        parser = kinds.add_parser(kind, description=text, parents=[common])
        for field in fields_of(kind):
            parser.add_argument(
                _flag(field), dest=f"field_{field.name}", required=field.required, metavar="VALUE", help=field.form
            )


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--key", type=Path, required=True, metavar="FILE", help="the author's private key")
    common.add_argument(f"--{HAPPENED}", metavar="TIME", help=f"when it was so: {TIME_FORM} (default: now)")
    common.add_argument("--runtime-s", type=int, metavar="N", help="the robot's counter of operating seconds then")
    common.add_argument(
        "--attach", type=Path, action="append", default=[], metavar="FILE",
        help="a file that belongs to it: its name, size and hash go in, the file stays where it is",
    )  # fmt: skip
    common.add_argument("--correct", metavar="ENTRY", help="it holds in place of this one; with --because")
    common.add_argument("--because", default="", metavar="TEXT", help="why that one does not hold")
    common.add_argument("--json", action="store_true", help="print what was written as JSON")
    return common


def run(args: argparse.Namespace, settings: Settings) -> int:
    if bool(args.correct) != bool(args.because):
        raise SettingError("--correct and --because: give both, or none")
    appended = asyncio.run(_write(endpoints(settings), args, Pen(read_key(args.key)), known_platforms(settings)))
    for one in appended:
        text = f"entry {one.number} of {one.robot_id}: {one.kind}, id {one.entry_id}"
        print(msgspec.json.encode(one).decode() if args.json else text)
    return 0


async def _write(
    servers: Endpoints, args: argparse.Namespace, pen: Pen, platforms: frozenset[str]
) -> list[Appended]:
    code = checked_code(args.code)
    async with database.connected(servers.database_url) as connection, desk(servers, platforms) as taking:
        drafts = await _drafts(connection, code, args)
        return await _append(connection, taking, pen, drafts)


async def _append(
    connection: asyncpg.Connection, taking: Desk, pen: Pen, drafts: list[tuple[str, Draft]]
) -> list[Appended]:
    """Raises SettingError where it is refused."""
    now_us = time.time_ns() // 1000
    line = Line(1, tuple(pen.write(draft, now_us, entry_id) for entry_id, draft in drafts))
    async for portion in taking.take([line]):
        for done in portion:
            if done.refused:
                raise SettingError(f"{line.robot_id}: not written, {done.refused}")
    numbers = await numbers_of(connection, line.robot_id, [entry_id for entry_id, _ in drafts])
    return [
        Appended(robot_id=draft.robot_id, number=numbers[entry_id], entry_id=entry_id, kind=draft.kind)
        for entry_id, draft in drafts
    ]


async def _drafts(
    connection: asyncpg.Connection, code: RobotCode, args: argparse.Namespace
) -> list[tuple[str, Draft]]:
    """With their ids: what is to be said, and the correction that it is in place of another entry."""
    fields = {field.name: field for field in fields_of(args.kind)}
    given = {name: getattr(args, f"field_{name}") for name in fields}
    values: dict[str, object] = {}
    for name, text in given.items():
        if text is not None:
            values[name] = await _entry_id(connection, code, text) if fields[name].form == ENTRY else text
    said = Draft(
        robot_id=code,
        kind=args.kind,
        values=values,
        happened_us=time_us(f"--{HAPPENED}", args.happened) if args.happened else None,
        runtime_s=args.runtime_s,
        attachments=tuple(map(attachment_of, args.attach)),
    )
    drafts = [(_new_id(), said)]
    if args.correct:
        corrects = await _entry_id(connection, code, args.correct)
        values = {"corrects": corrects, "reason": args.because, "instead": drafts[0][0]}
        drafts.append((_new_id(), Draft(robot_id=code, kind=kind_name(Correction), values=values)))
    return drafts


def attachment_of(path: Path) -> Attachment:
    """What an entry says of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size_bytes = file.tell()
    media_type = mimetypes.guess_type(path.name)[0] or ANY_MEDIA
    return Attachment(name=path.name, media_type=media_type, size_bytes=size_bytes, sha256=digest)


async def _entry_id(connection: asyncpg.Connection, code: RobotCode, text: str) -> str:
    """Of an entry's number, or the beginning of its id. Raises SettingError where that is not one entry."""
    found = await entry_ids(connection, code, text)
    if len(found) != 1:
        raise SettingError(
            f"{text[:40]!r}: {len(found)} entries of {code} have this number, or an id that begins so"
        )
    return found[0]


def _new_id() -> str:
    return secrets.token_hex(ID_BYTES)


def _flag(field: Field) -> str:
    return f"--{field.name.replace('_', '-')}"


def _usage(field: Field) -> str:
    return _flag(field) if field.required else f"[{_flag(field)}]"
