"""The agent needs the base installation only: what a robot has no room for is not even looked at."""

import subprocess
import sys

# The dependencies in pyproject.toml, what they bring, and ours.
ALLOWED = {
    "aiokafka", "async_timeout", "packaging", "typing_extensions", "cramjam", "msgspec", "prometheus_client",
    "stdnum", "deploy", "ingest", "schemas", "cython_runtime",
}  # fmt: skip

LIST = """
import sys
before = set(sys.modules)
import deploy.cli, deploy.commands.agent, ingest.agent.embedded
import aiokafka.codec
names = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*sorted(names - set(sys.stdlib_module_names)))
"""


def test_the_agent_imports_nothing_that_its_installation_has_not() -> None:
    done = subprocess.run([sys.executable, "-c", LIST], capture_output=True, text=True, check=True)
    strange = {name for name in done.stdout.split() if not name.startswith("_")} - ALLOWED
    assert strange == set()
