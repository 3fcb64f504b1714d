"""What a password that somebody chooses has to be."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator

import pytest

from gateway.credentials.password_rules import PasswordRules
from gateway.credentials.passwords import PasswordHashing, canonical_password
from gateway.grammar.common_passwords import common_passwords

RULES = PasswordRules(min_length=8, site_name="Gateway")
EMAIL = "ada.lovelace@example.com"
# PASSWORD1 as an East Asian keyboard writes it.
FULL_WIDTH = "".join(chr(ord(letter) + 0xFEE0) for letter in "PASSWORD1")


def broken(password: str, *, rules: PasswordRules = RULES, email: str = EMAIL) -> str:
    return rules.broken(password, email=email) or ""


@pytest.mark.parametrize(
    "password",
    [
        "mint grows",
        "lowercaseonlyandnothingelse",
        "48151623421008",
        "пароль мой очень",
        "🦊🦊🦊🦊🦊🦊🦊🦊",
        "a b c d e f g h",
        "x" * 127 + "y",
    ],
)
def test_nothing_has_to_be_composed(password: str) -> None:
    """L2."""
    assert not broken(password)


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("sieben7", "at least 8"),
        ("🦊" * 7, "at least 8"),
        ("", "at least 8"),
        ("x" * 129, "at most 128"),
        ("🦊" * 129, "at most 128"),
    ],
)
def test_a_code_point_is_a_character(password: str, said: str) -> None:
    """L1, L4."""
    assert said in broken(password)


@pytest.mark.parametrize(
    ("password", "said"),
    [
        # Typed as fourteen, hashed as seven: e and its accent become one.
        ("e\u0301" * 7, "at least 8"),
        # One character that becomes eighteen.
        ("\ufdfa", "at least 8"),
        ("\ufdfa" * 8, "at most 128"),
    ],
)
def test_neither_what_is_typed_nor_what_is_hashed_is_too_short_or_long(password: str, said: str) -> None:
    """L1."""
    assert said in broken(password)


@pytest.mark.parametrize("blank", [" ", "\u00a0", "\u3000", "\t", " \u2003"])
def test_spaces_only_are_none(blank: str) -> None:
    assert "spaces only" in broken(blank * 8)


def test_longer_minimum_is_a_setting() -> None:
    """L1."""
    rules = PasswordRules(min_length=15, site_name="Gateway")
    assert "at least 15" in broken("mint grows", rules=rules)
    assert not broken("mint grows on walls", rules=rules)


def test_list_holds_ten_thousand_passwords_that_would_otherwise_do() -> None:
    """L3: the list has to fit the policy, or it stops nothing."""
    fitting = [password for password in common_passwords() if len(password) >= 8]
    assert len(fitting) >= 10_000
    assert all("tried first" in broken(password) or "Leave out" in broken(password) for password in fitting)


@pytest.mark.parametrize(
    "password", ["password1", "PassWord1", FULL_WIDTH, "sunshine", "SUNSHINE", "qwertyuiop", "1234567890"]
)
def test_common_password_is_refused_in_any_spelling(password: str) -> None:
    """L3."""
    assert "tried first" in broken(password)


@pytest.mark.parametrize(
    "password", ["ada.lovelace!", "xxADA.LovelaceXX", "\uff41\uff44\uff41.lovelace", "my gateway pass", "GATEWAY-2026"]
)
def test_own_name_and_the_sites_are_refused_in_any_spelling(password: str) -> None:
    """L3."""
    assert "Leave out" in broken(password)


@pytest.mark.parametrize(
    ("email", "password", "refused"),
    [
        ("lena@example.com", "lena is here", True),
        # "ann" stands in "planning": three letters tell nothing.
        ("ann@example.com", "planning a trip", False),
        ("ann@example.com", "ann goes away", False),
        ("straße@example.com", "STRASSE nach rom", True),
        ("ada@lovelace.example", "lovelace at home", False),
    ],
)
def test_name_of_four_letters_tells(email: str, password: str, *, refused: bool) -> None:
    assert ("Leave out" in broken(password, email=email)) is refused


@pytest.mark.parametrize(("score", "refused"), [(0, False), (1, False), (3, True), (4, True)])
def test_score_is_asked_for_only_where_it_is_set(score: int, *, refused: bool) -> None:
    rules = PasswordRules(min_length=8, site_name="Gateway", min_score=score)
    assert ("guessed" in broken("october2019", rules=rules)) is refused
    assert not broken("violet kettle argues with snow", rules=rules)


def test_score_looks_at_the_first_72_characters_and_takes_the_longest_password() -> None:
    rules = PasswordRules(min_length=8, site_name="Gateway", min_score=4)
    assert not broken("violet kettle argues with snow " * 4, rules=rules)


def test_reason_never_repeats_the_password() -> None:
    """W5."""
    rules = PasswordRules(min_length=8, site_name="Gateway", min_score=4)
    for password in ("sieben7", "sunshine", "october2019"):
        assert password not in broken(password, rules=rules)


def test_what_is_judged_is_what_is_hashed() -> None:
    assert broken(canonical_password(FULL_WIDTH)) == broken(FULL_WIDTH)


@pytest.fixture
async def hashing() -> AsyncIterator[PasswordHashing]:
    hashing = PasswordHashing(threads=1)
    yield hashing
    hashing.close()


async def test_rules_are_asked_beside_the_event_loop(hashing: PasswordHashing, monkeypatch: pytest.MonkeyPatch) -> None:
    """L8: scoring takes as long as hashing."""
    threads: list[threading.Thread] = []

    def note(_rules: PasswordRules, password: str, *, email: str) -> str:
        threads.append(threading.current_thread())
        return f"{password} of {email}"

    monkeypatch.setattr(PasswordRules, "broken", note)
    assert await hashing.broken_rule(RULES, "mint grows", email=EMAIL) == f"mint grows of {EMAIL}"
    assert threads != [threading.current_thread()]
    assert len(threads) == 1
