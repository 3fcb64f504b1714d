"""What a team is run with: its URLs under `/api/v1`, the permission beside each."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gateway.openapi import (
    audit_operations,
    group_operations,
    member_operations,
    service_account_operations,
    session_operations,
    workspace_operations,
)
from gateway.permissions import Permission
from gateway.route import Route, route
from gateway.web.permission_guard import Permitted

if TYPE_CHECKING:
    from gateway.handlers import Handlers


def v1_routes(handlers: Handlers) -> tuple[Route, ...]:
    return (
        *_for_members(handlers),
        *_for_workspaces(handlers),
        *_for_groups(handlers),
        *_for_administrators(handlers),
        *_for_service_accounts(handlers),
        *_for_key_limits(handlers),
    )


def _for_members(handlers: Handlers) -> tuple[Route, ...]:
    """Give the organization and its people, as LangSmith's clients know them."""
    may, not_banned, login = partial(Permitted, handlers.portal), handlers.ban_guard.before, handlers.v1_login.log_in
    organization, members = handlers.members.organization, handlers.members.members
    own, own_origin = not_banned(handlers.members.own.change), handlers.portal.require_own_origin
    read, invite, manage = Permission.MEMBERS_READ, Permission.MEMBERS_INVITE, Permission.MEMBERS_MANAGE
    seen, says = Permission.ORGANIZATION_READ, member_operations
    every, invited = "/api/v1/orgs/current/members", "/api/v1/orgs/current/members/basic"
    one = f"{every}/{{member_id}}"
    return (
        route("POST", "/api/v1/login", not_banned(login), own_origin, says=session_operations.V1_LOG_IN),
        route("GET", "/api/v1/orgs", may(seen, organization.list), says=says.ORGANIZATIONS),
        route("POST", "/api/v1/orgs", may(seen, organization.create), says=says.CREATE_ORGANIZATION),
        route("GET", "/api/v1/orgs/current", may(seen, organization.current), says=says.CURRENT),
        route("PATCH", "/api/v1/orgs/members/basic", own, says=says.CHANGE_OWN),
        route("GET", every, may(read, members.list), says=says.LIST),
        route("POST", invited, may(invite, members.invite), says=says.INVITE),
        route("POST", f"{invited}/batch", may(invite, members.invite_many), says=says.INVITE_MANY),
        route("GET", one, may(read, members.show), says=says.SHOW),
        route("PATCH", one, may(manage, members.change), says=says.CHANGE),
        route("DELETE", one, may(manage, members.remove), says=says.REMOVE),
        route("DELETE", f"{one}/second-factor", may(manage, members.remove_second_factor), says=says.REMOVE_FACTOR),
    )


def _for_workspaces(handlers: Handlers) -> tuple[Route, ...]:
    """`workspace_id`: the guard looks at the asker's role there."""
    may, own, members = partial(Permitted, handlers.portal), handlers.team.workspaces, handlers.team.workspace_members
    read, manage, says = Permission.WORKSPACE_READ, Permission.WORKSPACE_MANAGE, workspace_operations
    every, one = "/api/v1/workspaces", "/api/v1/workspaces/{workspace_id}"
    inside, member = f"{one}/members", f"{one}/members/{{account_id}}"
    return (
        route("GET", every, may(Permission.ORGANIZATION_READ, own.list), says=says.LIST),
        route("POST", every, may(Permission.WORKSPACES_CREATE, own.create), says=says.CREATE),
        route("GET", one, may(read, own.show), says=says.SHOW),
        route("PATCH", one, may(manage, own.rename), says=says.RENAME),
        route("DELETE", one, may(Permission.WORKSPACES_DELETE, own.remove), says=says.REMOVE),
        route("GET", inside, may(read, members.list), says=says.LIST_MEMBERS),
        route("POST", inside, may(manage, members.add), says=says.ADD_MEMBER),
        route("PATCH", member, may(manage, members.set_role), says=says.SET_ROLE),
        route("DELETE", member, may(manage, members.remove), says=says.REMOVE_MEMBER),
    )


