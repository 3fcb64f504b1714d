"""Is this a code of that account's second factor?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import structlog

from gateway.audit.events import EventKind, record
from gateway.credentials.codes import CodeKind, parse_code
from gateway.credentials.totp import matching_step
from gateway.errors import Banned, InvalidCode, SecondFactorNotSetUp, TooManyAttempts, Unauthorized
from gateway.models import Account
from gateway.storage.accounts import find_account
from gateway.storage.second_factors import (
    PendingSecondFactor,
    count_recovery_codes,
    find_pending,
)
from gateway.throttle.logins import Attempt, Secret, attempt_of

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.challenges import Challenges
    from gateway.models import Challenge
    from gateway.revocation import Revocation, Transaction
    from gateway.second_factors import SecondFactors
    from gateway.sessions import Visitor
    from gateway.storage.database import Database
    from gateway.throttle.logins import LoginThrottle

_log = structlog.get_logger("gateway.security")

_Result = TypeVar("_Result")
_Proof = TypeVar("_Proof")
Conclude = Callable[["Transaction", Account], Awaitable[_Result]]
# Does before the transaction what takes long, for a code that fits.
Prepare = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class CodeTry:
    """Who tries what, from where: `given` is whatever came as a code, text or not. All of it counts as a try."""

    account: Account
    given: object
    visitor: Visitor

    @property
    def attempt(self) -> Attempt:
        return attempt_of(self.visitor, self.account.email, Secret.CODE).at(self.account)


@dataclass(frozen=True, slots=True)
class ProvenEnrolment:
    """A pending enrolment whose code was right: its opened secret and the step of that code."""

    pending: PendingSecondFactor
    secret: bytes
    step: int


class CodeProof:
    """The one way to try a code: throttled per account over all logins and addresses (ASVS 6.6.3), spent once."""

    def __init__(
        self,
        database: Database,
        *,
        revocation: Revocation,
        throttle: LoginThrottle,
        challenges: Challenges,
        factors: SecondFactors,
    ) -> None:
        self._database = database
        self._revocation = revocation
        self._throttle = throttle
        self._challenges = challenges
        self._factors = factors

    async def prove(
        self,
        code_try: CodeTry,
        conclude: Conclude[_Result],
        *,
        challenge: Challenge | None = None,
        prepare: Prepare | None = None,
    ) -> _Result:
        """Spend a code of the factor in force, and act upon it in the same transaction.

        Raises `InvalidCode`, `TooManyAttempts`, `Banned`, `SecondFactorNotSetUp`, `Unavailable`, or `ChallengeExpired`
        for a challenge that is over. Wrong codes count on the challenge as well.
        """
        account_id = code_try.account.id
        async with self._turn(code_try):
            code = parse_code(code_try.given)
            digest = await self._factors.digest(account_id, code)
            if prepare is not None and code is not None:
                if await self._factors.fits(account_id, code, digest):
                    await prepare()
                else:
                    code = None

            async def spend(connection: AsyncConnection, account: Account) -> CodeKind | None:
                spent = await self._factors.spend(connection, account.id, code, digest)
                return code.kind if code is not None and spent else None

            async def act(transaction: Transaction, account: Account, spent: CodeKind) -> _Result:
                await _record_spent(transaction.connection, account, spent)
                return await conclude(transaction, account)

            return await self._settle(code_try, spend, act, challenge=challenge)

    async def prove_pending(
        self,
        code_try: CodeTry,
        beginner: str,
        conclude: Callable[[Transaction, Account, ProvenEnrolment], Awaitable[_Result]],
        *,
        prepare: Prepare | None = None,
    ) -> _Result:
        """Try a code of the enrolment that this session began; whether it is spent is up to `conclude`.

        Raises as `prove` does; `SecondFactorNotSetUp` where none was begun, or its time is over.
        """
        code = parse_code(code_try.given)

        async def match(connection: AsyncConnection, account: Account) -> ProvenEnrolment | None:
            now = datetime.now(UTC)
            pending = await find_pending(connection, account.id, now=now)
            secret = None if pending is None else self._factors.open_pending(pending, beginner=beginner)
            if pending is None or secret is None:
                raise SecondFactorNotSetUp
            step = matching_step(secret, code.digits, now=now) if code and code.kind is CodeKind.TOTP else None
            return None if step is None else ProvenEnrolment(pending, secret, step)

        async with self._turn(code_try):
            if prepare is not None:
                async with self._database.read() as connection:
                    fits = await match(connection, code_try.account) is not None
                if fits:
                    await prepare()
                else:
                    code = None
            return await self._settle(code_try, match, conclude)

    @asynccontextmanager
    async def _turn(self, code_try: CodeTry) -> AsyncIterator[None]:
        """Give the throttle's turn; a refused code gets the line of a refused password, for fail2ban and CrowdSec."""
        attempt = code_try.attempt
        try:
            async with self._throttle.turn(self._database, attempt):
                yield
        except (InvalidCode, TooManyAttempts, Banned) as refusal:
            _log.info("login_failed", client_address=attempt.client_address, email=attempt.name, reason=refusal.code)
            raise

    async def _settle(
        self,
        code_try: CodeTry,
        verify: Callable[[AsyncConnection, Account], Awaitable[_Proof | None]],
        conclude: Callable[[Transaction, Account, _Proof], Awaitable[_Result]],
        *,
        challenge: Challenge | None = None,
    ) -> _Result:
        async with self._revocation.transaction() as transaction:
            connection = transaction.connection
            account = await _welcome(connection, code_try.account, now=transaction.now)
            if challenge is not None:
                # Of many who finish one login at once, all but the first are late, and not wrong: they do not count.
                await self._challenges.require_open(connection, challenge, now=transaction.now)
            proof = await verify(connection, account)
            # Those that were overtaken by the others' failures are refused here, and what they spent is given back.
            await self._throttle.settle(connection, code_try.attempt, proven=proof is not None, now=transaction.now)
            if proof is not None:
                return await conclude(transaction, account, proof)
            await record(
                connection,
                EventKind.SECOND_FACTOR,
                account=account,
                succeeded=False,
                client_address=code_try.visitor.client_address,
            )
            if challenge is not None:
                await self._challenges.count_failure(connection, challenge)
        await self._throttle.count_failure_of(code_try.attempt)
        raise InvalidCode


async def _welcome(connection: AsyncConnection, account: Account, *, now: datetime) -> Account:
    """Read the account again: somebody may have stepped in since."""
    current = await find_account(connection, account.id)
    if current is None or current.disabled:
        raise Unauthorized
    if current.banned(now):
        raise Banned
    return current


async def _record_spent(connection: AsyncConnection, account: Account, kind: CodeKind) -> None:
    if kind is CodeKind.TOTP:
        await record(connection, EventKind.SECOND_FACTOR, account=account, method=kind.value)
        return
    left = await count_recovery_codes(connection, account.id)
    await record(connection, EventKind.RECOVERY_CODE_SPENT, account=account, left=str(left))
