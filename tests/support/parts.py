"""Collaborators of a test's own, made as the wiring makes them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.credentials.password_rules import PasswordRules
from gateway.credentials.sealed_box import SealedBox
from gateway.mail.outbox import Outbox
from gateway.models import Account
from gateway.password_proof import PasswordProof
from gateway.revocation import Doorbell, Revocation, accounts
from gateway.throttle.address_limits import AddressLimits, Allowance, Limit
from gateway.throttle.logins import LoginThrottle

if TYPE_CHECKING:
    from gateway.credentials.passwords import PasswordHashing
    from gateway.storage.database import Database

RULES = PasswordRules(min_length=8, site_name="Gateway")
_MANY = 10_000


def make_outbox(*, enabled: bool = True) -> Outbox:
    return Outbox(box=SealedBox(b"outbox key of thirty-two bytes!!"), enabled=enabled)


def make_revocation(database: Database, doorbell: Doorbell) -> Revocation:
    return Revocation(database, doorbell=doorbell, outbox=make_outbox())


def make_throttle(max_failures: int = _MANY, *, window: timedelta = timedelta(minutes=5)) -> LoginThrottle:
    """Give one whose addresses may fail so often."""
    allowance = Allowance(max_failures, window)
    return LoginThrottle(key=b"a key of the tests", addresses=AddressLimits(dict.fromkeys(Limit, allowance)))


def make_proof(
    database: Database, passwords: PasswordHashing, *, throttle: LoginThrottle | None = None
) -> PasswordProof:
    return PasswordProof(
        database, throttle=throttle or make_throttle(), passwords=passwords, unverified_email_allowed=False
    )


async def disable(revocation: Revocation, account: Account) -> None:
    async with revocation.transaction() as transaction:
        await accounts.disable(transaction, account)


async def enable(revocation: Revocation, account: Account) -> None:
    async with revocation.transaction() as transaction:
        await accounts.enable(transaction, account)


async def hand_over_password(
    revocation: Revocation, account: Account, *, password_hash: str, must_change: bool
) -> None:
    async with revocation.transaction() as transaction:
        await revocation.hand_over_password_within(
            transaction, account, password_hash=password_hash, must_change=must_change
        )
