"""What is asked of an Alertmanager, from what is there: only our own silences are touched, none is made twice."""

import msgspec

from processors.notify.silences import Known, asked, read, requests
from processors.notify.wire import Silence

WANTED = Silence(url="http://am/api/v2", episode="e1", until_us=1_800_000_000_000_000, by="mira", why="")
ENDED = msgspec.structs.replace(WANTED, until_us=None)
NOW_US = 1_790_000_000_000_000


def known(id: str, state: str = "active", by: str = "robovitals: mei", episode: str = "e1", **more: str) -> Known:
    matchers = [Known.Matcher("episode", episode), *(Known.Matcher(*one) for one in more.items())]
    return Known(id, Known.Status(state), matchers, by)


def test_where_none_of_ours_is_one_is_made() -> None:
    (made,) = requests(WANTED, [], NOW_US)
    assert (made.method, made.url) == ("POST", "http://am/api/v2/silences")
    assert msgspec.json.decode(made.body or b"") == {
        "matchers": [{"name": "episode", "value": "e1", "isRegex": False, "isEqual": True}],
        "startsAt": "2026-09-21T14:13:20.000000Z", "endsAt": "2027-01-15T08:00:00.000000Z",
        "createdBy": "robovitals: mira", "comment": "shelved",
    }  # fmt: skip


def test_one_of_ours_is_changed_and_taken_away_and_no_other() -> None:
    others = [
        known("old", state="expired"), known("theirs", by="mei"), known("wider", robot="r1"),
        known("e2", episode="e2"),
    ]  # fmt: skip
    (changed,) = requests(WANTED, [*others, known("ours")], NOW_US)
    assert msgspec.json.decode(changed.body or b"")["id"] == "ours"
    assert requests(ENDED, [*others, known("ours")], NOW_US) == [("DELETE", "http://am/api/v2/silence/ours", None)]
    assert requests(ENDED, others, NOW_US) == []


def test_it_is_asked_for_by_its_episode_and_read_whatever_else_is_told() -> None:
    assert asked(WANTED) == ("http://am/api/v2/silences", {"filter": 'episode="e1"'})
    told = b'[{"id": "a", "status": {"state": "active"}, "createdBy": "x", "comment": "c", "matchers":'
    told += b' [{"name": "episode", "value": "e1", "isRegex": false, "isEqual": true}]}]'
    assert read(told) == [Known("a", Known.Status("active"), [Known.Matcher("episode", "e1")], "x")]
