"""Which refresh token is good, and was it used before?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gateway.credentials.refresh_tokens import (
    PresentedRefreshToken,
    derive_refresh_token,
    make_nonce,
    parse_refresh_token,
    verify_refresh_token,
)
from gateway.errors import RefreshRefused
from gateway.models import RefreshToken, Session
from gateway.storage.refresh_families import (
    RefreshFamily,
    advance_family,
    find_family,
    insert_family,
    replace_family,
)

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

# For two tabs that refresh at once, and for an answer that was lost on its way.
_GRACE = timedelta(seconds=20)
# A client that rotates as fast as it can must not make its own record grow.
_REMEMBERED = 100


@dataclass(frozen=True, slots=True)
class Redeemed:
    """A good token: its session may go on with this one."""

    session_id: str
    token: RefreshToken = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reused:
    """A token that was superseded too long ago: somebody else may have it, and its session has to end."""

    session_id: str


class RefreshTokens:
    """Issue, rotate and tell reuse, inside the caller's transaction (RFC 9700 section 4.14)."""

    def __init__(self, *, key: bytes, lifetime: timedelta) -> None:
        self._key = key
        self._lifetime = lifetime

    async def issue(self, connection: AsyncConnection, session: Session, *, now: datetime) -> RefreshToken:
        """Give a new session its first refresh token."""
        family = self._new_family(session, now)
        await insert_family(connection, family)
        return self._current(family)

    async def reissue(self, connection: AsyncConnection, session: Session, *, now: datetime) -> RefreshToken | None:
        """Replace a session's refresh tokens by a first one of a new family; `None`: it has none, and gets none."""
        family = self._new_family(session, now)
        return self._current(family) if await replace_family(connection, family) else None

    async def redeem(self, connection: AsyncConnection, token: str, *, now: datetime) -> Redeemed | Reused:
        """Rotate, once per generation however many ask; a generation just superseded yields the current token.

        Raises `RefreshRefused` for a token that is not ours, whose session has ended, or that has expired. Whether
        its session and account still count is asked elsewhere.
        """
        presented = _parse(token)
        family = await self._find(connection, presented)
        if family.expires_at <= now:
            raise RefreshRefused
        if presented.generation == family.generation:
            rotated = _rotate(family, now)
            if await advance_family(connection, family, to=rotated):
                return Redeemed(family.session_id, self._current(rotated))
            # Somebody else was faster: now it is one that was just superseded.
            family = await self._find(connection, presented)
        if _in_grace(family, presented.generation, now):
            return Redeemed(family.session_id, self._current(family))
        return Reused(family.session_id)

    async def find_session_id(self, connection: AsyncConnection, token: str) -> str | None:
        """Give the session of a token of ours, of any generation, expired or not; nothing is redeemed."""
        try:
            return (await self._find(connection, _parse(token))).session_id
        except RefreshRefused:
            return None

    async def _find(self, connection: AsyncConnection, presented: PresentedRefreshToken) -> RefreshFamily:
        family = await find_family(connection, presented.session_id)
        if family is None or not verify_refresh_token(presented, key=self._key, nonce=family.nonce):
            raise RefreshRefused
        return family

    def _new_family(self, session: Session, now: datetime) -> RefreshFamily:
        # Absolute: rotation never moves it (ASVS 10.4.8).
        return RefreshFamily(session.id, make_nonce(), min(now + self._lifetime, session.expires_at))

    def _current(self, family: RefreshFamily) -> RefreshToken:
        token = derive_refresh_token(
            key=self._key, session_id=family.session_id, generation=family.generation, nonce=family.nonce
        )
        return RefreshToken(token, family.expires_at)


def _parse(token: str) -> PresentedRefreshToken:
    presented = parse_refresh_token(token)
    if presented is None:
        raise RefreshRefused
    return presented


def _rotate(family: RefreshFamily, now: datetime) -> RefreshFamily:
    recent = tuple((generation, at) for generation, at in family.superseded if now - at < _GRACE)
    superseded = (*recent, (family.generation, now))[-_REMEMBERED:]
    return replace(family, generation=family.generation + 1, superseded=superseded)


def _in_grace(family: RefreshFamily, generation: int, now: datetime) -> bool:
    # A moment ahead of this clock is another process's, or the clock was set back: no reason to log anybody out.
    return any(known == generation and now - at < _GRACE for known, at in family.superseded)
