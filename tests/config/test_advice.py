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


@pytest.mark.parametrize(("policy", "warned"), [("bypass", True), ("one_factor", True), ("deny", False)])
def test_unanchored_pattern_that_opens_access_is_warned_about(load: Load, policy: str, warned: bool) -> None:  # noqa: FBT001 - a column
    text = (
        "access_control:\n  rules:\n    - domain: localhost\n      resources:\n        - ^/a$\n"
        f"        - ^/b|/c\n      policy: {policy}\n"
    )
    warnings = _warnings(load, text)
    assert [warning.startswith("gateway.yaml:6: access_control.rules[1].resources[2]: ") for warning in warnings] == (
        [True] if warned else []
    )


@pytest.mark.parametrize("pattern", [r"app\.test$", r"^app\.test", "^a$|b"])
def test_unanchored_host_pattern_that_opens_access_is_warned_about(load: Load, pattern: str) -> None:
    """C4."""
    rule = "access_control:\n  rules:\n    - domain_regex:\n        - '{}'\n      policy: {}\n"
    [warning] = _warnings(load, rule.format(pattern, "bypass"))
    assert warning.startswith("gateway.yaml:4: access_control.rules[1].domain_regex[1]: ")
    assert _warnings(load, rule.format(pattern, "deny")) == []
    assert _warnings(load, rule.format(r"^app\.test$", "bypass")) == []


_ORDER = """
access_control:
  networks: {{office: [192.0.2.0/24]}}
  rules:
    - {{name: first, domain: [{first}], policy: deny{criteria}}}
    - {{domain: [{second}], policy: deny}}
"""


@pytest.mark.parametrize(
    ("first", "second", "criteria", "reached"),
    [
        ("a.test", "a.test", "", False),
        ("'*.test'", "a.test", "", False),
        ("'*.test'", "'*.a.test'", "", False),
        ("'*.test'", "'*.test'", "", False),
        ("'*.test'", "'{user}.test'", "", False),
        ("'*.test', b.example", "a.test, b.example", "", False),
        ("'*.test'", "test", "", True),
        ("a.test", "'*.test'", "", True),
        ("'*.a.test'", "'*.test'", "", True),
        ("a.test", "a.test, b.test", "", True),
        ("'{user}.test'", "'{user}.test'", "", True),
        ("a.test", "a.test", ", path: /x", True),
        ("a.test", "a.test", ", resources: ^/x", True),
        ("a.test", "a.test", ", methods: GET", True),
        ("a.test", "a.test", ", networks: office", True),
        ("a.test", "a.test", ", subject: 'user:a'", True),
        ("a.test", "a.test", ", query: {key: a}", True),
        ("a.test", "a.test", ", credentials: jwt", True),
    ],
)
def test_rule_that_is_never_reached_is_warned_about(
    load: Load,
    first: str,
    second: str,
    criteria: str,
    reached: bool,  # noqa: FBT001 - a column
) -> None:
    warnings = _warnings(load, _ORDER.format(first=first, second=second, criteria=criteria))
    expected = "gateway.yaml:6: access_control.rules[2]: is never reached: first before it decides"
    assert [warning[: len(expected)] for warning in warnings] == ([] if reached else [expected])


def test_preflights_of_a_rule_that_does_not_cover_options_are_warned_about(load: Load) -> None:
    rule = (
        "access_control:\n  rules:\n    - {{domain: localhost, methods: {}, allow_preflight: true, policy: bypass}}\n"
    )
    [warning] = _warnings(load, rule.format("[GET]"))
    assert "rules[1].allow_preflight: lets no preflight pass" in warning
    assert _warnings(load, rule.format("[GET, OPTIONS]")) == []


@pytest.mark.parametrize(
    ("networks", "line"),
    [
        ("networks: {a: [10.1.2.3/8]}", "gateway.yaml:2: access_control.networks.a[1]"),
        ("networks: [{name: a, networks: [10.1.2.3/8]}]", "gateway.yaml:2: access_control.networks.a[1]"),
        (
            "rules: [{domain: localhost, networks: 10.1.2.3/8, policy: deny}]",
            "gateway.yaml:2: access_control.rules[1].networks[1]",
        ),
    ],
)
def test_networks_of_rules_with_host_bits_are_taken_as_their_network(load: Load, networks: str, line: str) -> None:
    [warning] = _warnings(load, f"access_control:\n  {networks}\n")
    assert warning == f"{line}: 10.1.2.3/8 names a host inside its network: taken as 10.0.0.0/8"


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
        ("basic_auth: {jwt_secret: Short-and-unknown}", "shorter than 32 bytes"),
        ("encryption_key: Short-and-unknown", "shorter than 32 bytes"),
        ("api_key_salt: Short-and-unknown", "shorter than 32 bytes"),
        ("audit: {retention: 365}", "a bare number counts seconds"),
        ("{mail: {transport: none}, auth_api: {allow_password_reset: true}}", "nobody gets a link"),
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
