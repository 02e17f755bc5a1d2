"""`robovitals summarise`: the process that makes vitals, crossings and late marks of frames, and repairs vitals."""

import argparse
import math
import os
from collections.abc import Mapping

from prometheus_client import CollectorRegistry

from deploy.keys import verified
from deploy.limits_file import limits_from
from deploy.settings import LIMITS, SEAL_MASTER, Settings, endpoints
from deploy.shell import run_process
from processors.summarise import Summariser, SummariseSettings
from processors.summarise_metrics import SummariseMetrics
from processors.windows import Rule
from schemas.errors import SettingError
from schemas.keyring import Keyring

EXAMPLE = "ROBOVITALS_WINDOW_S=60 robovitals summarise"

INSTANCE = "ROBOVITALS_INSTANCE"
WINDOW_S = "ROBOVITALS_WINDOW_S"
GRACE_S = "ROBOVITALS_GRACE_S"
TOLERANCE_S = "ROBOVITALS_CLOCK_TOLERANCE_S"
DEFAULTS_S = {WINDOW_S: 10.0, GRACE_S: 5.0, TOLERANCE_S: 2.0}
LONGEST_S = 86_400
# The shards of a partition close one after the other over this part of a window. A fleet of 100 000 makes 140 MB of
# messages every window; so they come as a stream that the assessor keeps up with.
SPREAD = 1 / 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    window_s, grace_s, tolerance_s = DEFAULTS_S.values()
    parser.epilog = (
        f"Environment: {WINDOW_S} (default {window_s:g}) is the length of a window, {GRACE_S} (default "
        f"{grace_s:g}) how long after its end it stays open (groups of robots take turns over a quarter of a "
        f"window more, so that a large fleet's do not come all at once), {TOLERANCE_S} (default "
        f"{tolerance_s:g}) how far a robot's clock may be ahead, at most the grace; {INSTANCE} names this "
        f"summariser in its group, so that a restart goes on at once; {LIMITS} names a TOML file with limits of "
        f"your models, the same as for assess; {SEAL_MASTER} names the file of the key that robots' seals are "
        f"verified with, the same as for land."
    )


def run(args: argparse.Namespace, settings: Settings) -> int:
    servers = endpoints(settings)
    summarise = SummariseSettings(
        kafka=servers.kafka,
        database_url=servers.database_url,
        rule=rule(os.environ),
        limits=limits_from(os.environ),
        instance=os.environ.get(INSTANCE) or None,
    )

    def make(registry: CollectorRegistry, keyring: Keyring | None) -> Summariser:
        return Summariser(summarise, SummariseMetrics.create(registry), keyring)

    return run_process("summarise", verified(settings, servers.database_url, make), servers.kafka)


def rule(environ: Mapping[str, str]) -> Rule:
    """Window, grace and tolerance from the environment. Raises SettingError, which names the variable."""
    window_us, grace_us, tolerance_us = (round(_seconds(environ, name) * 1_000_000) for name in DEFAULTS_S)
    try:
        return Rule(window_us, grace_us, tolerance_us, round(SPREAD * window_us))
    except SettingError as error:
        raise SettingError(f"{', '.join(DEFAULTS_S)}: {error}") from None


def _seconds(environ: Mapping[str, str], name: str) -> float:
    text = environ.get(name, f"{DEFAULTS_S[name]:g}")
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= LONGEST_S:
        raise SettingError(f"{name}={text!r}: give seconds, from 0 to {LONGEST_S}")
    return seconds
