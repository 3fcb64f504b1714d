"""Which codes does an account take?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from gateway.credentials.codes import Code, CodeKind
from gateway.credentials.sealed_box import BrokenSeal
from gateway.credentials.totp import matching_step
from gateway.errors import SecondFactorNotSetUp
from gateway.storage.second_factors import (
    PendingSecondFactor,
    SecondFactor,
    find_second_factor,
    has_recovery_code,
    spend_recovery_code,
    spend_step,
)

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.credentials.passwords import PasswordHashing
    from gateway.credentials.totp import TotpSecrets
    from gateway.storage.database import Database

_log = structlog.get_logger("gateway.security")


class SecondFactors:
    """Look at codes, and spend them. Trying one is `CodeProof`'s, which counts it."""

    def __init__(self, database: Database, *, passwords: PasswordHashing, secrets: TotpSecrets) -> None:
        self._database = database
        self._passwords = passwords
        self._secrets = secrets

    async def digest(self, account_id: str, code: Code | None) -> bytes:
        """Digest a recovery code, before any transaction, since it takes a while; nothing for other codes.

        Should the set be replaced meanwhile, the digest is under a salt of the past and fits none of the new codes.
        """
        if code is None or code.kind is not CodeKind.RECOVERY:
            return b""
        async with self._database.read() as connection:
            factor = await find_second_factor(connection, account_id)
        if factor is None:
            return b""
        [digest] = await self._passwords.digests([code.digits], salt=factor.recovery_salt)
        return digest

    async def fits(self, account_id: str, code: Code, digest: bytes) -> bool:
        """Look without spending: what is expensive is done for right codes only."""
        async with self._database.read() as connection:
            if code.kind is CodeKind.RECOVERY:
                return await has_recovery_code(connection, account_id, digest)
            factor = await find_second_factor(connection, account_id)
        step = None if factor is None else self._step(factor, code)
        return step is not None and factor is not None and (factor.last_step is None or factor.last_step < step)

    async def spend(self, connection: AsyncConnection, account_id: str, code: Code | None, digest: bytes) -> bool:
        """Spend a code inside the caller's transaction. Raises `SecondFactorNotSetUp`."""
        factor = await find_second_factor(connection, account_id)
        if factor is None:
            raise SecondFactorNotSetUp
        if code is None:
            return False
        if code.kind is CodeKind.RECOVERY:
            return await spend_recovery_code(connection, account_id, digest)
        step = self._step(factor, code)
        return step is not None and await spend_step(connection, account_id, step)

    def open_pending(self, pending: PendingSecondFactor, *, beginner: str) -> bytes | None:
        """Open the secret of an enrolment, if it is this session's."""
        try:
            return self._secrets.open_pending(pending.secret, account_id=pending.account_id, beginner=beginner)
        except BrokenSeal:
            return None

    def _step(self, factor: SecondFactor, code: Code) -> int | None:
        try:
            secret = self._secrets.open(factor.secret, account_id=factor.account_id)
        except BrokenSeal:
            # Recovery codes do not need the key: with one of them the owner can log in and enrol anew.
            _log.warning(
                "second_factor_unreadable", account_id=factor.account_id, cause="the encryption key has changed"
            )
            return None
        return matching_step(secret, code.digits, now=datetime.now(UTC))
