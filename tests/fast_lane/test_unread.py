"""How long a client may leave its answers unread."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from gateway.fast_lane.connection import Connection
from gateway.web import protocol
from tests.fast_lane.test_connections import connected, known, turns
from tests.support.gateway import Gateway
from tests.support.waiting import until


async def test_client_that_never_reads_does_not_hold_a_connection_for_good(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N3: closing politely would wait until it has taken what it does not take."""
    quick = await known(gateway)
    paused, lost = asyncio.Event(), asyncio.Event()
    pause_writing, connection_lost = Connection.pause_writing, Connection.connection_lost

    def note_pause(this: Connection) -> None:
        pause_writing(this)
        paused.set()

    def note_loss(this: Connection, error: Exception | None) -> None:
        connection_lost(this, error)
        lost.set()

    monkeypatch.setattr(Connection, "pause_writing", note_pause)
    monkeypatch.setattr(Connection, "connection_lost", note_loss)
    monkeypatch.setattr(protocol, "FIRST_HEAD_WITHIN", timedelta(seconds=1))
    monkeypatch.setattr(protocol, "KEEP_ALIVE", timedelta(seconds=1))
    async with connected(gateway, narrow=True) as client:
        while not paused.is_set():
            await client.send(quick)
            await turns(15)
        await until(lost.is_set, seconds=10)
