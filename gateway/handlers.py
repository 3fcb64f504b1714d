"""Everything that answers, as the wiring hands it to the routes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.account.api_key_handlers import ApiKeyHandlers
    from gateway.account.handlers import AccountHandlers
    from gateway.account.own_member_handlers import OwnMemberHandlers
    from gateway.account.second_factor_api_handlers import SecondFactorApi
    from gateway.account.second_factor_page_handlers import SecondFactorAccountPages
    from gateway.account.session_handlers import SessionHandlers
    from gateway.forward_auth.check import Check
    from gateway.forward_auth.handlers import DeniedHandler
    from gateway.health.handlers import HealthHandlers
    from gateway.login.api_handlers import LoginApi
    from gateway.login.config_handlers import PublicConfig
    from gateway.login.handlers import LoginPages
    from gateway.login.refresh_handlers import RefreshApi
    from gateway.login.second_factor_api_handlers import SecondFactorLoginApi
    from gateway.login.second_factor_handlers import SecondFactorPages
    from gateway.login.v1_handlers import V1Login
    from gateway.organization.audit_handlers import AuditHandlers
    from gateway.organization.groups.handlers import GroupHandlers
    from gateway.organization.handlers import OrganizationHandlers
    from gateway.organization.key_limit_handlers import OrganizationInfoHandlers
    from gateway.organization.members.handlers import MemberHandlers
    from gateway.organization.members.session_handlers import MemberSessionHandlers
    from gateway.organization.service_accounts.handlers import ServiceAccountHandlers
    from gateway.organization.service_accounts.key_handlers import ServiceKeyHandlers
    from gateway.organization.setup_handlers import SetupPages
    from gateway.organization.workspaces.handlers import WorkspaceHandlers
    from gateway.organization.workspaces.member_handlers import WorkspaceMemberHandlers
    from gateway.registration.api_handlers import RegistrationApi
    from gateway.registration.handlers import RegistrationPages
    from gateway.registration.reset_handlers import PasswordResetPages
    from gateway.web.ban_guard import BanGuard
    from gateway.web.portal import Portal


@dataclass(frozen=True, slots=True)
class SecondFactorHandlers:
    """Everything that answers about the second factor: in a login, and in one's own account."""

    login_pages: SecondFactorPages
    login_api: SecondFactorLoginApi
    pages: SecondFactorAccountPages
    api: SecondFactorApi


@dataclass(frozen=True, slots=True)
class RegistrationHandlers:
    """Each flow as JSON and as pages, over one core."""

    api: RegistrationApi
    pages: RegistrationPages
    reset_pages: PasswordResetPages


@dataclass(frozen=True, slots=True)
class ServiceAccountsApi:
    """Service accounts, their keys, and what is allowed of keys."""

    accounts: ServiceAccountHandlers
    keys: ServiceKeyHandlers
    info: OrganizationInfoHandlers


@dataclass(frozen=True, slots=True)
class TeamHandlers:
    """What a team is run with, beside its members."""

    workspaces: WorkspaceHandlers
    workspace_members: WorkspaceMemberHandlers
    groups: GroupHandlers
    sessions: MemberSessionHandlers
    audit: AuditHandlers


@dataclass(frozen=True, slots=True)
class MembersApi:
    """The organization, its members, and one's own membership."""

    organization: OrganizationHandlers
    members: MemberHandlers
    own: OwnMemberHandlers


@dataclass(frozen=True, slots=True)
class Handlers:
    """Everything that answers, made by the wiring."""

    portal: Portal
    check: Check
    login_pages: LoginPages
    login_api: LoginApi
    v1_login: V1Login
    refresh_api: RefreshApi
    public_config: PublicConfig
    account: AccountHandlers
    sessions: SessionHandlers
    api_keys: ApiKeyHandlers
    service_accounts: ServiceAccountsApi
    setup_pages: SetupPages
    denied_page: DeniedHandler
    registration: RegistrationHandlers
    second_factor: SecondFactorHandlers
    members: MembersApi
    team: TeamHandlers
    health: HealthHandlers
    ban_guard: BanGuard
