"""What a password that somebody chooses has to be (SP 800-63B 3.1.1.2): long, and not one that everybody tries."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.credentials.passwords import MAX_PASSWORD_LENGTH, canonical_password
from gateway.grammar.common_passwords import common_passwords

# Shorter names stand in too many words by chance.
_SHORTEST_TELLING_NAME = 4
# zxcvbn refuses more, and what follows cannot make a password weaker.
_SCORED_LENGTH = 72


@dataclass(frozen=True, slots=True)
class PasswordRules:
    """The rules of one installation: no composition, no expiry, but nothing that is tried first."""

    min_length: int
    site_name: str
    min_score: int = 0

    def broken(self, password: str, *, email: str) -> str | None:
        """Say which rule is broken, in a sentence for whoever chose it; one code point is one character.

        Call it through `PasswordHashing.broken_rule`: it may take as long as a hash.
        """
        # NFKC can make eighteen characters of one: neither what was typed nor what is hashed may be too short or long.
        canonical = canonical_password(password)
        lengths = len(password), len(canonical)
        if min(lengths) < self.min_length:
            return f"Use at least {self.min_length} characters."
        if max(lengths) > MAX_PASSWORD_LENGTH:
            return f"Use at most {MAX_PASSWORD_LENGTH} characters."
        if not password.strip():
            return "A password cannot consist of spaces only."
        folded = canonical.casefold()
        if folded in common_passwords():
            return "This is one of the passwords that are tried first. Choose another one."
        for name in (email.partition("@")[0], self.site_name):
            if len(name) >= _SHORTEST_TELLING_NAME and canonical_password(name).casefold() in folded:
                return f"Leave out {name}: it is easily guessed."
        return self._weak(canonical, email)

    def _weak(self, password: str, email: str) -> str | None:
        if not self.min_score:
            return None
        # A tenth of a second to import; most installations do without.
        from zxcvbn import zxcvbn  # noqa: PLC0415

        score = zxcvbn(password[:_SCORED_LENGTH], user_inputs=[email, self.site_name])["score"]
        return None if score >= self.min_score else "This is too easily guessed. A few unrelated words are better."
