"""A workshop's program that writes in a robot's logbook by itself: its key never leaves it. Copy it.

    pip install cryptography rfc8785
    python workshop.py --url http://127.0.0.1:8080 --token TOKEN --key graz.key --robot CODE \\
        --task 'gear greased' --component joint/3 --by 'A. Lovelace' --runtime-s 7200

The platform registers the key once: `robovitals logbook author NAME --role workshop --public HEX --robot CODE`,
with the HEX that `--public` prints here. The token is of `robovitals access token NAME --role operator`. What is
signed, and every kind of entry, stands in docs/logbook.md. Who did the work is not in the entry but beside it,
where it can be erased: the entry has SHA-256 over a salt and the name.
"""

import argparse
import hashlib
import json
import secrets
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PURPOSE = b"robovitals.entry.1"


def read_key(path):
    """64 hexadecimal digits, as `robovitals logbook author --out` writes them."""
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(Path(path).read_text().strip()))


def public_of(key):
    return key.public_key().public_bytes_raw().hex()


def submission(key, robot_id, what, now_us, happened_us=None, runtime_s=None, names=None):
    """`names`: by field of `what` the name that is kept beside the entry."""
    opened = []
    for field, name in (names or {}).items():
        salt = secrets.token_bytes(16)
        opened.append({"salt": salt.hex(), "value": name})
        what = {**what, field: hashlib.sha256(salt + name.encode()).hexdigest()}
    entry = {
        "v": 1,
        "id": secrets.token_hex(16),  # keep it: the same entry sent again is the same entry
        "robot_id": robot_id,
        "author": public_of(key),
        "happened_us": now_us if happened_us is None else happened_us,
        "written_us": now_us,
        "what": what,
    }
    if runtime_s is not None:
        entry["runtime_s"] = runtime_s
    signature = key.sign(PURPOSE + b"\0" + rfc8785.dumps(entry)).hex()
    return rfc8785.dumps({"entry": entry, "signature": signature} | ({"opened": opened} if opened else {}))


def send(url, token, robot_id, body):
    """Its number in the logbook; None: it is on its way. Raises HTTPError, whose body says why."""
    address = f"{url}/api/v1/robots/{robot_id}/logbook"
    request = urllib.request.Request(address, body, method="POST")  # noqa: S310 - the address is one's own
    request.add_header("Authorization", f"Bearer {token}")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.load(answer)["number"]


def main():
    parser = argparse.ArgumentParser(description="write in a robot's logbook that maintenance was done")
    parser.add_argument("--key", required=True, metavar="FILE")
    parser.add_argument(
        "--public", action="store_true", help="print the public half of the key, and do nothing else"
    )
    for name in ("url", "token", "robot", "task", "component", "by"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--runtime-s", type=int)
    args = parser.parse_args()
    key = read_key(args.key)
    if args.public:
        print(public_of(key))
        return 0
    what = {"kind": "maintenance_done", "task": args.task, "component": args.component}
    names = {"by": args.by} if args.by else {}
    body = submission(key, args.robot, what, time.time_ns() // 1000, runtime_s=args.runtime_s, names=names)
    try:
        number = send(args.url, args.token, args.robot, body)
    except urllib.error.HTTPError as error:
        print(f"refused: {json.load(error)['detail']}", file=sys.stderr)
        return 1
    print("on its way" if number is None else f"entry {number}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
