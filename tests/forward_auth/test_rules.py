"""The criteria that are evaluated on every check: who, from where, with what."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.errors import InvalidApiKey
from gateway.forward_auth.policy import Outcome, Policy
from gateway.forward_auth.presented import ANONYMOUS, Credential, Presented
from gateway.forward_auth.query import QueryReading, read_query
from gateway.grammar.subjects import ROLES
from gateway.models import CredentialKind, OrganizationRole, Principal, Scope
from tests.support.rules import ask, policy, rule
from tests.support.visitors import ADA, BAD_KEY, SERVICE, in_groups, logged_in, nobody_from, with_credential

ALLOW, LOG_IN, FORBID = Outcome.ALLOW, Outcome.LOG_IN, Outcome.FORBID
SECOND_FACTOR = Outcome.SECOND_FACTOR
BOB = replace(in_groups(ADA, "guests"), email="bob@example.com", username="bob")
POLICIES = ["bypass", "one_factor", "two_factor", "deny"]


def outcome(rules: Policy, presented: Presented, url: str = "/", method: str = "GET") -> Outcome:
    return rules.decide(presented, ask(url, method)).outcome


@pytest.mark.parametrize(
    ("subject", "covered"),
    [
        ("user:ada", True),
        ("user:Ada", True),
        ("user:ada@example.com", True),
        ("user:ADA@example.com", True),
        ("user:bob", False),
        ("user:staff", False),
        ("group:staff", True),
        ("group:STAFF", True),
        ("group:caf\u00e9", True),
        ("group:ada", False),
        ("group:staffs", False),
        (["user:bob", "group:staff"], True),
        (["user:bob", "group:guests"], False),
        ([["user:ada", "group:staff"]], True),
        ([["user:ada", "group:guests"]], False),
        ([["user:ada", "group:guests"], ["group:staff"]], True),
        ([["group:staff", "group:caf\u00e9"]], True),
    ],
)
def test_subjects_are_alternatives_and_inner_lists_conjunctions(subject: Any, covered: bool) -> None:  # noqa: ANN401, FBT001 - columns
    rules = policy(rule("one_factor", subject=subject), rule("deny"))
    assert outcome(rules, logged_in(ADA)) is (ALLOW if covered else FORBID)


@pytest.mark.parametrize(
    ("subject", "who", "covered"),
    [
        ("role:Organization User", ADA, True),
        ("role:organization user", ADA, True),
        ("role:user", ADA, True),
        ("role:User", ADA, True),
        ("role:admin", ADA, False),
        ("role:viewer", ADA, False),
        ("role:admin", replace(ADA, role=OrganizationRole.ADMIN), True),
        ("role:user", replace(ADA, role=OrganizationRole.ADMIN), False),
        ([["role:user", "group:staff"]], ADA, True),
        ([["role:user", "group:guests"]], ADA, False),
        ("role:user", SERVICE, True),
        ("service:Nightly Build", SERVICE, True),
        ("service:nightly build", SERVICE, True),
        ("service:nightly", SERVICE, False),
        ("service:ada", ADA, False),
        ("service:ada@example.com", ADA, False),
        ("service:Ada", replace(ADA, name="Ada"), False),
        ("user:Nightly Build", SERVICE, False),
        ("user:service:Nightly Build", SERVICE, False),
        ([["service:nightly build", "role:user"]], SERVICE, True),
        ([["service:nightly build", "role:admin"]], SERVICE, False),
    ],
)
def test_roles_and_service_accounts_are_subjects(subject: Any, who: Principal, covered: bool) -> None:  # noqa: ANN401, FBT001 - columns
    rules = policy(rule("one_factor", subject=subject), rule("deny"))
    presented = with_credential(CredentialKind.API_KEY, who) if who.is_service else logged_in(who)
    assert outcome(rules, presented) is (ALLOW if covered else FORBID)


def test_rules_call_the_roles_what_they_are_called() -> None:
    assert set(ROLES.values()) == {role.value for role in OrganizationRole}


@pytest.mark.parametrize("criteria", [{"domain": "{user}.app.test"}, {"domain_regex": r"^(?P<User>.*)\.app\.test$"}])
@pytest.mark.parametrize("host", ["nightly.app.test", ".app.test", "service.app.test"])
def test_service_account_is_nobody_of_whom_a_name_in_the_address_could_speak(
    criteria: dict[str, Any], host: str
) -> None:
    """C3, C4."""
    who = replace(SERVICE, name="nightly")
    rules = policy({"policy": "bypass", **criteria}, default="deny")
    place = replace(ask("/"), host=host)
    assert rules.decide(with_credential(CredentialKind.API_KEY, who), place).outcome is FORBID


@pytest.mark.parametrize("decision", POLICIES)
def test_stranger_is_asked_to_log_in_where_a_subject_could_decide(decision: str) -> None:
    """A `bypass` and a `deny` included, whatever the rules behind would say."""
    for behind in POLICIES:
        rules = policy(rule(decision, subject="group:staff", name="staff"), rule(behind))
        decided = rules.decide(ANONYMOUS, ask("/"))
        assert (decided.outcome, decided.rule) == (LOG_IN, "staff")


def test_bypass_with_a_subject_opens_for_that_subject_only() -> None:
    rules = policy(rule("bypass", subject="group:staff"), default="deny")
    assert outcome(rules, logged_in(ADA)) is ALLOW
    assert outcome(rules, logged_in(BOB)) is FORBID
    assert outcome(rules, BAD_KEY) is LOG_IN


@pytest.mark.parametrize(
    ("domain", "host", "who", "expected"),
    [
        ("{user}.app.test", "ada.app.test", ADA, ALLOW),
        ("{user}.app.test", "ADA.app.test", ADA, ALLOW),
        ("{user}.app.test", "bob.app.test", ADA, FORBID),
        ("{user}.app.test", "x.ada.app.test", ADA, FORBID),
        ("{user}.app.test", "app.test", ADA, FORBID),
        ("{group}.app.test", "staff.app.test", ADA, ALLOW),
        ("{group}.app.test", "xn--caf-dma.app.test", ADA, ALLOW),
        ("{group}.app.test", "guests.app.test", ADA, FORBID),
        ("{group}.app.test", "ada.app.test", ADA, FORBID),
        ("{user}.{group}.app.test", "ada.staff.app.test", ADA, ALLOW),
        ("{user}.{group}.app.test", "ada.guests.app.test", ADA, FORBID),
        ("home.{user}.app.test", "home.ada.app.test", ADA, ALLOW),
        ("*.{user}.app.test", "a.b.ada.app.test", ADA, ALLOW),
        ("*.{user}.app.test", "ada.app.test", ADA, FORBID),
        ("{user}.app.test", "ada.app.test", None, LOG_IN),
        ("{user}.app.test", "ada.else.test", None, FORBID),
    ],
)
def test_labels_of_a_domain_stand_for_the_visitor(
    domain: str, host: str, who: Principal | None, expected: Outcome
) -> None:
    """C3."""
    rules = policy(rule("one_factor", domain), default="deny")
    presented = logged_in(who) if who else ANONYMOUS
    assert outcome(rules, presented, f"https://{host}/") is expected


@pytest.mark.parametrize(
    ("criteria", "url", "expected"),
    [
        ({"domain_regex": r"^(?P<User>\w+)\.app\.test$"}, "https://ada.app.test/", ALLOW),
        ({"domain_regex": r"^(?P<User>\w+)\.app\.test$"}, "https://bob.app.test/", FORBID),
        ({"domain_regex": r"^(?P<Group>\w+)\.app\.test$"}, "https://staff.app.test/", ALLOW),
        ({"domain_regex": r"^(?P<Group>\w+)\.app\.test$"}, "https://guests.app.test/", FORBID),
        ({"domain_regex": r"^APP\.test$"}, "https://app.test/", ALLOW),
        ({"domain_regex": r"app"}, "https://my.apps.test/", ALLOW),
        ({"resources": r"^/home/(?P<User>[^/]+)(/|$)"}, "/home/ada/x", ALLOW),
        ({"resources": r"^/home/(?P<User>[^/]+)(/|$)"}, "/home/ADA", ALLOW),
        ({"resources": r"^/home/(?P<User>[^/]+)(/|$)"}, "/home/ada@example.com/", ALLOW),
        ({"resources": r"^/home/(?P<User>[^/]+)(/|$)"}, "/home/bob/x", FORBID),
        ({"resources": r"^/home/(?P<User>[^/]+)(/|$)"}, "/home/ada/..%2fbob/x", FORBID),
        ({"resources": r"^/(?P<Group>\w+)/(?P<User>\w+)$"}, "/staff/ada", ALLOW),
        ({"resources": r"^/(?P<Group>\w+)/(?P<User>\w+)$"}, "/guests/ada", FORBID),
        ({"resources": r"^/open(/(?P<User>\w+))?$"}, "/open", FORBID),
        ({"resources": [r"^/home/(?P<User>\w+)$", "^/all$"]}, "/all", ALLOW),
    ],
)
def test_named_groups_bind_to_the_visitor_without_case(criteria: dict[str, Any], url: str, expected: Outcome) -> None:
    """C4."""
    written = {"policy": "one_factor", **criteria} | ({} if "domain_regex" in criteria else {"domain": "app.test"})
    rules = policy(written, default="deny")
    assert outcome(rules, logged_in(ADA), url) is expected
    bound = "(?P<" in str(criteria) and url != "/all"
    assert outcome(rules, ANONYMOUS, url) is (LOG_IN if expected is ALLOW or bound else FORBID)


def test_domain_and_domain_regex_are_alternatives() -> None:
    rules = policy(rule("bypass", domain_regex=r"^b\.test$"), default="deny")
    assert outcome(rules, ANONYMOUS, "https://app.test/") is ALLOW
    assert outcome(rules, ANONYMOUS, "https://b.test/") is ALLOW
    assert outcome(rules, ANONYMOUS, "https://c.test/") is FORBID


@pytest.mark.parametrize(
    ("network", "address", "inside"),
    [
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.0/8", "::ffff:10.1.2.3", True),
        ("::ffff:10.0.0.0/104", "10.1.2.3", True),
        ("10.1.2.3/8", "10.200.0.1", True),
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::/32", "2001:db8::1", True),
        ("2001:db8::/32", "192.0.2.1", False),
        ("0.0.0.0/0", "2001:db8::1", False),
        ("office", "203.0.113.9", True),
        ("office", "198.51.100.7", True),
        ("office", "198.51.100.8", False),
        (["office", "10.0.0.0/8"], "10.0.0.1", True),
    ],
)
def test_networks_by_address_and_by_name(network: str | list[str], address: str, inside: bool) -> None:  # noqa: FBT001 - a column
    """A5."""
    office = {"office": ["203.0.113.0/24", "198.51.100.7"]}
    opened = policy(rule("bypass", networks=network), networks=office)
    denied = policy(rule("deny", networks=network), rule("bypass"), networks=office)
    assert outcome(opened, nobody_from(address)) is (ALLOW if inside else FORBID)
    assert outcome(denied, nobody_from(address)) is (FORBID if inside else ALLOW)


@pytest.mark.parametrize("decision", ["bypass", "one_factor", "two_factor"])
def test_unknown_address_never_opens_and_never_saves(decision: str) -> None:
    """A5."""
    everywhere = ["0.0.0.0/0", "::/0"]
    both_factors = logged_in(replace(ADA, level=2))
    assert outcome(policy(rule(decision, networks=everywhere)), both_factors) is FORBID
    assert outcome(policy(rule("deny", networks=everywhere), rule(decision)), both_factors) is FORBID


@pytest.mark.parametrize(
    ("condition", "query", "opens", "denies"),
    [
        ({"operator": "present", "key": "a"}, "?a", True, True),
        ({"operator": "present", "key": "a"}, "?b=1", False, False),
        ({"operator": "present", "key": "a"}, "?A=1", False, False),
        ({"operator": "present", "key": "a"}, "?%61=1", True, True),
        ({"operator": "absent", "key": "a"}, "", True, True),
        ({"operator": "absent", "key": "a"}, "?a=", False, False),
        ({"operator": "equal", "key": "a", "value": "1"}, "?a=1", True, True),
        ({"operator": "equal", "key": "a", "value": 1}, "?a=%31", True, True),
        ({"operator": "equal", "key": "a", "value": "1"}, "?a=11", False, False),
        ({"operator": "equal", "key": "a", "value": "x y"}, "?a=x+y", True, True),
        ({"operator": "not equal", "key": "a", "value": "1"}, "?a=2", True, True),
        ({"operator": "not equal", "key": "a", "value": "1"}, "?a=1", False, False),
        ({"operator": "not equal", "key": "a", "value": "1"}, "", True, True),
        ({"operator": "pattern", "key": "a", "value": "^(x|y)$"}, "?a=y", True, True),
        ({"operator": "pattern", "key": "a", "value": "^(x|y)$"}, "?a=yy", False, False),
        ({"operator": "not pattern", "key": "a", "value": "^1$"}, "?a=2", True, True),
        ({"operator": "not pattern", "key": "a", "value": "^1$"}, "?a=1", False, False),
        ({"key": "a"}, "?a", True, True),
        ({"key": "a", "value": "1"}, "?a=1", True, True),
        # Sent twice, or in a way that applications read differently: never to the visitor's favour.
        ({"operator": "equal", "key": "a", "value": "1"}, "?a=1&a=2", False, True),
        ({"operator": "not equal", "key": "a", "value": "1"}, "?a=1&a=2", False, True),
        ({"operator": "equal", "key": "a", "value": "1"}, "?b=1;a=1", False, True),
        ({"operator": "equal", "key": "b", "value": "1"}, "?b=1;a=1", False, True),
        ({"operator": "equal", "key": "a", "value": "1"}, "?a=1#x", False, True),
    ],
)
def test_query_conditions(condition: dict[str, Any], query: str, opens: bool, denies: bool) -> None:  # noqa: FBT001 - columns
    assert outcome(policy(rule("bypass", query=[[condition]])), ANONYMOUS, f"/{query}") is (ALLOW if opens else FORBID)
    denied = policy(rule("deny", query=[condition]), rule("bypass"))
    assert outcome(denied, ANONYMOUS, f"/{query}") is (FORBID if denies else ALLOW)


@pytest.mark.parametrize("operator", ["present", "absent"])
def test_query_that_is_too_long_to_be_read_never_opens_and_never_saves(operator: str) -> None:
    """N3: to read it would keep everybody else waiting. Rules that do not look at it are none the worse."""
    condition = [{"operator": operator, "key": "a"}]
    opened = policy(rule("bypass", query=condition), rule("deny"))
    denied = policy(rule("deny", query=condition), rule("bypass"))
    readable = "/?" + "a&b&" * 2000
    long = readable + "c" * 1000
    assert (outcome(opened, ANONYMOUS, readable) is ALLOW) == (operator == "present")
    assert [outcome(rules, ANONYMOUS, long) for rules in (opened, denied)] == [FORBID, FORBID]
    assert outcome(policy(rule("bypass")), ANONYMOUS, long) is ALLOW


@pytest.mark.parametrize(
    "query", ["admin=1&" + "a" * 9000, "admin=1&admin=2", "admin=2;admin=1"], ids=["too long", "twice", "semicolon"]
)
@pytest.mark.parametrize(
    ("first", "then", "outcomes", "decides"),
    [
        (("two_factor",), "bypass", (LOG_IN, SECOND_FACTOR), "rule 1"),
        (("bypass",), "two_factor", (LOG_IN, SECOND_FACTOR), "rule 2"),
        (("bypass", "two_factor"), "bypass", (LOG_IN, SECOND_FACTOR), "rule 2"),
        (("one_factor",), "bypass", (LOG_IN, ALLOW), "rule 1"),
        (("deny",), "bypass", (FORBID, FORBID), "rule 1"),
        (("bypass", "one_factor"), "deny", (FORBID, FORBID), "rule 3"),
    ],
)
def test_query_that_can_be_read_in_several_ways_is_judged_by_the_strictest(
    query: str, first: tuple[str, ...], then: str, outcomes: tuple[Outcome, Outcome], decides: str
) -> None:
    """C1: whoever writes it must not leave a rule by it, for one that asks for less."""
    looking = [rule(decision, query=[{"key": "admin", "value": "1"}]) for decision in first]
    rules = policy(*looking, rule(then))
    decisions = [rules.decide(presented, ask(f"/?{query}")) for presented in (ANONYMOUS, logged_in(ADA))]
    assert tuple(decision.outcome for decision in decisions) == outcomes
    assert {decision.rule for decision in decisions} == {decides}


def test_query_is_read_only_where_a_rule_looks_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """N3: whoever writes it chooses how long that takes; for all rules and readings of a path once is enough."""
    read: list[str] = []

    def note(query: str) -> tuple[QueryReading, ...]:
        read.append(query)
        return read_query(query)

    monkeypatch.setattr("gateway.forward_auth.rules.read_query", note)
    looking = rule("deny", "closed.test", query=[{"key": "a"}])
    rules = policy(looking, looking, rule("bypass", "*.test", networks=["203.0.113.0/24"]), rule("bypass", "*.test"))
    assert outcome(rules, ANONYMOUS, "https://open.test/%61?a") is ALLOW
    assert read == []
    assert outcome(rules, ANONYMOUS, "https://closed.test/%61?b") is ALLOW
    assert read == ["?b"]


def test_query_lists_are_alternatives_of_conjunctions() -> None:
    secure = [{"operator": "present", "key": "secure"}, {"operator": "absent", "key": "insecure"}]
    rules = policy(rule("bypass", query=[secure, [{"key": "token", "value": "abc"}]]))
    for query in ("?secure=1", "?token=abc&insecure=1"):
        assert outcome(rules, ANONYMOUS, f"/{query}") is ALLOW
    for query in ("", "?secure=1&insecure", "?token=abd"):
        assert outcome(rules, ANONYMOUS, f"/{query}") is FORBID


def test_methods_are_taken_verbatim() -> None:
    """C6."""
    rules = policy(rule("bypass", methods=["GET"]))
    for method in ("OPTIONS", "HEAD", "GETT"):
        assert rules.decide(ANONYMOUS, ask("/", method)).outcome is FORBID


@pytest.mark.parametrize("decision", ["bypass", "one_factor", "two_factor"])
def test_preflight_passes_only_where_a_rule_says_so(decision: str) -> None:
    """C6."""
    preflight, options = ask("/", "OPTIONS", preflight=True), ask("/", "OPTIONS")
    opened = policy(rule(decision, subject="group:staff", allow_preflight=True))
    assert opened.decide(ANONYMOUS, preflight).outcome is ALLOW
    assert opened.decide(ANONYMOUS, options).outcome is LOG_IN
    assert policy(rule("one_factor")).decide(ANONYMOUS, preflight).outcome is LOG_IN
    first = policy(rule("deny", path=["/"]), rule(decision, allow_preflight=True))
    assert first.decide(ANONYMOUS, preflight).outcome is FORBID


def test_kinds_that_a_rule_does_not_take_are_not_looked_at() -> None:
    rules = policy(rule("one_factor", credentials=["api_key", "jwt"]), default="one_factor")
    assert outcome(rules, logged_in(ADA)) is LOG_IN
    assert outcome(rules, with_credential(CredentialKind.API_KEY)) is ALLOW
    sessions = policy(rule("one_factor", credentials=["session"]))
    both = Presented(explicit=BAD_KEY.explicit, session=logged_in(ADA).session)
    assert sessions.decide(both, ask("/")).principal == ADA
    assert sessions.decide(with_credential(CredentialKind.API_KEY), ask("/")).outcome is LOG_IN


def test_rule_that_denies_is_about_the_credentials_that_it_names() -> None:
    rules = policy(rule("deny", credentials=["api_key"]), rule("one_factor"))
    assert outcome(rules, logged_in(ADA)) is ALLOW
    assert outcome(rules, ANONYMOUS) is LOG_IN
    assert outcome(rules, with_credential(CredentialKind.API_KEY)) is FORBID
    assert outcome(rules, BAD_KEY) is FORBID


def test_bad_credential_is_why_a_login_is_wanted_and_never_falls_back() -> None:
    both = Presented(explicit=BAD_KEY.explicit, session=logged_in(ADA).session)
    decided = policy(rule("one_factor")).decide(both, ask("/"))
    assert decided.outcome is LOG_IN
    assert isinstance(decided.refusal, InvalidApiKey)
    assert decided.principal is None


def test_bypass_recognises_who_is_good_and_takes_others_for_nobody() -> None:
    rules = policy(rule("bypass"))
    assert rules.decide(logged_in(ADA), ask("/")).principal == ADA
    for presented in (ANONYMOUS, BAD_KEY):
        decided = rules.decide(presented, ask("/"))
        assert (decided.outcome, decided.principal, decided.refusal) == (ALLOW, None, None)


@pytest.mark.parametrize(
    ("scope", "url", "method", "covered"),
    [
        (Scope(), "/anything", "GET", True),
        (Scope(host="app.test"), "/", "GET", True),
        (Scope(host="*.test"), "/", "GET", True),
        (Scope(host="other.test"), "/", "GET", False),
        (Scope(path="/api/**"), "/api/x/y", "GET", True),
        (Scope(path="/api/*"), "/api/x/y", "GET", False),
        (Scope(path="/api/**"), "/x", "GET", False),
        (Scope(methods=("GET", "HEAD")), "/", "HEAD", True),
        (Scope(methods=("GET", "HEAD")), "/", "POST", False),
        (Scope(path="/api/**"), "/api/%61", "GET", True),
        (Scope(path="/api/**"), "/api/..%2fadmin", "GET", False),
        (Scope(path="/api/**"), "/api/x/../../admin", "GET", False),
    ],
)
def test_scope_has_to_cover_every_reading(scope: Scope, url: str, method: str, covered: bool) -> None:  # noqa: FBT001 - a column
    """C2."""
    rules = policy(rule("one_factor"))
    decided = rules.decide(with_credential(CredentialKind.API_KEY, scopes=(scope,)), ask(url, method))
    assert decided.outcome is (ALLOW if covered else Outcome.OUT_OF_SCOPE)


def test_several_scopes_add_up() -> None:
    key = with_credential(CredentialKind.API_KEY, scopes=(Scope(path="/a"), Scope(path="/b")))
    rules = policy(rule("one_factor"))
    assert [outcome(rules, key, path) for path in ("/a", "/b", "/c")] == [ALLOW, ALLOW, Outcome.OUT_OF_SCOPE]


def test_scope_narrows_and_never_widens() -> None:
    key = with_credential(CredentialKind.API_KEY, scopes=(Scope(path="/api/**"),))
    assert outcome(policy(rule("deny")), key, "/api/x") is FORBID
    assert outcome(policy(rule("two_factor")), key, "/api/x") is SECOND_FACTOR
    assert outcome(policy(rule("two_factor")), key, "/x") is Outcome.OUT_OF_SCOPE


def test_key_out_of_its_scope_is_nobody_on_what_is_open_to_everybody() -> None:
    """B1: the application is not told whose key it is."""
    key = with_credential(CredentialKind.API_KEY, scopes=(Scope(path="/api/**"),))
    decided = policy(rule("bypass")).decide(key, ask("/logo.svg"))
    assert (decided.outcome, decided.principal) == (ALLOW, None)
    only_staff = policy(rule("bypass", subject="group:staff"))
    assert outcome(only_staff, key, "/logo.svg") is Outcome.OUT_OF_SCOPE


def test_globs_ignore_case_only_where_a_rule_says_so() -> None:
    assert outcome(policy(rule("bypass", path=["/Api/*"], ignore_case=True)), ANONYMOUS, "/aPI/x") is ALLOW
    assert outcome(policy(rule("bypass", path=["/Api/*"])), ANONYMOUS, "/aPI/x") is FORBID


def test_all_that_allow_tell_who_it_is_by_the_rule_that_looked_closest() -> None:
    key = Credential(CredentialKind.API_KEY, principal=replace(BOB, credential=CredentialKind.API_KEY))
    both = Presented(explicit=key, session=logged_in(ADA).session)
    rules = policy(
        rule("bypass", path=["/a%2fb"], credentials=["api_key"]), rule("one_factor", credentials=["session"])
    )
    decided = rules.decide(both, ask("/a%2fb"))
    assert (decided.outcome, decided.principal) == (ALLOW, ADA)
