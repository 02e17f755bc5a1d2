"""What a robot's logbook can say: the kinds of entries, and who may write which.

In and out: what authors write; `entry.py` signs and reads it, `chain.py` appends it. Values are of the moment
that the entry tells of. Times are UTC µs, and a name ends in its unit. A new kind or field is added, none is
ever taken away or changed: who knows it not keeps it as it was written.

Nothing personal stands in an entry in clear: where a person may be meant (an owner, who did the work) it has a
`Commitment`, SHA-256 over a salt and the value. Both are kept beside the entry; where they are erased, the
commitment says nothing any more, and every hash and signature still holds. Free texts are for the matter, never
for names.
"""

import hashlib
import secrets
from enum import StrEnum
from typing import Annotated

import msgspec

from schemas.frame import MAX_INTEGER
from schemas.parts import Component
from schemas.signing import Hash, PublicKey

SALT_BYTES = 16

Time = Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]
Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]
ENTRY_ID = "entry id"
# Pattern and length: Python's `$` lets a line's end stand behind.
Id = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$", min_length=32, max_length=32, extra={ENTRY_ID: True})]
Word = Annotated[str, msgspec.Meta(max_length=128, pattern=r"^[^\0]*$")]
Text = Annotated[str, msgspec.Meta(max_length=2000, pattern=r"^[^\0]*$")]
PERSONAL = "personal"
Commitment = Annotated[Hash, msgspec.Meta(extra={PERSONAL: True})]


class Role(StrEnum):
    """What a key is for. The platform's own keys are given to whoever checks; every other is registered by it."""

    PLATFORM = "platform"
    MAKER = "maker"
    OPERATOR = "operator"
    WORKSHOP = "workshop"
    INSPECTOR = "inspector"


