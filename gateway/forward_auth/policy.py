"""Which principal may make which request: rules in order, the first that covers decides, default deny. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, assert_never

from gateway.errors import GatewayError
from gateway.forward_auth.original_request import OriginalRequest
from gateway.forward_auth.presented import Credential, Presented
from gateway.forward_auth.rule_compilation import REQUIREMENTS, compile_rule
from gateway.forward_auth.rules import Asked, Located, Place, Requirement, Rule
from gateway.forward_auth.scopes import is_in_scope
from gateway.models import Principal

if TYPE_CHECKING:
    from gateway.config.settings import AccessControl

__all__ = ["DEFAULT", "Decision", "Outcome", "Policy", "Requirement", "Rule", "compile_policy"]

# What decides where no rule covers.
DEFAULT = "default_policy"

# Random paths must not fill the memory: it is cleared when full, and long paths are not remembered.
MAX_REMEMBERED = 4096
_MAX_REMEMBERED_PATH = 512


class Outcome(IntEnum):
    """What becomes of the request; the greater one is the stricter one."""

    ALLOW = 0
    LOG_IN = 1
    SECOND_FACTOR = 2
    OUT_OF_SCOPE = 3
    FORBID = 4


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, and the rule that gave it.

    `principal` is the one that counted for that rule, if any did; `refusal` says more than the outcome: which bad
    credential is why a login is wanted, or why it is forbidden.
    """

    outcome: Outcome
    requirement: Requirement
    rule: str
    principal: Principal | None = None
    refusal: GatewayError | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is decided where the path is read in one way."""

    place: Place
    decision: Decision


@dataclass(frozen=True, slots=True)
class Policy:
    """All rules in order, and what holds where none covers.

    It remembers which rules cover a place: candidates, never decisions, so that nothing about a visitor is kept.
    """

    rules: tuple[Rule, ...]
    default: Requirement
    _candidates: dict[Place, tuple[Located, ...]] = field(default_factory=dict, repr=False, compare=False)

    def decide(self, presented: Presented, original: OriginalRequest) -> Decision:
        """Judge every reading of the path; the strictest decision stands."""
        return strictest(self.judge(presented, original)).decision

    def judge(self, presented: Presented, original: OriginalRequest) -> list[Judgement]:
        """Judge every reading of the path by itself, in their order."""
        asked = asked_by(presented, original)
        explicit = presented.explicit
        narrowed = (
            explicit is not None and explicit.principal is not None and not is_in_scope(explicit.principal, original)
        )
        out_of_scope = explicit if narrowed else None
        places = (Place(original.host, original.method, reading) for reading in original.readings)
        return [Judgement(place, self._decide(asked, place, out_of_scope=out_of_scope)) for place in places]

    def settled(self, original: OriginalRequest) -> Requirement | None:
        """Give what decides about a request, whoever asks; `None` where that depends on more than the place."""
        if original.preflight or len(original.readings) != 1:
            return None
        first = next(iter(self.candidates(Place(original.host, original.method, original.path))), None)
        if first is None:
            return self.default
        return first.rule.requirement if first.covers_everybody else None

    def candidates(self, place: Place) -> tuple[Located, ...]:
        """Give the rules that cover a place, in order."""
        known = self._candidates.get(place)
        if known is None:
            known = tuple(located for rule in self.rules if not (located := rule.locate(place)).failed)
            if len(place.path) <= _MAX_REMEMBERED_PATH:
                if len(self._candidates) >= MAX_REMEMBERED:
                    self._candidates.clear()
                self._candidates[place] = known
        return known

    def _decide(self, asked: Asked, place: Place, *, out_of_scope: Credential | None) -> Decision:
        """Let the first rule decide that covers it, or the strictest up to there of those that may."""
        return max(self._decisions(asked, place, out_of_scope), key=_strictness)

    def _decisions(self, asked: Asked, place: Place, out_of_scope: Credential | None) -> Iterator[Decision]:
        for located in self.candidates(place):
            if next(located.misfits(asked), None) is None:
                credential = located.credential(asked.presented)
                who = _Who.behind(credential, in_scope=credential is None or credential is not out_of_scope)
                if located.passes_preflight(asked):
                    yield who.meet(Requirement.NOTHING, located.rule.name)
                else:
                    yield who.meet(located.rule.requirement, located.rule.name, wanted=located.asks_who)
                if located.is_certain(asked):
                    return
        credential = asked.presented.credential()
        who = _Who.behind(credential, in_scope=credential is None or credential is not out_of_scope)
        yield who.meet(self.default, DEFAULT)


@dataclass(frozen=True, slots=True)
class _Who:
    """Who asks, as far as one rule looks: the principal, whether their credential reaches here, why they are nobody."""

    principal: Principal | None
    in_scope: bool
    refusal: GatewayError | None

    @classmethod
    def behind(cls, credential: Credential | None, *, in_scope: bool) -> _Who:
        if credential is None:
            return cls(None, in_scope, None)
        return cls(credential.principal, in_scope, credential.refusal)

    def meet(self, requirement: Requirement, rule: str, *, wanted: bool = False) -> Decision:
        """Compare with what a rule requires; `wanted`: it depends on who it is, so that a stranger has to log in."""
        outcome = self._outcome(requirement, wanted=wanted)
        known = None if outcome is Outcome.ALLOW and not self.in_scope else self.principal
        refusal = self.refusal if outcome is Outcome.LOG_IN else None
        return Decision(outcome, requirement, rule, principal=known, refusal=refusal)

    def _outcome(self, requirement: Requirement, *, wanted: bool) -> Outcome:
        level = self.principal.level if self.principal else Requirement.NOTHING
        if wanted and level < Requirement.LOGIN:
            return Outcome.LOG_IN
        match requirement:
            case Requirement.NOBODY:
                return Outcome.FORBID
            case Requirement.NOTHING if not wanted:
                return Outcome.ALLOW
            case Requirement.NOTHING | Requirement.LOGIN | Requirement.SECOND_FACTOR:
                if level < min(requirement, Requirement.LOGIN):
                    return Outcome.LOG_IN
                if not self.in_scope:
                    return Outcome.OUT_OF_SCOPE
                return Outcome.SECOND_FACTOR if level < requirement else Outcome.ALLOW
            case _:
                assert_never(requirement)


def asked_by(presented: Presented, original: OriginalRequest) -> Asked:
    """Give what rules look at on every check."""
    return Asked(presented, original.query, original.preflight)


def strictest(judgements: Iterable[Judgement]) -> Judgement:
    """Give the strictest."""
    return max(judgements, key=lambda judgement: _strictness(judgement.decision))


def _strictness(decision: Decision) -> tuple[Outcome, Requirement]:
    """Between two that allow the one is stricter that looked closer: it says who it is."""
    return decision.outcome, decision.requirement


def compile_policy(access_control: AccessControl | None) -> Policy:
    """Compile the settings once. Without a section everyone who is logged in may pass, everywhere."""
    if access_control is None:
        return Policy(rules=(), default=Requirement.LOGIN)
    rules = tuple(compile_rule(rule, number) for number, rule in enumerate(access_control.rules, start=1))
    return Policy(rules=rules, default=REQUIREMENTS[access_control.default_policy])
