"""What happened, in the order of one clock, and what of it must not have happened.

Pure: events in, findings out. A check has a known right answer once one knows which logins and logouts were answered
before it was sent; whatever was in flight at the same time may go either way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from http import HTTPStatus

BOUND_SECONDS = 1.0
_REFUSALS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.FOUND}


class Kind(Enum):
    LOGIN = auto()
    LOGOUT = auto()
    CHECK = auto()


class Answer(Enum):
    YES = auto()
    NO = auto()
    UNAVAILABLE = auto()


@dataclass(frozen=True, slots=True)
class Event:
    """One request: sent at `invoked`, and answered by `asked` at `answered` (status None: not at all)."""

    kind: Kind
    credential: str
    asked: str
    invoked: float
    answered: float
    status: int | None

    @property
    def answer(self) -> Answer:
        if self.status is not None and HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES:
            return Answer.YES
        return Answer.NO if self.status in _REFUSALS else Answer.UNAVAILABLE


@dataclass(frozen=True, slots=True)
class CutOff:
    """A time in which one process could hear neither from the database nor by the doorbell."""

    asked: str
    since: float
    until: float
    grace: float

    def latest_yes(self, revoked: float) -> float | None:
        """Until when a revocation of this moment may stay unheard; None where this time has nothing to do with it."""
        if not self.since - BOUND_SECONDS <= revoked <= self.until:
            return None
        return min(self.since + self.grace, self.until) + BOUND_SECONDS


@dataclass(slots=True)
class Findings:
    """The counts of one history, and a sentence for each thing that must not be."""

    sent: int = 0
    right: int = 0
    # Logins and logouts that were answered: each of them has to hold.
    acknowledged: int = 0
    unavailable: list[Event] = field(default_factory=list)
    wrong_allows: list[str] = field(default_factory=list)
    wrong_denies: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Life:
    """What is known of one credential: when it certainly lived, and from when on it certainly did not."""

    born: float | None = None
    death_asked: float | None = None
    dead: float | None = None

    def note(self, event: Event) -> None:
        if event.kind is Kind.LOGIN:
            self.born = event.answered if event.answer is Answer.YES else self.born
        elif event.kind is Kind.LOGOUT:
            self.death_asked = min(event.invoked, self.death_asked or event.invoked)
            # A refusal says that this session has ended already.
            if event.answer in {Answer.YES, Answer.NO}:
                self._died_by(event.answered)
        elif event.answer is Answer.NO and self.death_asked is not None and event.answered >= self.death_asked:
            # A logout that nobody answered was done all the same: who has seen the refusal holds everybody to it.
            self._died_by(event.answered)

    def _died_by(self, moment: float) -> None:
        self.dead = moment if self.dead is None else min(moment, self.dead)


def judge(events: Iterable[Event], *, never_valid: Iterable[str] = (), cut_offs: Sequence[CutOff] = ()) -> Findings:
    """Find every check that must not have been answered as it was."""
    ordered = sorted(events, key=lambda event: event.answered)
    lives: defaultdict[str, _Life] = defaultdict(_Life)
    for event in ordered:
        lives[event.credential].note(event)
    findings = Findings()
    known_bad = frozenset(never_valid)
    for event in ordered:
        if event.kind is Kind.CHECK:
            findings.sent += 1
            _judge_check(event, None if event.credential in known_bad else lives[event.credential], cut_offs, findings)
        elif event.answer is Answer.YES:
            findings.acknowledged += 1
    return findings


def _judge_check(check: Event, life: _Life | None, cut_offs: Sequence[CutOff], findings: Findings) -> None:
    if check.answer is Answer.UNAVAILABLE:
        findings.unavailable.append(check)
    elif check.answer is Answer.YES and (complaint := _wrong_allow(check, life, cut_offs)):
        findings.wrong_allows.append(complaint)
    elif check.answer is Answer.NO and (complaint := _wrong_deny(check, life)):
        findings.wrong_denies.append(complaint)
    else:
        findings.right += 1


def _wrong_allow(check: Event, life: _Life | None, cut_offs: Sequence[CutOff]) -> str | None:
    if life is None:
        return f"{check.asked} let {check.credential} in, which nobody ever gave out"
    if life.dead is None:
        return None
    allowances = (cut_off.latest_yes(life.dead) for cut_off in cut_offs if cut_off.asked == check.asked)
    latest = max((one for one in allowances if one is not None), default=life.dead + BOUND_SECONDS)
    if check.invoked < max(latest, life.dead + BOUND_SECONDS):
        return None
    return f"{check.asked} let {check.credential} in {check.invoked - life.dead:.3f} s after it was revoked"


def _wrong_deny(check: Event, life: _Life | None) -> str | None:
    if life is None or life.born is None or check.invoked < life.born:
        return None
    if life.death_asked is not None and check.answered >= life.death_asked:
        return None
    return f"{check.asked} refused {check.credential} ({check.status}), which was good"
