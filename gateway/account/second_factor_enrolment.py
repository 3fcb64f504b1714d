"""Enrolling: a secret that waits for its first code, and counts from then on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gateway.account.second_factor_owner import Owner, PreparedCodes, RecoveryCodeSets, code_wanted
from gateway.audit.events import EventKind
from gateway.code_proof import ProvenEnrolment
from gateway.credentials.recovery_codes import make_recovery_salt
from gateway.credentials.totp import make_totp_secret
from gateway.errors import InvalidFields, SecondFactorNotSetUp, TokenExpired
from gateway.models import Account
from gateway.sessions import LoggedIn
from gateway.storage.accounts import find_account, set_second_factor_since
from gateway.storage.second_factors import (
    PendingSecondFactor,
    RecoverySet,
    SecondFactor,
    delete_pending,
    find_pending,
    replace_second_factor,
    store_pending,
)

if TYPE_CHECKING:
    from gateway.code_proof import CodeProof
    from gateway.credentials.totp import TotpSecrets
    from gateway.refresh_tokens import RefreshTokens
    from gateway.revocation import Revocation, Transaction
    from gateway.second_factors import SecondFactors
    from gateway.sessions import Sessions
    from gateway.storage.database import Database

# Long enough to find the telephone and put an app on it.
_LIFETIME = timedelta(minutes=15)

_ENROLLED = "Two-factor authentication was set up, and your other devices were logged out."
_NOT_BEGUN = "Setting up two-factor authentication was not begun, or was begun too long ago. Begin again."


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What its owner has to keep: the secret and, unless they are made at the end, the recovery codes."""

    email: str
    secret: bytes
    recovery_codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What comes of a confirmed enrolment: this session with its new tokens, and the codes that were made with it."""

    logged_in: LoggedIn
    recovery_codes: tuple[str, ...] = ()


class SecondFactorEnrolment:
    """Begin, try and confirm. A first enrolment needs no fresh proof; one that replaces a factor needs a code of it."""

    def __init__(  # noqa: PLR0913 - one argument for each collaborator
        self,
        database: Database,
        *,
        proof: CodeProof,
        factors: SecondFactors,
        code_sets: RecoveryCodeSets,
        secrets: TotpSecrets,
        sessions: Sessions,
        refresh_tokens: RefreshTokens,
        revocation: Revocation,
    ) -> None:
        self._database = database
        self._proof = proof
        self._factors = factors
        self._code_sets = code_sets
        self._secrets = secrets
        self._sessions = sessions
        self._refresh_tokens = refresh_tokens
        self._revocation = revocation

    async def begin(self, owner: Owner, given: object) -> Enrolment:
        """Begin one with its recovery codes; a factor that is on stays in force until this one is confirmed.

        Raises `InvalidFields` where a factor is on and no code came, or what `CodeProof.prove` raises.
        """
        account = await owner.account(self._database)
        if account.has_second_factor:
            if given is None:
                raise code_wanted()
        elif not (given is None or isinstance(given, str)):
            # There is nothing to try it against, so that nothing would count it as a wrong one.
            raise InvalidFields(fields={"token": "This must be text."})
        secret, new = make_totp_secret(), PreparedCodes(self._code_sets, owner.account_id)

        async def store(transaction: Transaction, _account: Account) -> None:
            pending = self._pending(owner, secret, new.made.kept)
            await store_pending(transaction.connection, pending, now=transaction.now)

        if account.has_second_factor:
            await self._proof.prove(owner.tries(account, given), store, prepare=new.make)
        else:
            await new.make()
            await self._store_first(self._pending(owner, secret, new.made.kept))
        return Enrolment(account.email, secret, new.made.codes)

    async def begin_or_go_on(self, owner: Owner) -> Enrolment:
        """Begin a first one, or give once more what this session has begun: a page may be loaded twice.

        Its recovery codes are made when it is confirmed. Raises `InvalidFields` where a factor is on.
        """
        account = await owner.account(self._database)
        secret = await self._begun(owner)
        if secret is None or account.has_second_factor:
            secret = make_totp_secret()
            await self._store_first(self._pending(owner, secret, RecoverySet(make_recovery_salt(), ())))
        return Enrolment(account.email, secret)

    async def try_code(self, owner: Owner, given: object) -> None:
        """Try a code of what was begun, without spending it. Raises what `CodeProof.prove_pending` raises."""

        async def change_nothing(_transaction: Transaction, _account: Account, _proven: ProvenEnrolment) -> None:
            return None

        account = await self._beginner(owner, given)
        await self._proof.prove_pending(owner.tries(account, given), owner.beginner, change_nothing)

    async def confirm(self, owner: Owner, given: object, *, make_codes: bool = False) -> Enrolled:
        """Let it count from now on: its code is spent, this session gets a new token, and the others end.

        `make_codes`: the recovery codes are made now, and those of the beginning, if any, never count.
        """
        account = await self._beginner(owner, given)
        new = PreparedCodes(self._code_sets, owner.account_id) if make_codes else None

        async def activate(transaction: Transaction, account: Account, proven: ProvenEnrolment) -> LoggedIn:
            recovery = proven.pending.recovery if new is None else new.made.kept
            factor = SecondFactor(
                account_id=account.id,
                secret=self._secrets.seal(proven.secret, account_id=account.id),
                last_step=proven.step,
                recovery_salt=recovery.salt,
                created_at=transaction.now,
            )
            await delete_pending(transaction.connection, account.id)
            await replace_second_factor(transaction.connection, factor, recovery_digests=recovery.digests)
            await self._put_in_force(transaction, account, owner)
            return await self._go_on(transaction, owner)

        logged_in = await self._proof.prove_pending(
            owner.tries(account, given), owner.beginner, activate, prepare=None if new is None else new.make
        )
        return Enrolled(logged_in, () if new is None else new.made.codes)

    async def _put_in_force(self, transaction: Transaction, account: Account, owner: Owner) -> None:
        await set_second_factor_since(transaction.connection, account.id, transaction.now)
        await self._sessions.note_second_factor(transaction.connection, owner.session_id, at=transaction.now)
        await self._revocation.second_factor_changed(
            transaction,
            account,
            EventKind.SECOND_FACTOR_ENROLLED,
            change=_ENROLLED,
            keep_session=owner.session_id,
        )

    async def _go_on(self, transaction: Transaction, owner: Owner) -> LoggedIn:
        """Give this session new tokens: a stolen copy of the old ones must not become one of two factors."""
        token = await self._sessions.renew_token(transaction.connection, owner.session_id)
        known = await self._sessions.find_within(transaction.connection, owner.session_id)
        if known is None:
            raise TokenExpired
        refresh_token = await self._refresh_tokens.reissue(transaction.connection, known.session, now=transaction.now)
        device = owner.visitor.device and owner.visitor.device.remember(known.account.known_as)
        return LoggedIn(known.account, known.session, token, refresh_token, device=device)

    def _pending(self, owner: Owner, secret: bytes, recovery: RecoverySet) -> PendingSecondFactor:
        sealed = self._secrets.seal_pending(secret, account_id=owner.account_id, beginner=owner.beginner)
        return PendingSecondFactor(owner.account_id, sealed, recovery, expires_at=datetime.now(UTC) + _LIFETIME)

    async def _store_first(self, pending: PendingSecondFactor) -> None:
        """Store a first enrolment, unless a factor came into force meanwhile: then it would need a code."""
        async with self._database.write() as connection:
            account = await find_account(connection, pending.account_id)
            if account is None:
                raise TokenExpired
            if account.has_second_factor:
                raise code_wanted()
            await store_pending(connection, pending, now=datetime.now(UTC))

    async def _begun(self, owner: Owner) -> bytes | None:
        async with self._database.read() as connection:
            pending = await find_pending(connection, owner.account_id, now=datetime.now(UTC))
        return None if pending is None else self._factors.open_pending(pending, beginner=owner.beginner)

    async def _beginner(self, owner: Owner, given: object) -> Account:
        """Give the account of somebody who has begun one in this session, and now sends a code."""
        if await self._begun(owner) is None:
            raise SecondFactorNotSetUp(_NOT_BEGUN)
        if given is None:
            raise code_wanted()
        return await owner.account(self._database)
