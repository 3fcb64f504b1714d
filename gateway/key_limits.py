"""How long may a new key live, and who may make one?"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gateway.errors import InvalidFields
from gateway.models import KeyLimits
from gateway.storage.key_limits import find_key_limits

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

# Ten years: longer is a mistake, and a sum with a date must stay a date.
MAX_EXPIRY_DAYS = 3650
KEY_LIMITS = tuple(field.name for field in fields(KeyLimits))


@dataclass(frozen=True, slots=True)
class KeyLimitsInForce:
    """The stored limits, but for those that the configuration sets: it wins."""

    configured: Mapping[str, Any]

    async def read(self, connection: AsyncConnection) -> KeyLimits:
        return replace(await find_key_limits(connection), **self.configured)


@dataclass(frozen=True, slots=True)
class LongestLife:
    """How long a key may live, and the setting that says so."""

    days: int
    setting: str

    def end(self, now: datetime) -> datetime:
        return now + timedelta(days=self.days)


def longest_life(limits: KeyLimits, *, of_service: bool) -> LongestLife | None:
    """Give the smaller of what counts for every key and what counts for this kind; `None` is no limit."""
    names = ("max_api_key_expiry_days", "max_service_key_expiry_days" if of_service else "max_pat_expiry_days")
    said = [(days, name) for name in names if (days := getattr(limits, name)) is not None]
    return LongestLife(*min(said)) if said else None


def require_short_life(
    wanted: datetime | None, longest: LongestLife | None, *, field: str, now: datetime
) -> datetime | None:
    """Give the moment at which a new key ends: the one that is wanted, or the last that is allowed.

    Raises `InvalidFields` on the field for one that has passed, or lies beyond the limit.
    """
    if wanted is not None and wanted <= now:
        raise InvalidFields(fields={field: "This moment has passed: choose one in the future."})
    if longest is None:
        return wanted
    if wanted is not None and wanted > longest.end(now):
        reason = f"A key lives {longest.days} days at most here ({longest.setting}): choose an earlier moment."
        raise InvalidFields(fields={field: reason})
    return wanted or longest.end(now)
