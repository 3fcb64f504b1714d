"""How an API key looks, and what is taken for one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.credentials.api_keys import ApiKeyFormat
from gateway.credentials.session_tokens import digest_token

FORMAT = ApiKeyFormat("lc_ak_")
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def test_key_is_recognisable_random_and_checked() -> None:
    """K1."""
    keys = {FORMAT.make() for _ in range(1000)}
    assert len(keys) == 1000
    assert all(re.fullmatch(r"lc_ak_[0-9A-Za-z]{38}", key, re.ASCII) for key in keys)
    assert all(FORMAT.is_sound(key) for key in keys)


def test_random_part_uses_the_whole_alphabet() -> None:
    """K1: 32 characters of 62 are 190 bits, and 166 without the four that are shown."""
    assert set("".join(FORMAT.make()[6:38] for _ in range(1000))) == set(ALPHABET)


@given(st.integers(min_value=0, max_value=43), st.sampled_from(ALPHABET))
def test_mistyped_key_is_noticed_without_a_look_up(place: int, character: str) -> None:
    """K1: CRC-32 finds every single wrong character."""
    key = FORMAT.make()
    mistyped = key[:place] + character + key[place + 1 :]
    assert FORMAT.is_sound(mistyped) == (mistyped == key)


@given(st.text(max_size=60))
def test_nothing_invented_is_sound(text: str) -> None:
    assert not FORMAT.is_sound(text)
    assert not FORMAT.is_sound("lc_ak_" + text)


@pytest.mark.parametrize("change", ["{key} ", " {key}", "{key}\n", "{key}0", "\u0661{key}", "{key}\0"])
def test_key_has_one_spelling(change: str) -> None:
    assert not FORMAT.is_sound(change.format(key=FORMAT.make()))


def test_key_of_another_case_or_with_digits_of_another_script_is_none() -> None:
    key = FORMAT.make()
    assert not FORMAT.is_sound(key.swapcase())
    assert not FORMAT.is_sound(key[:-1] + "\u0661")


@pytest.mark.parametrize(
    ("text", "ours"),
    [("lc_ak_", True), ("lc_ak_x", True), ("lc_ak_\udcff", True), ("lc_ak", False), ("LC_AK_x", False), ("", False)],
)
def test_what_begins_like_our_keys_is_ours_good_or_bad(text: str, *, ours: bool) -> None:
    """K1."""
    assert FORMAT.claims(text) is ours


def test_prefix_is_a_setting() -> None:
    other = ApiKeyFormat("acme_")
    key = other.make()
    assert key.startswith("acme_")
    assert other.is_sound(key)
    assert not FORMAT.claims(key)
    assert not other.claims(FORMAT.make())


def test_checksum_covers_the_prefix() -> None:
    assert not ApiKeyFormat("acme_").is_sound("acme_" + FORMAT.make().removeprefix("lc_ak_"))


def test_shown_part_leaves_enough_to_guess() -> None:
    """K1."""
    key = FORMAT.make()
    assert FORMAT.shown_part(key) == key[:10]


def test_digest_depends_on_every_character_and_on_the_salt() -> None:
    """K1."""
    key = FORMAT.make()
    digests = {digest_token(key, key=b"salt"), digest_token(key, key=b"other"), digest_token(key + "0", key=b"salt")}
    assert len(digests) == 3
    assert all(len(digest) == 32 for digest in digests)
