"""The second factor that a person has: its state, new recovery codes, and doing without it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gateway.account.second_factor_owner import Owner, PreparedCodes, RecoveryCodeSets, code_wanted
from gateway.audit.events import EventKind
from gateway.errors import SecondFactorNotSetUp
from gateway.models import Account
from gateway.storage.accounts import set_second_factor_since
from gateway.storage.second_factors import count_recovery_codes, delete_second_factor, replace_recovery_codes

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.code_proof import CodeProof
    from gateway.revocation import Revocation, Transaction
    from gateway.sessions import Sessions
    from gateway.storage.database import Database

# For so long a login with the second factor is proof enough for new recovery codes.
_FRESH = timedelta(minutes=5)
_TWO_FACTORS = 2

_DISABLED = "Two-factor authentication was switched off, and your other devices were logged out."
_REPLACED = "New recovery codes were made. The former ones do not work any more."


@dataclass(frozen=True, slots=True)
class SecondFactorState:
    """Whether there is one, whether this session has proven it, and how many recovery codes are left."""

    enrolled: bool
    proven: bool
    recovery_codes_left: int


class SecondFactorChange:
    """Change a factor that is on. Each change needs a fresh proof of it (ASVS 7.5.1), and is mailed and audited."""

    def __init__(
        self,
        database: Database,
        *,
        proof: CodeProof,
        code_sets: RecoveryCodeSets,
        sessions: Sessions,
        revocation: Revocation,
    ) -> None:
        self._database = database
        self._proof = proof
        self._code_sets = code_sets
        self._sessions = sessions
        self._revocation = revocation

    async def state(self, owner: Owner) -> SecondFactorState:
        account = await owner.account(self._database)
        async with self._database.read() as connection:
            left = await count_recovery_codes(connection, account.id)
            known = await self._sessions.find_within(connection, owner.session_id)
        proven = known is not None and known.session.second_factor_at is not None
        return SecondFactorState(account.has_second_factor, proven, left)

    async def disable(self, owner: Owner, given: object) -> None:
        """Do without a second factor from now on; the other sessions end.

        Raises `SecondFactorNotSetUp`, `InvalidFields` where no code came, or what `CodeProof.prove` raises.
        """
        account = await self._enrolled(owner)
        if given is None:
            raise code_wanted()

        async def end(transaction: Transaction, account: Account) -> None:
            await delete_second_factor(transaction.connection, account.id)
            await set_second_factor_since(transaction.connection, account.id, None)
            await self._sessions.note_second_factor(transaction.connection, owner.session_id, at=None)
            await self._revocation.second_factor_changed(
                transaction,
                account,
                EventKind.SECOND_FACTOR_DISABLED,
                change=_DISABLED,
                keep_session=owner.session_id,
            )

        await self._proof.prove(owner.tries(account, given), end)

    async def replace_codes(self, owner: Owner, given: object) -> tuple[str, ...]:
        """Give a new set of recovery codes; the old one is dead. Raises as `disable` does.

        Without a code the session has to have proven the second factor a moment ago.
        """
        account = await self._enrolled(owner)
        new = PreparedCodes(self._code_sets, owner.account_id)

        async def replace(transaction: Transaction, account: Account) -> None:
            if not await replace_recovery_codes(transaction.connection, account.id, new.made.kept):
                raise SecondFactorNotSetUp
            await self._revocation.recovery_codes_changed(
                transaction, account, EventKind.RECOVERY_CODES_REPLACED, change=_REPLACED
            )

        if given is not None:
            await self._proof.prove(owner.tries(account, given), replace, prepare=new.make)
            return new.made.codes
        async with self._database.read() as connection:
            await self._require_fresh(connection, owner)
        await new.make()
        async with self._revocation.transaction() as transaction:
            await replace(transaction, await self._require_fresh(transaction.connection, owner))
        return new.made.codes

    async def _enrolled(self, owner: Owner) -> Account:
        account = await owner.account(self._database)
        if not account.has_second_factor:
            raise SecondFactorNotSetUp
        return account

    async def _require_fresh(self, connection: AsyncConnection, owner: Owner) -> Account:
        known = await self._sessions.find_within(connection, owner.session_id)
        proven_at = None if known is None else known.session.second_factor_at
        # A token from before the session proved the factor is not what proved it.
        level = 0 if known is None else min(owner.level, known.session.level)
        if known is None or proven_at is None or level < _TWO_FACTORS or datetime.now(UTC) - proven_at >= _FRESH:
            raise code_wanted()
        return known.account
