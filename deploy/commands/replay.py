"""`robovitals replay`: a recording through the pipeline, as if its robots were sending now."""

import argparse

from deploy.recording import add_arguments as add_common_arguments
from deploy.recording import awaited, carried_out, only_looked_at, progress, recording_of, sealing_of
from deploy.settings import Settings, endpoints
from ingest.mapping import Mapping
from ingest.publish import Publisher
from ingest.replay import Pace, Sent, Times, replay
from ingest.sessions import Session
from ingest.visible import Visible
from schemas.errors import RetryError, SettingError, UnavailableError

EXAMPLE = "robovitals replay PATH --recording ur3 --times end-now --wait"

TIMES_HELP = (
    "original: as recorded (default). end-now: all moved alike, so that the last row is now. live: each row at the "
    "time it is sent. A second replay at original times adds nothing, for boot id and sequence follow from the "
    "file; at other times each replay is new rows"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_common_arguments(parser)
    parser.add_argument("--times", choices=[t.value for t in Times], default=Times.ORIGINAL.value, help=TIMES_HELP)
    parser.add_argument("--speed", help="1, 10, any number of recorded seconds a second, or max; "
                        "default: max, and 1 with --times live")  # fmt: skip


def run(args: argparse.Namespace, settings: Settings) -> int:
    pace = pace_of(args.times, args.speed)
    if only_looked_at(args):
        return 0
    mapping, sessions = recording_of(args)
    servers = endpoints(settings)
    publisher = Publisher(servers.kafka, "robovitals.replay", sealing_of(args))
    sending = _replay(mapping, sessions, pace, publisher, servers.database_url if args.wait else None)
    return carried_out(args, mapping, sessions, sending)


def pace_of(times: str, speed: str | None) -> Pace:
    """The options as a pace. Raises SettingError."""
    live = times == Times.LIVE
    text = speed or ("1" if live else "max")
    if text == "max":
        if live:
            raise SettingError("--speed max: --times live sends each row at its time; give a number, such as 10")
        return Pace(Times(times), None)
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise SettingError(f"--speed {text}: give 1, 10, another number above 0, or max")
    return Pace(Times(times), number)


async def _replay(
    mapping: Mapping, sessions: list[Session], pace: Pace, publisher: Publisher, database_url: str | None
) -> tuple[Sent, Visible | None]:
    with progress() as show:
        try:
            async with publisher:
                sent = await replay(
                    mapping, sessions, pace, publisher,
                    lambda sent, session: show(f"sending {session.name}", sent.account.frames, None),
                )  # fmt: skip
        except RetryError as error:
            raise UnavailableError(f"{error}: run the same again, what is there already is not doubled") from None
    return sent, await awaited(database_url, publisher.acknowledged, sent)
