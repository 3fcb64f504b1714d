"""Our access tokens, against every published way to forge one."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from gateway.credentials.access_tokens import AccessTokens
from gateway.errors import InvalidToken, TokenExpired

ISSUER = "https://auth.example.com"
KEY = b"a key of exactly thirty-two byte"
NOW = datetime(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=UTC)
LIFETIME = timedelta(minutes=15)
TOKENS = AccessTokens(key=KEY, issuer=ISSUER, lifetime=LIFETIME)
HEADER = {"alg": "HS256", "typ": "at+jwt"}


def signed() -> str:
    return TOKENS.sign(subject="account", session_id="session", now=NOW, profile={"email": "ada@example.com"})


def claims() -> dict[str, Any]:
    moment = int(NOW.timestamp())
    return {
        "iss": ISSUER,
        "aud": ISSUER,
        "sub": "account",
        "sid": "session",
        "jti": "j",
        "acr": "1",
        "iat": moment,
        "exp": moment + 900,
    }


def segment(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forge(header: object = HEADER, payload: object = None, *, key: bytes = KEY, digest: str = "sha256") -> str:
    """Make a token whose signature is right for whatever it says."""
    said = f"{segment(header)}.{segment(claims() if payload is None else payload)}"
    return f"{said}.{segment(hmac.digest(key, said.encode(), digest))}"


def refused(token: str, *, now: datetime = NOW) -> bool:
    try:
        TOKENS.verify(token, now=now)
    except TokenExpired:
        return False
    except InvalidToken:
        return True
    return False


def test_what_was_signed_is_good() -> None:
    good = TOKENS.verify(signed(), now=NOW)
    assert (good.subject, good.session_id) == ("account", "session")
    assert good.expires_at == int((NOW + LIFETIME).timestamp())


def test_token_says_what_the_contract_lists() -> None:
    token = signed()
    assert jwt.get_unverified_header(token) == HEADER
    said = jwt.decode(token, options={"verify_signature": False})
    assert said == {
        "iss": ISSUER,
        "aud": ISSUER,
        "sub": "account",
        "sid": "session",
        "jti": said["jti"],
        "acr": "1",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 900,
        "email": "ada@example.com",
    }


def test_no_two_tokens_share_an_id() -> None:
    ids = {jwt.decode(signed(), options={"verify_signature": False})["jti"] for _ in range(100)}
    assert len(ids) == 100


def test_profile_cannot_speak_for_the_token() -> None:
    token = TOKENS.sign(subject="account", session_id="session", now=NOW, profile={"sub": "admin", "sid": "other"})
    good = TOKENS.verify(token, now=NOW)
    assert (good.subject, good.session_id) == ("account", "session")


def test_token_made_by_hand_is_good() -> None:
    """The forgeries below differ from this one by what they are about, and by nothing else."""
    assert TOKENS.verify(forge(), now=NOW).subject == "account"


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "typ": "at+jwt"},
        {"alg": "None", "typ": "at+jwt"},
        {"alg": "", "typ": "at+jwt"},
        {"alg": None, "typ": "at+jwt"},
        {"typ": "at+jwt"},
        {"alg": "hs256", "typ": "at+jwt"},
        {"alg": "HS384", "typ": "at+jwt"},
        {"alg": "HS512", "typ": "at+jwt"},
        {"alg": "RS256", "typ": "at+jwt"},
        {"alg": "ES256", "typ": "at+jwt"},
        {"alg": "EdDSA", "typ": "at+jwt"},
        {"alg": ["HS256"], "typ": "at+jwt"},
    ],
)
def test_only_our_algorithm_counts(header: dict[str, object]) -> None:
    """J1."""
    assert refused(forge(header))
    assert refused(forge(header, key=b""))


@pytest.mark.parametrize("digest", ["sha384", "sha512", "sha1"])
def test_signature_of_another_length_is_refused_under_our_header(digest: str) -> None:
    """J1."""
    assert refused(forge(digest=digest))


@pytest.mark.parametrize(
    "more",
    [
        {"kid": "1"},
        {"kid": "../../dev/null"},
        {"jwk": {"kty": "oct", "k": segment(KEY)}},
        {"jku": "https://evil.example/jwks.json"},
        {"x5u": "https://evil.example/cert.pem"},
        {"x5c": ["MII"]},
        {"crit": ["exp"]},
        {"crit": []},
        {"b64": False, "crit": ["b64"]},
        {"b64": True},
        {"zip": "DEF"},
        {"cty": "JWT"},
        {"enc": "A256GCM"},
    ],
)
def test_header_with_anything_more_is_refused(more: dict[str, object]) -> None:
    """J1, J3."""
    assert refused(forge(HEADER | more))


@pytest.mark.parametrize("kind", ["JWT", "2fa+jwt", "refresh+jwt", "AT+JWT", "application/at+jwt", "", None, "at+jwt "])
def test_token_of_another_purpose_is_refused(kind: str | None) -> None:
    """J2."""
    assert refused(forge(HEADER | {"typ": kind}))


def test_token_without_a_type_is_refused() -> None:
    """J2."""
    assert refused(forge({"alg": "HS256"}))


@pytest.mark.parametrize("missing", ["iss", "aud", "sub", "sid", "jti", "iat", "exp"])
def test_missing_claim_is_refused(missing: str) -> None:
    """J2."""
    assert refused(forge(payload={name: value for name, value in claims().items() if name != missing}))


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://evil.example"},
        {"iss": f"{ISSUER}/"},
        {"iss": ISSUER.upper()},
        {"iss": [ISSUER]},
        {"iss": None},
        {"aud": "https://evil.example"},
        {"aud": f"{ISSUER}/"},
        {"aud": [ISSUER]},
        {"aud": [ISSUER, "https://evil.example"]},
        {"aud": None},
        {"sub": 1},
        {"sub": None},
        {"sub": ["account"]},
        {"sid": 1},
        {"sid": None},
        {"jti": 1},
        {"iat": str(int(NOW.timestamp()))},
        {"iat": NOW.timestamp()},
        {"iat": True},
        {"iat": None},
        {"exp": str(int(NOW.timestamp()) + 900)},
        {"exp": NOW.timestamp() + 900.5},
        {"exp": True},
        {"exp": None},
        {"exp": []},
        {"exp": "9999999999"},
    ],
)
def test_claims_are_strictly_typed_and_exact(change: dict[str, object]) -> None:
    """J2."""
    assert refused(forge(payload=claims() | change))


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"1e999", b"9" * 5000])
def test_moment_that_is_no_moment_is_refused(number: bytes) -> None:
    """J2."""
    payload = json.dumps(claims() | {"exp": 0}).encode().replace(b'"exp": 0', b'"exp": ' + number)
    assert refused(forge(payload=payload))


@pytest.mark.parametrize("later", [timedelta(0), timedelta(seconds=1), timedelta(days=365)])
def test_token_is_good_until_the_second_of_its_end(later: timedelta) -> None:
    end = datetime.fromtimestamp(int(NOW.timestamp()) + 900, UTC)
    token = signed()
    assert TOKENS.verify(token, now=end - timedelta(seconds=1)).expires_at == end.timestamp()
    with pytest.raises(TokenExpired):
        TOKENS.verify(token, now=end + later)


def test_expired_token_of_somebody_else_is_not_told_that_it_expired() -> None:
    assert refused(forge(key=b"x" * 32), now=NOW + timedelta(days=1))


def test_token_under_another_key_is_refused() -> None:
    """J1."""
    assert refused(forge(key=b"x" * 32))
    assert refused(forge(key=b""))
    assert refused(forge(key=ISSUER.encode()))


def test_signature_that_is_missing_short_or_changed_is_refused() -> None:
    head, payload, signature = signed().split(".")
    for token in (
        f"{head}.{payload}.",
        f"{head}.{payload}",
        f"{head}.{payload}.{signature[:-2]}",
        f"{head}.{payload}.{signature}AA",
        f"{head}.{payload}.{'A' * len(signature)}",
        f"{head}.{payload}.{signature}.",
        f"{head}.{payload}.{signature}.{signature}",
        f".{payload}.{signature}",
        f"{head}..{signature}",
        "..",
        "",
    ):
        assert refused(token), token


def test_changed_claim_under_the_old_signature_is_refused() -> None:
    head, _, signature = forge().split(".")
    assert refused(f"{head}.{segment(claims() | {'sub': 'admin'})}.{signature}")


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(
    "respell",
    [
        lambda text: text + "=",
        lambda text: text + "==",
        lambda text: text + "\n",
        lambda text: text + " ",
        lambda text: " " + text,
        lambda text: text[:4] + " " + text[4:],
        lambda text: text[:4] + "\n" + text[4:],
        lambda text: text[:4] + "!" + text[4:],
        lambda text: text.replace("-", "+").replace("_", "/") if {"-", "_"} & set(text) else text + "+",
        lambda text: text[:-1] + chr(ord(text[-1]) + 1),
        lambda text: text + "\u00e9",
        lambda text: text + "\udcff",
    ],
    ids=range(12),
)
def test_other_spelling_of_the_same_bytes_is_another_token(place: int, respell: Callable[[str], str]) -> None:
    """J3: PyJWT takes padding, line ends and stray bits."""
    segments = forge().split(".")
    segments[place] = respell(segments[place])
    assert refused(".".join(segments))


@pytest.mark.parametrize(
    ("header", "payload"),
    [
        (b'{"alg":"none","alg":"HS256","typ":"at+jwt"}', None),
        (b'{"alg":"HS256","typ":"2fa+jwt","typ":"at+jwt"}', None),
        (HEADER, json.dumps(claims()).encode()[:-1] + b', "sub": "admin"}'),
        (HEADER, b'{"exp": 9999999999, ' + json.dumps(claims()).encode()[1:]),
        (HEADER, json.dumps(claims() | {"x": 0}).encode().replace(b'"x": 0', b'"x": {"a": 1, "a": 2}')),
    ],
)
def test_name_that_stands_twice_is_refused(header: object, payload: object) -> None:
    """J3."""
    assert refused(forge(header, payload))


@pytest.mark.parametrize("payload", [b"", b"null", b"[]", b"1", b'"x"', b"{", b"\xff\xfe", b"[" * 100_000])
def test_segment_that_is_no_object_is_refused(payload: bytes) -> None:
    assert refused(forge(payload, None))
    assert refused(forge(HEADER, payload))
    assert not TOKENS.are_issuer_of(forge(HEADER, payload))


def test_whatever_names_us_is_recognisably_ours() -> None:
    """Good or bad, whatever its header or signature says: it decides alone."""
    head, payload, signature = forge().split(".")
    for token in (
        signed(),
        forge({"alg": "none"}),
        forge(key=b"x" * 32),
        f"{head}.{payload}.",
        f".{payload}.",
        f"nonsense.{payload}.nonsense",
        f"{head}.{payload}==.{signature}",
        f"{head}.{payload[:4]}\n{payload[4:]}.{signature}",
        forge(payload={"iss": ISSUER}),
    ):
        assert TOKENS.are_issuer_of(token), token


@pytest.mark.parametrize(
    "token",
    [
        "",
        "opaque",
        "a.b.c",
        forge(payload={"iss": "https://evil.example"}),
        forge(payload={"aud": ISSUER}),
        forge(payload={"iss": [ISSUER]}),
        forge(payload=[ISSUER]),
        "\u00e9.\u00e9.\u00e9",
        "\udcff.\udcff.\udcff",
    ],
)
def test_what_does_not_name_us_is_not_ours(token: str) -> None:
    assert not TOKENS.are_issuer_of(token)


def test_key_is_no_part_of_what_is_shown() -> None:
    """W5."""
    assert repr(KEY) not in repr(TOKENS)
