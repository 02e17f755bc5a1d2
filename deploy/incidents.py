"""What keeps incidents here: the keeper with the platform's key, beside the retainer in one process.

In: settings. Out: a `Keeper`, and a process of both. Called by `robovitals retain` and `robovitals incident`.
"""

import asyncio

from deploy.platform_key import known_platforms, read_platform_key
from deploy.settings import Endpoints, Settings
from processors.incident.keep import Keeper
from processors.incident.telling import Teller
from processors.retain import Retainer
from processors.retain_metrics import RetainMetrics


def keeper(settings: Settings, servers: Endpoints, metrics: RetainMetrics) -> Keeper:
    """Without a platform's key nothing is written into logbooks. Raises SettingError."""
    key = read_platform_key(settings)
    tell = None if key is None else Teller(key, servers.kafka)
    return Keeper(servers.database_url, metrics, tell, known_platforms(settings))


class RetainerAndKeeper:
    """As the shell asks: ready and stuck as the retainer is; what ends one ends both."""

    def __init__(self, retainer: Retainer, keeper: Keeper) -> None:
        self._retainer = retainer
        self._keeper = keeper
        self.not_ready = retainer.not_ready
        self.stuck = retainer.stuck

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Raises StopError where waiting will not help."""
        loops = [asyncio.create_task(one.run(stop)) for one in (self._retainer, self._keeper)]
        try:
            await asyncio.gather(*loops)
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
