"""Whatever a proxy sends, both lanes answer the same: the first time, when it is known, and on a new connection.

`LANE_EXAMPLES=20000 pytest tests/fast_lane/test_property.py` looks at many more, and at others each time.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from itertools import product

import pytest
from aiohttp.http_parser import SINGLETON_HEADERS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.fast_lane.heads import SINGLE
from tests.fast_lane.checks import CONTEXT, FAMILIES, Asked, checks, plain
from tests.fast_lane.client import Client
from tests.fast_lane.conftest import Lanes
from tests.support.lanes import Lane

TARGET = b"/api/authz/forward-auth"
PLACES = (
    b"https://app.example.com/",
    b"https://app.example.com/public/logo.svg",
    b"http://app.example.com/admin",
    b"https://ada.home.example.com/",
    b"https://staff.team.example.com/x",
    b"https://files.example.com/g/staff/x?y",
    b"https://office.example.com/",
    b"https://staff.example.com/",
    b"https://staff-api.example.com/",
    b"https://api.example.com/v1/models",
    b"https://api.example.com/v2/models",
    b"https://app.example.com/api/convos",
    b"https://vault.example.com/",
    b"https://query.example.com/?q=xy",
    b"https://app.example.com/x ?y",
    b"https://app.example.com/x\t?y",
    b"https://app.example.com/x \t",
    b"https://query.example.com/?q=no",
    b"https://query.example.com/",
)
MANY = "LANE_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("LANE_EXAMPLES", "500"))
# Of all answers; the rest are refusals of every kind.
FEWEST_ALLOWED = 0.15


def test_everybody_is_answered_alike_everywhere(lanes: Lanes, client: Client) -> None:
    for (who, lines), url, target in product(lanes.people.lines.items(), PLACES, FAMILIES):
        _compare(client, plain(target, url, *lines, who=who))


@pytest.mark.parametrize("method", [b"GET", b"OPTIONS"])
def test_whatever_comes_with_it_is_answered_alike(lanes: Lanes, client: Client, method: bytes) -> None:
    places = (b"https://app.example.com/", b"https://office.example.com/", b"https://api.example.com/cors/x")
    for more, url, who in product(CONTEXT, places, ("session", "key", "nobody")):
        _compare(client, plain(TARGET, url, *lanes.people.lines[who], *more, who=who, method=method))


def test_every_twin_and_every_repetition_is_answered_alike(lanes: Lanes, client: Client) -> None:
    for url, who in product(
        (b"https://app.example.com/", b"https://app.example.com/public/x"), ("session", "token", "key")
    ):
        asked = plain(TARGET, url, *lanes.people.lines[who], b"X-Forwarded-For: 203.0.113.9", who=who)
        for place, line in enumerate(asked.lines):
            name, _, value = line.partition(b":")
            others = {name, name.lower(), name.upper(), name.replace(b"-", b"_"), name.replace(b"-", b".")}
            for other, said in product(sorted(others), (value, b"", b" x")):
                _compare(client, replace(asked, lines=(*asked.lines, other + b":" + said)))
                changed = (*asked.lines[:place], other + b":" + said, *asked.lines[place + 1 :])
                _compare(client, replace(asked, lines=changed))


def test_whatever_is_asked_is_answered_alike(lanes: Lanes, client: Client) -> None:
    statuses = Counter[int]()

    @settings(
        max_examples=EXAMPLES,
        derandomize=not MANY,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(asked=checks(lanes.people.lines, lanes.people.workspaces), anew=st.booleans())
    def ask(asked: Asked, anew: bool) -> None:  # noqa: FBT001 - hypothesis fills it in
        statuses[_compare(client, asked, anew=anew)] += 1

    ask()
    # Else this would be about refusals only, of which the fast lane makes none by itself.
    assert statuses[200] >= FEWEST_ALLOWED * statuses.total(), statuses
    assert not [status for status in statuses if status >= 500], statuses


def _compare(client: Client, asked: Asked, *, anew: bool = False) -> int:
    """Ask both lanes, and once more what is known by then; gives the status."""
    status = 0
    for first in (True, False):
        fast, slow = (client.ask(lane, asked, anew=anew and first) for lane in Lane)
        assert fast == slow, (asked.who, asked.data)
        _, (status, *_), *_ = fast
    return status


def test_names_that_must_stand_once_are_those_of_aiohttp() -> None:
    """They are written down in the fast lane, which hands heads over that aiohttp refuses."""
    assert {name.decode() for name in SINGLE} == SINGLETON_HEADERS
