"""What balancers and orchestrators ask. Nothing of it needs a credential, and nothing of it helps an attacker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from gateway.errors import Unavailable
from gateway.grammar.moments import format_moment
from gateway.health.readiness import Readiness, State

if TYPE_CHECKING:
    from gateway.health.readiness import Reason

_RETRY_AFTER_SECONDS = 5


@dataclass(frozen=True, slots=True)
class HealthHandlers:
    readiness: Readiness
    # Reads the invalidation log, unless that was done within the last second.
    read_log: Callable[[], Awaitable[None]]

    async def alive(self, _request: web.Request) -> web.Response:
        """Say that the process is alive; whether it is ready is another question."""
        return web.json_response({"status": "ok"})

    async def ready(self, _request: web.Request) -> web.Response:
        """Say whether visitors should be sent here, and if not everything is well, why."""
        with suppress(Unavailable):
            await self.read_log()
        state, reasons = self.readiness.judge()
        body: dict[str, Any] = {"status": state.value}
        if reasons:
            body["reasons"] = [_shown(reason) for reason in reasons]
        if state is State.UNAVAILABLE:
            return web.json_response(body, status=503, headers={"Retry-After": str(_RETRY_AFTER_SECONDS)})
        return web.json_response(body)


def _shown(reason: Reason) -> dict[str, str]:
    shown = {"part": reason.part, "effect": reason.effect}
    if reason.since is not None:
        shown["since"] = format_moment(reason.since)
    return shown
