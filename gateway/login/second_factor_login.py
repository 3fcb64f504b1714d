"""A half-finished login and a code → a session."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway.code_proof import CodeTry
from gateway.errors import ChallengeExpired
from gateway.models import Account
from gateway.sessions import LoggedIn, Visitor
from gateway.storage.accounts import find_account

if TYPE_CHECKING:
    from gateway.challenges import Challenges
    from gateway.code_proof import CodeProof
    from gateway.login.opening import LoginOpening
    from gateway.models import Challenge
    from gateway.revocation import Transaction
    from gateway.storage.database import Database


class SecondFactorLogin:
    """Finish logins whose first factor was proven. The challenge says whose login it is, and nothing else does."""

    def __init__(
        self,
        database: Database,
        *,
        challenges: Challenges,
        proof: CodeProof,
        opening: LoginOpening,
    ) -> None:
        self._database = database
        self._challenges = challenges
        self._proof = proof
        self._opening = opening

    async def require_waiting(self, token: str) -> Challenge:
        """Give the challenge of a token. Raises `ChallengeExpired` where nothing waits for a code."""
        async with self._database.read() as connection:
            return await self._challenges.find(connection, token, now=datetime.now(UTC))

    async def log_in(
        self, token: str, given: object, visitor: Visitor, *, with_refresh_token: bool = False
    ) -> LoggedIn:
        """Open the session, and use up the challenge with it. Raises what `CodeProof.prove` raises."""
        challenge, account = await self._find(token)

        async def conclude(transaction: Transaction, account: Account) -> LoggedIn:
            await self._challenges.spend(transaction.connection, challenge, now=transaction.now)
            return await self._opening.open(
                transaction.connection,
                account,
                visitor=visitor,
                remember_me=challenge.remember_me,
                with_second_factor=True,
                with_refresh_token=with_refresh_token,
            )

        return await self._proof.prove(CodeTry(account, given, visitor), conclude, challenge=challenge)

    async def _find(self, token: str) -> tuple[Challenge, Account]:
        now = datetime.now(UTC)
        async with self._database.read() as connection:
            challenge = await self._challenges.find(connection, token, now=now)
            account = await find_account(connection, challenge.account_id)
        if account is None:
            raise ChallengeExpired
        return challenge, account
