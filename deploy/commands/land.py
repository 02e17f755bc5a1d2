"""`robovitals land`: the process that brings topics to TimescaleDB."""

import argparse
import os
from collections.abc import Mapping

from prometheus_client import CollectorRegistry

from deploy.keys import verified
from deploy.platform_key import read_platform_key
from deploy.settings import PLATFORM_KEY, SEAL_MASTER, Settings, endpoints
from deploy.shell import run_process
from ingest.land import Lander, LandSettings
from ingest.land_metrics import LandMetrics
from ingest.reject_limit import RejectPolicy
from schemas.errors import SettingError
from schemas.keyring import Keyring

EXAMPLE = "ROBOVITALS_INSTANCE=land-1 robovitals land"

INSTANCE = "ROBOVITALS_INSTANCE"
REJECT_RUN = "ROBOVITALS_REJECT_RUN"
REJECT_SHARE = "ROBOVITALS_REJECT_SHARE"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    default = RejectPolicy()
    parser.epilog = (
        f"Environment: {INSTANCE} names this lander in its group, so that a restart goes on at once; "
        f"{REJECT_RUN} (default {default.run}) records in a row that cannot be used stop it, "
        f"and so does a share of {REJECT_SHARE} (default {default.share}) of the last {default.window}; "
        f"{SEAL_MASTER} names the file of the key that robots' seals are verified with, the same as for summarise; "
        f"{PLATFORM_KEY} that of the key that logbooks are sealed with: without it entries wait in Kafka."
    )


def run(args: argparse.Namespace, settings: Settings) -> int:
    servers = endpoints(settings)
    land = LandSettings(
        kafka=servers.kafka,
        database_url=servers.database_url,
        instance=os.environ.get(INSTANCE) or None,
        rejects=reject_policy(os.environ),
    )

    platform = read_platform_key(settings)

    def make(registry: CollectorRegistry, keyring: Keyring | None) -> Lander:
        return Lander(land, LandMetrics.create(registry), keyring, platform)

    return run_process("land", verified(settings, servers.database_url, make), servers.kafka)


def reject_policy(environ: Mapping[str, str]) -> RejectPolicy:
    """The limits from the environment. Raises SettingError, which names the variable."""
    default = RejectPolicy()
    run, share = environ.get(REJECT_RUN, f"{default.run}"), environ.get(REJECT_SHARE, f"{default.share}")
    if not run.isdecimal() or int(run) < 1:
        raise SettingError(f"{REJECT_RUN}={run!r}: give a number of records, 1 or more")
    try:
        valid = 0 < float(share) <= 1
    except ValueError:
        valid = False
    if not valid:
        raise SettingError(f"{REJECT_SHARE}={share!r}: give a share from above 0 up to 1, which lets all pass")
    return RejectPolicy(run=int(run), share=float(share))
