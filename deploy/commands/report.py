"""`robovitals report`: a robot's history report as a signed file, and links to it for people who are not known
here.
"""

import argparse
import asyncio
import getpass
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.durations import seconds
from deploy.limits_file import limits_from
from deploy.local import state
from deploy.platform_key import known_platforms, needed_platform_key, read_platform_key
from deploy.settings import Settings, endpoints
from schemas.errors import SettingError
from schemas.robot_code import checked_code
from serve import database
from serve.report import links
from serve.report.links import Link
from serve.report.making import Form, Signer, draw, facts_of, make, typesetter
from serve.report.model import SignedReport
from serve.report.reading import audited

EXAMPLE = "robovitals report ZZ… --out report.pdf"
TO_STDOUT = "-"
LINK_FOR = "30d"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "The file is complete in itself and signed with the platform's key; `robovitals verify-report FILE` "
        "checks it without a server. A link shows the report to whoever has it, without names of persons, "
        "until its time is over or it is revoked."
    )
    parser.add_argument("code", nargs="?", help="the 29-character robot code; hyphens and spaces are left out")
    parser.add_argument("--out", metavar="FILE", help="where to (default: CODE.html); - is the standard output")
    parser.add_argument(
        "--format", choices=[form.value for form in Form], help="default: by FILE's ending, or html"
    )
    parser.add_argument("--without-names", action="store_true", help="leave out names of persons")
    parser.add_argument(
        "--url", help="where the page is (default: the running stack's), for links and the square code"
    )
    parser.add_argument(
        "--link", action="store_true", help="instead, print an address that shows it to whoever has it"
    )
    parser.add_argument(
        "--for", dest="lasts", default=LINK_FOR, metavar="TIME", help=f"how long a link works (default {LINK_FOR})"
    )
    parser.add_argument("--links", action="store_true", help="instead, list links, of CODE or of all robots")
    parser.add_argument("--revoke", metavar="ID", help="instead, end a link, as --links names it")


def run(args: argparse.Namespace, settings: Settings) -> int:
    if args.links or args.revoke:
        return asyncio.run(_manage(args, endpoints(settings).database_url))
    if args.code is None:
        raise SettingError("whose report? Give the robot's code")
    code, url = checked_code(args.code), _url(args, settings)
    if args.link:
        return asyncio.run(_give(args, settings, code, url))
    form = _form(args)
    if form is Form.PDF:
        typesetter()  # it is missing now, or never
    signed = asyncio.run(_make(args, settings, code, url))
    data = draw(signed, form)
    if args.out == TO_STDOUT:
        sys.stdout.buffer.write(data)
    else:
        path = Path(args.out or f"{code}.{form}")
        path.write_bytes(data)
        print(path)
    _tell(signed, form)
    return 0


def _form(args: argparse.Namespace) -> Form:
    ending = (args.out or "").rpartition(".")[2]
    return Form(args.format or (ending if ending in list(Form) else Form.HTML.value))


def _url(args: argparse.Namespace, settings: Settings) -> str:
    if args.url is not None:
        return str(args.url).rstrip("/")
    stack = state.running(settings.home)
    return f"http://127.0.0.1:{stack.page_port}" if stack and stack.page_port else ""


async def _make(args: argparse.Namespace, settings: Settings, code: str, url: str) -> SignedReport:
    signer = Signer(read_platform_key(settings), known_platforms(settings))
    async with database.connected(endpoints(settings).database_url) as connection:
        looked = await audited(connection, code)
        facts = await facts_of(connection, code, signer, limits_from(os.environ), looked)
    if facts is None:
        raise SettingError(f"no robot {code}: nobody has registered it, and nothing of it has come")
    return make(facts, signer, not args.without_names, url)


def _tell(signed: SignedReport, form: Form) -> None:
    verdict = signed.report.verdict
    print(verdict.known, verdict.wrong, verdict.covered, sep="\n", file=sys.stderr)
    if not signed.signature:
        print("not signed: the platform has no key here (robovitals logbook key)", file=sys.stderr)
    if form is Form.PDF and typesetter().needs_fonts(signed):
        print(
            "it has letters that the PDF's own fonts lack: they are drawn with this machine's fonts, and are "
            "boxes where it has none (Debian: fonts-noto-cjk); HTML has no such limit",
            file=sys.stderr,
        )


async def _give(args: argparse.Namespace, settings: Settings, code: str, url: str) -> int:
    if not url:
        raise SettingError("no stack is running here: say where the page is with --url")
    lasts = timedelta(seconds=seconds("--for", args.lasts))
    if lasts < timedelta(minutes=1):
        raise SettingError(f"--for {args.lasts}: a link lasts a minute at least")
    key = needed_platform_key(settings)
    until = datetime.now(UTC) + lasts
    async with database.connected(endpoints(settings).database_url) as connection:
        (known,) = await database.ask(connection, "report_extent", code)
        if not known["known"]:
            raise SettingError(f"no robot {code}: nobody has registered it, and nothing of it has come")
        token = await links.give(connection, code, until, getpass.getuser(), key)
    print(f"{url}/shared/{token}")
    print(
        f"until {until:%Y-%m-%d %H:%M} UTC; `robovitals report --links` lists, --revoke ID ends it", file=sys.stderr
    )
    return 0


async def _manage(args: argparse.Namespace, database_url: str) -> int:
    async with database.connected(database_url) as connection:
        if args.revoke:
            if not await links.revoke(connection, args.revoke):
                raise SettingError(
                    f"--revoke {args.revoke}: no link that is open has this id: robovitals report --links"
                )
            print(f"{args.revoke} opens nothing any more")
            return 0
        found = await links.links_of(connection, args.code and checked_code(args.code))
    now = datetime.now(UTC)
    print("\n".join(_line(link, now) for link in found) or "no link to a report")
    return 0


def _line(link: Link, now: datetime) -> str:
    ends = f"{link.expires:%Y-%m-%d %H:%M} UTC"
    return f"{link.link_id}  {link.robot_id}  {link.word(now):8} until {ends}  by {link.made_by}"
