"""`/healthz` and `/readyz`: what is said of which state, to whoever asks."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.facts.contact import Contact
from gateway.health.readiness import Readiness, State
from tests.support.gateway import environment, start_gateway

GRACE = timedelta(seconds=60)
SINCE = datetime(2026, 1, 1, tzinfo=UTC)


class Bell:
    """A doorbell as readiness sees it."""

    def __init__(self, *, connected: bool) -> None:
        self.connected = connected
        self.lost_since = None if connected else SINCE


RINGS, LOST = Bell(connected=True), Bell(connected=False)


def _contact(*, read_ago: timedelta | None = timedelta(0), lost: bool = False) -> Contact:
    contact = Contact(grace=GRACE, doorbell_connected=lambda: False)
    if read_ago is not None:
        contact.made(time.monotonic() - read_ago.total_seconds())
    if lost:
        contact.failed("gone", silent=False)
    return contact


@pytest.mark.parametrize(
    ("log", "bell", "state", "parts"),
    [
        ({}, None, State.READY, []),
        ({}, RINGS, State.READY, []),
        ({}, LOST, State.DEGRADED, ["doorbell"]),
        ({"lost": True}, RINGS, State.DEGRADED, ["database"]),
        ({"lost": True}, LOST, State.DEGRADED, ["database", "doorbell"]),
        ({"lost": True}, None, State.DEGRADED, ["database", "doorbell"]),
        ({"read_ago": 2 * GRACE, "lost": True}, RINGS, State.UNAVAILABLE, ["database"]),
        ({"read_ago": None}, None, State.UNAVAILABLE, ["database"]),
        ({"read_ago": None, "lost": True}, RINGS, State.UNAVAILABLE, ["database"]),
    ],
)
def test_state_follows_from_what_is_away(
    log: dict[str, Any], bell: Bell | None, state: State, parts: list[str]
) -> None:
    judged, reasons = Readiness(_contact(**log), bell).judge()
    assert (judged, [reason.part for reason in reasons]) == (state, parts)


@pytest.mark.parametrize(("path", "status"), [("/healthz", "ok"), ("/readyz", "ready")])
async def test_both_are_answered_to_anybody_and_to_head_as_well(tmp_path: Path, path: str, status: str) -> None:
    async with start_gateway(environment(tmp_path)) as gateway:
        answer = await gateway.ask(path)
        assert (answer.status, await answer.json()) == (200, {"status": status})
        head = await gateway.ask(path, method="HEAD")
        assert (head.status, await head.read()) == (200, b"")
