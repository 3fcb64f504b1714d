from __future__ import annotations

import pytest

from tests.config.conftest import Load, Refused


def test_rules_are_read(load: Load) -> None:
    access_control = load("""
access_control:
  default_policy: one_factor
  rules:
    - name: health
      domain: "*.Example.com"
      resources: ["^/healthz$"]
      methods: [GET, HEAD]
      policy: bypass
    - domain: [app.example.com, wiki.example.com]
      path: /api/**
      methods: POST
      policy: deny
""").settings.access_control
    assert access_control is not None
    assert access_control.default_policy == "one_factor"
    health, api = access_control.rules
    assert [str(pattern) for pattern in health.domain] == ["*.example.com"]
    assert health.resources == ("^/healthz$",)
    assert [str(pattern) for pattern in api.domain] == ["app.example.com", "wiki.example.com"]
    assert api.path == ("/api/**",)
    assert api.methods == ("POST",)


@pytest.mark.parametrize(
    "text",
    ["access_control:\n", "access_control: {}\n", "access_control:\n  rules:\n", "access_control:\n  rules: []\n"],
)
def test_section_that_says_nothing_denies_everything(load: Load, text: str) -> None:
    access_control = load(text).settings.access_control
    assert access_control is not None
    assert access_control.default_policy == "deny"
    assert access_control.rules == ()


def test_default_policy_can_be_a_variable(load: Load) -> None:
    access_control = load(GATEWAY_ACCESS_CONTROL__DEFAULT_POLICY="one_factor").settings.access_control
    assert access_control is not None
    assert access_control.default_policy == "one_factor"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("policy: two_factor", "policy: not yet: second factors"),
        ("policy: allow", "policy: must be bypass, one_factor or deny"),
        ("domain: []", "domain: is empty"),
        ("domain:", "domain: is empty"),
        ("domain: 7", "domain: must be a list"),
        ("domain: 'app.example.com:8443'", "domain[1]: a host pattern has no port"),
        ("domain: 'https://app.example.com'", "domain[1]: a port is a number"),
        ("domain: '*'", "domain[1]: a star stands only in front"),
        ("domain: '{user}.example.com'", "domain[1]: {user} and {group} in a host are not yet"),
        ("resources: []", "resources: is empty"),
        ("resources:", "resources: is empty"),
        ("resources: ['^/a', '(?=x)']", "resources[2]: RE2 cannot read this pattern: invalid perl operator: (?="),
        ("resources: '^/a\\?b'", "resources[1]: patterns see the path only"),
        ("path: api/**", "path[1]: a path begins with /"),
        ("path: []", "path: is empty"),
        ("methods: [get]", "methods[1]: a method is written in capitals"),
        ("methods: []", "methods: is empty"),
        ("subject: 'group:admins'", "subject: is not yet in this version"),
        ("networks: [10.0.0.0/8]", "networks: is not yet in this version"),
        ("query: []", "query: is not yet in this version"),
        ("credentials: [jwt]", "credentials: is not yet in this version"),
        ("allow_preflight: true", "allow_preflight: is not yet in this version"),
        ("domain_regex: x", "domain_regex: is not yet in this version"),
        ("resource: ['^/a']", "resource: there is no such setting: did you mean resources?"),
        ('name: "a\\nb"', "name: a name has at most 80 letters"),
    ],
)
def test_bad_rule_is_refused_with_its_line(refused: Refused, line: str, problem: str) -> None:
    rule = {"domain": "domain: localhost", "policy": "policy: deny"}
    rule[line.partition(":")[0]] = line
    others = [text for text in rule.values() if text != line]
    text = "\n".join(["access_control:", "  rules:", f"    - {others[0]}", f"      {line}"])
    text += "".join(f"\n      {other}" for other in others[1:])
    [said] = refused(text)
    assert said.startswith(f"gateway.yaml:4: access_control.rules[1].{problem}")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("default_policy: bypass", "default_policy: bypass would open every application to everybody"),
        ("default_policy: two_factor", "default_policy: not yet: second factors"),
        ("default_policy: allow", "default_policy: must be deny or one_factor"),
        ("tests: []", "tests: is not yet in this version"),
        ("networks: {}", "networks: is not yet in this version"),
        ("rules: [{policy: deny}]", "rules[1].domain: is missing"),
        ("rules: [{domain: localhost}]", "rules[1].policy: is missing"),
        ("rules: [bypass]", "rules[1]: must be a mapping of keys"),
        ("rules: {}", "rules: must be a list"),
        ("rule: []", "rule: there is no such setting: did you mean rules?"),
    ],
)
def test_bad_section_is_refused(refused: Refused, line: str, problem: str) -> None:
    [said] = refused(f"access_control:\n  {line}\n")
    assert said.startswith(f"gateway.yaml:2: access_control.{problem}")


def test_variable_cannot_hold_rules(refused: Refused) -> None:
    [said] = refused(GATEWAY_ACCESS_CONTROL__RULES="[]")
    assert "only be written in the configuration file" in said