class What(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """What an entry says. Its tag, `kind`, is its name in JSON."""


class Registered(What, frozen=True, kw_only=True, tag="registered"):
    """The robot exists. `level`: its intelligence level (T/CIE 298-2025, L1 to L5), empty where not known."""

    maker: Word
    model: Word
    made_us: Time
    joints: Annotated[int, msgspec.Meta(ge=0, le=128)]
    level: Annotated[str, msgspec.Meta(pattern=r"^(L[1-5])?$(?!\n)", max_length=2)] = ""


class Commissioned(What, frozen=True, kw_only=True, tag="commissioned"):
    """It was found fit to work. `baselines`: names of `signals.py`, and what was measured in their units."""

    baselines: dict[Word, float] = {}
    samples: Count = 0


class MaintenancePlanned(What, frozen=True, kw_only=True, tag="maintenance_planned"):
    """`task` on `component` is due at the first of those that are given. `plan` is what a `done` refers to."""

    plan: Word
    task: Text
    component: Component
    due_us: Time | None = None
    due_runtime_s: Count | None = None
    due_cycles: Count | None = None


class MaintenanceDone(What, frozen=True, kw_only=True, tag="maintenance_done"):
    """`plan`: what was due, empty for what nobody planned. `by`: commitment to who did it."""

    task: Text
    component: Component
    plan: Word = ""
    by: Commitment | None = None


class PartInstalled(What, frozen=True, kw_only=True, tag="part_installed"):
    """`part_runtime_s`: how long the part had run before, nought for a new one."""

    component: Component
    part: Word
    serial: Word
    part_runtime_s: Count = 0
    by: Commitment | None = None


class PartRemoved(What, frozen=True, kw_only=True, tag="part_removed"):
    """`part_runtime_s`: how long the part has run by now, where that is known."""

    component: Component
    serial: Word
    reason: Text = ""
    part_runtime_s: Count | None = None
    by: Commitment | None = None


class CounterChanged(What, frozen=True, kw_only=True, tag="counter_changed"):
    """A cumulative counter was set or began anew, as when a controller's board was swapped. None: not known."""

    counter: Word
    before: Count | None
    after: Count
    reason: Text


class Ownership(What, frozen=True, kw_only=True, tag="ownership"):
    """It has another owner since `happened_us`."""

    owner: Commitment
    country: Annotated[str, msgspec.Meta(pattern=r"^([A-Z]{2})?$(?!\n)", max_length=2)] = ""


class Operation(What, frozen=True, kw_only=True, tag="operation"):
    """It has another operator since `happened_us`."""

    operator: Commitment
    site: Commitment | None = None


class Scenario(What, frozen=True, kw_only=True, tag="scenario"):
    """What it was used for, from `happened_us` until `until_us`. `load`: mean load, 0..1 of the rated one."""

    scenario: Word
    until_us: Time
    used_s: Count
    load: float | None = None


class Software(What, frozen=True, kw_only=True, tag="software"):
    """`name` (firmware, a policy, a model) has another version."""

    name: Word
    version: Word
    before: Word = ""


class Calibration(What, frozen=True, kw_only=True, tag="calibration"):
    """`component` was adjusted: what steps afterwards is no sign of another part."""

    component: Component
    method: Text
    by: Commitment | None = None


class Inspection(What, frozen=True, kw_only=True, tag="inspection"):
    passed: bool
    text: Text
    next_us: Time | None = None
    by: Commitment | None = None


class Incident(What, frozen=True, kw_only=True, tag="incident"):
    """`incident_id` names the evidence that was frozen."""

    incident_id: Word
    text: Text


class Recalled(What, frozen=True, kw_only=True, tag="recalled"):
    campaign: Word
    reason: Text


class RecallDone(What, frozen=True, kw_only=True, tag="recall_done"):
    campaign: Word


class Scrapped(What, frozen=True, kw_only=True, tag="scrapped"):
    """The end, for good: nothing that happens later can be written."""

    reason: Text


class Correction(What, frozen=True, kw_only=True, tag="correction"):
    """Entry `corrects` does not hold; `instead` does, where there is such an entry."""

    corrects: Id
    reason: Text
    instead: Id | None = None


class KeyRegistered(What, frozen=True, kw_only=True, tag="key_registered"):
    """From the next entry on `key` may write in this logbook what `role` may."""

    key: PublicKey
    role: Role
    holder: Word


class KeyRevoked(What, frozen=True, kw_only=True, tag="key_revoked"):
    """From the next entry on it may not. `since_us`: what it wrote from then on is in doubt; None: nothing is."""

    key: PublicKey
    reason: Text
    since_us: Time | None = None


class Later(What, frozen=True, kw_only=True, tag="later"):
    """Stands for a kind that a later version wrote, named `named`. Its own text is kept; nobody writes this one."""

    named: Word


AnyWhat = (
    Registered | Commissioned | MaintenancePlanned | MaintenanceDone | PartInstalled | PartRemoved | CounterChanged
    | Ownership | Operation | Scenario | Software | Calibration | Inspection | Incident | Recalled | RecallDone
    | Scrapped | Correction | KeyRegistered | KeyRevoked | Later
)  # fmt: skip

_PLATFORM, _MAKER, _OPERATOR, _WORKSHOP, _INSPECTOR = Role
_BY_HAND = frozenset({_MAKER, _OPERATOR, _WORKSHOP})

WRITERS: dict[type[What], frozenset[Role]] = {
    Registered: frozenset({_PLATFORM, _MAKER}),
    Commissioned: _BY_HAND,
    MaintenancePlanned: _BY_HAND,
    MaintenanceDone: _BY_HAND,
    PartInstalled: _BY_HAND,
    PartRemoved: _BY_HAND,
    CounterChanged: frozenset({_MAKER, _WORKSHOP}),  # the owner is who gains by a counter that is set back
    Ownership: frozenset({_PLATFORM, _MAKER, _OPERATOR}),
    Operation: frozenset({_PLATFORM, _MAKER, _OPERATOR}),
    Scenario: frozenset({_PLATFORM, _OPERATOR}),
    Software: _BY_HAND | {_PLATFORM},
    Calibration: _BY_HAND,
    Inspection: frozenset({_MAKER, _WORKSHOP, _INSPECTOR}),
    Incident: frozenset(Role),
    Recalled: frozenset({_MAKER, _INSPECTOR}),
    RecallDone: frozenset({_MAKER, _WORKSHOP}),
    Scrapped: frozenset({_MAKER, _OPERATOR, _INSPECTOR}),
    Correction: frozenset(Role),  # of what its own role may write: `chain.py`
    KeyRegistered: frozenset({_PLATFORM}),
    KeyRevoked: frozenset({_PLATFORM}),
}


def kind_name(kind: type[What]) -> str:
    """Its name in JSON."""
    return str(kind.__struct_config__.tag)


KINDS: dict[str, type[What]] = {kind_name(kind): kind for kind in WRITERS}


class Opened(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a commitment commits to. Kept beside the entry, and erased on its own."""

    salt: Annotated[str, msgspec.Meta(pattern=f"^[0-9a-f]{{{2 * SALT_BYTES}}}$", max_length=2 * SALT_BYTES)]
    value: Text

    @property
    def commitment(self) -> str:
        # The salt's length is fixed, so no other pair has the same bytes.
        return hashlib.sha256(bytes.fromhex(self.salt) + self.value.encode()).hexdigest()


def conceal(value: str) -> Opened:
    """A value with a fresh salt: its `commitment` goes into the entry, the rest beside it."""
    return Opened(salt=secrets.token_hex(SALT_BYTES), value=value)
