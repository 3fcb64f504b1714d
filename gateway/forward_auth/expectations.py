"""Do the rules say what their `tests` expect of them?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.config.policy_tests import PolicyTest
from gateway.config.settings import AccessControl
from gateway.errors import MalformedRequest
from gateway.forward_auth.hypothetical import Visitor, imagine_request, visitor_called
from gateway.forward_auth.policy import Outcome, Policy, compile_policy
from gateway.forward_auth.rule_compilation import REQUIREMENTS
from gateway.models import CredentialKind

_OUTCOMES: Mapping[str, tuple[Outcome, ...]] = {
    "allow": (Outcome.ALLOW,),
    "login": (Outcome.LOG_IN,),
    "second_factor": (Outcome.SECOND_FACTOR,),
    "deny": (Outcome.FORBID, Outcome.OUT_OF_SCOPE),
}
_WORDS = {
    Outcome.ALLOW: "allow",
    Outcome.LOG_IN: "login",
    Outcome.SECOND_FACTOR: "second_factor",
    Outcome.OUT_OF_SCOPE: "deny",
    Outcome.FORBID: "deny",
}
_POLICIES = {requirement: word for word, requirement in REQUIREMENTS.items()}


def disappointed_tests(access_control: AccessControl) -> Iterator[tuple[int, str]]:
    """Yield the index of each test that fails, with what was decided instead and by which rule."""
    policy = compile_policy(access_control)
    for index, test in enumerate(access_control.tests):
        disappointment = _run(test, policy)
        if disappointment is not None:
            yield index, f"{test.ask}: expected {test.expect}, but {disappointment}"


def _run(test: PolicyTest, policy: Policy) -> str | None:
    try:
        original = imagine_request(*test.ask.split(" ", maxsplit=1))
    except MalformedRequest:
        # What a check refuses before any rule is asked.
        return None if test.expect == "deny" else "it is refused as malformed"
    decision = policy.decide(visitor_of(test).presented(), original)
    expected = _OUTCOMES.get(test.expect)
    if decision.outcome in expected if expected else decision.requirement is REQUIREMENTS[test.expect]:
        return None
    return f"{decision.rule} ({_POLICIES[decision.requirement]}) decided {_WORDS[decision.outcome]}"


def visitor_of(test: PolicyTest) -> Visitor:
    """Give the visitor whom a test is about."""
    visitor = visitor_called(test.visitor)
    kind = CredentialKind(test.credential) if test.credential else visitor.credential
    return visitor.presenting(kind, factors=test.factors, client_address=test.client_address)
