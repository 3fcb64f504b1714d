"""A password that somebody chooses without having had one: by the rules, and typed twice where that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.credentials.password_rules import PasswordRules
    from gateway.credentials.passwords import PasswordHashing

_CONFIRMATION = "confirm_password"


@dataclass(frozen=True, slots=True)
class ChosenPassword:
    """The password as typed, and once more if it was typed twice."""

    text: str
    confirmation: str | None


@dataclass(frozen=True, slots=True)
class PasswordChoice:
    """Look at what was chosen, and hash it."""

    rules: PasswordRules
    passwords: PasswordHashing
    confirmation_required: bool

    async def problems(self, chosen: ChosenPassword, *, email: str) -> dict[str, str]:
        """Say by field what is wrong."""
        problems = {}
        if broken := await self.passwords.broken_rule(self.rules, chosen.text, email=email):
            problems["password"] = broken
        if chosen.confirmation is None and self.confirmation_required:
            problems[_CONFIRMATION] = "Type the password once more."
        elif chosen.confirmation not in (None, chosen.text):
            problems[_CONFIRMATION] = "This is not the same password."
        return problems

    async def hash(self, chosen: ChosenPassword) -> str:
        return await self.passwords.hash(chosen.text)
