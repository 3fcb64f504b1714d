"""A password that an administrator hands over: chosen, or made here and shown once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.credentials.passwords import generate_password

if TYPE_CHECKING:
    from gateway.credentials.password_rules import PasswordRules
    from gateway.credentials.passwords import PasswordHashing


@dataclass(frozen=True, slots=True)
class HandedPassword:
    """What is to be handed over; without a chosen one a password is made, which always has to be changed."""

    chosen: str | None = field(default=None, repr=False)
    must_change: bool = True


@dataclass(frozen=True, slots=True)
class HashedPassword:
    """Ready to be stored; `generated` is to be shown once."""

    hash: str = field(repr=False)
    generated: str | None = field(repr=False)
    must_change: bool


class PasswordHandover:
    """Look at handed passwords, and hash them: before a transaction, for both take their time."""

    def __init__(self, *, rules: PasswordRules, passwords: PasswordHashing) -> None:
        self._rules = rules
        self._passwords = passwords

    async def broken_rule(self, handed: HandedPassword, *, email: str) -> str | None:
        """Say which rule a chosen password breaks; one that is made here breaks none."""
        if handed.chosen is None:
            return None
        return await self._passwords.broken_rule(self._rules, handed.chosen, email=email)

    async def hash(self, handed: HandedPassword) -> HashedPassword:
        if handed.chosen is not None:
            return HashedPassword(await self._passwords.hash(handed.chosen), None, handed.must_change)
        generated = generate_password()
        return HashedPassword(await self._passwords.hash(generated), generated, must_change=True)
