"""What a process of the product says of itself on /metrics. Called by the benchmarks."""

from urllib.request import urlopen

from schemas.errors import UnavailableError

BATCHES_LANDED = (
    'robovitals_land_batch_records_sum{topic="telemetry.frames"}',
    'robovitals_land_batch_records_count{topic="telemetry.frames"}',
)
"""How many frames, in how many transactions."""
SUMMARISED_FRAMES = "robovitals_summarise_frames_total"
FINAL_WINDOWS = 'robovitals_summarise_windows_total{kind="final"}'
ASSESSED_WINDOWS = "robovitals_assess_windows_total"
ASSESSED_HANDLED_S = "robovitals_assess_batch_seconds_sum"
ASSESSED_STEPPED_S = "robovitals_assess_step_seconds_sum"
ASSESSED_SETTLED_S = tuple(
    f'robovitals_assess_settle_seconds_sum{{what="{what}"}}' for what in ("outputs", "episodes", "states")
)

_TIMEOUT_S = 10.0


def read(port: int) -> dict[str, float]:
    """Each sample by its name, with its labels as they are written. Raises UnavailableError."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=_TIMEOUT_S) as page:
            return parse(page.read().decode())
    except OSError as error:
        raise UnavailableError(f"/metrics on port {port} does not answer ({error}): `robovitals logs`") from None


def parse(page: str) -> dict[str, float]:
    samples = (line.rpartition(" ") for line in page.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in samples}
