"""Every message of the table, in both lanes: the promise, and not one byte of difference."""

from __future__ import annotations

import pytest

from tests.fast_lane.conftest import Lanes
from tests.fast_lane.messages import MESSAGES, Message
from tests.support.lanes import Lane
from tests.support.raw_conversation import Conversation, converse


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.promise)
def test_message_is_answered_as_promised_and_alike_in_both_lanes(lanes: Lanes, message: Message) -> None:
    conversations = {lane: _say(lanes, lane, message) for lane in Lane}
    promised = (message.statuses, message.stays_open)
    assert {lane: (one.statuses, one.open) for lane, one in conversations.items()} == dict.fromkeys(Lane, promised)
    fast, slow = (conversations[lane].comparable for lane in Lane)
    assert fast == slow


def _say(lanes: Lanes, lane: Lane, message: Message) -> Conversation:
    _, _, cookie = lanes.people.cookie.partition(b": ")
    pieces = [piece.replace(b"@cookie@", cookie) for piece in message.pieces]
    return converse(lanes.port(lane), pieces, between=lanes.let_read, heads=message.heads)
