"""`robovitals assess`: the process that judges vitals, and tells of health and anomalies."""

import argparse
import os
from collections.abc import Mapping

from deploy.limits_file import limits_from
from deploy.settings import LIMITS, Settings, endpoints
from deploy.shell import run_process
from processors.assess import Assess, AssessSettings
from processors.assess_metrics import AssessMetrics
from schemas.errors import SettingError

EXAMPLE = "ROBOVITALS_INSTANCE=assess-1 robovitals assess"

INSTANCE = "ROBOVITALS_INSTANCE"
SILENCE_S = "ROBOVITALS_SILENCE_S"
DEFAULT_SILENCE_S = 30.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        f"Environment: {INSTANCE} names this assessor in its group and its directory of state, so that a restart "
        f"goes on at once; {SILENCE_S} (default {DEFAULT_SILENCE_S:g}) seconds without a frame make a robot "
        f"UNKNOWN; {LIMITS} names a TOML file with limits of your models, the same as for summarise."
    )


def run(args: argparse.Namespace, settings: Settings) -> int:
    instance = os.environ.get(INSTANCE) or None
    assess = AssessSettings(
        kafka=endpoints(settings).kafka,
        directory=settings.home / "data" / "assess" / (instance or "unnamed"),
        instance=instance,
        silence_us=round(silence_s(os.environ) * 1_000_000),
        limits=limits_from(os.environ),
    )
    return run_process("assess", lambda registry: Assess(assess, AssessMetrics.create(registry)), assess.kafka)


def silence_s(environ: Mapping[str, str]) -> float:
    """Raises SettingError, which names the variable."""
    text = environ.get(SILENCE_S, f"{DEFAULT_SILENCE_S:g}")
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 86_400:
        raise SettingError(f"{SILENCE_S}={text!r}: give seconds, from 1 to 86400")
    return seconds
