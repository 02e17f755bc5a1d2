"""How often an address may try secrets that do not exist.

In: a failed attempt, and the time. Out: whether the address must wait, and how long. Pure. Called by
`serve/identity.py` and the login.

A secret has 256 random bits and is not guessed, however often somebody tries; but whoever tries should not keep
the database busy. A program that sends one wrong secret again and again (an old token) is not guessing: that counts
once, so that it does not lock out its neighbours behind the same address.
"""

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address

MOST = 20
"""Wrong secrets an address may try at once."""
ONE_MORE_EVERY_S = 3.0
REMEMBERED = 32
"""Wrong secrets of an address that are known again."""
ADDRESSES = 10_000
"""Then the one that was quiet longest is forgotten."""


class _Tries:
    __slots__ = ("at_s", "known", "left")

    def __init__(self, now_s: float) -> None:
        self.left = float(MOST)
        self.at_s = now_s
        self.known: OrderedDict[bytes, None] = OrderedDict()


class Throttle:
    """`now_s` is monotonic time."""

    def __init__(self) -> None:
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def wait_s(self, address: str, now_s: float) -> float:
        """How long this address must wait before it may try again; 0 when it may."""
        tries = self._tries.get(_whose(address))
        if tries is None:
            return 0.0
        left = min(float(MOST), tries.left + (now_s - tries.at_s) / ONE_MORE_EVERY_S)
        return 0.0 if left >= 1.0 else (1.0 - left) * ONE_MORE_EVERY_S

    def failed(self, address: str, digest: bytes, now_s: float) -> None:
        """This address has tried a secret that does not exist."""
        whose = _whose(address)
        tries = self._tries.setdefault(whose, _Tries(now_s))
        self._tries.move_to_end(whose)
        if len(self._tries) > ADDRESSES:
            self._tries.popitem(last=False)
        if digest in tries.known:
            tries.known.move_to_end(digest)
            return
        tries.known[digest] = None
        if len(tries.known) > REMEMBERED:
            tries.known.popitem(last=False)
        tries.left = max(0.0, min(float(MOST), tries.left + (now_s - tries.at_s) / ONE_MORE_EVERY_S) - 1.0)
        tries.at_s = now_s


def _whose(address: str) -> str:
    """Whoever has one IPv6 address has a whole network of them."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(int(parsed) >> 64) if isinstance(parsed, IPv6Address) else address
