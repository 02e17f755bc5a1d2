"""`robovitals notify`: the process that tells receivers of episodes."""

import argparse
import os

from deploy.notify_file import config_from
from deploy.settings import NOTIFY, Settings, endpoints
from deploy.shell import run_process
from processors.notify.metrics import NotifyMetrics
from processors.notify.notifier import Notifier, NotifySettings

EXAMPLE = "ROBOVITALS_NOTIFY=notify.toml robovitals notify"

INSTANCE = "ROBOVITALS_INSTANCE"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="only read the file, and say who is told of what")
    parser.epilog = (
        f"Environment: {NOTIFY} names a TOML file with receivers and routes (docs/notify.toml is an example with "
        f"every key); without it nobody is told. It is read at the start. {INSTANCE} names this notifier in its "
        f"group, so that a restart goes on at once. `robovitals deliveries` shows what came of it."
    )


def run(args: argparse.Namespace, settings: Settings) -> int:
    config = config_from()
    if args.check:
        for receiver in config.receivers.values():
            routes = [route.name for route in config.routes if receiver.name in route.receivers]
            print(f"{receiver.name}  {receiver.kind}  told by: {', '.join(routes) or 'no route'}")
        print(f"{len(config.receivers)} receivers, {len(config.routes)} routes: no mistakes found")
        return 0
    servers = endpoints(settings)
    notify = NotifySettings(
        kafka=servers.kafka,
        database_url=servers.database_url,
        config=config,
        instance=os.environ.get(INSTANCE) or None,
    )
    return run_process("notify", lambda registry: Notifier(notify, NotifyMetrics.create(registry)), notify.kafka)
