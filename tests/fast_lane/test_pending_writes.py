"""Answers that leave together: none is lost, none waits for long, and none is written to whoever has gone."""

from __future__ import annotations

import asyncio
from typing import cast

from gateway.fast_lane.pending_writes import MANY, PendingWrites


class Transport:
    """Notes what is written, and refuses it as uvloop does once it is closed."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False

    def is_closing(self) -> bool:
        return self.closed

    def write(self, data: bytes) -> None:
        if self.closed:
            raise RuntimeError
        self.written.append(data)


def _add(pending: PendingWrites, transport: Transport, answer: bytes) -> None:
    pending.add(cast("asyncio.Transport", transport), answer, None)


async def test_answers_are_written_in_the_next_turn_of_the_loop_and_in_order() -> None:
    pending, transport = PendingWrites(), Transport()
    for turn in (b"first", b"second"):
        _add(pending, transport, turn + b" 1")
        _add(pending, transport, turn + b" 2")
        await asyncio.sleep(0)
    assert transport.written == [b"first 1", b"first 2", b"second 1", b"second 2"]


async def test_whoever_has_gone_keeps_nobody_from_an_answer() -> None:
    pending, gone, others = PendingWrites(), Transport(), [Transport(), Transport()]
    for transport in (others[0], gone, others[1]):
        _add(pending, transport, b"answer")
    gone.closed = True
    await asyncio.sleep(0)
    assert [other.written for other in others] == [[b"answer"], [b"answer"]]
    assert gone.written == []


async def test_many_do_not_wait_for_those_who_come_after_them() -> None:
    pending, transport = PendingWrites(), Transport()
    for number in range(MANY + 1):
        _add(pending, transport, b"%d" % number)
    assert len(transport.written) == MANY
    await asyncio.sleep(0)
    assert transport.written == [b"%d" % number for number in range(MANY + 1)]
