"""Workspaces and who is in them."""

from __future__ import annotations

from gateway.errors import Conflict, NotFound
from gateway.openapi.operation import Answer, Operation, Tag
from gateway.openapi.workspace_answers import WorkspaceAnswer, WorkspaceMemberAnswer, WorkspaceMembersAnswer
from gateway.organization.workspaces.handlers import WorkspaceBody
from gateway.organization.workspaces.member_handlers import WorkspaceMemberBody, WorkspaceRoleBody

_WORKSPACE = {"workspace_id": "The workspace's `id`. One that you are not in is not found."}
_MEMBER = {**_WORKSPACE, "account_id": "The account's `id`."}

LIST = Operation(
    Tag.WORKSPACES,
    "List your workspaces",
    description="An Organization Admin is an admin of every workspace.",
    answers={200: Answer("Those that you are in, the oldest first.", list[WorkspaceAnswer])},
)
CREATE = Operation(
    Tag.WORKSPACES,
    "Add a workspace",
    description="You are its first admin.",
    body=WorkspaceBody,
    answers={200: Answer("Added.", WorkspaceAnswer)},
    refusals=(NotFound, Conflict),
)
SHOW = Operation(
    Tag.WORKSPACES,
    "Show a workspace",
    path_parts=_WORKSPACE,
    answers={200: Answer("The workspace.", WorkspaceAnswer)},
)
RENAME = Operation(
    Tag.WORKSPACES,
    "Rename a workspace",
    body=WorkspaceBody,
    path_parts=_WORKSPACE,
    answers={200: Answer("Renamed.", WorkspaceAnswer)},
    refusals=(Conflict,),
)
REMOVE = Operation(
    Tag.WORKSPACES,
    "Remove a workspace",
    description="Who was in it stays in the organization. The last workspace cannot be removed.",
    path_parts=_WORKSPACE,
    answers={204: Answer("Removed.")},
    refusals=(NotFound, Conflict),
)
LIST_MEMBERS = Operation(
    Tag.WORKSPACES,
    "List who is in a workspace",
    description="Organization Admins are admins of it whether they are listed or not.",
    path_parts=_WORKSPACE,
    answers={200: Answer("By their addresses.", WorkspaceMembersAnswer)},
)
ADD_MEMBER = Operation(
    Tag.WORKSPACES,
    "Put somebody into a workspace",
    description="Name a member of the organization by `email` or by `user_id`.",
    body=WorkspaceMemberBody,
    path_parts=_WORKSPACE,
    answers={200: Answer("Added.", WorkspaceMemberAnswer)},
    refusals=(Conflict,),
)
SET_ROLE = Operation(
    Tag.WORKSPACES,
    "Give somebody another role in a workspace",
    body=WorkspaceRoleBody,
    path_parts=_MEMBER,
    answers={200: Answer("Changed.", WorkspaceMemberAnswer)},
    refusals=(Conflict,),
)
REMOVE_MEMBER = Operation(
    Tag.WORKSPACES,
    "Take somebody out of a workspace",
    path_parts=_MEMBER,
    answers={204: Answer("Taken out.")},
)
