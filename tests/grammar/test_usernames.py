"""Usernames: what reads alike is one name, and what cannot be seen is none."""

# ruff: noqa: RUF001 - look-alikes are what this is about

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.grammar.usernames import parse_username


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("johndoe", "johndoe"),
        ("  JohnDoe ", "johndoe"),
        ("ＪｏｈｎＤｏｅ", "johndoe"),
        ("ﬁnn", "finn"),
        ("Straße", "strasse"),
        ("a.b-c_d e", "a.b-c_d e"),
        ("Łukasz", "łukasz"),
        ("Jose\u0301", "josé"),
        ("Ольга", "ольга"),
        ("山田たろう", "山田たろう"),
        ("ヤマダー", "ヤマダー"),
        ("김철수", "김철수"),
        ("हिन्दी", "हिन्दी"),
        ("j2", "j2"),
        ("2", "2"),
        ("x" * 80, "x" * 80),
    ],
)
def test_spellings_of_one_name_have_one_form(written: str, canonical: str) -> None:
    """L11."""
    assert parse_username(written) == canonical


@pytest.mark.parametrize(
    "written",
    [
        "",
        "   ",
        "x" * 81,
        "\ufdfa" * 5,  # one character that NFKC makes eighteen of
        "ann@example.com",
        "ann@",
        ".ann",
        "_",
        "an  n",
        "an..n",
        "an\nn",
        "an\tn",
        "an\x00n",
        "an,n",
        "an/n",
        "an\u200bn",  # zero width space
        "an\u200dn",  # zero width joiner
        "an\u202en",  # right-to-left override
        "an\u00adn",  # soft hyphen
        "ann\u3164",  # Hangul filler: a letter that shows nothing
        "ann\uffa0",
        "ann\ufe0f",
        "ann\u034f",
        "\u0301ann",
        "ann\ud800",
        "ann\U0001f600",
        "а" + "nn",  # a Cyrillic letter
        "αnn",
        "оlga",
        "аα",
        "ann٣",  # an Arabic-Indic three
        "ann²" + "½",
        "Admin",
        "ＡＤＭＩＮ",
        "root",
    ],
)
def test_what_could_pass_for_another_is_refused(written: str) -> None:
    """L11."""
    with pytest.raises(ValueError, match=r"\.$"):
        parse_username(written)


@given(st.text(max_size=100))
def test_the_form_is_stable_and_shows_everything(text: str) -> None:
    """L11."""
    try:
        canonical = parse_username(text)
    except ValueError:
        return
    assert parse_username(canonical) == canonical
    assert all(unicodedata.category(character)[0] in "LMNPZ" for character in canonical)
    assert 0 < len(canonical) <= 80
    assert "@" not in canonical
