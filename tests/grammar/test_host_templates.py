from __future__ import annotations

import pytest

from gateway.grammar.claims import Claim
from gateway.grammar.host_templates import HostTemplate, parse_domain
from gateway.grammar.hosts import HostPattern


@pytest.mark.parametrize(
    ("text", "host", "claim"),
    [
        ("{user}.example.com", "ada.example.com", Claim(user="ada")),
        ("{group}.Example.com", "staff.example.com", Claim(group="staff")),
        ("{group}.example.com", "xn--caf-dma.example.com", Claim(group="café")),
        ("{user}.{group}.example.com", "ada.staff.example.com", Claim("ada", "staff")),
        ("*.{user}.example.com", "x.y.ada.example.com", Claim(user="ada")),
        ("{user}.bücher.example", "ada.xn--bcher-kva.example", Claim(user="ada")),
        ("{user}.example.com", "example.com", None),
        ("{user}.example.com", "x.ada.example.com", None),
        ("{user}.example.com", "ada.example.org", None),
        ("*.{user}.example.com", "ada.example.com", None),
    ],
)
def test_what_a_host_says_about_the_visitor(text: str, host: str, claim: Claim | None) -> None:
    template = parse_domain(text)
    assert isinstance(template, HostTemplate)
    assert template.claim(host) == claim


def test_domain_without_placeholders_is_a_plain_pattern() -> None:
    assert parse_domain("*.Example.com") == HostPattern("example.com", covers_below=True)


@pytest.mark.parametrize("text", ["{user}", "a.{user}", "x{user}.example.com", "{users}.example.com", "{user}.*.test"])
def test_other_placeholders_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\{user\}|star"):
        parse_domain(text)


def test_template_is_shown_as_it_was_written() -> None:
    assert str(parse_domain("*.{user}.example.com")) == "*.{user}.example.com"
    assert parse_domain("*.{user}.example.com").host == "example.com"
