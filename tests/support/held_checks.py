"""Checks that take as long as a test wants: what others do meanwhile is then no matter of luck."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from gateway.forward_auth.answers import Answer
from gateway.forward_auth.check import Check, CheckRequest

HELD = "X-Hold-For-The-Test: yes"


@dataclass(frozen=True, slots=True)
class HeldChecks:
    """Those with that header wait where a database would be asked; what is known already is never held."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)


@pytest.fixture
def held_checks(monkeypatch: pytest.MonkeyPatch) -> HeldChecks:
    """Hold the checks that say so until `go_on` is set; `reached` is set by the first one."""
    held, answer = HeldChecks(), Check.answer

    async def answer_later(check: Check, request: CheckRequest) -> Answer:
        if HELD.partition(":")[0].lower() in request.headers:
            held.reached.set()
            await held.go_on.wait()
        return await answer(check, request)

    monkeypatch.setattr(Check, "answer", answer_later)
    return held
