from __future__ import annotations

from typing import get_args

import pytest

from gateway.config.access_rules import CredentialWord
from gateway.models import CredentialKind
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
        ("policy: allow", "policy: must be bypass, one_factor, two_factor or deny"),
        ("domain: []", "domain: is empty"),
        ("domain:", "domain: is empty"),
        ("domain: 7", "domain: must be a list"),
        ("domain: 'app.example.com:8443'", "domain[1]: a host pattern has no port"),
        ("domain: 'https://app.example.com'", "domain[1]: a port is a number"),
        ("domain: '*'", "domain[1]: a star stands only in front"),
        ("domain: '{user}x.example.com'", "domain[1]: {user} and {group} stand for whole labels"),
        ("domain: '{User}.example.com'", "domain[1]: write {user} in lower case"),
        ("domain: '{user}.{user}.example.com'", "domain[1]: {user} and {group} stand at most once each"),
        ("domain: 'example.{group}'", "domain[1]: {user} and {group} stand at most once each, and never last"),
        ("domain_regex: ['(?=x)']", "domain_regex[1]: RE2 cannot read this pattern"),
        ("domain_regex: '^(?P<user>x)$'", "domain_regex[1]: the named group user binds nothing: write User"),
        ("resources: '^/(?P<GROUP>x)$'", "resources[1]: the named group GROUP binds nothing: write Group"),
        ("resources: []", "resources: is empty"),
        ("resources:", "resources: is empty"),
        ("resources: ['^/a', '(?=x)']", "resources[2]: RE2 cannot read this pattern: invalid perl operator: (?="),
        ("resources: '^/a\\?b'", "resources[1]: patterns see the path only, so one with \\? never matches: ask"),
        ("path: api/**", "path[1]: a path begins with /"),
        ("path: []", "path: is empty"),
        ("methods: [get]", "methods[1]: a method is written in capitals"),
        ("methods: []", "methods: is empty"),
        ("subject: 'admins'", "subject[1][1]: write user:NAME"),
        ("subject: 'user:'", "subject[1][1]: write user:NAME"),
        ("subject: []", "subject: is empty"),
        ("subject: [[]]", "subject[1]: is empty"),
        ("subject: 'role:owner'", "subject[1][1]: there is no role owner: write admin, operator, user, viewer, or"),
        ("subject: [['user:a', 'service:']]", "subject[1][2]: write user:NAME"),
        ("subject: 'services:a'", "subject[1][1]: write user:NAME"),
        ("subject: 'oauth2:client:x'", "subject[1][1]: oauth2: is not supported"),
        ("networks: []", "networks: is empty"),
        ("networks: [office]", "networks[1]: there is no network called office in access_control.networks"),
        ("networks: 10.0.0.0/33", "networks[1]: neither an address nor a network"),
        ("query: []", "query: is empty"),
        ("query: [[]]", "query[1]: is empty"),
        ("query: [{operator: equal, key: a}]", "query[1][1]: equal needs a value"),
        ("query: [{operator: absent, key: a, value: b}]", "query[1][1]: absent takes no value"),
        ("query: [{operator: like, key: a}]", "query[1][1].operator: must be 'equal', 'not equal', 'present'"),
        ("query: [{operator: pattern, key: a, value: '('}]", "query[1][1]: RE2 cannot read this pattern"),
        ("query: [{value: a}]", "query[1][1].key: is missing"),
        ("query: [{keys: a, key: a}]", "query[1][1].keys: there is no such setting: did you mean key?"),
        ("credentials: []", "credentials: is empty"),
        ("credentials: [cookie]", "credentials[1]: must be 'session', 'jwt', 'api_key' or 'basic'"),
        ("ignore_case: true", "ignore_case: belongs to `path`"),
        ("ignore_case: 1", "ignore_case: write true or false"),
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
        ("default_policy: allow", "default_policy: must be deny, one_factor or two_factor"),
        ("networks: {'10.0.0.1': [10.0.0.1]}", "networks: 10.0.0.1: a name begins with a letter"),
        ("networks: {a: []}", "networks.a: is empty"),
        ("networks: {a: [b]}", "networks.a[1]: neither an address nor a network"),
        ("networks: office", "networks: must be a mapping of keys"),
        ("networks: [{name: a}]", "networks[1]: must have a name and networks, and nothing else"),
        ("networks: [{name: a, networks: [b]}]", "networks.a[1]: neither an address nor a network"),
        ("rules: [{policy: deny}]", "rules[1]: has neither domain nor domain_regex"),
        ("rules: [{domain: a.b, policy: deny, allow_preflight: true}]", "rules[1]: allow_preflight opens nothing"),
        ("tests: {}", "tests: must be a list"),
        ("tests: [{expect: deny}]", "tests[1].ask: is missing"),
        ("tests: [{ask: 'get https://a/', expect: deny}]", "tests[1].ask: write a method in capitals"),
        ("tests: [{ask: 'GET https://a/', expect: pass}]", "tests[1].expect: must be 'allow', 'deny', 'login'"),
        ("tests: [{ask: 'GET https://a/', expect: deny, as: 'role:x'}]", "tests[1].as[1]: there is no role x"),
        ("tests: [{ask: 'GET https://a/', expect: deny, as: [a, b]}]", "tests[1]: as: names two people"),
        (
            "tests: [{ask: 'GET https://a/', expect: deny, as: ['service:a', b]}]",
            "tests[1]: as: names two people",
        ),
        (
            "tests: [{ask: 'GET https://a/', expect: deny, as: ['role:admin', 'role:user']}]",
            "tests[1]: as: names two roles",
        ),
        (
            "tests: [{ask: 'GET https://a/', expect: deny, as: ['service:a', 'group:b']}]",
            "tests[1]: as: names a group, and no service account is in one",
        ),
        (
            "tests: [{ask: 'GET https://a/', expect: deny, as: 'service:a', credential: session}]",
            "tests[1]: credential: a service account has keys only",
        ),
        ("tests: [{ask: 'GET https://a/', expect: deny, factors: 2}]", "tests[1]: factors and credential belong to"),
        ("tests: [{ask: 'GET https://a/', expect: deny, from: office}]", "tests[1].from: must be an address"),
        ("tests: [{ask: 'GET https://a/', expect: deny, form: '::1'}]", "tests[1].form: there is no such setting: did"),
        ("rules: [{domain: localhost}]", "rules[1].policy: is missing"),
        ("rules: [bypass]", "rules[1]: must be a mapping of keys"),
        ("rules: {}", "rules: must be a list"),
        ("rule: []", "rule: there is no such setting: did you mean rules?"),
    ],
)
def test_bad_section_is_refused(refused: Refused, line: str, problem: str) -> None:
    [said] = refused(f"access_control:\n  {line}\n")
    assert said.startswith(f"gateway.yaml:2: access_control.{problem}")


