from __future__ import annotations

import pytest

from tests.config.conftest import Load

_RULE = """public_url: {public_url}
{cookie_domain}
access_control:
  rules:
    - domain: "{domain}"
      policy: {policy}
"""


def _warnings(load: Load, text: str, **environ: str) -> list[str]:
    return [str(warning) for warning in load(text, **environ).warnings]


@pytest.mark.parametrize(
    ("public_url", "cookie_domain", "domain", "cure"),
    [
        ("https://auth.example.com", None, "app.example.com", "set cookie_domain to example.com"),
        ("https://auth.example.com", None, "*.example.com", "set cookie_domain to example.com"),
        ("https://auth.example.com", None, "app.other.test", "below one domain"),
        ("https://auth.example.com", "example.com", "app.other.test", "a host below cookie_domain (example.com)"),
        ("https://auth.in.example.com", "in.example.com", "app.example.com", "example.com would cover both"),
        ("http://127.0.0.1:9091", None, "localhost", "below one domain"),
    ],
)
def test_rule_host_out_of_the_cookies_reach_is_named_with_its_cure(
    load: Load, public_url: str, cookie_domain: str | None, domain: str, cure: str
) -> None:
    line = f"cookie_domain: {cookie_domain}" if cookie_domain else ""
    text = _RULE.format(public_url=public_url, cookie_domain=line, domain=domain, policy="one_factor")
    [warning] = _warnings(load, text)
    assert warning.startswith(f"gateway.yaml:5: access_control.rules[1].domain[1]: people could log in for {domain}")
    assert cure in warning


@pytest.mark.parametrize(
    ("domain", "policy"),
    [
        ("auth.example.com", "one_factor"),
        ("example.com", "one_factor"),
        ("*.example.com", "one_factor"),
        ("*.app.example.com", "one_factor"),
        ("elsewhere.test", "deny"),
        ("elsewhere.test", "bypass"),
    ],
)
def test_rule_host_that_the_cookie_reaches_is_fine(load: Load, domain: str, policy: str) -> None:
    text = _RULE.format(
        public_url="https://auth.example.com", cookie_domain="cookie_domain: example.com", domain=domain, policy=policy
    )
    assert _warnings(load, text) == []


@pytest.mark.parametrize(("policy", "warned"), [("bypass", True), ("one_factor", False), ("deny", False)])
def test_unanchored_pattern_that_opens_access_is_warned_about(load: Load, policy: str, warned: bool) -> None:  # noqa: FBT001 - a column
    text = (
        "access_control:\n  rules:\n    - domain: localhost\n      resources:\n        - ^/a$\n"
        f"        - ^/b|/c\n      policy: {policy}\n"
    )
    warnings = _warnings(load, text)
    assert [warning.startswith("gateway.yaml:6: access_control.rules[1].resources[2]: ") for warning in warnings] == (
        [True] if warned else []
    )


def test_network_with_host_bits_is_taken_as_its_network(load: Load) -> None:
    loaded = load("trusted_proxies:\n  - 127.0.0.1\n  - 10.1.2.3/8\n")
    assert str(loaded.settings.trusted_proxies[1]) == "10.0.0.0/8"
    [warning] = map(str, loaded.warnings)
    assert warning.startswith("gateway.yaml:3: trusted_proxies[2]: 10.1.2.3/8 names a host")


def test_variable_that_overrules_a_list_is_blamed_instead_of_its_lines(load: Load) -> None:
    [warning] = _warnings(load, "trusted_proxies:\n  - 127.0.0.1\n", GATEWAY_TRUSTED_PROXIES="10.1.2.3/8")
    assert warning.startswith("GATEWAY_TRUSTED_PROXIES: ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("public_url: http://auth.example.com", "is http: passwords and cookies can be read"),
        ("trusted_proxies: [0.0.0.0/0]", "trusts everybody"),
        ("trusted_proxies: ['::/0']", "trusts everybody"),
        ("redis_url: redis://localhost", "not used yet"),
        ("basic_auth: {jwt_secret: Short-and-unknown}", "shorter than 32 bytes"),
    ],
)
def test_doubtful_setting_is_warned_about(load: Load, text: str, words: str) -> None:
    [warning] = _warnings(load, text)
    assert warning.startswith("gateway.yaml:1: ")
    assert words in warning


@pytest.mark.parametrize(
    "url", ["http://localhost:9091", "http://127.0.0.1", "http://[::1]:1", "http://auth.localhost"]
)
def test_http_on_this_machine_is_fine(load: Load, url: str) -> None:
    assert _warnings(load, f"public_url: {url}") == []