def _for_groups(handlers: Handlers) -> tuple[Route, ...]:
    may, groups, says = partial(Permitted, handlers.portal), handlers.team.groups, group_operations
    read, manage = Permission.GROUPS_READ, Permission.GROUPS_MANAGE
    every, one = "/api/v1/groups", "/api/v1/groups/{group_id}"
    inside, member = f"{one}/members", f"{one}/members/{{account_id}}"
    return (
        route("GET", every, may(read, groups.list), says=says.LIST),
        route("POST", every, may(manage, groups.create), says=says.CREATE),
        route("GET", one, may(read, groups.show), says=says.SHOW),
        route("DELETE", one, may(manage, groups.remove), says=says.REMOVE),
        route("GET", inside, may(read, groups.list_members), says=says.LIST_MEMBERS),
        route("POST", inside, may(manage, groups.add_member), says=says.ADD_MEMBER),
        route("DELETE", member, may(manage, groups.remove_member), says=says.REMOVE_MEMBER),
    )


def _for_administrators(handlers: Handlers) -> tuple[Route, ...]:
    """Give what they see of others: their sessions, and what happened."""
    may, sessions, says = partial(Permitted, handlers.portal), handlers.team.sessions, audit_operations
    manage, audit = Permission.MEMBERS_MANAGE, may(Permission.AUDIT_READ, handlers.team.audit.list)
    of_member = "/api/v1/orgs/current/members/{member_id}/sessions"
    return (
        route("GET", of_member, may(manage, sessions.list), says=says.LIST_SESSIONS),
        route("DELETE", of_member, may(manage, sessions.end_all), says=says.END_SESSIONS),
        route("DELETE", f"{of_member}/{{session_id}}", may(manage, sessions.end), says=says.END_SESSION),
        route("GET", "/api/v1/orgs/current/audit", audit, says=says.AUDIT),
    )


def _for_service_accounts(handlers: Handlers) -> tuple[Route, ...]:
    """Give what programs are, and which keys they have."""
    may, says = partial(Permitted, handlers.portal), service_account_operations
    accounts, keys = handlers.service_accounts.accounts, handlers.service_accounts.keys
    read, manage = Permission.SERVICE_ACCOUNTS_READ, Permission.SERVICE_ACCOUNTS_MANAGE
    every, one = "/api/v1/service-accounts", "/api/v1/service-accounts/{service_account_id}"
    every_key, one_key = "/api/v1/orgs/current/service-keys", "/api/v1/orgs/current/service-keys/{key_id}"
    return (
        route("GET", every, may(read, accounts.list), says=says.LIST),
        route("POST", every, may(manage, accounts.create), says=says.ADD),
        route("GET", one, may(read, accounts.show), says=says.SHOW),
        route("PATCH", one, may(manage, accounts.change), says=says.CHANGE),
        route("DELETE", one, may(manage, accounts.remove), says=says.REMOVE),
        route("GET", every_key, may(read, keys.list), says=says.LIST_KEYS),
        route("POST", every_key, may(manage, keys.create), says=says.CREATE_KEY),
        route("POST", f"{one_key}/rotate", may(manage, keys.rotate), says=says.ROTATE_KEY),
        route("DELETE", one_key, may(manage, keys.delete), says=says.DELETE_KEY),
    )


def _for_key_limits(handlers: Handlers) -> tuple[Route, ...]:
    may, says, path = partial(Permitted, handlers.portal), service_account_operations, "/api/v1/orgs/current/info"
    info = handlers.service_accounts.info
    return (
        route("GET", path, may(Permission.ORGANIZATION_READ, info.show), says=says.SHOW_INFO),
        route("PATCH", path, may(Permission.ORGANIZATION_MANAGE, info.change), says=says.CHANGE_INFO),
    )