@pytest.mark.parametrize("name", ["RULES", "NETWORKS", "TESTS"])
def test_variable_cannot_hold_lists_of_rules(refused: Refused, name: str) -> None:
    [said] = refused(**{f"GATEWAY_ACCESS_CONTROL__{name}": "[]"})
    assert "only be written in the configuration file" in said


_RULE_FOR_NETWORKS = "  rules:\n    - {domain: localhost, networks: [office, 10.0.0.0/8], policy: deny}\n"


@pytest.mark.parametrize(
    "text",
    [
        "access_control:\n  networks: {office: [203.0.113.0/24, 198.51.100.7]}\n" + _RULE_FOR_NETWORKS,
        "access_control:\n  networks:\n    - name: office\n      networks: [203.0.113.0/24, 198.51.100.7]\n"
        + _RULE_FOR_NETWORKS,
        "definitions:\n  network:\n    office: [203.0.113.0/24, 198.51.100.7]\naccess_control:\n" + _RULE_FOR_NETWORKS,
        # The list may follow the rules, too.
        "access_control:\n" + _RULE_FOR_NETWORKS + "  networks: {office: [203.0.113.0/24, 198.51.100.7]}\n",
    ],
)
def test_networks_have_three_shapes(load: Load, text: str) -> None:
    access_control = load(text).settings.access_control
    assert access_control is not None
    office, ten = access_control.rules[0].networks
    assert [str(member) for member in office.members] == ["203.0.113.0/24", "198.51.100.7/32"]
    assert [str(member) for member in ten.members] == ["10.0.0.0/8"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "definitions:\n  network:\n    a: [10.0.0.1]\naccess_control:\n  networks: {a: [10.0.0.1]}\n",
            "gateway.yaml:3: definitions.network.a: the network a is defined twice",
        ),
        (
            "access_control:\n  networks:\n    - {name: a, networks: 10.0.0.1}\n    - {name: a, networks: 10.0.0.1}\n",
            "gateway.yaml:4: access_control.networks[2].networks: the network a is defined twice",
        ),
        ("definitions:\n  network:\n    a: ['::1']\n", "gateway.yaml:1: definitions: no rule can use it"),
        ("definitions:\n  users: {}\n", "gateway.yaml:1: definitions: must be a mapping with one key, network"),
        (
            "definitions:\n  network:\n    a:\n      - x\naccess_control: {}\n",
            "gateway.yaml:4: access_control.networks.a[1]: neither an address nor a network",
        ),
    ],
)
def test_networks_that_cannot_be_used_are_refused_where_they_stand(refused: Refused, text: str, problem: str) -> None:
    [said] = refused(text)
    assert said.startswith(problem)


def test_credentials_are_called_what_the_gateway_calls_them() -> None:
    """But for the absence of one, which no rule can ask for."""
    assert set(get_args(CredentialWord)) == set(CredentialKind) - {CredentialKind.NONE}
