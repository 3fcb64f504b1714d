"""Which workspace is an allowed request about?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.errors import Forbidden, UnknownWorkspace, WorkspaceNotSaid
from gateway.forward_auth.policy import Decision, Outcome, Requirement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.forward_auth.request_headers import RequestHeaders
    from gateway.models import Principal, Workspace


def choose_workspace(decision: Decision, headers: RequestHeaders, *, named_in: str) -> Decision:
    """Give the decision with the workspace that the header names, or forbid what names none of the principal's.

    `named_in` is a name in lower case; empty: no header is read. Strangers have no workspace, whatever they name. What
    is open to everybody stays open: somebody known who names a workspace that is not theirs is then in none.
    """
    principal = decision.principal
    if decision.outcome is not Outcome.ALLOW or principal is None or not named_in:
        return decision
    named = headers.get(named_in, ())
    # nginx drops an empty header, and no other proxy shall make more of it.
    if not any(named):
        if not _has_to_say(principal):
            return decision
        return _without(decision, principal, WorkspaceNotSaid.in_header(named_in.title()))
    workspace = _find(principal, named)
    if workspace is None:
        return _without(decision, principal, UnknownWorkspace())
    return replace(decision, principal=replace(principal, workspace=workspace))


def _has_to_say(principal: Principal) -> bool:
    """Say whether it is a service account of several workspaces, none of which is its usual one."""
    return principal.is_service and principal.workspace is None and bool(principal.standing.memberships)


def _find(principal: Principal, named: Sequence[str]) -> Workspace | None:
    # Of two lines the application might read the other one.
    membership = principal.standing.membership_in(named[0].lower()) if len(named) == 1 else None
    return None if membership is None else membership.workspace


def _without(decision: Decision, principal: Principal, refusal: Forbidden) -> Decision:
    if decision.requirement is Requirement.NOTHING:
        return replace(decision, principal=replace(principal, workspace=None))
    return replace(decision, outcome=Outcome.FORBID, refusal=refusal)
