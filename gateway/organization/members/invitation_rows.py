"""The rows of an invitation, and what is wrong with each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.grammar.group_names import canonical_group_name
from gateway.models import Group, OrganizationRole, Principal, Workspace, WorkspaceRole
from gateway.organization.members.handed_passwords import HandedPassword
from gateway.storage.groups import list_groups
from gateway.storage.members import taken_emails, taken_usernames
from gateway.storage.workspaces import list_workspaces, usual_workspace_role

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

_RANKS = (WorkspaceRole.VIEWER, WorkspaceRole.EDITOR, WorkspaceRole.ADMIN)


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody who is to become a member; the e-mail address and the username in their canonical forms.

    `workspaces` are ids or names; `None`: the default workspace. Without `workspace_role` it is the one that goes with
    the role.
    """

    email: str
    role: OrganizationRole = OrganizationRole.USER
    full_name: str | None = None
    username: str | None = None
    password: HandedPassword = field(default_factory=HandedPassword)
    workspaces: tuple[str, ...] | None = None
    workspace_role: WorkspaceRole | None = None
    groups: tuple[str, ...] = ()
    send_mail: bool = False

    @property
    def name(self) -> str:
        """Give the full name, or else what stands before the @."""
        return self.full_name or self.email.partition("@")[0]


@dataclass(frozen=True, slots=True)
class Places:
    """Where somebody is put, or why that cannot be."""

    workspaces: Mapping[str, tuple[Workspace, WorkspaceRole]] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Directory:
    """What is there already, as far as it concerns some invitations; the default workspace comes first."""

    emails: set[str]
    usernames: set[str]
    workspaces: Sequence[Workspace]
    groups: Mapping[str, Group]

    @classmethod
    async def read(cls, connection: AsyncConnection, invitations: Sequence[Invitation]) -> Directory:
        usernames = [invitation.username for invitation in invitations if invitation.username is not None]
        return cls(
            emails=await taken_emails(connection, [invitation.email for invitation in invitations]),
            usernames=await taken_usernames(connection, usernames),
            workspaces=await list_workspaces(connection),
            groups={canonical_group_name(group.name): group for group in await list_groups(connection)},
        )

    def place(self, invitation: Invitation, *, asker: Principal | None) -> Places:
        """Find workspaces and groups, and say by field what keeps somebody from becoming a member."""
        problems: dict[str, str] = {}
        if invitation.email in self.emails:
            problems["email"] = "There is already an account with this e-mail address."
        if invitation.username in self.usernames:
            problems["username"] = "This username is taken."
        workspaces, groups = {}, {}
        for wanted in self._wanted_workspaces(invitation):
            found = self._workspace(wanted)
            role = invitation.workspace_role or usual_workspace_role(invitation.role)
            problem = _refusal(asker, found, role)
            if found is None or problem is not None:
                problems["workspace_ids"] = problem or f"There is no workspace {wanted}."
            else:
                workspaces[found.id] = (found, role)
        for name in invitation.groups:
            group = self.groups.get(canonical_group_name(name))
            if group is None:
                problems["groups"] = f"There is no group {name}."
            else:
                groups[group.id] = group
        return Places(workspaces, groups, problems)

    def _wanted_workspaces(self, invitation: Invitation) -> Sequence[str]:
        if invitation.workspaces is not None:
            return invitation.workspaces
        return [workspace.id for workspace in self.workspaces[:1]]

    def _workspace(self, wanted: str) -> Workspace | None:
        by_id = next((one for one in self.workspaces if one.id == wanted), None)
        if by_id is not None:
            return by_id
        name = canonical_group_name(wanted)
        return next((one for one in self.workspaces if canonical_group_name(one.display_name) == name), None)


def _refusal(asker: Principal | None, workspace: Workspace | None, role: WorkspaceRole) -> str | None:
    """Say why somebody may not put anybody there: nobody gives away more than they have.

    Else whoever may invite would make a second self that reads the workspaces of others. Of those nothing is told: for
    who is in none of that name it is not there.
    """
    if asker is None or asker.role is OrganizationRole.ADMIN:
        return None
    own = None if workspace is None else asker.standing.membership_in(workspace.id)
    if workspace is None or own is None:
        return "You are not in every one of these workspaces."
    if _RANKS.index(role) > _RANKS.index(own.role):
        return f"You are {own.role} in {workspace.display_name}: nobody can be put there as {role} by you."
    return None


def repeated(invitations: Sequence[Invitation]) -> dict[int, dict[str, str]]:
    """Say by row and field what stands there twice."""
    emails = Counter(invitation.email for invitation in invitations)
    usernames = Counter(invitation.username for invitation in invitations if invitation.username is not None)
    found: dict[int, dict[str, str]] = {}
    for number, invitation in enumerate(invitations):
        if emails[invitation.email] > 1:
            found.setdefault(number, {})["email"] = "This e-mail address stands here more than once."
        if invitation.username is not None and usernames[invitation.username] > 1:
            found.setdefault(number, {})["username"] = "This username stands here more than once."
    return found
