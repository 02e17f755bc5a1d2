"""`robovitals import`: a recording into the database as fast as it goes, as what a robot sends late."""

import argparse

from deploy.recording import add_arguments as add_common_arguments
from deploy.recording import awaited, carried_out, only_looked_at, progress, recording_of, sealing_of
from deploy.settings import Settings, endpoints
from ingest.importing import Bookmark, import_sessions
from ingest.mapping import Mapping
from ingest.publish import Publisher
from ingest.replay import Sent
from ingest.sessions import Session
from ingest.visible import Visible
from schemas.errors import RetryError, UnavailableError

EXAMPLE = "robovitals import walk.mcap --recording robot.toml --wait"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_common_arguments(parser)
    parser.add_argument(
        "--restart",
        action="store_true",
        help="from the beginning, even where an import of the same was interrupted",
    )
    parser.epilog = (
        "Frames keep their recorded times and are marked backfill: they land, their windows are computed, and they "
        "raise no live alarm. An import that was interrupted goes on where Kafka had acknowledged; the same frames "
        "again land once."
    )


def run(args: argparse.Namespace, settings: Settings) -> int:
    if only_looked_at(args):
        return 0
    mapping, sessions = recording_of(args)
    servers = endpoints(settings)
    bookmark = Bookmark(settings.home, mapping, sessions, servers.kafka.bootstrap)
    if args.restart:
        bookmark.remove()
    publisher = Publisher(servers.kafka, "robovitals.import", sealing_of(args))
    sending = _import(mapping, sessions, bookmark, publisher, servers.database_url if args.wait else None)
    return carried_out(args, mapping, sessions, sending)


async def _import(
    mapping: Mapping, sessions: list[Session], bookmark: Bookmark, publisher: Publisher, database_url: str | None
) -> tuple[Sent, Visible | None]:
    # Of a table it is not known how far reading is; of messages it is.
    size = sum(file.path.stat().st_size for session in sessions if session.source.topics for file in session.files)

    def done_of(sent: Sent) -> tuple[int, int | None]:
        return (sent.account.read_bytes, size) if size else (sent.account.frames, None)

    with progress(size) as show:
        try:
            async with publisher:
                sent = await import_sessions(
                    mapping, sessions, publisher, bookmark,
                    lambda sent, session: show(f"importing {session.name}", *done_of(sent)),
                )  # fmt: skip
        except RetryError as error:
            raise UnavailableError(f"{error}: run the same again, and it goes on where it stands") from None
    return sent, await awaited(database_url, publisher.acknowledged, sent)
