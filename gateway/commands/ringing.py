"""Ringing from the shell: a gateway that is cut off from the database hears at once what a command revoked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from gateway.errors import Unavailable
from gateway.facts.facts import EVERYTHING
from gateway.storage.invalidations import entries_from, last_entry

if TYPE_CHECKING:
    from gateway.config.settings import Settings
    from gateway.storage.database import Database

# Above it one ring says it all.
_MOST = 100


@asynccontextmanager
async def ringing(settings: Settings, database: Database) -> AsyncIterator[None]:
    """Ring at the end for what was appended to the invalidation log meanwhile, by this command or anybody.

    Whether that succeeds is nothing to the operator: the log tells every gateway that can read it.
    """
    if settings.redis_url is None:
        yield
        return
    async with database.read() as connection:
        end = await last_entry(connection)
    try:
        yield
    finally:
        with suppress(Unavailable):
            async with database.read() as connection:
                entries = await entries_from(connection, 0 if end is None else end.number + 1)
            subjects = [entry.subject for entry in entries]
            if subjects:
                await _ring(settings.redis_url.get_secret_value(), subjects if len(subjects) <= _MOST else [EVERYTHING])


async def _ring(url: str, subjects: list[str]) -> None:
    # Only who has a Redis waits for its client to be loaded.
    from gateway.doorbell.ringing import publish  # noqa: PLC0415
    from gateway.redis_connection import open_redis  # noqa: PLC0415

    redis = open_redis(url)
    try:
        await publish(redis, *subjects)
    finally:
        await redis.aclose()
