"""Usernames in one canonical form: what reads alike is the same name, and what cannot be seen is refused."""

from __future__ import annotations

import re
import unicodedata

_MAX_LENGTH = 80
# Letters, marks and digits, with single separators in between. Without @: rules compare a `user:` with e-mail
# addresses too, and a name that looks like somebody's address would pass for them.
_SHAPE = re.compile(r"[^\W_](?:[ ._-]?[^\W_])*[._-]?")
# Marks and letters that show nothing (Unicode's Default_Ignorable_Code_Point, as far as they are letters or marks).
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
# What applications call their own administrators: whoever took one of these might become it there.
_RESERVED = frozenset({"admin", "administrator", "anonymous", "gateway", "guest", "root", "superuser", "system"})

# UTS 39 section 5.2, "highly restrictive": one script, or those that one language mixes (with Latin beside them).
_MIXED_BY_A_LANGUAGE = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)
# The first word of a character's Unicode name is its script, but for these.
_SCRIPTS = {"IDEOGRAPHIC": "CJK", "KATAKANA-HIRAGANA": "KATAKANA"}
_OF_EVERY_SCRIPT = "COMBINING"


def parse_username(text: str) -> str:
    """Give the canonical form: trimmed, NFKC, without case. Raise ValueError with the broken rule."""
    trimmed = text.strip()
    # Before any work that grows with it, and after: some characters become several.
    if not 0 < len(trimmed) <= _MAX_LENGTH or not 0 < len(canonical := _fold(trimmed)) <= _MAX_LENGTH:
        message = f"A username has between 1 and {_MAX_LENGTH} characters."
        raise ValueError(message)
    if not _is_shaped(canonical) or _INVISIBLE.search(trimmed):
        message = (
            "A username has letters and the digits 0 to 9, with single blanks, dots, hyphens or underscores between."
        )
        raise ValueError(message)
    if not _is_of_one_script(canonical):
        message = "A username cannot mix letters of several scripts: some of them look alike."
        raise ValueError(message)
    if canonical in _RESERVED:
        message = "This username is reserved."
        raise ValueError(message)
    return canonical


def _fold(text: str) -> str:
    # Folding may leave the normal form, hence once more (Unicode section 3.13, toNFKC_Casefold).
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _is_shaped(name: str) -> bool:
    """Say whether it has the shape, marks counted with the letter that they stand on."""
    if unicodedata.category(name[0]).startswith("M"):
        return False
    letters = "".join(character for character in name if not unicodedata.category(character).startswith("M"))
    # Digits of other scripts look like letters of ours, and `\w` takes numbers that are no digits at all.
    plain = all(character.isascii() or unicodedata.category(character).startswith("L") for character in letters)
    return plain and _SHAPE.fullmatch(letters) is not None


def _is_of_one_script(name: str) -> bool:
    scripts = {_script(character) for character in name if unicodedata.category(character)[0] in "LM"}
    scripts.discard(_OF_EVERY_SCRIPT)
    return len(scripts) <= 1 or any(scripts <= mixed for mixed in _MIXED_BY_A_LANGUAGE)


def _script(character: str) -> str:
    word = unicodedata.name(character, "").partition(" ")[0]
    return _SCRIPTS.get(word, word)
