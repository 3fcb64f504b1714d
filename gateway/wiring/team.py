"""What a team is run with: workspaces, groups, other people's sessions, the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.handlers import TeamHandlers
from gateway.organization.audit_handlers import AuditHandlers
from gateway.organization.groups.groups import Groups
from gateway.organization.groups.handlers import GroupHandlers
from gateway.organization.members.session_handlers import MemberSessionHandlers
from gateway.organization.members.sessions import MemberSessions
from gateway.organization.workspaces.handlers import WorkspaceHandlers
from gateway.organization.workspaces.member_handlers import WorkspaceMemberHandlers
from gateway.organization.workspaces.members import WorkspaceMembers
from gateway.organization.workspaces.workspaces import Workspaces

if TYPE_CHECKING:
    from gateway.wiring.parts import Parts


def make_team(parts: Parts) -> TeamHandlers:
    database, revocation = parts.database, parts.revocation
    sessions = MemberSessions(database, last_use=parts.sessions.last_use, revocation=revocation)
    return TeamHandlers(
        workspaces=WorkspaceHandlers(Workspaces(database, revocation=revocation)),
        workspace_members=WorkspaceMemberHandlers(database, WorkspaceMembers(database, revocation=revocation)),
        groups=GroupHandlers(database, Groups(database, revocation=revocation)),
        sessions=MemberSessionHandlers(sessions),
        audit=AuditHandlers(database),
    )
