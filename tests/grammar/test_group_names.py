from __future__ import annotations

import pytest

from gateway.grammar.group_names import canonical_group_name, parse_group_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("admins", "admins"),
        ("  Ops Team ", "Ops Team"),
        ("cafe\u0301", "caf\u00e9"),
        ("\uff41dmins", "admins"),
        ("x" * 80, "x" * 80),
    ],
)
def test_name_is_trimmed_and_composed(text: str, name: str) -> None:
    assert parse_group_name(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "x" * 81,
        "a,b",
        "a\uff0cb",  # a full-width comma becomes one
        "two\nlines",
        "carriage\rreturn",
        "nul\0",
        "half\ud800",
        "line\u2028end",
        "\ufdfa" * 5,  # 18 letters each, once composed
        "\u00df" * 41,  # two letters each, once folded
    ],
)
def test_name_that_a_header_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"group|name"):
        parse_group_name(text)


@pytest.mark.parametrize(
    ("one", "other"), [("Admins", "admins"), ("STRASSE", "stra\u00dfe"), ("\uff21dmins", "admins"), ("K", "\u212a")]
)
def test_names_that_read_alike_are_one(one: str, other: str) -> None:
    assert canonical_group_name(one) == canonical_group_name(other)


def test_canonical_form_is_stable() -> None:
    for name in ("Admins", "stra\u00dfe", "\u0130stanbul", "\u1e9e", "\u03a3\u03c2"):
        once = canonical_group_name(name)
        assert canonical_group_name(once) == once
