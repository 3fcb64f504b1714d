"""Which login waits for its second factor?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from gateway.credentials.session_tokens import digest_token, make_token
from gateway.errors import ChallengeExpired
from gateway.models import Account, Challenge
from gateway.storage.challenges import (
    challenge_is_open,
    count_challenge_failure,
    find_challenge,
    insert_challenge,
    spend_challenge,
)

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

CHALLENGE_LIFETIME = timedelta(minutes=5)
_MOST_FAILURES = 5


@dataclass(frozen=True, slots=True)
class OpenChallenge:
    """A challenge and its token, which goes to whoever proved the first factor and nowhere else."""

    challenge: Challenge
    token: str


class Challenges:
    """Open, find and spend half-finished logins (ASVS 6.6.2). What ends an account's logins ends these as well."""

    def __init__(self, *, token_key: bytes) -> None:
        self._token_key = token_key

    async def open(
        self, connection: AsyncConnection, account: Account, *, remember_me: bool, now: datetime
    ) -> OpenChallenge:
        """Open one inside the transaction that counted the first factor."""
        challenge = Challenge(
            id=str(uuid4()),
            account_id=account.id,
            remember_me=remember_me,
            failures=0,
            expires_at=now + CHALLENGE_LIFETIME,
        )
        token = make_token()
        await insert_challenge(connection, challenge, token_digest=self._digest(token), now=now)
        return OpenChallenge(challenge, token)

    async def find(self, connection: AsyncConnection, token: str, *, now: datetime) -> Challenge:
        """Find an open one by its token. Raises `ChallengeExpired`."""
        challenge = await find_challenge(connection, self._digest(token), now=now)
        if challenge is None:
            raise ChallengeExpired
        return challenge

    async def require_open(self, connection: AsyncConnection, challenge: Challenge, *, now: datetime) -> None:
        """Raise `ChallengeExpired` if it was finished or used up since it was found."""
        if not await challenge_is_open(connection, challenge.id, now=now):
            raise ChallengeExpired

    async def count_failure(self, connection: AsyncConnection, challenge: Challenge) -> None:
        await count_challenge_failure(connection, challenge.id, most=_MOST_FAILURES)

    async def spend(self, connection: AsyncConnection, challenge: Challenge, *, now: datetime) -> None:
        """Use it up inside the transaction that opens the session. Raises `ChallengeExpired`."""
        if not await spend_challenge(connection, challenge.id, now=now):
            raise ChallengeExpired

    def _digest(self, token: str) -> bytes:
        return digest_token(token, key=self._token_key)
