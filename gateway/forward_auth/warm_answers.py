"""The head of an answer that lets pass: rendered once for each principal, and kept with the facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import AnswerTooLarge
from gateway.forward_auth.policy import Decision, Outcome, Requirement
from gateway.forward_auth.warm_credentials import NotAtOnce
from gateway.forward_auth.wire import render_beginning
from gateway.forward_auth.workspace_choice import choose_workspace

if TYPE_CHECKING:
    from gateway.facts.facts import Facts
    from gateway.forward_auth.check import Check
    from gateway.models import Principal


class WarmAnswers:
    """The beginnings of answers: without what is alike in all of them, and what is new in each.

    `workspace_header` is in lower case; empty: none is read.
    """

    def __init__(self, check: Check, *, workspace_header: str) -> None:
        self._check = check
        self._workspace_header = workspace_header
        self.to_strangers = self._render(None, ())

    def of(self, facts: Facts, strip: tuple[str, ...], workspace: bytes | None) -> bytes:
        """Give the head for somebody; `workspace` is what the request names, `strip` the headers that held credentials.

        Raises `NotAtOnce` where nobody, or not everybody, may pass with these.
        """
        wanted = strip if workspace is None else (strip, workspace)
        if facts.head_for != wanted:
            facts.head = self._render(self._in_workspace(facts.principal, workspace), strip)
            facts.head_for = wanted
        return facts.head

    def _in_workspace(self, principal: Principal, workspace: bytes | None) -> Principal | None:
        if principal.must_change_password:
            raise NotAtOnce
        named = [] if workspace is None else [workspace.decode("utf-8", "surrogateescape")]
        # Where a rule opens to everybody more may pass than with a login: this is what may pass in any case.
        decision = choose_workspace(
            Decision(Outcome.ALLOW, Requirement.LOGIN, "", principal=principal),
            {self._workspace_header: named},
            named_in=self._workspace_header,
        )
        if decision.outcome is not Outcome.ALLOW:
            raise NotAtOnce
        return decision.principal

    def _render(self, principal: Principal | None, strip: tuple[str, ...]) -> bytes:
        try:
            return render_beginning(
                self._check.let_pass(principal, strip=strip, decision_id=self._check.decisions.prefix)
            )
        except (AnswerTooLarge, ValueError) as error:
            raise NotAtOnce from error
