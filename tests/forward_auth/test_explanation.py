"""Why a decision is what it is: the same as the live one, rule by rule, with what would have passed."""

from __future__ import annotations

import pytest

from gateway.client_address import parse_address
from gateway.forward_auth.explanation import Explanation, explain
from gateway.forward_auth.hypothetical import Visitor
from gateway.forward_auth.policy import DEFAULT, Policy
from gateway.models import CredentialKind, Scope
from tests.support.rules import ask, policy, rule
from tests.support.visitors import with_credential

STRANGER = Visitor()
ADA = Visitor("ada", ("staff",))
RULES = policy(
    rule("bypass", name="health", resources=["^/healthz$"], methods=["GET", "HEAD"]),
    rule("deny", name="banned", subject="user:mallory", path=["/**"]),
    rule("two_factor", name="admins", subject="group:admins", path=["/admin/**"], networks=["office"]),
    rule("one_factor", name="api", path=["/api/**"], credentials=["api_key"], query=[{"key": "v", "value": "2"}]),
    rule("one_factor", "{user}.test", name="homes"),
    default="deny",
    networks={"office": ["203.0.113.0/24"]},
)


def explained(visitor: Visitor, url: str, method: str = "GET", rules: Policy = RULES) -> Explanation:
    return explain(rules, visitor.presented(), ask(url, method))


def mismatches(explanation: Explanation, name: str) -> dict[str, str]:
    [report] = [report for report in explanation.rules if report.name == name]
    return {mismatch.criterion.value: mismatch.reason for mismatch in report.mismatches}


@pytest.mark.parametrize("visitor", [STRANGER, ADA, Visitor("mallory"), Visitor("eve", ("admins",), factors=2)])
@pytest.mark.parametrize("url", ["/", "/healthz", "/admin/x", "/admin%2fx", "/api/x?v=2", "https://ada.test/"])
def test_explained_decision_is_the_live_one(visitor: Visitor, url: str) -> None:
    """C5."""
    explanation = explained(visitor, url)
    assert explanation.decision == RULES.decide(visitor.presented(), ask(url))
    decisive = [report.name for report in explanation.rules if report.decides]
    assert decisive == ([] if explanation.decision.rule == DEFAULT else [explanation.decision.rule])


def test_each_criterion_says_why_it_does_not_hold() -> None:
    explanation = explained(Visitor("ada", ("staff",), client_address=parse_address("192.0.2.1")), "/admin/x", "POST")
    assert mismatches(explanation, "health") == {
        "methods": "POST is not GET or HEAD",
        "resources": "/admin/x does not match ^/healthz$",
    }
    assert mismatches(explanation, "banned") == {"subject": "ada (in staff) is not user:mallory"}
    assert mismatches(explanation, "admins") == {
        "networks": "192.0.2.1 is not in office",
        "subject": "ada (in staff) is not group:admins",
    }
    assert mismatches(explanation, "api") == {"path": "/admin/x does not match /api/**"}
    assert mismatches(explanation, "homes") == {"subject": "ada (in staff) is not user:app"}
    assert mismatches(explained(ADA, "/api/x"), "api") == {"query": "the query does not have v equal 2"}
    assert mismatches(explained(ADA, "https://else.example/"), "homes") == {"domain": "else.example is not {user}.test"}


@pytest.mark.parametrize(
    ("visitor", "url", "ways"),
    [
        (ADA, "/healthz", ()),
        (STRANGER, "/admin/x", ("a login as anybody but user:mallory (banned)",)),
        (
            ADA,
            "/admin/x",
            ("from office as group:admins with a login with a second factor (admins)", "as user:app (homes)"),
        ),
        (
            Visitor("eve", ("admins",), client_address=parse_address("203.0.113.9")),
            "/admin/x",
            ("a second factor (admins)",),
        ),
        (ADA, "/api/x?v=2", ("a login by api_key (api)",)),
        (ADA, "https://else.example/", ()),
    ],
)
def test_what_would_have_passed(visitor: Visitor, url: str, ways: tuple[str, ...]) -> None:
    assert explained(visitor, url).would_pass == ways


def test_way_around_a_rule_that_denies() -> None:
    rules = policy(
        rule("deny", name="bots", credentials=["api_key"]),
        rule("deny", name="abroad", networks=["198.51.100.0/24"]),
        rule("deny", name="old", query=[{"key": "v", "value": "1"}]),
        rule("deny", name="mallory", subject="user:mallory"),
        rule("one_factor"),
    )
    mallory = explain(rules, Visitor("mallory").presented(), ask("/"))
    key = explain(rules, with_credential(CredentialKind.API_KEY), ask("/"))
    abroad = Visitor("ada", client_address=parse_address("198.51.100.1"))
    at_home = Visitor("ada", client_address=parse_address("192.0.2.1"))
    assert mallory.decision.rule == "abroad"
    assert explained(abroad, "/", rules=rules).would_pass == ("not from 198.51.100.0/24 (abroad)",)
    assert explained(at_home, "/?v=1", rules=rules).would_pass == ("not with v equal 1 in the query (old)",)
    assert key.decision.rule == "bots"


def test_rule_that_may_cover_decides_where_it_is_the_strictest() -> None:
    rules = policy(
        rule("bypass", name="open", query=[{"key": "v", "value": "1"}]),
        rule("two_factor", name="closed", query=[{"key": "v", "value": "2"}]),
        rule("one_factor", name="rest"),
        rule("deny", name="late", query=[{"key": "v", "value": "1"}]),
    )
    explanation = explained(Visitor("ada"), "/?v=1&v=2", rules=rules)
    fates = [(report.covers, report.certain, report.decides) for report in explanation.rules]
    assert explanation.decision.rule == "closed"
    assert fates == [(True, False, False), (True, False, True), (True, True, False), (True, False, False)]
    assert explanation.would_pass == ("a second factor (closed)",)


def test_scope_that_is_missing_is_named() -> None:
    key = with_credential(CredentialKind.API_KEY, scopes=(Scope(path="/b"),))
    explanation = explain(policy(rule("one_factor")), key, ask("/a"))
    assert explanation.would_pass == ("an API key whose scope covers GET app.test/a",)


def test_reading_that_decides_is_named() -> None:
    explanation = explained(ADA, "/healthz/..%2fadmin/x")
    assert [judgement.place.path for judgement in explanation.judgements] == list(ask("/healthz/..%2fadmin/x").readings)
    opened = policy(rule("deny", path=["/admin"]), rule("bypass"))
    assert explained(STRANGER, "/x/..%2fadmin", rules=opened).deciding.place.path == "/admin"
