"""One head, however it is cut: the answer is always the same one."""

from __future__ import annotations

from itertools import combinations

import pytest

from tests.fast_lane.conftest import Lanes
from tests.fast_lane.heads import check
from tests.support.lanes import Lane
from tests.support.raw_conversation import Connection, converse

STEP = 37


@pytest.fixture
def head(lanes: Lanes) -> bytes:
    return check().replace(b"@cookie@", lanes.people.cookie.partition(b": ")[2])


@pytest.mark.parametrize("lane", Lane)
def test_head_may_be_cut_anywhere(lanes: Lanes, head: bytes, lane: Lane) -> None:
    with Connection.to(lanes.port(lane)) as kept:
        for place in range(1, len(head)):
            kept.send(head[:place])
            lanes.let_read()
            kept.send(head[place:])
            answer = kept.answer()
            assert answer is not None, place
            assert answer.status == 200, place


@pytest.mark.parametrize("lane", Lane)
def test_head_may_be_cut_twice_on_a_connection_of_its_own(lanes: Lanes, head: bytes, lane: Lane) -> None:
    for first, second in combinations(range(1, len(head), STEP), 2):
        pieces = head[:first], head[first:second], head[second:]
        said = converse(lanes.port(lane), pieces, between=lanes.let_read)
        assert (said.statuses, said.open) == ((200,), True), (first, second)


@pytest.mark.parametrize("lane", Lane)
def test_head_may_come_byte_by_byte(lanes: Lanes, head: bytes, lane: Lane) -> None:
    pieces = [head[place : place + 1] for place in range(len(head))]
    for sent in (pieces, pieces * 2):
        said = converse(lanes.port(lane), sent, between=lanes.let_read)
        assert (said.statuses, said.open) == ((200,) * (len(sent) // len(pieces)), True)
