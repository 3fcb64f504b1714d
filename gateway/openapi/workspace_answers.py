"""The shapes of what is said about workspaces and groups."""

from __future__ import annotations

from pydantic import Field

from gateway.models import WorkspaceRole
from gateway.openapi.answers import Moment, Shape


class WorkspaceAnswer(Shape):
    """A workspace that you are in."""

    id: str = Field(description="What `X-Tenant-Id` names.")
    organization_id: str
    display_name: str
    created_at: Moment
    role: WorkspaceRole = Field(description="What you are in it.")


class WorkspaceMemberAnswer(Shape):
    """A person in a workspace."""

    id: str = Field(description="The account's.")
    email: str
    full_name: str
    role: WorkspaceRole
    created_at: Moment = Field(description="Since when they are in it.")


class WorkspaceMembersAnswer(Shape):
    """Who is in a workspace."""

    tenant_id: str = Field(description="The workspace's `id`.")
    members: list[WorkspaceMemberAnswer]
    pending: list[WorkspaceMemberAnswer] = Field(description="Always empty: whoever is invited is a member at once.")


class GroupAnswer(Shape):
    """A set of people that rules refer to."""

    id: str
    name: str
    created_at: Moment
    members: int = Field(description="How many are in it.")


class GroupMemberAnswer(Shape):
    """A person in a group."""

    id: str = Field(description="The account's.")
    email: str
    full_name: str
