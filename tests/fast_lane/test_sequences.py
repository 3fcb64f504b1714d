"""Whatever came before, in whatever order: what is known of a head is what the parser says of it alone.

`LANE_EXAMPLES=20000 pytest tests/fast_lane/test_sequences.py` looks at many more, and at others each time.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.fast_lane.heads import HeadReader, Unreadable
from gateway.fast_lane.known_heads import KnownHead, KnownHeads
from gateway.fast_lane.lane import Lane as FastLane
from gateway.forward_auth.head_layout import lay_out
from gateway.forward_auth.warm_check import WarmCheck
from tests.fast_lane.checks import FAMILIES, plain
from tests.fast_lane.conftest import Lanes
from tests.fast_lane.heads import head
from tests.fast_lane.test_property import EXAMPLES, MANY
from tests.support.lanes import Lane
from tests.support.raw_conversation import converse

AUTH_REQUEST, FORWARD_AUTH = sorted(FAMILIES)
# Few, so that one value stands on several lines, and heads differ by little.
_VALUES = (b"", b"/a", b"/b")
_NAMES = (
    b"X-Original-URL", b"X-Forwarded-Uri", b"Cookie", b"cookie", b"Authorization", b"X-API-Key", b"x-api-key",
    b"X-Forwarded-For", b"X-Tenant-Id", b"Connection",
)  # fmt: skip
_BEFORE = (b": ",) * 20 + (b":", b":\t", b":  ")
_BEHIND = (b"",) * 20 + (
    b" ", b"\t", b"\xff", b"\x00", b"\x7f", b"\n", b"\r", b"\r\n x", b"\r\nCookie: /a", b"\nCookie: /a",
)  # fmt: skip
# Behind the whole head.
_MORE = (b"",) * 9 + (b"\n", b"\r\n", b"x", b"\nCookie: /a", b"\nX-API-Key: /a\r", b"\nX-Original-URL: /a\r\n\r\n")
_FIRST = (b"GET %b HTTP/1.1",) * 5 + (b"HEAD %b HTTP/1.1", b"POST %b?x HTTP/1.1", b"GET %b HTTP/1.0")
_HEADS = 24

Lines = list[tuple[bytes, bytes, bytes]]


def _kind(chance: Random) -> tuple[bytes, Lines]:
    target = chance.choice((AUTH_REQUEST, FORWARD_AUTH))
    names = list(dict.fromkeys((*FAMILIES[target], *chance.sample(_NAMES, chance.randrange(4)))))
    lines = [(name, chance.choice(_BEFORE), chance.choice(_VALUES)) for name in (b"Host", *names)]
    chance.shuffle(lines)
    return chance.choice(_FIRST) % target, lines


def _of_a_kind(chance: Random, first: bytes, lines: Lines) -> bytes:
    """Make a head that says other things in a few places."""
    changed = lines.copy()
    for _ in range(chance.choice((0, 0, 1, 1, 2))):
        place = chance.randrange(len(lines))
        name, before, _ = lines[place]
        changed[place] = name, before, chance.choice(_VALUES) + chance.choice(_BEHIND)
    return head(first, *map(b"".join, changed)) + chance.choice(_MORE)


def _parsed(data: bytes) -> tuple[KnownHead, list[bytes]] | None:
    """Read a head by the parser alone; `None`: it is none that may be remembered."""
    reader = HeadReader()
    try:
        reader.feed(data)
    except Unreadable:
        return None
    alone = data.count(b"\n") == len(reader.headers) + 2 and data.find(b"\r\n\r\n") == len(data) - 4
    if reader.complete != 1 or not alone:
        return None
    endpoint = FastLane.endpoint(reader.targets[0])
    assert endpoint is not None
    layout = lay_out(tuple(reader.headers), endpoint, workspace_header="x-tenant-id")
    if layout is None:
        return None
    known = KnownHead(endpoint, cast("WarmCheck", None), layout.frame(reader.headers), reader.last)
    return known, layout.values(reader.headers)


def test_what_is_known_of_a_head_is_what_the_parser_says() -> None:
    seen = Counter[bool]()

    @settings(max_examples=EXAMPLES, derandomize=not MANY, deadline=None, database=None)
    @given(chance=st.randoms(use_true_random=True))
    def look(chance: Random) -> None:
        heads, kinds = KnownHeads(), [_kind(chance) for _ in range(chance.randint(1, 2))]
        sequence = [_of_a_kind(chance, *chance.choice(kinds)) for _ in range(_HEADS)]
        for data in sequence:
            recalled, parsed = heads.recall(data), _parsed(data)
            seen[recalled is not None] += 1
            if recalled is None:
                if parsed is not None:
                    # What came twice is remembered.
                    for _ in range(2):
                        heads.remember(data, parsed[0])
                continue
            assert parsed is not None, (data, sequence)
            said = [(known, [value.strip() for value in values]) for known, values in (recalled, parsed)]
            assert said[0] == said[1], (data, sequence)

    look()
    assert seen[True] > seen.total() / 20, seen


@pytest.mark.parametrize("target", [AUTH_REQUEST, FORWARD_AUTH])
def test_line_that_only_the_other_endpoint_reads_does_not_vary(lanes: Lanes, target: bytes) -> None:
    """A visitor may send it, with what the proxy says of the target: the check goes on to read what the proxy says."""
    url, public = b"https://app.example.com/reports", b"https://app.example.com/public/x"
    other = AUTH_REQUEST if target == FORWARD_AUTH else FORWARD_AUTH
    name, asked = (b"X-Forwarded-Uri", url) if target == AUTH_REQUEST else (b"X-Original-URL", b"/reports")
    elsewhere = plain(other, url, lanes.people.cookie, who="session").data
    learnt = plain(target, url, name + b": " + asked, lanes.people.cookie, who="session").data
    opened = public if target == AUTH_REQUEST else b"/public/x"
    odd = plain(target, url, name + b": " + opened, b"Cookie: a=b", who="nobody").data
    for data, status in ((elsewhere, 200), (elsewhere, 200), (learnt, 200), (odd, 401), (learnt, 200), (odd, 401)):
        fast, slow = (converse(lanes.port(lane), [data], between=lanes.let_read) for lane in Lane)
        assert fast.comparable == slow.comparable
        assert fast.statuses == (status,)


@pytest.mark.parametrize("name", [b"X-API-Key", b"Cookie"])
def test_line_behind_a_known_head_is_not_in_it(lanes: Lanes, name: bytes) -> None:
    """Where a head has nothing to say, and not as usual, what follows it is not what it would have said."""
    who = {b"X-API-Key": "key", b"Cookie": "session"}[name]
    said = lanes.people.lines[who][0].partition(b": ")[2]
    data = plain(AUTH_REQUEST, b"https://app.example.com/public/x", name + b":", who="nobody").data
    for more in (b"", b"", b"", b"\n" + name + b": ", b"\n" + name + b": " + said, b"\n" + name + b": " + said + b"\r"):
        fast, slow = (converse(lanes.port(lane), [data + more], between=lanes.let_read).comparable for lane in Lane)
        assert fast == slow, more
