"""Secrets that everybody knows: placeholders, published examples, common passwords."""

from __future__ import annotations

import re

from pydantic import SecretStr

from gateway.grammar.common_passwords import common_passwords

SHORTEST_SOUND_SECRET = 32  # bytes; RFC 7518 section 3.2 for HS256

_PLACEHOLDER = re.compile(
    r"<.*>|\$\{.*\}|x+|\*+"
    r"|(?:please[-_ ]?)?(?:change|replace)[-_ ]?(?:me|this|it)?"
    r"|(?:(?:your|my|the|some|super|very|top|jwt|auth|random)[-_ ]?)*secret(?:[-_ ]?(?:key|here|string|value))?",
    re.IGNORECASE | re.DOTALL,
)
_PUBLISHED = frozenset(
    {
        # LibreChat's .env.example: JWT_SECRET and JWT_REFRESH_SECRET
        "16f8c0ef4a5d391b26034086c628469d3f9f497f08163ab9b40137092f2909ef",
        "eaa5191f2914e30b9387fd84e254e4ba6fc51b4654968a9b0803b456a54b8418",
        # jwt.io's debugger, the older and the newer one
        "your-256-bit-secret",
        "a-string-secret-at-least-256-bits-long",
    }
)


def is_well_known(secret: str) -> bool:
    """Tell whether a secret is a placeholder, a published example or a common password."""
    folded = secret.strip().lower()
    return bool(_PLACEHOLDER.fullmatch(folded)) or folded in _PUBLISHED or folded in common_passwords()


def require_own_secret(secret: SecretStr | None) -> SecretStr | None:
    """Return a secret that is not set, or that only its owner can know; else raise ValueError with the cure."""
    if secret is None:
        return None
    if not secret.get_secret_value().strip():
        message = "is empty: leave it out, and one is made and kept in the data folder"
        raise ValueError(message)
    if is_well_known(secret.get_secret_value()):
        message = (
            "is a placeholder or a published example, so everybody knows it: make one with `openssl rand -base64 32`"
        )
        raise ValueError(message)
    return secret
