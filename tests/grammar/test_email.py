from __future__ import annotations

import pytest

from gateway.grammar.email import parse_email


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("alice@example.com", "alice@example.com"),
        ("  Alice@Example.COM ", "alice@example.com"),
        ("admin@localhost", "admin@localhost"),
        ("me@printer.local", "me@printer.local"),
        ("me@nas.home.arpa", "me@nas.home.arpa"),
        ("a.b+c@sub.example.test", "a.b+c@sub.example.test"),
        ("o'hara@example.com", "o'hara@example.com"),
        ("jörg@bücher.example", "jörg@xn--bcher-kva.example"),
        ("x@BÜCHER.example", "x@xn--bcher-kva.example"),
        ("x@xn--bcher-kva.example", "x@xn--bcher-kva.example"),
        (f"{'l' * 64}@{'d' * 63}.{'d' * 63}.{'d' * 61}", f"{'l' * 64}@{'d' * 63}.{'d' * 63}.{'d' * 61}"),
    ],
)
def test_address_has_one_canonical_form(written: str, canonical: str) -> None:
    assert parse_email(written) == canonical
    assert parse_email(canonical) == canonical


@pytest.mark.parametrize(
    "written",
    [
        "",
        "   ",
        "alice",
        "@example.com",
        "alice@",
        "alice@@example.com",
        "a@b@example.com",
        '"a b"@example.com',
        '"a"@example.com',
        "a b@example.com",
        ".a@example.com",
        "a.@example.com",
        "a..b@example.com",
        "a@[127.0.0.1]",
        "a@[IPv6:::1]",
        "a@127.0.0.1",
        "a@2130706433",
        "a@example.com.",
        "a@-example.com",
        "a@exa_mple..com",
        "a@example.com:25",
        "a@example.com\r\nBcc: everybody@example.com",
        "a@example.com\n",
        "a\x00@example.com",
        "a@exam\x00ple.com",
        "\uff41lice@example.com",
        "ﬁ@example.com",
        "a@exampl\u2460.com",
        "a\u200b@example.com",
        "a\u202e@example.com",
        "a,b@example.com",
        "<a@example.com>",
        f"{'l' * 65}@example.com",
        f"a@{'d' * 64}.com",
        f"{'l' * 64}@{'d' * 63}.{'d' * 63}.{'d' * 62}",
        "a" * 5000 + "@example.com",
        "\ud800@example.com",
    ],
)
def test_other_text_is_no_address(written: str) -> None:
    with pytest.raises(ValueError, match=r"^[A-Z].*\.$"):
        parse_email(written)
