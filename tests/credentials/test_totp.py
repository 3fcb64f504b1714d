"""Time-based codes: the algorithm, which steps count, and what can be a code at all."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest

from gateway.credentials.codes import Code, CodeKind, parse_code
from gateway.credentials.recovery_codes import make_recovery_codes
from gateway.credentials.sealed_box import BrokenSeal, SealedBox
from gateway.credentials.totp import TotpSecrets, make_totp_secret, matching_step, otpauth_url, secret_as_text

# RFC 6238, appendix B.
RFC_SECRET = b"12345678901234567890"
STEP = timedelta(seconds=30)
NOW = datetime(2026, 5, 1, 12, 0, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "digits"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_codes_are_those_of_the_rfc(moment: int, digits: str) -> None:
    """The rows for SHA-1; six digits are the last six of its eight."""
    now = datetime.fromtimestamp(moment, UTC)
    assert matching_step(RFC_SECRET, digits[-6:], now=now) == moment // 30


@pytest.mark.parametrize(("steps", "counts"), [(-2, False), (-1, True), (0, True), (1, False), (2, False)])
def test_this_step_and_the_one_before_count(steps: int, counts: bool) -> None:  # noqa: FBT001
    secret = RFC_SECRET
    code = pyotp.TOTP(secret_as_text(secret)).at(NOW + steps * STEP)
    step = matching_step(secret, code, now=NOW)
    assert step == (int(NOW.timestamp()) // 30 + steps if counts else None)


@pytest.mark.parametrize("offset", [0, 29])
def test_step_begins_and_ends_on_the_second(offset: int) -> None:
    begin = datetime.fromtimestamp(1_800_000_000, UTC)
    code = pyotp.TOTP(secret_as_text(RFC_SECRET)).at(begin)
    assert matching_step(RFC_SECRET, code, now=begin + timedelta(seconds=offset)) == 60_000_000


def test_secret_is_as_long_as_the_digest_and_new_each_time() -> None:
    secrets = {make_totp_secret() for _ in range(100)}
    assert {len(secret) for secret in secrets} == {20}
    assert len(secrets) == 100


def test_address_for_the_app_names_site_and_account() -> None:
    url = urlsplit(otpauth_url(RFC_SECRET, issuer="Portal & Co", label="ada@example.com"))
    query = parse_qs(url.query)
    assert (url.scheme, url.netloc) == ("otpauth", "totp")
    assert unquote(url.path) == "/Portal & Co:ada@example.com"
    assert query == {"secret": [base64.b32encode(RFC_SECRET).decode()], "issuer": ["Portal & Co"]}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("123456", Code(CodeKind.TOTP, "123456")),
        (" 123 456 ", Code(CodeKind.TOTP, "123456")),
        ("12-34-56", Code(CodeKind.TOTP, "123456")),
        ("1234-5678", Code(CodeKind.RECOVERY, "12345678")),
        ("000000", Code(CodeKind.TOTP, "000000")),
        *[
            (no_code, None)
            for no_code in (
                "",
                " ",
                "-",
                "12345",
                "1234567",
                "123456789",
                "12345a",
                "+12345",
                "1.2345",
                "12_345",
                "123456\n",
                "123\u00a0456",
                "123\u2013456",
                "\uff11\uff12\uff13\uff14\uff15\uff16",
                "\u0660\u0661\u0662\u0663\u0664\u0665",
                "12345\u00b2",
                "1" * 100_000,
                " " * 100_000 + "123456",
                123456,
                123456.0,
                True,
                None,
                ["123456"],
                ["1", "2", "3", "4", "5", "6"],
                {"$ne": ""},
                b"123456",
            )
        ],
    ],
)
def test_six_ascii_digits_or_eight_are_a_code(given: object, code: Code | None) -> None:
    """M3."""
    assert parse_code(given) == code


def test_recovery_codes_are_ten_different_ones_of_eight_digits() -> None:
    """M7."""
    for _ in range(50):
        codes = make_recovery_codes()
        assert len(set(codes)) == len(codes) == 10
        assert all(len(code) == 8 and code.isdecimal() and code.isascii() for code in codes)


def test_sealed_secret_opens_in_its_own_place_only() -> None:
    """M6: neither in another account's row, nor in another session, nor as the factor in force."""
    secrets = TotpSecrets(SealedBox(b"k" * 32))
    sealed = secrets.seal(RFC_SECRET, account_id="a")
    pending = secrets.seal_pending(RFC_SECRET, account_id="a", beginner="s")
    assert RFC_SECRET not in sealed
    assert RFC_SECRET not in pending
    assert secrets.open(sealed, account_id="a") == RFC_SECRET
    assert secrets.open_pending(pending, account_id="a", beginner="s") == RFC_SECRET
    elsewhere: tuple[Callable[[], bytes], ...] = (
        lambda: secrets.open(sealed, account_id="b"),
        lambda: secrets.open(pending, account_id="a"),
        lambda: secrets.open_pending(pending, account_id="a", beginner="t"),
        lambda: secrets.open_pending(pending, account_id="b", beginner="s"),
        lambda: secrets.open_pending(sealed, account_id="a", beginner="s"),
    )
    for opens in elsewhere:
        with pytest.raises(BrokenSeal):
            opens()
