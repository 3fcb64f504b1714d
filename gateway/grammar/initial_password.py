"""The rule for the first administrator's password, as LangSmith's basic authentication states it."""

from __future__ import annotations

_MIN_LENGTH = 12


def broken_initial_password_rules(password: str) -> list[str]:
    """List the rules that a password breaks, as sentences; an empty list means that it is good."""
    rules = (
        (len(password) >= _MIN_LENGTH, f"It must have at least {_MIN_LENGTH} characters."),
        (any(character.islower() for character in password), "It must have a lower-case letter."),
        (any(character.isupper() for character in password), "It must have an upper-case letter."),
        (any(_is_symbol(character) for character in password), "It must have a symbol, such as ! or -."),
    )
    return [sentence for kept, sentence in rules if not kept]


def _is_symbol(character: str) -> bool:
    return not character.isalnum() and character.isprintable() and not character.isspace()
