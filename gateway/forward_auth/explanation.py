"""What the policy says about a request, rule by rule, by the code that decides checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gateway.forward_auth.original_request import OriginalRequest
from gateway.forward_auth.policy import DEFAULT, Decision, Judgement, Outcome, Policy, asked_by, strictest
from gateway.forward_auth.presented import Presented
from gateway.forward_auth.reasons import login_wanted, reason, scope_wanted, way_through
from gateway.forward_auth.rules import Asked, Criterion, Located, Requirement


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A criterion that does not hold, and why."""

    criterion: Criterion
    reason: str


@dataclass(frozen=True, slots=True)
class RuleReport:
    """What came of one rule; `index` counts from 1.

    `decides`: it is the first that covers the request. Where the query can be read in several ways, and so whether it
    covers it is not `certain`, it is the strictest of those that may.
    """

    index: int
    name: str
    requirement: Requirement
    mismatches: tuple[Mismatch, ...]
    certain: bool
    decides: bool

    @property
    def covers(self) -> bool:
        return not self.mismatches


@dataclass(frozen=True, slots=True)
class Explanation:
    """The decision, every reading of the path, and the rules for the reading that decides.

    `would_pass` says what would have been let through instead: nothing where the request is closed to everybody.
    """

    judgements: tuple[Judgement, ...]
    deciding: Judgement
    rules: tuple[RuleReport, ...]
    default: Requirement
    would_pass: tuple[str, ...]

    @property
    def decision(self) -> Decision:
        return self.deciding.decision


def explain(policy: Policy, presented: Presented, original: OriginalRequest) -> Explanation:
    """Ask the policy, and tell why it says what it says."""
    judgements = policy.judge(presented, original)
    deciding = strictest(judgements)
    asked = asked_by(presented, original)
    located = [rule.locate(deciding.place) for rule in policy.rules]
    misfits = [(*here.failed, *(() if here.failed else here.misfits(asked))) for here in located]
    covering = (index for index, failed in enumerate(misfits) if not failed)
    decisive = next((index for index in covering if located[index].rule.name == deciding.decision.rule), len(located))
    rules = tuple(
        RuleReport(
            index=index + 1,
            name=here.rule.name,
            requirement=here.rule.requirement,
            mismatches=tuple(
                Mismatch(criterion, reason(criterion, here, place=deciding.place, presented=presented))
                for criterion in misfits[index]
            ),
            certain=bool(misfits[index]) or here.is_certain(asked),
            decides=index == decisive,
        )
        for index, here in enumerate(located)
    )
    return Explanation(
        judgements=tuple(judgements),
        deciding=deciding,
        rules=rules,
        default=policy.default,
        would_pass=tuple(_ways(policy, located[: decisive + 1], asked, original, deciding.decision)),
    )


def _ways(
    policy: Policy, located: list[Located], asked: Asked, original: OriginalRequest, decision: Decision
) -> Iterator[str]:
    decisive = None if decision.rule == DEFAULT else located[-1]
    match decision.outcome:
        case Outcome.ALLOW:
            return
        case Outcome.LOG_IN:
            yield f"{login_wanted(decisive, decision.requirement)} ({decision.rule})"
        case Outcome.SECOND_FACTOR:
            yield f"a second factor ({decision.rule})"
        case Outcome.OUT_OF_SCOPE:
            yield scope_wanted(original)
        case Outcome.FORBID:
            pass
    yield from _other_rules(located, asked, level=decision.principal.level if decision.principal else 0)
    if decision.outcome is Outcome.FORBID and decisive is not None:
        yield from _away_from(decisive, policy, asked, original)


def _other_rules(located: list[Located], asked: Asked, *, level: int) -> Iterator[str]:
    """Yield how one of the rules before the decisive one could be met by the same request."""
    for here in located:
        misfits = list(here.misfits(asked))
        ways = [way_through(criterion, here) for criterion in misfits]
        if here.failed or not ways or not here.rule.opens or None in ways:
            continue
        if here.rule.requirement > level:
            ways.append(f"with {login_wanted(None, here.rule.requirement)}")
        yield f"{' '.join(way for way in ways if way)} ({here.rule.name})"


def _away_from(decisive: Located, policy: Policy, asked: Asked, original: OriginalRequest) -> Iterator[str]:
    """Yield how to keep out of a rule that denies, where the rules behind it let the same request pass."""
    others = replace(policy, rules=tuple(rule for rule in policy.rules if rule is not decisive.rule), _candidates={})
    if others.decide(asked.presented, original).outcome is not Outcome.ALLOW:
        return
    if decisive.asks_who:
        yield f"not {way_through(Criterion.SUBJECT, decisive)} ({decisive.rule.name})"
    if decisive.rule.networks:
        yield f"not {way_through(Criterion.NETWORKS, decisive)} ({decisive.rule.name})"
    if decisive.rule.query:
        yield f"not {way_through(Criterion.QUERY, decisive)} ({decisive.rule.name})"
    if decisive.rule.kinds:
        yield f"by another credential than {' or '.join(sorted(decisive.rule.kinds))} ({decisive.rule.name})"
